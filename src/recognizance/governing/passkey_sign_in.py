"""Passkeys of accounts: adding and removing them, and signing in with one alone or as a second factor.

Alone, a passkey is two factors: the device, and what its owner proves to the device, which has to say that they did.
After a password the device is enough. A counter that doesn't rise means that there are two devices with one key, and
lets nobody in. Nobody who has to have a second factor can remove their last one. Implements docs/sign-in.md,
"Passkeys"; what an answer proves is for `passkeys.py`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance.parties import PersonId
from recognizance.governing import one_time
from recognizance.governing.account_documents import (
    PASSKEY_KIND,
    AccountIndex,
    PasskeyRecord,
    Stage,
    StoredPasskey,
    digest_of,
    end_sessions,
    has_second_factor,
    insert_passkey,
    passkey_of,
    passkeys_of,
    replace_passkey,
    replace_session,
)
from recognizance.governing.account_news import AccountNews, Happening
from recognizance.governing.attempts import Attempts, TooManyAttemptsError
from recognizance.governing.passkeys import (
    Aim,
    Assertion,
    Challenges,
    PasskeyError,
    Place,
    creation_options,
    read_assertion,
    read_creation,
    request_options,
)
from recognizance.governing.session_book import OpenedSession, SessionBook, WrongCredentialsError
from recognizance.records import Records, Transaction

MOST_PASSKEYS = 10
LONGEST_NAME = 60

_log = logging.getLogger(__name__)


class CopiedPasskeyError(PasskeyError):
    """The counter of `person`'s passkey hasn't risen: there may be two devices with one key."""

    def __init__(self, person: PersonId) -> None:
        super().__init__("the passkey's counter has not risen: there may be two of it")
        self.person = person


@dataclass(frozen=True, slots=True)
class KnownPasskey:
    """One of somebody's own passkeys, for them to look at."""

    id: str
    name: str
    site: str
    created: datetime
    used: datetime | None


class PasskeySignIn:
    """Everything about passkeys that needs the records. Safe to share between threads.

    Args:
        needs_second_factor: Whether nobody gets in without one.
    """

    def __init__(
        self,
        records: Records,
        index: AccountIndex,
        book: SessionBook,
        attempts: Attempts,
        news: AccountNews,
        challenges: Challenges,
        *,
        needs_second_factor: bool,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._index = index
        self._book = book
        self._attempts = attempts
        self._news = news
        self._challenges = challenges
        self._needs_second_factor = needs_second_factor
        self._clock = clock
        self._random_bytes = random_bytes

    def of(self, person: PersonId) -> list[KnownPasskey]:
        """Somebody's own, the oldest first."""
        with self._records.reading() as reader:
            kept = passkeys_of(reader, person)
        return [
            KnownPasskey(each.document.id, each.value.name, each.value.site, each.value.created, each.value.used)
            for each in kept
        ]

    def options_to_add(self, token: str, place: Place) -> str:
        """What the browser is asked for to make a passkey; JSON."""
        with self._records.reading() as reader:
            session = self._book.session(reader, token)
            account = self._book.account(reader, session.value.person).value
            kept = passkeys_of(reader, account.person)
        return creation_options(
            place,
            self._challenges.draw(Aim.ADD, token),
            handle=self._index.handle_of(account.person),
            login=account.login,
            known=_credentials(kept, place),
        )

    def add(self, token: str, name: str, answer: str, place: Place) -> tuple[OpenedSession, tuple[str, ...]]:
        """Take a passkey into use; answers recovery codes too, once, if it's the first second factor.

        Other sessions end then: whoever has one knew less than is asked for from now on. That it's the owner who asks
        is for the caller to have proved.

        Raises:
            PasskeyError: If what the browser answered proves nothing.
            InputError: If the name is empty or too long.
            ConflictError: If it is known already, or they have too many.
        """
        name = " ".join(name.split())
        if not name.isprintable() or not 1 <= len(name) <= LONGEST_NAME:
            raise InputError(f"the name of a passkey has 1 to {LONGEST_NAME} characters")
        challenge, made = read_creation(answer, place)
        self._challenges.spend(challenge, Aim.ADD, token)
        codes: tuple[str, ...] = ()
        with self._records.transaction() as transaction:
            session = self._book.session(transaction, token)
            known = self._book.account(transaction, session.value.person)
            person = known.value.person
            if passkey_of(transaction, made.id) is not None:
                raise ConflictError("this passkey is in use already")
            if len(passkeys_of(transaction, person)) >= MOST_PASSKEYS:
                raise ConflictError(f"an account has {MOST_PASSKEYS} passkeys at most; remove one first")
            is_first = not has_second_factor(transaction, known.value)
            now = self._clock()
            record = PasskeyRecord(person, name, place.site, made.credential.hex(), made.counter, now, None)
            insert_passkey(transaction, made.id, record)
            if is_first:
                codes = one_time.draw_recovery_codes(self._random_bytes)
                digests = tuple(one_time.recovery_digest(each) for each in codes)
                self._index.replace(transaction, known, replace(known.value, recovery=digests))
                end_sessions(transaction, person, but=session.document.id)
            opened = self._book.rotate(transaction, session, Stage.COMPLETE, address="")
            told = digest_of(opened.token)
            self._news.note(transaction, person, Happening.PASSKEY_ADDED, session=told, detail=name)
        return opened, codes

    def remove(self, person: PersonId, passkey: str, *, keep_session: str) -> None:
        """Forget a passkey, and end all other sessions. That it's the owner who asks is for the caller to have proved.

        Raises:
            NotFoundError: If they have none of this id.
            ConflictError: If it's the last second factor of somebody who has to have one.
        """
        with self._records.transaction() as transaction:
            kept = passkeys_of(transaction, person)
            names = {each.document.id: each.value.name for each in kept}
            if passkey not in names:
                raise NotFoundError("there is no such passkey")
            account = self._book.account(transaction, person).value
            if self._needs_second_factor and len(kept) == 1 and not account.has_app:
                raise ConflictError("this is the last second factor; set another one up first")
            transaction.delete_document(PASSKEY_KIND, passkey)
            end_sessions(transaction, person, but=keep_session)
            detail = names[passkey]
            self._news.note(transaction, person, Happening.PASSKEY_REMOVED, session=keep_session, detail=detail)

    def options_to_sign_in(self, browser: str, place: Place) -> str:
        """What the browser is asked for to sign in with a passkey alone; JSON.

        Args:
            browser: What only this browser has; the same when it answers.
        """
        return request_options(place, self._challenges.draw(Aim.SIGN_IN, browser), known=(), must_verify=True)

    def sign_in(self, browser: str, answer: str, place: Place, *, address: str, device: str) -> OpenedSession:
        """Begin a complete session with a passkey alone.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCredentialsError: If anything is wrong, whatever it is.
        """
        # A passkey is not guessed: only the network that sends nonsense has to wait, and nobody else.
        sender = f"a passkey from {address}"
        self._attempts.begin(sender, address)
        try:
            given = read_assertion(answer)
            if not given.is_verified:
                raise PasskeyError("the device didn't verify its owner")
            person = self._proved(given, Aim.SIGN_IN, browser, place, whose=None)
        except PasskeyError as error:
            raise _refusal(error) from error
        with self._records.reading() as reader:
            known = self._index.of_person(reader, person)
        if known is None or not self._book.admits(known):
            raise WrongCredentialsError("there is no such account")
        self._attempts.succeeded(sender, address)
        return self._book.open(known.value, device, address=address, is_strong=True)

    def options_to_complete(self, token: str, place: Place) -> str | None:
        """What the browser is asked for as a second factor; JSON. `None` if its person has no passkey here."""
        with self._records.reading() as reader:
            _session, known = self._book.waiting(reader, token)
            credentials = _credentials(passkeys_of(reader, known.value.person), place)
        if not credentials:
            return None
        challenge = self._challenges.draw(Aim.SECOND_FACTOR, token)
        return request_options(place, challenge, known=credentials, must_verify=False)

    def complete(self, token: str, answer: str, place: Place, *, address: str) -> OpenedSession:
        """Complete a session that began with a password.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCredentialsError: If anything is wrong, or this session doesn't wait for a second factor.
        """
        with self._records.reading() as reader:
            person = self._book.waiting(reader, token)[1].value.person
        try:
            self._attempts.begin(f"second factor of {person}", address)
        except TooManyAttemptsError:
            # Whoever it is gave the right password.
            self._news.note_alone(person, Happening.CODE_TRIED_TOO_OFTEN)
            raise
        try:
            self._proved(read_assertion(answer), Aim.SECOND_FACTOR, token, place, whose=person)
        except PasskeyError as error:
            raise _refusal(error) from error
        with self._records.transaction() as transaction:
            session, _known = self._book.waiting(transaction, token)
            opened = self._book.rotate(transaction, session, Stage.COMPLETE, address=address)
        self._attempts.succeeded(f"second factor of {person}", address)
        return opened

    def options_to_confirm(self, token: str, place: Place) -> str | None:
        """What the browser is asked for to prove again who is there; JSON. `None` if they have no passkey here."""
        with self._records.reading() as reader:
            credentials = _credentials(passkeys_of(reader, self._book.session(reader, token).value.person), place)
        if not credentials:
            return None
        return request_options(place, self._challenges.draw(Aim.CONFIRM, token), known=credentials, must_verify=True)

    def confirm(self, token: str, answer: str, place: Place, *, address: str) -> bool:
        """Whether whoever is signed in has proved again who they are; then they count as having done so just now.

        Raises:
            TooManyAttemptsError: If there were too many failures.
        """
        with self._records.reading() as reader:
            person = self._book.session(reader, token).value.person
        self._attempts.begin(f"confirmation of {person}", address)
        try:
            given = read_assertion(answer)
            if not given.is_verified:
                raise PasskeyError("the device didn't verify its owner")
            self._proved(given, Aim.CONFIRM, token, place, whose=person)
        except PasskeyError as error:
            _refusal(error)
            return False
        self._attempts.succeeded(f"confirmation of {person}", address)
        with self._records.transaction() as transaction:
            session = self._book.session(transaction, token)
            replace_session(transaction, session, replace(session.value, proved=self._clock()))
        return True

    def _proved(self, given: Assertion, aim: Aim, browser: str, place: Place, *, whose: PersonId | None) -> PersonId:
        """Whose passkey answered; whoever's was copied is told.

        Raises:
            PasskeyError: If nobody's did, or not that of `whose`.
        """
        try:
            return self._counted(given, aim, browser, place, whose=whose)
        except CopiedPasskeyError as error:
            self._news.note_alone(error.person, Happening.PASSKEY_COPIED)
            raise

    def _counted(self, given: Assertion, aim: Aim, browser: str, place: Place, *, whose: PersonId | None) -> PersonId:
        """Whose passkey answered. Its counter is noted in the transaction that looked at it."""
        with self._records.transaction() as transaction:
            kept = self._answering(transaction, given, whose)
            if kept.value.site != place.site:
                raise PasskeyError("the passkey is of another site")
            given.verify(place, bytes.fromhex(kept.value.credential))
            self._challenges.spend(given.challenge, aim, browser)
            # WebAuthn 7.2, step 22: both zero means that the device doesn't count.
            before = kept.value.counter
            if (given.counter or before) and given.counter <= before:
                raise CopiedPasskeyError(kept.value.person)
            replace_passkey(transaction, kept, replace(kept.value, counter=given.counter, used=self._clock()))
        return kept.value.person

    def _answering(self, transaction: Transaction, given: Assertion, whose: PersonId | None) -> StoredPasskey:
        kept = passkey_of(transaction, given.id)
        if kept is None:
            raise PasskeyError("nobody has this passkey")
        # WebAuthn 7.2, step 6: alone it has to say whose it is; after a password it may.
        is_silent_rightly = whose is not None and not given.handle
        if not is_silent_rightly and given.handle != self._index.handle_of(kept.value.person):
            raise PasskeyError("the passkey says that it is somebody else's")
        if whose is not None and kept.value.person != whose:
            raise PasskeyError("the passkey is somebody else's")
        return kept


def _credentials(kept: list[StoredPasskey], place: Place) -> list[bytes]:
    """Those that the browser can have on this site."""
    return [bytes.fromhex(each.value.credential) for each in kept if each.value.site == place.site]


def _refusal(error: PasskeyError) -> WrongCredentialsError:
    _log.warning("a passkey was refused: %s", error)
    return WrongCredentialsError("the passkey is wrong")
