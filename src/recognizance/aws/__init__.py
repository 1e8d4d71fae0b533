"""The wire: Amazon Rekognition's protocol, so that its unchanged clients can use this service."""

from recognizance.aws.authentication import Authenticator
from recognizance.aws.dispatch import Dispatcher
from recognizance.aws.http import RekognitionEndpoint, rekognition_app
from recognizance.aws.images import ImageSource, open_store
from recognizance.aws.operations import Arns, rekognition_handlers
from recognizance.aws.pagination import PageTokens
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.service_model import load_model
from recognizance.aws.sts import StsEndpoint

__all__ = [
    "Arns",
    "Authenticator",
    "Dispatcher",
    "ImageSource",
    "PageTokens",
    "RekognitionEndpoint",
    "ReplayMemory",
    "StsEndpoint",
    "load_model",
    "open_store",
    "rekognition_app",
    "rekognition_handlers",
]
