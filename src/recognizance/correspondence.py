"""Correspondence: what people asked about themselves, as documents of the records, and what the ledger says of it.

A request is sealed under its own id, with who asks, what they said and what they were told. Its label says whose desk
it is on (decision 0049). The ledger has its kind, its deadline and who handled it, and nothing of what was said.

Decides nothing: who may read a request or take a step is for `desk`, and for `intake` where people have no account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from recognizance.errors import NotFoundError
from recognizance.forgetting.erasure import REQUEST_KIND
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.parties import AgencyId
from recognizance.governance.subjects import OPEN_STATES, RequestState, SubjectRequest
from recognizance.ledger import Facts, facts
from recognizance.recording import EntryDraft
from recognizance.records import Document, Reader, Transaction

MAX_STATEMENT_CHARACTERS = 10_000

REQUEST_PHOTOGRAPH = "request_photograph"
"""A photograph that somebody sent along with their request; sealed, and gone when the request needs it no more."""

ADDRESSED = "agency"
"""The label of a request that says whose desk it is on. Agencies are public, so that it may stand in the clear."""

REQUEST_CODE = "request_code"
"""What the code of whoever made a request is held against; see `intake.py`."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A request with what is private about it; sealed.

    Attributes:
        asker: Who asks and how they are reached, as they wrote it.
        statement: What they ask, in their own words.
        answer: What they were told; empty before.
    """

    request: SubjectRequest
    asker: str
    statement: str
    answer: str = ""


def stored_request(reader: Reader, request: str) -> tuple[Document, RequestFile]:
    """Read a request.

    Raises:
        NotFoundError: If there is none of this id.
    """
    document = reader.document(REQUEST_KIND, request)
    return document, read_document(RequestFile, document.body)


def on_desk(reader: Reader, request: str, agency: AgencyId | None) -> tuple[Document, RequestFile]:
    """A request, as the desk of an agency sees it: what is on another one's is answered as what isn't there.

    Raises:
        NotFoundError: If there is none of this id on that desk.
    """
    document, file = stored_request(reader, request)
    if document.labels.get(ADDRESSED) not in {None, agency}:
        raise NotFoundError(f"there is no {REQUEST_KIND} {request!r}")
    return document, file


def request_document(file: RequestFile, agency: AgencyId | None) -> Document:
    """Return the document that holds a request, in its first revision.

    Args:
        agency: Whose desk it is on; `None` if nobody's yet.
    """
    due = datetime.combine(file.request.deadline, time(), UTC)
    labels = {} if agency is None else {ADDRESSED: agency}
    return Document(REQUEST_KIND, file.request.id, file.request.state.value, write_document(file), labels, due)


def replace_request(
    transaction: Transaction, before: Document, after: RequestFile, agency: AgencyId | None = None
) -> None:
    """Store what became of a request, on the desk that it was on.

    Args:
        agency: Whose it becomes if it was nobody's.
    """
    addressed = before.labels.get(ADDRESSED)
    document = request_document(after, agency if addressed is None else AgencyId(addressed))
    transaction.replace_document(replace(document, revision=before.revision))


def drop_photograph(transaction: Transaction, request: SubjectRequest) -> None:
    """Destroy the photograph that came with a request, once nothing is owed to whoever asked."""
    if request.state not in OPEN_STATES and transaction.documents_by_id(REQUEST_PHOTOGRAPH, [request.id]):
        transaction.delete_document(REQUEST_PHOTOGRAPH, request.id)


def request_files(reader: Reader, state: RequestState | None, agency: AgencyId | None) -> Iterator[RequestFile]:
    """All requests on the desk of an agency, or those in a state, by id."""
    after = ""
    while page := reader.documents(REQUEST_KIND, state=state, after=after, limit=_PAGE):
        after = page[-1].id
        for document in page:
            if document.labels.get(ADDRESSED) in {None, agency}:
                yield read_document(RequestFile, document.body)


def entered(file: RequestFile, event: facts.RequestEvent, reason: str | None) -> Callable[[EntryDraft], Facts]:
    """Return what the ledger says of a step in a request's life."""
    request = file.request

    def make(entry: EntryDraft) -> Facts:
        return facts.SubjectRequest(
            request=request.id,
            request_kind=facts.RequestKind(request.kind.value),
            event=event,
            due=datetime.combine(request.deadline, time(), UTC),
            handled_by=request.officer,
            reason=reason,
            subject=entry.commit("subject", file.asker),
            answer=entry.commit("answer", file.answer or None),
        )

    return make
