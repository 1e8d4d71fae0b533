"""What a page says when something can't be done: its status, its title, and what to do now.

The sentence in between is the service's own (`refusals.py`). Decides nothing: which error it is, the services say.
"""

from collections.abc import Mapping, Sequence

from recognizance.errors import (
    AuthenticationError,
    ConflictError,
    DeniedError,
    Error,
    InputError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)
from recognizance.web.language import N_

STATUSES: Sequence[tuple[type[Error], int]] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (InputError, 400),
    (DeniedError, 403),
    (AuthenticationError, 403),
    (ThrottledError, 429),
    (UnavailableError, 503),
)

CHANGED = N_("Somebody else was faster")
"""The title where two people changed the same thing, and this one came second."""

TITLES: Mapping[int, tuple[str, str]] = {
    400: (N_("This can't be done as asked"), N_("Go back, change what you entered and try again.")),
    403: (N_("This isn't allowed"), N_("If you think that it should be, ask your supervisor or administrator.")),
    404: (N_("There is nothing here"), N_("Check the address, or begin again from the start page.")),
    405: (N_("This page takes no such request"), N_("Begin again from the start page.")),
    409: (N_("This can't be done as things stand"), N_("Load the page again to see how things stand now.")),
    413: (N_("This is too large"), N_("Send a smaller file or a shorter text.")),
    415: (N_("This kind of file isn't taken"), N_("Go back and choose another file.")),
    429: (N_("Too many attempts"), N_("Wait a while before you try again.")),
    500: (
        N_("Something went wrong on our side"),
        N_("It was noted. Try again later; quote the number if you report it."),
    ),
    503: (N_("The service can't answer now"), N_("Nothing was lost. Try again in a few minutes.")),
}
