"""The ways in to the pages, put together: accounts, sessions, and the code with which the first account is made.

Whoever opens a fresh installation's pages first must not become its administrator by that. So the first account takes a
code that is printed where the server was started, and that only who runs the machine can read. It's drawn anew with
each start, kept in memory alone, and worth nothing once there is an account.
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from recognizance.docket import docket_of
from recognizance.documents import Installation
from recognizance.errors import AuthenticationError, ConflictError
from recognizance.galleries import Clock
from recognizance.governance.profiles import ProfileName
from recognizance.governing.account_documents import Account, AccountIndex, spelled_login
from recognizance.governing.account_news import AccountNews
from recognizance.governing.accounts import Accounts, require_strong
from recognizance.governing.attempts import Attempts, AttemptStore
from recognizance.governing.beginning import is_open_to_choice
from recognizance.governing.openid import OpenId, Provider
from recognizance.governing.passkey_sign_in import PasskeySignIn
from recognizance.governing.passkeys import Challenges
from recognizance.governing.passwords import PasswordHasher
from recognizance.governing.registration import Gate
from recognizance.governing.session_book import SessionBook
from recognizance.governing.signing_in import SignIn
from recognizance.recording import Recorder
from recognizance.records import Records

_CODE_BYTES = 10


class WrongCodeError(AuthenticationError):
    """This isn't the code that the server printed when it started."""


class SetUp:
    """Makes the first account, for whoever has the code."""

    def __init__(
        self, records: Records, accounts: Accounts, attempts: Attempts, *, random_bytes: Callable[[int], bytes]
    ) -> None:
        self.wanted: ProfileName | None = None
        """The profile that was chosen; whoever runs the server then starts it again with that."""
        self._records = records
        self._accounts = accounts
        self._attempts = attempts
        drawn = base64.b32encode(random_bytes(_CODE_BYTES)).decode()
        self.code = "-".join(drawn[start : start + 4] for start in range(0, len(drawn), 4))
        """To be printed on the console, and nowhere else."""

    @property
    def is_due(self) -> bool:
        """Whether there is no account yet."""
        return self._accounts.is_empty

    @property
    def takes_profile(self) -> bool:
        """Whether the profile can still be chosen."""
        with self._records.reading() as reader:
            return is_open_to_choice(reader)

    def choose(self, code: str, profile: ProfileName, *, address: str) -> None:
        """Have the server start again with a profile, or with the present one for good.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCodeError: If it's another code.
            ConflictError: If the profile was chosen before, or something has begun under it.
        """
        self.require_code(code, address=address)
        if not self.takes_profile:
            raise ConflictError("the profile of this installation was chosen, or something has begun under it")
        self.wanted = profile

    def check(self, code: str, login: str, password: str, *, address: str) -> None:
        """Refuse what `first_account` would refuse, so that nothing is published for an account that isn't made.

        Raises:
            TooManyAttemptsError, WrongCodeError, WeakPasswordError: As there.
            InputError: If the login can't be one.
        """
        self.require_code(code, address=address)
        require_strong(password, personal=(spelled_login(login),))

    def require_code(self, code: str, *, address: str) -> None:
        """Refuse whoever doesn't have the code.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCodeError: If it's another one.
        """
        self._attempts.begin("set up", address)
        if not hmac.compare_digest(_digest(code), _digest(self.code)):
            raise WrongCodeError("the code is wrong")
        self._attempts.succeeded("set up", address)

    def first_account(self, code: str, login: str, password: str, *, address: str) -> Account:
        """Make the account of whoever runs the machine.

        Raises:
            TooManyAttemptsError: If there were too many failures.
            WrongCodeError: If it's another code.
            ConflictError: If there is an account already.
            WeakPasswordError: If the password would be guessed.
        """
        self.require_code(code, address=address)
        return self._accounts.set_up_first(login, password)


@dataclass(frozen=True, slots=True)
class Entrance:
    """The parts, wired.

    Attributes:
        openid: The provider that people may sign in at instead; `None` where none is set.
    """

    accounts: Accounts
    sign_in: SignIn
    passkeys: PasskeySignIn
    set_up: SetUp
    attempts: Attempts
    news: AccountNews
    openid: OpenId | None = None

    def close(self) -> None:
        """Write down what is only in memory."""
        self.attempts.keep()


def open_entrance(
    records: Records,
    recorder: Recorder,
    gate: Gate,
    installation: Installation,
    *,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
    provider: Provider | None = None,
    sends: bool = False,
    hasher: PasswordHasher | None = None,
) -> Entrance:
    """Wire the ways in.

    Args:
        provider: Where people may sign in instead.
        sends: Whether there is a mail server, so that mails are queued for it.
        hasher: Cheaper than the usual one, in tests.
    """
    hasher = hasher or PasswordHasher()
    with records.reading() as reader:
        index = AccountIndex(reader.derived_key("labels of accounts"))
        challenges_key = reader.derived_key("challenges of passkeys").reveal()
        attempts_key = reader.derived_key("counts of failed sign-ins")
    docket = docket_of(records, installation, clock=clock)
    news = AccountNews(records, docket, index, sends=sends, clock=clock, random_bytes=random_bytes)
    attempts = Attempts(clock=clock, store=AttemptStore(records, attempts_key))
    accounts = Accounts(
        records,
        recorder,
        gate,
        installation,
        index,
        news,
        clock=clock,
        random_bytes=random_bytes,
        hasher=hasher,
    )
    book = SessionBook(
        records,
        docket,
        index,
        news,
        needs_second_factor=accounts.needs_second_factor,
        clock=clock,
        random_bytes=random_bytes,
    )
    return Entrance(
        accounts,
        SignIn(records, docket, index, book, attempts, news, clock=clock, random_bytes=random_bytes, hasher=hasher),
        PasskeySignIn(
            records,
            index,
            book,
            attempts,
            news,
            Challenges(challenges_key, clock=clock, random_bytes=random_bytes),
            needs_second_factor=accounts.needs_second_factor,
            clock=clock,
            random_bytes=random_bytes,
        ),
        SetUp(records, accounts, attempts, random_bytes=random_bytes),
        attempts,
        news,
        None if provider is None else OpenId(provider, clock=clock, random_bytes=random_bytes),
    )


def _digest(code: str) -> bytes:
    """Case, spaces and hyphens don't matter, so that it can be typed from a screen across the room."""
    return sha256("".join(each for each in code.casefold() if each.isalnum()).encode()).digest()
