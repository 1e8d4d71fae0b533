"""What the pages say about passwords and codes, and how a new password is read from a form."""

from recognizance.governing.passwords import LEAST_SCORE, Flaw, Strength, Weakness
from recognizance.web.forms import Form
from recognizance.web.language import N_

NOT_ALIKE = N_("The two passwords are not alike.")
WRONG_CODE = N_("This code is wrong, or was used already. Wait for the next one.")
_FLAWS = {
    Flaw.TOO_SHORT: N_("This password is too short: it needs 12 characters or more."),
    Flaw.TOO_LONG: N_("This password is too long: it can have 128 characters at most."),
    Flaw.GUESSABLE: N_(
        "This password would be guessed soon. Four or five words that have nothing to do with each other work well."
    ),
}
_WEAKNESSES = {
    Weakness.PERSONAL: N_(
        "This password would be guessed soon: your name, your login or the name of this service is in it."
    ),
    Weakness.COMMON: N_(
        "This password would be guessed soon: most of it is a common word or password. Four or five words that have"
        " nothing to do with each other work well."
    ),
    Weakness.KEYBOARD: N_("This password would be guessed soon: much of it is a row of keys next to each other."),
    Weakness.REPEATED: N_("This password would be guessed soon: it says the same thing several times."),
    Weakness.SEQUENCE: N_("This password would be guessed soon: much of it just counts on, such as abc or 123."),
    Weakness.DATE: N_("This password would be guessed soon: much of it is a date or a year."),
}
_TAKEN = {
    LEAST_SCORE: N_("This password is hard to guess."),
    LEAST_SCORE + 1: N_("This password is very hard to guess."),
}


def why(flaw: Flaw, weakness: Weakness | None) -> str:
    """Why a password is refused, and what would help: a text of the catalogue."""
    if flaw is Flaw.GUESSABLE and weakness is not None:
        return _WEAKNESSES[weakness]
    return _FLAWS[flaw]


def verdict(strength: Strength) -> str:
    """What to say of a password while it is typed: a text of the catalogue."""
    return _TAKEN[strength.score] if strength.flaw is None else why(strength.flaw, strength.weakness)


def new_password(form: Form) -> str:
    """The new password, typed twice: not stripped, because a space may be part of it."""
    password = form.raw("password")
    if not password:
        form.text("password")
    elif password != form.raw("repeated"):
        form.fail("repeated", NOT_ALIKE)
    return password
