"""The wire: Amazon Rekognition's protocol, so that its unchanged clients can use this service."""

from recognizance.aws.authentication import Authenticator
from recognizance.aws.canonical import SignedRequest
from recognizance.aws.dispatch import Dispatcher, receipt_headers
from recognizance.aws.http import RekognitionEndpoint, is_private, read_body, rekognition_app, signed_request
from recognizance.aws.images import ImageSource, open_store
from recognizance.aws.operations import Arns, rekognition_handlers
from recognizance.aws.pagination import PageTokens
from recognizance.aws.replay import ReplayMemory
from recognizance.aws.service_model import load_model
from recognizance.aws.sigv4 import SignatureError, UnsignedPayload
from recognizance.aws.sts import StsEndpoint

__all__ = [
    "Arns",
    "Authenticator",
    "Dispatcher",
    "ImageSource",
    "PageTokens",
    "RekognitionEndpoint",
    "ReplayMemory",
    "SignatureError",
    "SignedRequest",
    "StsEndpoint",
    "UnsignedPayload",
    "is_private",
    "load_model",
    "open_store",
    "read_body",
    "receipt_headers",
    "rekognition_app",
    "rekognition_handlers",
    "signed_request",
]
