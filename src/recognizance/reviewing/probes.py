"""Probes and their versions: every edit on the way to a search is made here, kept, and on the record.

An edit is applied by the service itself, so that a picture which a search is made with can be led back to the one that
came in, step by step, each with its digests. Both versions are kept, sealed. What somebody did to a picture before it
came in can't be seen. Implements `docs/review.md`, "Edits of a probe"; NYC Local Law 55 of 2025.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recognizance.errors import ConflictError, InputError
from recognizance.faces import Photograph, open_photograph
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.leads import ProbeEdit, check_edits
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.parties import PersonId
from recognizance.permits import Permit
from recognizance.recording import Recorder
from recognizance.records import Document, Reader, Records
from recognizance.reviewing.documents import EditFile, PictureFile, ReviewKind, blinded, documents_of, picture_file
from recognizance.reviewing.entries import probe_edit
from recognizance.reviewing.probe_edits import Edit, edit_picture

VERSIONS_KEPT = timedelta(days=365)
"""How long every version of an edited probe is kept."""

MOST_EDITS = 32
"""Of one probe; a limit of ours."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The picture after an edit, to be searched with as it is.

    Attributes:
        entry: The ledger's entry of the edit, under which both versions are kept.
    """

    png: bytes
    edit: ProbeEdit
    entry: str


class Probes:
    """Edits probes. Safe to share between threads.

    Args:
        label_key: Turns digests and cases into labels; the same as that of reviews.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        *,
        clock: Callable[[], datetime],
        label_key: bytes,
        kept: timedelta = VERSIONS_KEPT,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._clock = clock
        self._label_key = label_key
        self._kept = kept

    def edit(self, photograph: Photograph, edit: Edit, *, permit: Permit) -> Edited:
        """Apply an edit and keep both versions. The same edit of the same picture again changes nothing.

        Args:
            permit: Given under the use and for the case that the picture is to be searched for.

        Raises:
            InputError: If no use stands behind it, or the edit doesn't fit the picture.
            ConflictError: If the picture has been edited too often.
        """
        mandate = permit.mandate
        if mandate is None or not mandate.keeps_pictures:
            raise InputError("a probe is edited on behalf of a use")
        after = edit_picture(photograph.pixels(), edit)
        # The file that comes out has to be one that a search takes.
        open_photograph(after.png, permit)
        before_sha256 = sha256_hex(photograph.sha256)
        made = ProbeEdit(
            edit.kind, edit.parameters, before_sha256, after.sha256, PersonId(permit.principal), self._clock()
        )
        if after.sha256 == before_sha256:
            raise InputError("the edit changes nothing")
        with self._recorder.changing() as change:
            earlier = edits_before(change.transaction, self._label_key, before_sha256, mandate.case)
            if len(earlier) >= MOST_EDITS:
                raise ConflictError(f"the picture was edited {len(earlier)} times; the limit is {MOST_EDITS}")
            if known := edits_before(change.transaction, self._label_key, after.sha256, mandate.case):
                if (known[-1].before_sha256, known[-1].parameters) == (made.before_sha256, made.parameters):
                    kept = _edit_to(change.transaction, self._label_key, after.sha256, mandate.case)
                    return Edited(after.png, known[-1], "" if kept is None else kept.id)
                raise ConflictError("the same picture came of another edit before; search with that one")
            entry = change.enter(probe_edit(made, mandate.use, mandate.case))
            due = self._clock() + self._kept
            labels = {"after": _label(self._label_key, after.sha256, mandate.case)}
            body = write_document(EditFile(made, mandate.case, entry))
            change.transaction.insert_document(Document(ReviewKind.EDIT, entry, "kept", body, labels=labels, due=due))
            for name, data in (("before", photograph.data), ("after", after.png)):
                change.transaction.insert_document(
                    Document(
                        ReviewKind.VERSION,
                        f"{entry}.{name}",
                        "kept",
                        write_document(picture_file(data)),
                        labels={"edit": entry},
                        due=due,
                    )
                )
        return Edited(after.png, made, entry)

    def versions(self, edit_entry: str) -> tuple[bytes, bytes]:
        """The picture before an edit and after it, as files.

        Raises:
            NotFoundError: If they have been destroyed.
        """
        with self._records.reading() as reader:
            before, after = (
                read_document(PictureFile, reader.document(ReviewKind.VERSION, f"{edit_entry}.{name}").body).data
                for name in ("before", "after")
            )
        return before, after


def edits_before(reader: Reader, label_key: bytes, searched: Sha256Hex, case: str | None) -> tuple[ProbeEdit, ...]:
    """The recorded edits of a case that lead to the picture searched for, in order; none if it came in as it is.

    Raises:
        ConflictError: If they don't follow from each other.
    """
    chain: list[ProbeEdit] = []
    current = searched
    while len(chain) < MOST_EDITS:
        document = _edit_to(reader, label_key, current, case)
        if document is None:
            break
        edit = read_document(EditFile, document.body).edit
        if any(edit.before_sha256 in {later.after_sha256, later.before_sha256} for later in chain):
            break
        chain.insert(0, edit)
        current = edit.before_sha256
    check_edits(current, chain, searched)
    return tuple(chain)


def _edit_to(reader: Reader, label_key: bytes, sha256: str, case: str | None) -> Document | None:
    """The recorded edit of a case that gave this picture."""
    return next(documents_of(reader, ReviewKind.EDIT, label=("after", _label(label_key, sha256, case))), None)


def _label(key: bytes, sha256: str, case: str | None) -> str:
    return blinded(key, "picture", f"{case or ''}\n{sha256}")
