"""Test galleries that nobody will delete any more: a tester's run ended in a crash, and no other run came after it.

A tester's command deletes the galleries that it made, whatever ends it but the end of the process or of the line. What
such an end leaves behind holds templates of people who never asked to be here, so it doesn't stay: it is due once its
tester has no key that works, or after a month in any case, which no measurement lasts.

Reads only. Implements docs/evaluation-gate.md, "Independent testing".
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from recognizance.documents import Kind, found
from recognizance.governance.parties import AccessKey
from recognizance.governance.requests import TEST_GALLERY_PREFIX, tester_of
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.records import GalleryRow, Reader

LASTS = timedelta(days=30)
"""How long a test gallery may stay, whoever still has a key."""

_PAGE = 100


def left_behind(reader: Reader, now: datetime) -> list[GalleryId]:
    """Test galleries that are due to be erased, by name."""
    testing = [row for row in _test_galleries(reader) if tester_of(row.id) is not None]
    working = _owners_of_working_keys(reader, now) if testing else frozenset[PrincipalId]()
    return [row.id for row in testing if tester_of(row.id) not in working or row.created + LASTS <= now]


def _test_galleries(reader: Reader) -> Iterator[GalleryRow]:
    # Names are in order, so those with the prefix follow it at once.
    after: GalleryId | None = GalleryId(TEST_GALLERY_PREFIX)
    while page := reader.galleries(after=after, limit=_PAGE):
        for row in page:
            if not row.id.startswith(TEST_GALLERY_PREFIX):
                return
            yield row
        after = page[-1].id


def _owners_of_working_keys(reader: Reader, now: datetime) -> frozenset[PrincipalId]:
    owners: set[PrincipalId] = set()
    for key in reader.access_keys():
        limited = found(reader, Kind.KEY, key.id, AccessKey)
        if key.active and (limited is None or limited.value.is_valid_at(now)):
            owners.add(key.principal)
    return frozenset(owners)
