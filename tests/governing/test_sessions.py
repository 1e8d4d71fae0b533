"""Session tokens: they open for their own key, installation and time, and for nothing else."""

import base64
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.governance import Credential, Grounds
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import OffenceCode
from recognizance.governing.access import Signer, principal_of
from recognizance.governing.sessions import (
    LONGEST,
    SHORTEST,
    ExpiredSessionError,
    IssuedSession,
    SessionSigners,
    SessionTokens,
)
from recognizance.identifiers import AccessKeyId, PrincipalId

ISSUER = AccessKeyId("RCGZAAAAAAAAAAAAAAAA")
GROUNDS = Grounds("2026-0117", "a witness filmed it: Ελλάδα", OffenceCode("robbery"))


@dataclass
class Clock:
    now: datetime = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def tokens_of(clock: Clock, *, sealing: int = 1, secrets: int = 2) -> SessionTokens:
    return SessionTokens(
        sealing_key=bytes([sealing]) * 32, secrets_key=bytes([secrets]) * 32, clock=clock, random_bytes=os.urandom
    )


def issued(tokens: SessionTokens, lasts: timedelta = SHORTEST) -> IssuedSession:
    return tokens.issue(issued_by=ISSUER, use=UseId("robberies"), name="case-7", grounds=GROUNDS, lasts=lasts)


def test_a_token_holds_everything_that_the_session_stands_for() -> None:
    """Nothing is stored: another process with the same keys opens it to the same session and secret."""
    clock = Clock()
    given_out = issued(tokens_of(clock))

    assert tokens_of(clock).open(given_out.session.key_id, given_out.token) == given_out
    assert given_out.session.grounds == GROUNDS


def test_a_token_says_nothing_to_whoever_reads_it() -> None:
    """A proxy's log of headers holds no case."""
    sealed = base64.urlsafe_b64decode(issued(tokens_of(Clock())).token)

    assert b"2026-0117" not in sealed
    assert b"robber" not in sealed


@pytest.mark.parametrize(("late", "opens"), [(timedelta(seconds=-1), True), (timedelta(0), False)])
def test_the_moment_of_expiry_is_exclusive(late: timedelta, opens: bool) -> None:
    """At the second that the answer named, it is over."""
    clock = Clock()
    tokens = tokens_of(clock)
    given_out = issued(tokens)
    clock.now = given_out.session.expires + late

    if opens:
        assert tokens.open(given_out.session.key_id, given_out.token) == given_out
    else:
        with pytest.raises(ExpiredSessionError):
            tokens.open(given_out.session.key_id, given_out.token)


@pytest.mark.parametrize("lasts", [SHORTEST - timedelta(seconds=1), LONGEST + timedelta(seconds=1)])
def test_a_session_lasts_as_long_as_sts_allows(lasts: timedelta) -> None:
    """The bounds are the service model's."""
    with pytest.raises(InputError, match="900 to 43200 seconds"):
        issued(tokens_of(Clock()), lasts)


def test_another_sealing_key_opens_nothing_and_another_secrets_key_gives_another_secret() -> None:
    """Either alone keeps a token from being used elsewhere."""
    clock = Clock()
    given_out = issued(tokens_of(clock))
    elsewhere = tokens_of(clock, secrets=3).open(given_out.session.key_id, given_out.token)

    assert tokens_of(clock, sealing=3).open(given_out.session.key_id, given_out.token) is None
    assert elsewhere is not None
    assert elsewhere.secret != given_out.secret


@given(st.data())
def test_no_single_changed_character_opens(data: st.DataObject) -> None:
    """Not even one of those bits at the end that base64 leaves unread."""
    tokens = tokens_of(Clock())
    given_out = issued(tokens)
    place = data.draw(st.integers(0, len(given_out.token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda each: each != given_out.token[place]))
    changed = given_out.token[:place] + other + given_out.token[place + 1 :]

    assert tokens.open(given_out.session.key_id, changed) is None


@given(st.text(max_size=200))
def test_any_text_is_a_token_or_nobodys(text: str) -> None:
    """Whatever comes in the header, nothing is raised."""
    assert tokens_of(Clock()).open(AccessKeyId("RCGSAAAAAAAAAAAAAAAA"), text) is None


def test_a_session_signs_for_whoever_began_it_while_their_key_is_active() -> None:
    """The long-lived key is looked up on every call."""
    tokens = tokens_of(Clock())
    given_out = issued(tokens)
    active = {ISSUER: Signer(principal_of(PrincipalId("p-1")), "secret")}
    signers = SessionSigners(active.get, tokens)
    signer = signers(given_out.session.key_id, given_out.token)
    active.clear()

    assert signer is not None
    assert (signer.principal.id, signer.secret) == ("p-1", given_out.secret)
    assert signer.asking.credential is Credential.SESSION
    assert (signer.asking.use, signer.asking.bound_use) == ("robberies", "robberies")
    assert signer.asking.grounds == GROUNDS
    assert signers(given_out.session.key_id, given_out.token) is None
