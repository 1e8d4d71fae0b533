"""What the pages say about passwords and codes, and how a new password is read from a form."""

from recognizance.governing.passwords import Flaw
from recognizance.web.forms import Form
from recognizance.web.language import N_

NOT_ALIKE = N_("The two passwords are not alike.")
WRONG_CODE = N_("This code is wrong, or was used already. Wait for the next one.")
FLAWS = {
    Flaw.TOO_SHORT: N_("This password is too short: it needs 12 characters or more."),
    Flaw.TOO_LONG: N_("This password is too long: it can have 128 characters at most."),
    Flaw.GUESSABLE: N_(
        "This password would be guessed soon. Four or five words that have nothing to do with each other work well."
    ),
}


def new_password(form: Form) -> str:
    """The new password, typed twice: not stripped, because a space may be part of it."""
    password = form.raw("password")
    if not password:
        form.text("password")
    elif password != form.raw("repeated"):
        form.fail("repeated", NOT_ALIKE)
    return password
