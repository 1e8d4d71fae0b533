"""What people are told of their account: every change, once, on their page and by mail, and nothing to anybody else."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from recognizance.governance.parties import PersonId, Role
from recognizance.governance.profiles import ProfileName
from recognizance.governing.account_news import (
    KEPT_FOR,
    MAIL_UNTIL,
    MOST_MAILS_A_DAY,
    MOST_NEWS,
    NEWS_KIND,
    Delivery,
    DueMail,
    Happening,
)
from recognizance.governing.attempts import FREE_FROM_NETWORK, TooManyAttemptsError
from recognizance.governing.mail_relay import Letter
from recognizance.governing.signing_in import WrongCredentialsError
from recognizance.governing.telling import ALERT_EVERY, LOOK_EVERY, Alerts, Telling
from recognizance.identifiers import PrincipalId
from recognizance.ledger import FolderSource, read_checkpoint
from recognizance.recording import Refused, acts

from .account_world import HERE, PASSWORD, ROOT, World, opened

ELSEWHERE = "203.0.113.9"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An organisation with a mail relay."""
    yield from opened(tmp_path / "data", ProfileName.ORGANISATION, sends=True)


class Box:
    """A relay that keeps what it is given, and answers as it was told to."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.answer = Delivery.SENT

    def send(self, letters: Sequence[Letter]) -> list[Delivery]:
        self.letters += letters
        return [self.answer] * len(letters)


def telling(world: World, box: Box | None) -> Telling:
    def compose(mail: DueMail) -> Letter:
        return Letter(mail.id, mail.login, mail.what.value, "", mail.at)

    watching = world.governing.watching
    alerts = Alerts(world.records, world.entrance.news, watching, clock=world.clock)
    return Telling(world.entrance.news, alerts, box, compose=compose, clock=world.clock)


def told(world: World, person: PersonId) -> list[Happening]:
    return [each.what for each in world.entrance.news.of(person, limit=100)]


def changed(world: World, person: PersonId, token: str) -> None:
    world.entrance.accounts.change_password(
        person, "eleven otters asleep on kelp", keep_session=session_of(world, token)
    )


def session_of(world: World, token: str) -> str:
    who = world.entrance.sign_in.whose(token)
    assert who is not None
    return who.session


def has_news(world: World, token: str) -> bool:
    who = world.entrance.sign_in.whose(token)
    assert who is not None
    return who.has_news


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (changed, Happening.PASSWORD_CHANGED),
        (lambda w, p, t: w.with_app(t), Happening.APP_SET_UP),
        (lambda w, p, t: w.entrance.sign_in.draw_recovery_codes(t), Happening.RECOVERY_CODES_DRAWN),
        (lambda w, p, t: w.entrance.accounts.reset(p, by=ROOT), Happening.RESET),
        (lambda w, p, t: w.entrance.accounts.disable(p, by=ROOT), Happening.DISABLED),
        (lambda w, p, t: w.entrance.accounts.link_identity(p, "i", "7", by=ROOT), Happening.IDENTITY_LINKED),
        (lambda w, p, t: w.governing.registration.issue_key(p, by=ROOT), Happening.KEY_DRAWN),
    ],
)  # fmt: skip
def test_whoever_owns_an_account_is_told_of_each_change(
    world: World, act: Callable[[World, PersonId, str], object], what: Happening
) -> None:
    """On their page, in the same transaction as the change, and by one mail to their login."""
    person = world.account()
    token, _stage = world.enter()
    box = Box()
    telling(world, box).round()
    box.letters.clear()
    act(world, person, token)
    telling(world, box).round()
    telling(world, box).round()
    assert what in told(world, person)
    assert [(each.to, each.subject) for each in box.letters] == [("a@example.org", what.value)]


def test_news_waits_for_whoever_did_not_bring_it_about(world: World) -> None:
    """Not in the session that changed the password; in the next one, until its owner says that they have seen it."""
    person = world.account()
    token, _stage = world.enter()
    changed(world, person, token)
    assert not has_news(world, token)
    later, _stage = world.enter(password="eleven otters asleep on kelp")
    assert has_news(world, later)
    news = world.entrance.news
    news.see(person, frozenset(each.id for each in news.of(person, limit=9)))
    assert not has_news(world, later)
    assert Happening.PASSWORD_CHANGED in told(world, person)


def test_nobody_marks_what_others_should_see(world: World) -> None:
    first, second = world.account(), world.account("b@example.org")
    world.entrance.accounts.reset(first, by=ROOT)
    news = world.entrance.news
    news.see(second, frozenset(each.id for each in news.of(first, limit=9)))
    assert [each.is_new for each in news.of(first, limit=9) if each.what is Happening.RESET] == [True]


def test_a_repeated_code_is_told_to_its_owner(world: World) -> None:
    """Refused, and told once however often it is tried; a code that is merely wrong isn't told."""
    person = world.account()
    token, _stage = world.enter()
    _token, secret, _codes = world.with_app(token)
    code = world.code(secret)
    waiting, _stage = world.enter()
    for wrong in ("000000", code, code):
        with pytest.raises(WrongCredentialsError):
            world.entrance.sign_in.with_code(waiting, wrong, address=HERE)
    assert told(world, person).count(Happening.CODE_REPEATED) == 1


def test_only_a_wrong_code_is_no_news(world: World) -> None:
    person = world.account()
    token, _stage = world.enter()
    world.with_app(token)
    waiting, _stage = world.enter()
    with pytest.raises(WrongCredentialsError):
        world.entrance.sign_in.with_code(waiting, "000000", address=HERE)
    assert Happening.CODE_REPEATED not in told(world, person)


def test_a_recovery_code_that_is_used_is_told(world: World) -> None:
    person = world.account()
    token, _stage = world.enter()
    _token, _secret, codes = world.with_app(token)
    waiting, _stage = world.enter()
    opened = world.entrance.sign_in.with_code(waiting, codes[0], address=HERE)
    assert Happening.RECOVERY_CODE_USED in told(world, person)
    assert session_of(world, opened.token)


def test_who_guesses_too_often_is_told_to_the_owner_alone(world: World) -> None:
    """In the background and once a day, so that neither the answer nor a full mailbox says that the login exists."""
    person = world.account()
    for login in ("a@example.org", "nobody@example.org"):
        for _ in range(FREE_FROM_NETWORK):
            with pytest.raises(WrongCredentialsError):
                world.entrance.sign_in.with_password(login, "not it at all", address=HERE, device="")
        for _ in range(3):
            with pytest.raises(TooManyAttemptsError):
                world.entrance.sign_in.with_password(login, "not it at all", address=HERE, device="")
    assert Happening.TRIED_TOO_OFTEN not in told(world, person)
    box = Box()
    telling(world, box).round()
    assert told(world, person).count(Happening.TRIED_TOO_OFTEN) == 1
    assert [each.to for each in box.letters if each.subject == Happening.TRIED_TOO_OFTEN] == ["a@example.org"]


def test_too_many_codes_after_the_right_password_are_told(world: World) -> None:
    person = world.account()
    token, _stage = world.enter()
    world.with_app(token)
    waiting, _stage = world.enter()
    for _ in range(FREE_FROM_NETWORK):
        with pytest.raises(WrongCredentialsError):
            world.entrance.sign_in.with_code(waiting, "000000", address=HERE)
    with pytest.raises(TooManyAttemptsError):
        world.entrance.sign_in.with_code(waiting, "000000", address=HERE)
    assert Happening.CODE_TRIED_TOO_OFTEN in told(world, person)


def test_a_sign_in_from_elsewhere_is_told_once(world: World) -> None:
    """Another kind of browser, or another provider's network; not a new version, not a neighbouring address."""
    person = world.account()
    sign_in = world.entrance.sign_in

    def enter(device: str, address: str) -> int:
        sign_in.with_password("a@example.org", PASSWORD, address=address, device=device)
        return told(world, person).count(Happening.NEW_PLACE)

    assert [
        enter("Firefox/128.0", HERE),
        enter("Firefox/129.0", "192.0.77.7"),
        enter("Chrome/140", HERE),
        enter("Chrome/141", HERE),
        enter("Firefox/128.0", ELSEWHERE),
        enter("Firefox/128.0", ELSEWHERE),
    ] == [0, 0, 1, 1, 2, 2]


def test_a_mail_is_tried_again_until_it_is_too_old(world: World) -> None:
    """A relay that is away holds nothing up; the news stays on the page when the mail is given up."""
    person = world.account()
    world.entrance.accounts.reset(person, by=ROOT)
    box = Box()
    box.answer = Delivery.LATER
    tried, began = telling(world, box), world.clock.now
    while world.clock.now - began < 2 * MAIL_UNTIL:
        tried.round()
        world.clock.now += timedelta(minutes=30)
    resets = [each for each in box.letters if each.subject == Happening.RESET]
    assert 30 < len(resets) < 50
    assert tried.round() == 0
    assert Happening.RESET in told(world, person)


def test_a_mail_that_is_refused_for_good_is_not_sent_again(world: World) -> None:
    world.entrance.accounts.reset(world.account(), by=ROOT)
    box = Box()
    box.answer = Delivery.NEVER
    sender = telling(world, box)
    sender.round()
    count = len(box.letters)
    world.clock.now += timedelta(hours=3)
    sender.round()
    assert len(box.letters) == count > 0


def test_nobody_is_sent_more_than_a_few_mails_a_day(world: World) -> None:
    """And the list keeps the latest: whoever has a session fills neither a mailbox nor the disk, and hides nothing."""
    person = world.account()
    token, _stage = world.enter()
    for _ in range(MOST_NEWS + 5):
        world.clock.now += timedelta(seconds=1)
        world.entrance.sign_in.draw_recovery_codes(token)
    box = Box()
    sender = telling(world, box)
    while sender.round():
        pass
    assert len(box.letters) == MOST_MAILS_A_DAY
    assert Happening.PASSWORD_SET in {letter.subject for letter in box.letters}
    world.entrance.sign_in.draw_recovery_codes(token)
    assert len(world.entrance.news.of(person, limit=1000)) == MOST_NEWS


def test_old_news_goes_by_itself(world: World) -> None:
    world.entrance.accounts.reset(world.account(), by=ROOT)
    sender = telling(world, Box())
    sender.round()
    world.clock.now += KEPT_FOR
    sender.round()
    with world.records.reading() as reader:
        assert reader.documents(NEWS_KIND, limit=9) == []


def test_without_a_relay_news_is_on_the_page(tmp_path: Path) -> None:
    for world in opened(tmp_path / "data", ProfileName.ORGANISATION):
        person = world.account()
        world.entrance.accounts.reset(person, by=ROOT)
        assert telling(world, None).round() == 0
        assert Happening.RESET in told(world, person)


def refuse(world: World, *, times: int) -> None:
    """Somebody is refused searches: out of the ordinary from some number on. Waits until the public files have it."""
    for number in range(times):
        refused = Refused(f"decision-{number}", "search", PrincipalId("somebody"), missing=("use",))
        receipt = world.recorder.record(acts.refusal(refused))
    source, deadline = FolderSource(world.recorder.public), time.monotonic() + 20
    while read_checkpoint(source, (world.recorder.verifier,)).checkpoint.size <= receipt.index:
        assert time.monotonic() < deadline, "the public files don't follow"
        time.sleep(0.005)


def test_overseers_alone_hear_of_unusual_use_and_only_of_what_is_new(world: World) -> None:
    """Once a day at most, again when it goes on, and in the mail nothing of what it is about."""
    overseer, auditor = world.account(), world.person(Role.AUDITOR)
    invited = world.entrance.accounts.invite(auditor, "b@example.org", by=ROOT)
    world.entrance.accounts.accept(invited.token, PASSWORD)
    watching = world.governing.watching
    alerts = Alerts(world.records, world.entrance.news, watching, clock=world.clock)
    counts = [alerts.look()]
    refuse(world, times=watching.thresholds.refusals)
    counts += [alerts.look(), alerts.look()]
    world.clock.now += ALERT_EVERY
    counts.append(alerts.look())
    refuse(world, times=1)
    counts.append(alerts.look())
    box = Box()
    telling(world, box).round()
    assert counts == [0, 1, 0, 0, 1]
    assert told(world, overseer).count(Happening.UNUSUAL_USE) == 2
    assert Happening.UNUSUAL_USE not in told(world, auditor)
    assert [each.to for each in box.letters if each.subject == Happening.UNUSUAL_USE] == ["a@example.org"] * 2


def test_unusual_use_is_looked_for_by_the_hour(world: World) -> None:
    """The service itself looks, without anybody opening a page."""
    overseer, sender = world.account(), telling(world, None)
    sender.round()
    refuse(world, times=world.governing.watching.thresholds.refusals)
    sender.round()
    before = told(world, overseer)
    world.clock.now += LOOK_EVERY
    sender.round()
    assert Happening.UNUSUAL_USE not in before
    assert Happening.UNUSUAL_USE in told(world, overseer)
