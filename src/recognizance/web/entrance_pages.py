"""The tables of all pages through which people get in, and of those about their own account, put together once."""

from recognizance.governing.entrance import Entrance
from recognizance.governing.installation import Governing
from recognizance.register import LiveRegister
from recognizance.web.account_pages import AccountPages
from recognizance.web.frame import Page
from recognizance.web.openid_pages import OpenIdPages
from recognizance.web.passkey_pages import PasskeyPages
from recognizance.web.set_up_pages import SetUpPages
from recognizance.web.signing_in_pages import SigningInPages
from recognizance.web.strength_pages import StrengthPages


def entrance_tables(entrance: Entrance, governing: Governing, register: LiveRegister) -> list[list[Page]]:
    """One table for each subject."""
    signing_in = SigningInPages(entrance)
    return [
        signing_in.table(),
        SetUpPages(entrance, governing, register).table(),
        PasskeyPages(entrance, signing_in.shown).table(),
        OpenIdPages(entrance, signing_in.shown).table(),
        AccountPages(entrance).table(),
        StrengthPages(entrance).table(),
    ]
