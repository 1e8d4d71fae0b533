"""The tables of all pages through which people get in, and of those about their own account, put together once."""

from recognizance.governance.profiles import ProfileName
from recognizance.governing.entrance import Entrance
from recognizance.web.account_pages import AccountPages
from recognizance.web.frame import Page
from recognizance.web.openid_pages import OpenIdPages
from recognizance.web.passkey_pages import PasskeyPages
from recognizance.web.signing_in_pages import SigningInPages


def entrance_tables(entrance: Entrance, profile: ProfileName) -> list[list[Page]]:
    """One table for each subject.

    Args:
        profile: How strict the installation is; it's named where it is set up.
    """
    signing_in = SigningInPages(entrance, profile)
    return [
        signing_in.table(),
        PasskeyPages(entrance, signing_in.shown).table(),
        OpenIdPages(entrance, signing_in.shown).table(),
        AccountPages(entrance).table(),
    ]
