"""The ledger as pages: its entries, the newest first, and each of them in words with its proof.

The pages read the public files, as anybody can, and add nothing of their own. Whether an entry is where it is said to
be is checked in the reader's browser, by `static/verifier.js`, from those files and the key; what is written here is
only the text that it's compared with. Implements docs/verifying.md.
"""

from starlette.responses import Response

from recognizance.errors import NotFoundError
from recognizance.ledger import FolderSource, Source, VerifierKey, read_checkpoint, read_entries
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.public_entries import told
from recognizance.web.visits import Visit

A_PAGE = 25


class RecordPages:
    def __init__(self, records: Records, recorder: Recorder) -> None:
        self._records = records
        self._source: Source = FolderSource(recorder.public)
        self._key: VerifierKey = recorder.verifier

    def table(self) -> list[Page]:
        return [
            Page("/record", self.entries, navigation=N_("Record")),
            Page("/record/by-id/{id}", self.by_id),
            Page("/record/{index}", self.entry),
            Page("/verify", self.verify),
        ]

    def entries(self, visit: Visit) -> Response:
        size = self._size()
        # Pages are counted from the first entry, so that an address shows the same entries as long as the ledger grows.
        last = max(-(-size // A_PAGE), 1)
        page = _number(visit.query.get("page", str(last)), last + 1)
        if page < 1:
            raise NotFoundError("the record has no such page")
        # Whoever asks for no page in particular isn't shown a last one of two entries: the one before stands with it.
        older = page - 2 if "page" not in visit.query and page > 1 else page - 1
        start, end = older * A_PAGE, min(page * A_PAGE, size)
        shown = [
            told(start + place, data, visit.wording)
            for place, data in enumerate(read_entries(self._source, range(start, end), size) if end > start else ())
        ]
        return visit.page(
            "public/record.html", entries=shown[::-1], size=size, page=page, older=older, last=last, key=str(self._key)
        )

    def entry(self, visit: Visit) -> Response:
        size = self._size()
        index = _number(visit.path["index"], size)
        [data] = read_entries(self._source, range(index, index + 1), size)
        return visit.page(
            "public/entry.html",
            entry=told(index, data, visit.wording),
            size=size,
            key=str(self._key),
            origin=self._key.name,
        )

    def by_id(self, visit: Visit) -> Response:
        """Lead from an entry's id, which other entries name, to its place."""
        wanted: str = visit.path["id"]
        with self._records.reading() as reader:
            index = reader.entry_indexes([wanted]).get(wanted)
        if index is None:
            raise NotFoundError("the record has no entry of this id")
        return visit.redirect(f"/record/{index}")

    def verify(self, visit: Visit) -> Response:
        address = f"{visit.request.url.scheme}://{visit.request.url.netloc}/ledger/"
        return visit.page(
            "public/verify.html", size=self._size(), key=str(self._key), origin=self._key.name, address=address
        )

    def _size(self) -> int:
        return read_checkpoint(self._source, (self._key,)).checkpoint.size


def _number(text: str, end: int) -> int:
    """A number below `end`, spelled in the one way in which pages link to it.

    Raises:
        NotFoundError: If it is none.
    """
    # A few ASCII digits, because Python would read others' digits, and refuses thousands of them.
    if len(text) <= 16 and text.isascii() and text.isdecimal() and str(int(text)) == text and int(text) < end:
        return int(text)
    raise NotFoundError("the record has no entry of this number")
