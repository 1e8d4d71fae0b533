"""`recognizance serve`: the server, from its first start on."""

import contextlib
import logging
import resource
import signal
import socket
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data
from recognizance.cli.output import notices, print_json, progress, results, speaking_plainly

if TYPE_CHECKING:
    from recognizance.app import Service
    from recognizance.config import Settings
    from recognizance.governance.profiles import ProfileName
    from recognizance.governing.access import IssuedKey

_SNIPPET = """
[bold]A client for it[/], as any program that speaks to Amazon Rekognition:

    import boto3
    rekognition = boto3.client(
        "rekognition",
        endpoint_url="{endpoint}",
        region_name="{region}",
        aws_access_key_id="{key}",
        aws_secret_access_key="{secret}",
    )
    rekognition.create_collection(CollectionId="people")

A program that can't be changed takes all of it from its environment:

    export AWS_ENDPOINT_URL_REKOGNITION={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}
    export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY='{secret}'
"""

RETENTION_EVERY_S = 6 * 3600.0
"""Things are due by the day; several runs a day mean that a machine that is off at night runs one all the same."""


@speaking_plainly
def serve(
    data: Data = DEFAULT_DATA,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Once ready, print endpoint and key pair as one line of JSON; log to standard error."
        ),
    ] = False,
) -> None:
    """Start the server. The first start creates the data folder, a master key and an access key."""
    from recognizance.cli.logs import logging_as_set
    from recognizance.config import read_settings
    from recognizance.storage import only_server

    # A dump of this process's memory would hold faces and keys, outside everything that is sealed.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    given = {"port": port, "host": host}
    settings = read_settings(data, given=given)
    with (
        logging_as_set(settings),
        contextlib.closing(_listen(settings.host, settings.port)) as listener,
        only_server(data),
    ):
        wanted = _serve_once(data, settings, listener, json=json)
        while wanted is not None:
            _set_up_as(data, settings, wanted)
            settings = read_settings(data, given=given)
            wanted = _serve_once(data, settings, listener, json=json)


def _serve_once(data: Path, settings: "Settings", listener: socket.socket, *, json: bool) -> "ProfileName | None":
    """Serve until somebody stops it, or chooses the profile at the first start; then answers which."""
    from recognizance.app import open_service, open_telling, warm_up
    from recognizance.forgetting.closing import ROUND_EVERY_S as ERASE_EVERY_S
    from recognizance.forgetting.closing import ROUND_S
    from recognizance.governing.installation import SWEEP_EVERY_S
    from recognizance.governing.registration import at_the_machine
    from recognizance.governing.telling import ROUND_EVERY_S
    from recognizance.rounds import Rounds

    if not json:
        notices.print("Starting; loading the networks and compiling the search take some seconds.")
    service = open_service(data, settings)
    try:
        issued = None if service.keys.list() else service.keys.create()
        warm_up(service)
        _load_galleries(service)
        by, telling = at_the_machine(), open_telling(service)
        with (
            contextlib.closing(Rounds(service.governing.uses.sweep, name="sweep", every_s=SWEEP_EVERY_S)),
            contextlib.closing(
                Rounds(lambda: service.retention.run_all(by=by), name="retention", every_s=RETENTION_EVERY_S)
            ),
            contextlib.closing(Rounds(telling.round, name="telling", every_s=ROUND_EVERY_S)),
            contextlib.closing(
                Rounds(lambda: service.erasure.finish(within_s=ROUND_S), name="erasure", every_s=ERASE_EVERY_S)
            ),
        ):
            _run(service, listener, issued, json=json)
        return service.entrance.set_up.wanted
    finally:
        service.close()


def _set_up_as(data: Path, settings: "Settings", profile: "ProfileName") -> None:
    """Do what `init` does, for a profile that was chosen in the browser, while nothing is served."""
    from recognizance.cli.governing import keep_images
    from recognizance.errors import ConflictError
    from recognizance.governance.profiles import ProfileName
    from recognizance.governing.beginning import choose_profile
    from recognizance.storage import now, open_recorder, open_records

    with (
        contextlib.closing(open_records(data, settings)) as records,
        contextlib.closing(open_recorder(data, settings, records)) as recorder,
    ):
        try:
            choose_profile(recorder, profile, owner_name="whoever runs the machine", clock=now)
        except ConflictError as error:
            # Somebody began something in the last moment; the page says how things stand.
            notices.print(str(error))
            return
    if profile is ProfileName.LAW_ENFORCEMENT:
        keep_images(data)
    results.print(f"profile {profile.value}")


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything is created, so that a second start fails without a trace."""
    from recognizance.errors import UnavailableError

    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        raise UnavailableError(f"can't listen on {host} port {port}: {error.strerror}") from error
    return listener


def _load_galleries(service: "Service") -> None:
    """Bring every gallery into memory, so that the first search isn't the one that waits for it."""
    from recognizance.cli.opening import permit_by
    from recognizance.governance import Policy
    from recognizance.permits import Action

    # The service's own doing, of which nobody learns anything: where nobody who runs the machine may read a gallery,
    # it is loaded all the same. Whoever then asks is asked for their own permit.
    own = Policy()

    after = None
    while page := service.galleries.page(after=after, limit=100, permit=permit_by(own, Action.READ_GALLERY)):
        for gallery in page:
            after = gallery.id
            if gallery.model != service.reader.model:
                notices.print(
                    f"gallery {gallery.id} holds templates of {gallery.model}, not of {service.reader.model}:"
                    " it can be listed and deleted, but not searched"
                )
                continue
            permit = permit_by(own, Action.READ_GALLERY, gallery.id)
            with progress(f"loading gallery {gallery.id}", gallery.face_count) as advance:
                service.galleries.faces_index(gallery.id, model=gallery.model, permit=permit, progress=advance)
            service.galleries.subjects_index(gallery.id, model=gallery.model, permit=permit)


def _run(service: "Service", listener: socket.socket, issued: "IssuedKey | None", *, json: bool) -> None:
    import uvicorn

    from recognizance.app import http_app

    class Announcing(uvicorn.Server):
        """Says where it is once it answers, and not before: a program waits for this line."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                _announce(service, listener, issued, json=json)

        async def on_tick(self, counter: int) -> bool:
            # Requests that are under way are answered first, the one that chose included.
            return await super().on_tick(counter) or service.entrance.set_up.wanted is not None

    config = uvicorn.Config(
        http_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        # Bodies are bounded by the application; headers here.
        h11_max_incomplete_event_size=64 * 1024,
        timeout_graceful_shutdown=30,
    )
    # uvicorn finishes what is under way and then raises the signal again, for whoever listened before it. That is us,
    # and there is nothing left to do but to close, so a server that was asked to stop ends with success.
    before = {each: signal.signal(each, _note_signal) for each in (signal.SIGINT, signal.SIGTERM)}
    # A copy, because uvicorn closes what it is given: whoever comes while it starts again waits, and isn't refused.
    Announcing(config).run(sockets=[listener.dup()])
    for each, handler in before.items():
        signal.signal(each, handler)


def _announce_pages(service: "Service", endpoint: str) -> None:
    """Say where the pages are, and to whoever reads this console how the first account is made."""
    results.print(f"[bold]The pages[/] are at {endpoint}/")
    set_up = service.entrance.set_up
    if set_up.is_due:
        results.print(f"Nobody can sign in yet: make the first account at {endpoint}/set-up, code {set_up.code}")


def _key_in_words(service: "Service") -> str:
    """With what clients sign from the second start on: secrets were shown when they were drawn."""
    another = f"`recognizance keys create --data {service.data}` draws another"
    active = sum(key.active for key in service.keys.list())
    if not active:
        return f"No key is active, so nobody can sign a request: {another}."
    return f"Clients sign with a key that was drawn before ({active} active; secrets are shown once), or {another}."


def _note_signal(number: int, _frame: FrameType | None) -> None:
    logging.getLogger(__name__).info("stopped by %s", signal.Signals(number).name)


def _announce(service: "Service", listener: socket.socket, issued: "IssuedKey | None", *, json: bool) -> None:
    host, port = listener.getsockname()[:2]
    endpoint = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    region = service.settings.region
    if json:
        key = issued or service.keys.first()
        print_json(
            {
                "endpoint": endpoint,
                "access_key_id": key.id if key else None,
                "secret_access_key": key.secret if key else None,
                "region": region,
            }
        )
        return
    results.print(f"Recognizance listens on [bold]{endpoint}[/]; its data is in {Path(service.data).resolve()}")
    if issued:
        results.print(_SNIPPET.format(endpoint=endpoint, region=region, key=issued.id, secret=issued.secret))
    else:
        results.print(_key_in_words(service))
    _announce_pages(service, endpoint)
    results.print("Ctrl-C stops it.")
