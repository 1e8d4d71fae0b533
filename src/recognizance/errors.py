"""Every error that crosses a domain's edge, arranged by who has to act.

A message names the thing and the limit. It never holds an image, a template, the score of a named person, a key or SQL,
because messages are logged and answered to callers. A programmer's mistake is no `Error`: it is `ValueError` or
`TypeError`, and becomes a bare 500.
"""


class Error(Exception):
    """The root of what this service raises on purpose."""


class InputError(Error):
    """The caller has to change the request."""


class ImageError(InputError):
    """The bytes are no picture that we read: unknown format, broken, empty."""


class ImageTooLargeError(InputError):
    """The picture is beyond a limit of bytes or pixels, and was not decoded."""


class NotFoundError(InputError):
    """What the request names does not exist, or not for this caller."""


class ConflictError(InputError):
    """What the request would create exists already, or the state has moved on."""


class ChangedError(ConflictError):
    """Somebody else has changed it since it was read; read it again and decide anew."""


class TokenReusedError(ConflictError):
    """A client's request token came before, with another request."""


class LimitError(InputError):
    """The request is sound, but a named quota would be passed."""


class AuthenticationError(Error):
    """We don't know who is calling. Says as little as the protocol allows."""


class DeniedError(Error):
    """We know who is calling, and policy refuses.

    Attributes:
        decision_id: What to quote when asking an overseer about it; empty only where no decision was needed because a
            permit did not cover the act at all.
        policies: Names of the policies that refused; empty where none did.
        missing: For each reason what is missing and, after `; ask `, who can grant it; the message says the same.
    """

    def __init__(
        self, message: str, *, decision_id: str = "", policies: tuple[str, ...] = (), missing: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.decision_id = decision_id
        self.policies = policies
        self.missing = missing


class ThrottledError(Error):
    """The caller has to wait."""


class UnavailableError(Error):
    """Our side failed; the same request may be sent again safely."""


class CorruptionError(Error):
    """What is stored contradicts itself. A person has to look; retrying never helps."""
