"""Test galleries that a tester left behind: they go when nobody can come back for them, and no other gallery does."""

from datetime import timedelta

import pytest

from recognizance.documents import Kind, inserted
from recognizance.forgetting.left_behind import LASTS, left_behind
from recognizance.governance.parties import AccessKey, OwnerKind
from recognizance.governing.registration import at_the_machine
from recognizance.identifiers import AccessKeyId, GalleryId, PrincipalId
from recognizance.ledger import Entry, FolderSource, facts, prove
from recognizance.records import Secret
from recognizance.retention_runs import RetentionRuns

from .conftest import Installation

TESTER = PrincipalId("5f0c")
THEIRS = GalleryId(f"test.{TESTER}.women")
NO_TEST = GalleryId("test.without-a-tester")


def give_key(installation: Installation, *, lasts: timedelta | None) -> None:
    """A key of the tester's, good for so long, or until somebody switches it off."""
    key, now = AccessKeyId("RCGZAAAAAAAAAAAAAAAA"), installation.now
    with installation.recorder.changing() as change:
        change.transaction.add_access_key(key, secret=Secret(b"x" * 40), principal=TESTER, created=now)
        if lasts is not None:
            limited = AccessKey(key, OwnerKind.PERSON, TESTER, now, now + lasts)
            inserted(change.transaction, Kind.KEY, key, limited)


def due(installation: Installation) -> list[GalleryId]:
    with installation.records.reading() as reader:
        return left_behind(reader, installation.now)


@pytest.mark.parametrize(
    ("lasts", "days", "goes"),
    [
        (timedelta(days=10), 9, False),
        (timedelta(days=10), 10, True),
        (None, LASTS.days - 1, False),
        (None, LASTS.days, True),
    ],
    ids=["its key works", "its key is over", "less than a month", "a month"],
)
def test_a_test_gallery_is_due_when_its_testers_key_is_over_or_after_a_month(
    installation: Installation, lasts: timedelta | None, days: int, goes: bool
) -> None:
    """Up to that moment its tester may still be measuring, or come back and delete it."""
    give_key(installation, lasts=lasts)
    installation.create(THEIRS)
    installation.create(NO_TEST)
    installation.after(days=days)

    assert due(installation) == ([THEIRS] if goes else [])


def test_without_any_key_a_test_gallery_is_due_at_once(installation: Installation) -> None:
    """Nobody can search, fill or delete it; a gallery whose name only begins alike isn't one."""
    installation.create(THEIRS)
    installation.create(NO_TEST)
    installation.create(GalleryId("tests"))

    assert due(installation) == [THEIRS]


def test_a_retention_run_erases_what_a_tester_left_behind_and_says_so(installation: Installation) -> None:
    """The whole gallery, as any other erasure is recorded; what others have stays."""
    runs = RetentionRuns(
        installation.records,
        installation.recorder,
        installation.gate,
        installation.erasure(),
        clock=lambda: installation.now,
        new_id=installation.new_id,
    )
    installation.create(THEIRS)
    installation.enrol(gallery=THEIRS, faces=3)
    installation.enrol()

    runs.run_all(by=at_the_machine())
    runs.run_all(by=at_the_machine())

    with installation.records.reading() as reader:
        left = [row.id for row in reader.galleries(limit=10)]
        size = reader.marked_size()
    installation.settle()
    source, key = FolderSource(installation.recorder.public), (installation.recorder.verifier,)
    said = [Entry.parse(prove(source, key, index).entry).facts for index in range(size)]
    erased = [each for each in said if isinstance(each, facts.Erasure) and each.gallery == THEIRS]
    assert THEIRS not in left
    assert len(installation.rows()) == 1
    assert [(each.scope, each.faces) for each in erased] == [(facts.ErasureScope.GALLERY, 3)]
    assert installation.verified().is_sound
