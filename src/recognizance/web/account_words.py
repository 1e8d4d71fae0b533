"""What the pages and the mails say about what happened to an account. Marked for the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

from recognizance.governing.account_news import Happening
from recognizance.web.language import N_

_IF_NOT_YOU = N_("If that wasn't you, somebody else has your password or your device.")
_TELL_ADMINISTRATOR = N_("If you didn't ask for it, ask your administrator why.")


@dataclass(frozen=True, slots=True)
class Said:
    """A heading, and what to make of it."""

    title: str
    advice: str


HAPPENINGS: Mapping[Happening, Said] = {
    Happening.PASSWORD_CHANGED: Said(N_("Your password was changed"), _IF_NOT_YOU),
    Happening.PASSWORD_SET: Said(
        N_("A password was set with the link that an administrator handed out"),
        N_("If that wasn't you, somebody else has the link: tell your administrator at once."),
    ),
    Happening.APP_SET_UP: Said(N_("An authenticator app was set up"), _IF_NOT_YOU),
    Happening.RECOVERY_CODES_DRAWN: Said(N_("New recovery codes were drawn"), _IF_NOT_YOU),
    Happening.RECOVERY_CODE_USED: Said(N_("Signed in with a recovery code"), _IF_NOT_YOU),
    Happening.PASSKEY_ADDED: Said(N_("A passkey was added"), _IF_NOT_YOU),
    Happening.PASSKEY_REMOVED: Said(N_("A passkey was removed"), _IF_NOT_YOU),
    Happening.RESET: Said(
        N_("An administrator took away your password and your second factors, for you to set new ones"),
        _TELL_ADMINISTRATOR,
    ),
    Happening.DISABLED: Said(N_("An administrator disabled your account"), _TELL_ADMINISTRATOR),
    Happening.ENABLED: Said(N_("An administrator enabled your account again"), _TELL_ADMINISTRATOR),
    Happening.IDENTITY_LINKED: Said(
        N_("An administrator linked your account to your organisation's sign-in"), _TELL_ADMINISTRATOR
    ),
    Happening.KEY_DRAWN: Said(
        N_("An administrator drew an access key that acts in your name"),
        N_("If you don't hold it yourself, somebody else can vote, review or search as you: tell the overseers."),
    ),
    Happening.NEW_PLACE: Said(N_("Signed in with another browser, or from elsewhere, than before"), _IF_NOT_YOU),
    Happening.CODE_REPEATED: Said(
        N_("A code of your authenticator app was used twice"),
        N_("Somebody who knows your password tried a code again that had been used. If that wasn't you, change it."),
    ),
    Happening.PASSKEY_COPIED: Said(
        N_("A copy of your passkey may be in use"),
        N_("It was refused, because it counts less than before. Remove this passkey and add another."),
    ),
    Happening.TRIED_TOO_OFTEN: Said(
        N_("Somebody tried to sign in as you too often"),
        N_("They had to wait. If that wasn't you, nothing is lost; a password that is used nowhere else helps."),
    ),
    Happening.CODE_TRIED_TOO_OFTEN: Said(
        N_("Somebody with your password tried too many codes"),
        N_("They didn't get in with them. If that wasn't you, change your password at once."),
    ),
    Happening.UNUSUAL_USE: Said(
        N_("There is unusual use to look at"),
        N_("Something in the use of this service is out of the ordinary that wasn't when you were told last."),
    ),
}
