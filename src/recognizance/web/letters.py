"""Mails about what happened to an account, put into words: in every language that the pages have, one below the other.

Which language somebody reads is known to their browser and not to us. A mail says what happened, when, and where to
look; no login, no address, no name of anybody but the service, and nothing that a stranger typed. Pure.
"""

from recognizance.governing.account_news import DueMail
from recognizance.governing.mail_relay import Letter
from recognizance.web.account_words import HAPPENINGS
from recognizance.web.language import N_, Language, wording

_LOOK = N_("Look at it under “What happened to your account”: %(address)s")
_LOOK_WITHOUT_ADDRESS = N_("Sign in and look at it under “What happened to your account”.")
_NO_ANSWER = N_("A machine wrote this mail. It never asks for a password or a code.")


def letter_of(mail: DueMail, *, service_name: str, public_url: str) -> Letter:
    """The mail that tells this.

    Args:
        public_url: Where people reach the pages; empty where that isn't known.
    """
    said, parts = HAPPENINGS[mail.what], []
    for language in Language:
        spoken = wording(language)
        where = f"{public_url}/account/news"
        look = spoken.gettext(_LOOK) % {"address": where} if public_url else spoken.gettext(_LOOK_WITHOUT_ADDRESS)
        parts.append(
            f"{spoken.gettext(said.title)} – {spoken.moment(mail.at)}\n\n{spoken.gettext(said.advice)}\n\n{look}\n\n"
            f"{spoken.gettext(_NO_ANSWER)}\n"
        )
    subjects = " / ".join(wording(language).gettext(said.title) for language in Language)
    return Letter(mail.id, mail.login, f"{service_name}: {subjects}", "\n--\n\n".join(parts), mail.at)
