"""Documents: what governance knows (parties, uses, votes, reviews, requests), one sealed row each, found by labels.

The records don't read them: a body is bytes, canonical JSON by the agreement of those who write it. Every replacement
says which revision it replaces, so of two who change the same document one is told to look again.

Kind, id, state, labels and due date are stored in the clear, because they are searched: no personal data belongs there.
The body is sealed and bound to all of them, so that a state changed in the file does not open.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from recognizance.errors import ChangedError, ConflictError, CorruptionError, NotFoundError
from recognizance.records import schema
from recognizance.records.access import AccessReader
from recognizance.records.keys import context
from recognizance.records.session import Row, batches

_LENGTH_BYTES = 4

_documents = schema.documents.c
_labels = schema.document_labels.c
_OF_KIND = _documents.kind == bindparam("of_kind")
_THIS = _documents.document_id == bindparam("id")
_BEHIND = _documents.document_id > bindparam("after")
_IN_STATE = _documents.state == bindparam("in_state")
_LABELLED = (_labels.kind == bindparam("of_kind"), _labels.label == bindparam("of_label"))

_BY_ID = select(schema.documents).where(_OF_KIND, _THIS)
_BY_IDS = select(schema.documents).where(_OF_KIND, _documents.document_id.in_(bindparam("ids", expanding=True)))
_PAGE = select(schema.documents).where(_OF_KIND, _BEHIND).order_by(_documents.document_id).limit(bindparam("limit"))
_PAGE_IN_STATE = _PAGE.where(_IN_STATE)
_PAGE_WITH_LABEL = (
    select(schema.documents)
    .join(schema.document_labels, (_labels.kind == _documents.kind) & (_labels.document_id == _documents.document_id))
    .where(*_LABELLED, _labels.value == bindparam("of_value"), _labels.document_id > bindparam("after"))
    .order_by(_labels.document_id)
    .limit(bindparam("limit"))
)
_PAGE_WITH_LABEL_IN_STATE = _PAGE_WITH_LABEL.where(_IN_STATE)
_DUE = (
    select(schema.documents)
    .where(_OF_KIND, _documents.due <= bindparam("until"))
    .order_by(_documents.due, _documents.document_id)
    .limit(bindparam("limit"))
)
_STATES = select(_documents.state, func.count().label("rows")).where(_OF_KIND).group_by(_documents.state)
_VALUES = select(_labels.value, func.count().label("rows")).where(*_LABELLED).group_by(_labels.value)
_VALUES_IN_STATE = (
    select(_labels.value, func.count().label("rows"))
    .join(schema.documents, (_labels.kind == _documents.kind) & (_labels.document_id == _documents.document_id))
    .where(*_LABELLED, _IN_STATE)
    .group_by(_labels.value)
)
_LABELS_OF = select(_labels.label, _labels.value).where(
    _labels.kind == bindparam("of_kind"), _labels.document_id == bindparam("id")
)
_KINDS = select(_documents.kind).distinct().order_by(_documents.kind)
_LABEL_ROWS = select(func.count()).where(_labels.kind == bindparam("of_kind"))
_INSERT = insert(schema.documents)
_REPLACE = (
    update(schema.documents)
    .where(_OF_KIND, _THIS, _documents.revision == bindparam("old_revision"))
    .values(
        revision=bindparam("new_revision"),
        state=bindparam("new_state"),
        due=bindparam("new_due"),
        sealed=bindparam("new_sealed"),
    )
)
_DELETE = delete(schema.documents).where(_OF_KIND, _THIS)
_DELETE_LABELS = delete(schema.document_labels).where(
    _labels.kind == bindparam("of_kind"), _labels.document_id == bindparam("id")
)
_INSERT_LABELS = insert(schema.document_labels)
_changes = schema.document_changes.c
_FORGET_CHANGE = delete(schema.document_changes).where(
    _changes.kind == bindparam("of_kind"), _changes.document_id == bindparam("id")
)
_NOTE_CHANGE = insert(schema.document_changes)
_LAST_CHANGE = select(func.coalesce(func.max(_changes.position), 0))
_UNNOTED = (
    select(func.count())
    .select_from(schema.documents)
    .where(
        ~select(_changes.position)
        .where(_changes.kind == _documents.kind, _changes.document_id == _documents.document_id)
        .correlate(schema.documents)
        .exists()
    )
)


@dataclass(frozen=True, slots=True)
class Document:
    """One governance object, as it is stored.

    Attributes:
        kind: What it is, such as `use`; ids are drawn for each kind by itself.
        state: Where it stands in its life.
        body: All of it, as canonical JSON. Sealed at rest.
        labels: What it is found by, in the clear: at most one value for each label.
        due: When something has to happen to it; `None` if nothing has to.
        revision: 0 until it is stored, then counted from 1.
    """

    kind: str
    id: str
    state: str
    body: bytes = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    due: datetime | None = None
    revision: int = 0


class DocumentReader(AccessReader):
    def document(self, kind: str, document_id: str) -> Document:
        """One document.

        Raises:
            NotFoundError: If there is none of this kind and id.
            CorruptionError: If it does not open: it was changed from outside.
        """
        row = self._run(_BY_ID, {"of_kind": kind, "id": document_id}).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no {kind} {document_id!r}")
        return self._opened_document(row)

    def documents_by_id(self, kind: str, ids: Iterable[str]) -> dict[str, Document]:
        """Several documents of one kind; those that aren't there are absent from the answer."""
        return {
            row.document_id: self._opened_document(row)
            for some in batches(list(ids))
            for row in self._run(_BY_IDS, {"of_kind": kind, "ids": some})
        }

    def documents(
        self,
        kind: str,
        *,
        state: str | None = None,
        label: tuple[str, str] | None = None,
        after: str = "",
        limit: int,
    ) -> list[Document]:
        """A page of documents of a kind, ordered by id, beginning behind the id `after`.

        Args:
            state: Only those in this state.
            label: Only those that carry this label with this value.
        """
        if label is None:
            statement = _PAGE if state is None else _PAGE_IN_STATE
        else:
            statement = _PAGE_WITH_LABEL if state is None else _PAGE_WITH_LABEL_IN_STATE
        given: dict[str, object] = {"of_kind": kind, "after": after, "limit": limit}
        if state is not None:
            given["in_state"] = state
        if label is not None:
            given["of_label"], given["of_value"] = label
        return [self._opened_document(row) for row in self._run(statement, given).all()]

    def documents_due(self, kind: str, until: datetime, *, limit: int) -> list[Document]:
        """Documents of a kind that are due at `until` or before, the longest overdue first."""
        rows = self._run(_DUE, {"of_kind": kind, "until": until, "limit": limit}).all()
        return [self._opened_document(row) for row in rows]

    def document_states(self, kind: str) -> dict[str, int]:
        """How many documents of a kind are in each state; states that none is in are absent."""
        return {row.state: row.rows for row in self._run(_STATES, {"of_kind": kind})}

    def document_counts(self, kind: str, label: str, *, state: str | None = None) -> dict[str, int]:
        """How many documents of a kind carry each value of a label, all of them or those in one state."""
        given = {"of_kind": kind, "of_label": label}
        if state is None:
            return {row.value: row.rows for row in self._run(_VALUES, given)}
        return {row.value: row.rows for row in self._run(_VALUES_IN_STATE, {**given, "in_state": state})}

    def last_document_change(self) -> int:
        """Where the order of changes ends now; whatever is stored later comes behind it."""
        position: int = self._run(_LAST_CHANGE).scalar_one()
        return position

    def _opened_document(self, row: Row) -> Document:
        bound_to = _bound_to(row.kind, row.document_id, row.revision, row.state, row.due)
        plain = self._access_cipher().unseal(row.sealed, bound_to)
        end = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
        labels: dict[str, str] = json.loads(plain[_LENGTH_BYTES:end])
        return Document(row.kind, row.document_id, row.state, plain[end:], labels, row.due, row.revision)

    def _document_problems(self) -> Iterator[str]:
        """Every document opens and is found by exactly its labels, and it is known when each changed last."""
        if count := self._run(_UNNOTED).scalar_one():
            yield f"{count} documents have no place in the order of changes, so that an erasure may pass them over"
        for kind in self._run(_KINDS).scalars().all():
            expected, after = 0, ""
            while rows := self._run(_PAGE, {"of_kind": kind, "after": after, "limit": 256}).all():
                after = rows[-1].document_id
                for row in rows:
                    try:
                        document = self._opened_document(row)
                    except CorruptionError as error:
                        yield f"{kind} {row.document_id!r}: {error}"
                        continue
                    given = {"of_kind": kind, "id": document.id}
                    found = {each.label: each.value for each in self._run(_LABELS_OF, given)}
                    expected += len(found)
                    if found != document.labels:
                        yield f"{kind} {document.id!r} is found by labels that it doesn't have, or not by its own"
            if self._run(_LABEL_ROWS, {"of_kind": kind}).scalar_one() > expected:
                yield f"there are labels of documents of the kind {kind!r} that aren't there"


class DocumentWriter(DocumentReader):
    def insert_document(self, document: Document) -> Document:
        """Store a new document; answers it with its revision.

        Raises:
            ConflictError: If the kind has one of this id.
            ValueError: If it has been stored before.
        """
        if document.revision:
            raise ValueError(f"a document that is inserted has no revision yet; this one has {document.revision}")
        if self._run(_BY_ID, {"of_kind": document.kind, "id": document.id}).one_or_none() is not None:
            raise ConflictError(f"there is a {document.kind} {document.id!r} already")
        stored = replace(document, revision=1)
        self._run(
            _INSERT,
            {
                "kind": stored.kind,
                "document_id": stored.id,
                "revision": stored.revision,
                "state": stored.state,
                "due": stored.due,
                "sealed": self._sealed_document(stored),
            },
        )
        self._write_labels(stored)
        self._note_change(stored)
        return stored

    def replace_document(self, document: Document, *, before: Document | None = None) -> Document:
        """Replace a document by its next revision; answers it with that.

        Args:
            document: Its `revision` is the one that was read, and is replaced.
            before: That revision as it was read, which spares reading it again; of another one nothing is replaced.

        Raises:
            NotFoundError: If there is none of this kind and id.
            ChangedError: If somebody else has replaced it since it was read.
        """
        stored = replace(document, revision=document.revision + 1)
        if before is None:
            before = self.document(document.kind, document.id)
        given = {
            "of_kind": stored.kind,
            "id": stored.id,
            "old_revision": document.revision,
            "new_revision": stored.revision,
            "new_state": stored.state,
            "new_due": stored.due,
            "new_sealed": self._sealed_document(stored),
        }
        if not self._run(_REPLACE, given).rowcount:
            now = self.document(document.kind, document.id)
            raise ChangedError(
                f"{document.kind} {document.id!r} is at revision {now.revision}, not {document.revision}: it changed"
            )
        if dict(before.labels) != dict(stored.labels):
            self._run(_DELETE_LABELS, {"of_kind": stored.kind, "id": stored.id})
            self._write_labels(stored)
        self._run(_FORGET_CHANGE, {"of_kind": stored.kind, "id": stored.id})
        self._note_change(stored)
        return stored

    def delete_document(self, kind: str, document_id: str) -> None:
        """Remove a document and its labels, overwriting what they were.

        Raises:
            NotFoundError: If there is none of this kind and id.
        """
        self._run(_DELETE_LABELS, {"of_kind": kind, "id": document_id})
        if not self._run(_DELETE, {"of_kind": kind, "id": document_id}).rowcount:
            raise NotFoundError(f"there is no {kind} {document_id!r}")
        self._run(_FORGET_CHANGE, {"of_kind": kind, "id": document_id})
        self._erased = True

    def _note_change(self, document: Document) -> None:
        self._run(_NOTE_CHANGE, {"kind": document.kind, "document_id": document.id})

    def _sealed_document(self, document: Document) -> bytes:
        labels = json.dumps(dict(sorted(document.labels.items())), ensure_ascii=False).encode()
        plain = len(labels).to_bytes(_LENGTH_BYTES, "big") + labels + document.body
        bound_to = _bound_to(document.kind, document.id, document.revision, document.state, document.due)
        return self._access_cipher().seal(plain, bound_to)

    def _write_labels(self, document: Document) -> None:
        rows: Sequence[Mapping[str, object]] = [
            {"kind": document.kind, "label": label, "value": value, "document_id": document.id}
            for label, value in document.labels.items()
        ]
        self._run_many(_INSERT_LABELS, rows)


def _bound_to(kind: str, document_id: str, revision: int, state: str, due: datetime | None) -> bytes:
    return context("document", kind, document_id, str(revision), state, "" if due is None else due.isoformat())
