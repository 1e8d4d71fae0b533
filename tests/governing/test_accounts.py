"""Accounts and sessions, without a server: who gets in, how, and for how long."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from recognizance.documents import Standing
from recognizance.errors import ConflictError, DeniedError, InputError, NotFoundError
from recognizance.governance.parties import PersonId, Role
from recognizance.governance.profiles import ProfileName
from recognizance.governing import one_time
from recognizance.governing.account_documents import SESSION_KIND, Stage, digest_of
from recognizance.governing.accounts import INVITATION_LASTS, WeakPasswordError
from recognizance.governing.attempts import FREE_FROM_NETWORK, TooManyAttemptsError
from recognizance.governing.entrance import WrongCodeError
from recognizance.governing.passwords import Flaw, flaw_of
from recognizance.governing.signing_in import ABSOLUTE, HALF_WAY, IDLE, WrongCredentialsError
from recognizance.ledger import Entry, facts

from .account_world import HERE, PASSWORD, ROOT, World, opened


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An organisation, where a second factor is each person's choice."""
    yield from opened(tmp_path / "data", ProfileName.ORGANISATION)


@pytest.fixture
def police(tmp_path: Path) -> Iterator[World]:
    yield from opened(tmp_path / "data", ProfileName.LAW_ENFORCEMENT)


def test_an_invitation_works_once_and_for_three_days(world: World) -> None:
    accounts = world.entrance.accounts
    first = accounts.invite(world.person(), "a@example.org", by=ROOT)
    late = accounts.invite(world.person(), "b@example.org", by=ROOT)
    accounts.accept(first.token, PASSWORD)
    with pytest.raises(NotFoundError):
        accounts.accept(first.token, PASSWORD)
    world.clock.now += INVITATION_LASTS
    assert accounts.invited(late.token) is None
    assert accounts.invited("x" * 32) is None


def test_only_who_issues_keys_gives_accounts(world: World) -> None:
    """Nobody else invites, resets, disables or links."""
    person = world.account()
    token, _ = world.enter()
    known = world.entrance.sign_in.whose(token)
    assert known is not None
    by, accounts = known.actor(), world.entrance.accounts
    for act in (
        lambda: accounts.invite(world.person(), "c@example.org", by=by),
        lambda: accounts.reset(person, by=by),
        lambda: accounts.disable(person, by=by),
        lambda: accounts.link_identity(person, "https://issuer.example", "7", by=by),
    ):
        with pytest.raises(DeniedError):
            act()


@pytest.mark.parametrize("login", ["", "  ", "two words", "a\nb", "x" * 201])
def test_a_login_is_one_word(world: World, login: str) -> None:
    with pytest.raises(InputError):
        world.entrance.accounts.invite(world.person(), login, by=ROOT)


def test_a_login_and_a_person_have_one_account(world: World) -> None:
    person = world.account("a@example.org")
    with pytest.raises(ConflictError):
        world.entrance.accounts.invite(world.person(), "A@Example.org", by=ROOT)
    with pytest.raises(ConflictError):
        world.entrance.accounts.invite(person, "b@example.org", by=ROOT)


@pytest.mark.parametrize(
    ("password", "flaw"),
    [
        ("short", Flaw.TOO_SHORT),
        ("x" * 129, Flaw.TOO_LONG),
        ("passwordpassword", Flaw.GUESSABLE),
        ("aaaaaaaaaaaaaaaa", Flaw.GUESSABLE),
        ("harbourmaster1", Flaw.GUESSABLE),
        (PASSWORD, None),
    ],
)
def test_passwords_that_would_be_guessed_are_refused(password: str, flaw: Flaw | None) -> None:
    assert flaw_of(password, personal=["harbourmaster"]) is flaw


def test_an_account_keeps_its_link_if_the_password_is_refused(world: World) -> None:
    invitation = world.entrance.accounts.invite(world.person(), "a@example.org", by=ROOT)
    with pytest.raises(WeakPasswordError):
        world.entrance.accounts.accept(invitation.token, "password")
    world.entrance.accounts.accept(invitation.token, PASSWORD)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("a@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("a b", PASSWORD),
        ("a@example.org", ""),
    ],
)
def test_whatever_is_wrong_is_refused_alike(world: World, login: str, password: str) -> None:
    """The same error with the same words, whether or not there is such a login."""
    world.account()
    with pytest.raises(WrongCredentialsError, match=r"^login or password is wrong$"):
        world.enter(login, password)


def test_a_login_that_nobody_has_costs_a_hash_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal verifies one password, so its time says nothing."""
    world.account()
    sign_in, verified = world.entrance.sign_in, list[bool]()
    verify = sign_in._hasher.verify

    def counted(kept: str | None, password: str) -> bool:
        verified.append(kept is not None)
        return verify(kept, password)

    monkeypatch.setattr(sign_in._hasher, "verify", counted)
    for login in ("a@example.org", "nobody@example.org", ""):
        with pytest.raises(WrongCredentialsError):
            world.enter(login, "wrong")
    assert verified == [True, False, False]


def test_guessing_is_slowed_down_for_everybody_alike(world: World) -> None:
    """A login that exists and one that doesn't are locked after the same number of failures."""
    world.account()
    counts = []
    for login in ("a@example.org", "nobody@example.org"):
        failures = 0
        while True:
            try:
                world.enter(login, "wrong")
            except WrongCredentialsError:
                failures += 1
            except TooManyAttemptsError:
                break
        counts.append(failures)
    assert counts[0] == counts[1]
    with pytest.raises(TooManyAttemptsError):
        world.enter()


def test_each_step_gives_another_session(world: World) -> None:
    """What the browser had before a step is worth nothing after it."""
    world.account()
    first, stage = world.enter()
    assert stage is Stage.COMPLETE
    second, secret, _ = world.with_app(first)
    world.clock.now += timedelta(minutes=1)
    third, stage = world.enter()
    assert stage is Stage.SECOND_FACTOR
    fourth = world.entrance.sign_in.with_code(third, world.code(secret), address=HERE).token
    whose = world.entrance.sign_in.whose
    assert [whose(token) is not None for token in (first, second, third, fourth)] == [False, True, False, True]


def test_a_code_does_not_work_twice(world: World) -> None:
    """Neither one of the app nor a recovery code."""
    world.account()
    _, secret, codes = world.with_app(world.enter()[0])
    world.clock.now += timedelta(minutes=1)
    for code in (world.code(secret), codes[0]):
        world.entrance.sign_in.with_code(world.enter()[0], code, address=HERE)
        token, _ = world.enter()
        with pytest.raises(WrongCredentialsError):
            world.entrance.sign_in.with_code(token, code, address=HERE)


def test_a_session_half_way_is_nobodys(world: World) -> None:
    """It asks for the code, for ten minutes, and can be used for nothing else."""
    world.account()
    world.with_app(world.enter()[0])
    token, _ = world.enter()
    half = world.entrance.sign_in.whose(token)
    assert half is not None
    assert half.stage is Stage.SECOND_FACTOR
    world.clock.now += HALF_WAY
    assert world.entrance.sign_in.whose(token) is None


def test_the_police_can_do_nothing_with_a_password_alone(police: World) -> None:
    police.account()
    token, stage = police.enter()
    assert stage is Stage.ENROLMENT
    token, _, _ = police.with_app(token)
    known = police.entrance.sign_in.whose(token)
    assert known is not None
    assert known.stage is Stage.COMPLETE


def test_a_session_ends_by_itself(world: World) -> None:
    """After half an hour without a request, and after twelve hours in any case."""
    world.account()
    idle, _ = world.enter()
    busy, _ = world.enter()
    whose = world.entrance.sign_in.whose
    world.clock.now += IDLE - timedelta(seconds=1)
    assert whose(busy) is not None
    world.clock.now += timedelta(seconds=1)
    assert whose(idle) is None
    for _ in range(int(ABSOLUTE / IDLE) * 2):
        world.clock.now += IDLE / 2
        whose(busy)
    assert whose(busy) is None
    latest, _ = world.enter()
    with world.records.reading() as reader:
        assert [each.id for each in reader.documents(SESSION_KIND, limit=9)] == [digest_of(latest)]


def test_what_an_administrator_does_counts_on_the_next_request(world: World) -> None:
    """Disabled, reset, suspended, dismissed: the session that is open is over."""
    whose = world.entrance.sign_in.whose
    acts: list[Callable[[PersonId], object]] = [
        lambda person: world.entrance.accounts.disable(person, by=ROOT),
        lambda person: world.entrance.accounts.reset(person, by=ROOT),
        lambda person: world.governing.registration.set_person_standing(person, Standing.SUSPENDED, by=ROOT),
        lambda person: world.governing.registration.set_person_standing(person, Standing.REMOVED, by=ROOT),
    ]
    for number, act in enumerate(acts):
        login = f"{number}@example.org"
        person = world.account(login)
        token, _ = world.enter(login)
        assert whose(token) is not None
        act(person)
        assert whose(token) is None
        with pytest.raises(WrongCredentialsError):
            world.enter(login)


def test_a_disabled_account_comes_back_as_it_was(world: World) -> None:
    person = world.account()
    world.entrance.accounts.disable(person, by=ROOT)
    with pytest.raises(ConflictError):
        world.entrance.accounts.reset(person, by=ROOT)
    world.entrance.accounts.enable(person, by=ROOT)
    world.enter()
    with pytest.raises(ConflictError):
        world.entrance.accounts.enable(person, by=ROOT)


def test_a_new_password_ends_all_other_sessions(world: World) -> None:
    person = world.account()
    here, there = world.enter()[0], world.enter()[0]
    known = world.entrance.sign_in.whose(here)
    assert known is not None
    world.entrance.accounts.change_password(person, "nine otters slept upstairs", keep_session=known.session)
    assert world.entrance.sign_in.whose(here) is not None
    assert world.entrance.sign_in.whose(there) is None
    with pytest.raises(WrongCredentialsError):
        world.enter()


def test_signing_out_everywhere_else_leaves_this_one(world: World) -> None:
    world.account()
    tokens = [world.enter()[0] for _ in range(3)]
    known = world.entrance.sign_in.whose(tokens[0])
    assert known is not None
    assert world.entrance.sign_in.sign_out_others(known) == 2
    assert [each.is_this for each in world.entrance.sign_in.sessions(known)] == [True]
    world.entrance.sign_in.sign_out(tokens[0])
    assert world.entrance.sign_in.whose(tokens[0]) is None


def test_the_first_account_takes_the_code_from_the_console(world: World) -> None:
    """Its roles are those of whoever runs the machine; there is one first account."""
    set_up = world.entrance.set_up
    with pytest.raises(WrongCodeError):
        set_up.first_account("AAAA-BBBB-CCCC-DDDD", "root", PASSWORD, address=HERE)
    set_up.first_account(set_up.code.lower().replace("-", " "), "root", PASSWORD, address=HERE)
    known = world.entrance.sign_in.whose(world.enter("root")[0])
    assert known is not None
    assert known.roles == {Role.ADMINISTRATOR}
    assert not set_up.is_due
    with pytest.raises(ConflictError):
        set_up.first_account(set_up.code, "second", PASSWORD, address=HERE)


def test_the_code_from_the_console_cannot_be_guessed(world: World) -> None:
    """After a few wrong ones not even the right one is looked at, for a while."""
    set_up = world.entrance.set_up
    for _ in range(FREE_FROM_NETWORK):
        with pytest.raises(WrongCodeError):
            set_up.require_code("AAAA", address=HERE)
    with pytest.raises(TooManyAttemptsError):
        set_up.require_code(set_up.code, address=HERE)


def test_nothing_that_lets_somebody_in_is_in_the_file(world: World) -> None:
    """Neither logins, links, tokens, codes, secrets nor the hash of a password stand in the records in the clear."""
    world.account("somebody@example.org")
    token, secret, codes = world.with_app(world.enter("somebody@example.org")[0])
    invitation = world.entrance.accounts.invite(world.person(), "other@example.org", by=ROOT)
    world.records.settle()
    stored = world.records.path.read_bytes()
    for needle in (
        "somebody@example.org",
        "other@example.org",
        token,
        secret.hex(),
        codes[0],
        one_time.recovery_digest(codes[0]),
        invitation.token,
        "$argon2id$",
    ):
        assert needle.encode() not in stored


def test_an_identity_belongs_to_one_account(world: World) -> None:
    """Whoever the provider vouches for gets in as the person that it was linked to, and nobody else."""
    person, other = world.account("a@example.org"), world.account("b@example.org")
    accounts, sign_in = world.entrance.accounts, world.entrance.sign_in
    accounts.link_identity(person, "https://issuer.example", "7", by=ROOT)
    with pytest.raises(ConflictError):
        accounts.link_identity(other, "https://issuer.example", "7", by=ROOT)
    opened = sign_in.with_identity("https://issuer.example 7", device="", is_strong=False)
    known = sign_in.whose(opened.token)
    assert known is not None
    assert known.person == person
    with pytest.raises(WrongCredentialsError):
        sign_in.with_identity("https://issuer.example 8", device="", is_strong=False)


def test_what_is_done_to_accounts_is_on_the_record(world: World) -> None:
    """Under the person's pseudonym, with the login only committed to."""
    person = world.person()
    accounts = world.entrance.accounts
    with world.recorder.following() as promised:
        accounts.invite(person, "a@example.org", by=ROOT)
        accounts.reset(person, by=ROOT)
        accounts.disable(person, by=ROOT)
        accounts.enable(person, by=ROOT)
    entries = [Entry.parse(each.data).facts for each in promised]
    said = [(entry.owner, entry.standing.value) for entry in entries if isinstance(entry, facts.Account)]
    assert said == [(person, standing) for standing in ("added", "changed", "suspended", "resumed")]
    assert not any(b"example.org" in each.data for each in promised)
