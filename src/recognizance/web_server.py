"""What the server answers over HTTP, put together from a service's parts."""

import os

from starlette.applications import Starlette

from recognizance.app import Service, new_id, now
from recognizance.aws.authentication import Authenticator
from recognizance.aws.dispatch import Dispatcher
from recognizance.aws.http import RekognitionEndpoint, rekognition_app
from recognizance.aws.images import ImageSource, open_store
from recognizance.aws.operations import Arns, rekognition_handlers
from recognizance.aws.pagination import PageTokens
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.shapes import load_model


def http_app(service: Service) -> Starlette:
    """Build the ASGI application of an open service, which stays open as long as this runs."""
    settings = service.settings
    with service.records.reading() as reader:
        page_key = reader.derived_key("page tokens").reveal()
    handlers = rekognition_handlers(
        galleries=service.galleries,
        enrolment=service.enrolment,
        search=service.search,
        oneshot=service.oneshot,
        images=ImageSource(open_store(settings)),
        tokens=PageTokens(page_key),
        arns=Arns(settings.region, settings.account),
    )
    dispatcher = Dispatcher(load_model(), handlers, policy=service.policy, new_id=new_id)
    authenticator = Authenticator(service.keys.signer, region=settings.region, clock=now, memory=ReplayMemory())
    workers = settings.workers or 2 * (os.cpu_count() or 1)
    return rekognition_app(RekognitionEndpoint(dispatcher, authenticator, workers=workers, new_id=new_id))
