"""The wire: Amazon Rekognition's protocol, so that its unchanged clients can use this service."""
