"""Intake: requests that people make themselves, without an account, and what they may do with them afterwards.

Anybody may ask what is held about them. They get a reference, a deadline and a secret code: with both they see how far
their request is, take it back, or appeal. Neither opening a request nor looking at one says whether anything is held:
an answer goes to the address that they gave, after an officer has checked who they are. Whoever has neither officer's
role nor the code learns nothing, not even whether a reference exists.

A photograph that they send along is kept sealed until the request needs it no more, for the desk's officers alone, and
never shown on a page. The code is kept as a hash.

A request is addressed to an agency, and on that one's desk alone. Whoever doesn't know who holds them asks all that
take part: then each of them gets a request of its own, with its own reference and deadline, as each owes an answer.

Implements docs/forgetting.md, "Asking without an account".
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date

from recognizance.correspondence import (
    MAX_STATEMENT_CHARACTERS,
    REQUEST_CODE,
    REQUEST_PHOTOGRAPH,
    RequestFile,
    drop_photograph,
    entered,
    replace_request,
    request_document,
    stored_request,
)
from recognizance.documents import Kind, Standing, every, installation_of
from recognizance.errors import InputError, NotFoundError, ThrottledError
from recognizance.faces import image_format
from recognizance.forgetting.erasure import REQUEST_KIND
from recognizance.galleries import Clock
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import Agency, AgencyId
from recognizance.governance.subjects import (
    DeskTerms,
    RequestEvent,
    RequestId,
    RequestKind,
    RequestState,
    SubjectRequest,
    advance,
)
from recognizance.ledger import facts
from recognizance.recording import Recorder
from recognizance.records import Document, Reader, Records

MAX_PHOTOGRAPH_BYTES = 5 * 1024 * 1024
"""Rekognition's own limit for a picture that comes with a request."""

MAX_ASKER_CHARACTERS = 500
MOST_UNREAD = 1_000
"""Requests that no officer has looked at yet. Beyond it one more serves nobody, and the desk is asked by letter."""

_SECRET_BYTES = 15
_GROUP = 4
_EVENTS = {
    RequestEvent.WITHDRAW: facts.RequestEvent.WITHDRAWN,
    RequestEvent.APPEAL: facts.RequestEvent.APPEALED,
}


MOST_ASKED = 20
"""Agencies that are asked at once. Where more take part, whoever asks has to choose."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one agency was asked.

    Attributes:
        agency: What it is called; `None` where no agency takes part yet.
    """

    agency: str | None
    request: SubjectRequest


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was just made, in a part for each agency, and the code that goes with all of them.

    Nobody can be told the code again.
    """

    parts: tuple[Part, ...]
    code: str = field(repr=False)

    @property
    def request(self) -> SubjectRequest:
        """The first part; there is one at least."""
        return self.parts[0].request


@dataclass(frozen=True, slots=True)
class Secret:
    """What a code is held against; sealed like everything of a request.

    Attributes:
        sha256: Of the code's letters, in hexadecimal. The code is random, so that no slow hash is needed.
    """

    sha256: str


class Intake:
    """Takes requests from whoever makes them. Safe to share between threads."""

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        random_bytes: Callable[[int], bytes],
        terms: DeskTerms = DeskTerms(),  # noqa: B008 - a value that never changes
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._terms = terms

    def agencies(self) -> dict[AgencyId, str]:
        """The agencies that take part and can be asked, with what they are called, ordered by that."""
        with self._records.reading() as reader:
            return _agencies(reader)

    def ask(
        self,
        kind: RequestKind,
        *,
        asker: str,
        statement: str,
        photograph: bytes | None = None,
        agency: AgencyId | None = None,
    ) -> Asked:
        """Take a request as it comes in today.

        Args:
            asker: Who asks and how to reach them, in their own words.
            photograph: For the desk to look with, once it knows who asks.
            agency: Who is asked; `None` asks all that take part.

        Raises:
            InputError: If nobody asks, something is too long, the photograph is none, no such agency takes part, or
                more than `MOST_ASKED` do and none is named.
            ThrottledError: If the desk has more unread requests than it can ever answer in time.
        """
        if not asker.strip() or len(asker) > MAX_ASKER_CHARACTERS:
            raise InputError(f"a request says who asks and how to reach them, in {MAX_ASKER_CHARACTERS} characters")
        if len(statement) > MAX_STATEMENT_CHARACTERS:
            raise InputError(f"the statement has {len(statement)} characters; the limit is {MAX_STATEMENT_CHARACTERS}")
        if photograph is not None:
            check_photograph(photograph)
        code = spelled_code(self._random_bytes(_SECRET_BYTES))
        kept_code = write_document(Secret(_digest(code)))
        with self._recorder.changing() as change:
            asked = _asked(_agencies(change.transaction), agency)
            unread = change.transaction.document_states(REQUEST_KIND).get(RequestState.RECEIVED.value, 0)
            if unread + len(asked) > MOST_UNREAD:
                raise ThrottledError("the desk has more requests than it can look at; ask by letter, or later")
            parts: list[Part] = []
            for each, name in asked:
                request = SubjectRequest(RequestId(self._new_id()), kind, self._today(), self._terms)
                file = RequestFile(request, asker, statement)
                change.transaction.insert_document(request_document(file, each))
                change.transaction.insert_document(Document(REQUEST_CODE, request.id, "kept", kept_code))
                if photograph is not None:
                    change.transaction.insert_document(Document(REQUEST_PHOTOGRAPH, request.id, "kept", photograph))
                change.enter(entered(file, facts.RequestEvent.RECEIVED, None))
                parts.append(Part(name, request))
        return Asked(tuple(parts), code)

    def status(self, reference: str, code: str) -> SubjectRequest:
        """How far a request is.

        Raises:
            NotFoundError: If there is no such request or the code isn't its own; which of both isn't said.
        """
        with self._records.reading() as reader:
            self._check(reader, reference, code)
            return stored_request(reader, reference)[1].request

    def withdraw(self, reference: str, code: str) -> SubjectRequest:
        """Take a request back. Raises as `status` does, and `ConflictError` if it is over."""
        return self._step(reference, code, RequestEvent.WITHDRAW)

    def appeal(self, reference: str, code: str) -> SubjectRequest:
        """Ask for an answer or a refusal to be looked at by somebody else. Raises as `withdraw` does."""
        return self._step(reference, code, RequestEvent.APPEAL)

    def _step(self, reference: str, code: str, event: RequestEvent) -> SubjectRequest:
        with self._recorder.changing() as change:
            self._check(change.transaction, reference, code)
            document, file = stored_request(change.transaction, reference)
            moved = advance(file.request, event, today=self._today())
            after = replace(file, request=moved)
            replace_request(change.transaction, document, after)
            drop_photograph(change.transaction, moved)
            change.enter(entered(after, _EVENTS[event], None))
        return moved

    def _check(self, reader: Reader, reference: str, code: str) -> None:
        document = reader.documents_by_id(REQUEST_CODE, [reference]).get(reference)
        # A hash is compared even where there is none, so that the answer takes as long.
        kept = _NO_CODE if document is None else read_document(Secret, document.body).sha256
        is_own = hmac.compare_digest(kept, _digest(code))
        if document is None or not is_own:
            raise NotFoundError("there is no request with this reference and this code")

    def _today(self) -> date:
        return self._clock().astimezone(UTC).date()


def _agencies(reader: Reader) -> dict[AgencyId, str]:
    installed = installation_of(reader)
    own = None if installed is None else installed.agency
    if own is not None:
        return {own: own}
    active = [each.value for each in every(reader, Kind.AGENCY, Agency) if each.document.state == Standing.ACTIVE]
    return {agency.id: agency.name for agency in sorted(active, key=lambda agency: (agency.name, agency.id))}


def _asked(known: Mapping[AgencyId, str], agency: AgencyId | None) -> list[tuple[AgencyId | None, str | None]]:
    """Whose desks a request goes to. Where nobody takes part, it waits for whoever does first."""
    if agency is not None:
        if agency not in known:
            raise InputError(f"there is no agency {agency!r} that takes part")
        return [(agency, known[agency])]
    if len(known) > MOST_ASKED:
        raise InputError(f"{len(known)} agencies take part, and {MOST_ASKED} can be asked at once; name one")
    return list(known.items()) or [(None, None)]


def check_photograph(data: bytes) -> None:
    """Refuse what the desk could not look with, by its size and its first bytes; nothing of it is decoded.

    Raises:
        InputError: If it is too large, or no picture of a kind that is read.
    """
    if len(data) > MAX_PHOTOGRAPH_BYTES:
        raise InputError(f"the photograph has {len(data)} bytes; the limit is {MAX_PHOTOGRAPH_BYTES}")
    image_format(data)


def spelled_code(secret: bytes) -> str:
    """Spell a code for people: capital letters and digits that aren't taken for each other, in groups.

    >>> spelled_code(bytes(15))
    'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA'
    """
    letters = base64.b32encode(secret).decode()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def _digest(code: str) -> str:
    """Of the code's letters, however they were typed."""
    letters = "".join(character for character in code.upper() if character.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()


_NO_CODE = "0" * 64
