"""People enrolled twice: found by searches on the record, decided by a person, and never by itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from PIL import Image

from recognizance import duplicates as duplicates_module
from recognizance.app import Service, bulk_enrolment
from recognizance.duplicates import PAIR_KIND, Duplicates, forget_gone
from recognizance.enrolling.bulk import items_of
from recognizance.errors import ConflictError, DeniedError, InputError, NotFoundError
from recognizance.faces import QualityFilter, open_photograph
from recognizance.identifiers import GalleryId, SubjectId
from recognizance.ledger import Entry, FolderSource, facts, read_checkpoint, read_entries
from recognizance.permits import Action, Mandate, Permit
from recognizance.records import Needles, check_records

from .conftest import jpeg

GALLERY = GalleryId("people")
EILEEN, COLLINS, GRACE = SubjectId("eileen"), SubjectId("collins"), SubjectId("grace")
Permits = Callable[..., Permit]


@dataclass(frozen=True)
class Sent:
    data: bytes

    def read_bytes(self) -> bytes:
        return self.data


@dataclass
class Gallery:
    """A gallery with one person under two names, and another person."""

    service: Service
    duplicates: Duplicates
    permit_for: Permits

    def permit(self, action: Action) -> Permit:
        return self.permit_for(action, GALLERY)

    def look(self, subject: SubjectId) -> list[SubjectId]:
        found = self.duplicates.look(GALLERY, subject, permit=self.permit(Action.SEARCH))
        return [match.enrolled.subject_id for match in found]

    @property
    def waiting(self) -> list[tuple[SubjectId, SubjectId]]:
        pairs = self.duplicates.waiting(GALLERY, permit=self.permit(Action.READ_GALLERY))
        return [(pair.one.subject_id, pair.other.subject_id) for pair in pairs]

    def pair(self) -> str:
        [pair] = self.duplicates.waiting(GALLERY, permit=self.permit(Action.READ_GALLERY))
        return pair.id

    def differ(self, pair: str, reasons: str = "sisters") -> None:
        self.duplicates.are_different(GALLERY, pair, reasons=reasons, permit=self.permit(Action.READ_GALLERY))

    def said(self) -> list[facts.Facts]:
        with self.service.records.reading() as reader:
            promised = reader.marked_size()
        source, keys = FolderSource(self.service.recorder.public), (self.service.recorder.verifier,)
        deadline = time.monotonic() + 10
        while (size := read_checkpoint(source, keys).checkpoint.size) < promised:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return [Entry.parse(data).facts for data in read_entries(source, range(size), size)]


@pytest.fixture
def gallery(service: Service, permit_for: Permits, collins: Image.Image, hopper: Image.Image) -> Gallery:
    service.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))
    people = {EILEEN: collins, COLLINS: collins.resize((400, 400)), GRACE: hopper}
    items = items_of([(f"{name}.jpg", Sent(jpeg(picture)), name) for name, picture in people.items()])
    permit = permit_for(Action.ENROL, GALLERY)
    list(
        bulk_enrolment(service).run(
            GALLERY, items, job="job", max_faces=1, quality_filter=QualityFilter.NONE, permit=permit
        )
    )
    return Gallery(service, Duplicates(service.records, service.recorder, service.search, service.marks), permit_for)


def test_somebody_enrolled_twice_waits_for_a_decision(gallery: Gallery) -> None:
    """Each look is a search on the ledger; both ways round it is one pair; a stranger is nobody's duplicate."""
    before = sum(isinstance(each, facts.Search) for each in gallery.said())
    assert gallery.look(EILEEN) == [COLLINS]
    assert gallery.look(COLLINS) == [EILEEN]
    assert gallery.look(GRACE) == []
    assert gallery.waiting == [(COLLINS, EILEEN)]
    searches = [each for each in gallery.said() if isinstance(each, facts.Search)][before:]
    assert [each.outcome.value for each in searches] == ["candidates", "candidates", "no_candidate"]


def test_what_is_found_names_nobody_at_rest(gallery: Gallery) -> None:
    """A pair holds two random keys: no name of either stands in it."""
    gallery.look(EILEEN)
    with gallery.service.records.reading() as reader:
        [document] = reader.documents(PAIR_KIND, limit=9)
    stored = document.body.decode() + document.id
    assert EILEEN not in stored
    assert COLLINS not in stored


def test_two_people_are_marked_as_such_and_not_brought_up_again(gallery: Gallery, collins: Image.Image) -> None:
    """A mark for each one's photograph, on the ledger; searches with it heed it; the next look leaves the pair out."""
    gallery.look(EILEEN)
    gallery.differ(gallery.pair())

    assert gallery.waiting == []
    assert gallery.look(EILEEN) == []
    assert gallery.waiting == []
    marks = [each for each in gallery.said() if isinstance(each, facts.Mark)]
    assert [(each.standing, each.scope) for each in marks] == [(facts.Standing.ADDED, facts.MarkScope.PROBE)] * 2
    permit = gallery.permit(Action.SEARCH)
    found = gallery.service.search.faces_by_photograph(
        GALLERY,
        open_photograph(jpeg(collins), permit),
        threshold_pct=80,
        limit=5,
        quality_filter=QualityFilter.NONE,
        permit=permit,
    ).found
    assert found is not None
    assert [match.enrolled.subject for match in found.matches] == [EILEEN]


def test_a_decision_needs_reasons_and_is_made_once(gallery: Gallery) -> None:
    """Without reasons nothing changes; a pair that is decided or unknown is none."""
    gallery.look(EILEEN)
    pair, before = gallery.pair(), len(gallery.said())
    with pytest.raises(InputError):
        gallery.differ(pair, " ")
    assert len(gallery.said()) == before
    assert gallery.waiting
    gallery.differ(pair)
    for unknown in (pair, "nothing"):
        with pytest.raises(NotFoundError):
            gallery.differ(unknown)


def test_what_nobody_photographed_cannot_be_marked(gallery: Gallery) -> None:
    """A decision that would leave nothing on the record isn't made."""
    gallery.look(EILEEN)
    pair = gallery.pair()
    with gallery.service.records.transaction() as transaction:
        for subject in (EILEEN, COLLINS):
            faces = [row.face_id for row in transaction.faces(GALLERY, subject=subject, limit=9)]
            transaction.disassociate(GALLERY, subject, faces)
    with pytest.raises(ConflictError):
        gallery.differ(pair)
    assert gallery.waiting


def test_one_person_is_made_of_two_and_the_pair_is_forgotten(gallery: Gallery) -> None:
    gallery.look(EILEEN)
    pair = gallery.pair()
    assert forget_gone(gallery.service.records) == 0
    permit, forgetting = gallery.permit(Action.ENROL), gallery.permit(Action.FORGET)
    gallery.service.subjects.merge(GALLERY, COLLINS, EILEEN, threshold_pct=75, permit=permit, forgetting=forgetting)

    assert gallery.waiting == []
    with pytest.raises(NotFoundError):
        gallery.duplicates.pair(GALLERY, pair, permit=gallery.permit(Action.READ_GALLERY))
    assert forget_gone(gallery.service.records) == 1
    assert check_records(gallery.service.records) == ()


@pytest.mark.parametrize("decided", [False, True])
def test_an_erasure_takes_the_pair_along(gallery: Gallery, *, decided: bool) -> None:
    """Whoever is erased is half of no pair any more; not even their key is left."""
    gallery.look(EILEEN)
    if decided:
        gallery.differ(gallery.pair())
    with gallery.service.records.reading() as reader:
        key = reader.subject(GALLERY, EILEEN).key
    gallery.service.erasure.subject(GALLERY, EILEEN, permit=gallery.permit(Action.FORGET))

    assert gallery.waiting == []
    with gallery.service.records.reading() as reader:
        assert reader.documents(PAIR_KIND, limit=9) == []
        assert not [trace for trace in reader.traces(Needles(ids=[key])) if trace.table == "documents"]


def test_a_pair_of_a_deleted_gallery_is_forgotten(gallery: Gallery) -> None:
    gallery.look(EILEEN)
    gallery.service.erasure.gallery(GALLERY, permit=gallery.permit(Action.MANAGE_GALLERY))
    assert forget_gone(gallery.service.records) == 1


def test_nobody_is_looked_for_or_shown_without_a_permit(gallery: Gallery) -> None:
    """A permit for another act doesn't do, and a use whose candidates wait for reviewers finds no names."""
    gallery.look(EILEEN)
    pair, wrong = gallery.pair(), gallery.permit(Action.ENROL)
    acts: list[Callable[[], object]] = [
        lambda: gallery.duplicates.look(GALLERY, EILEEN, permit=wrong),
        lambda: gallery.duplicates.waiting(GALLERY, permit=wrong),
        lambda: gallery.duplicates.pair(GALLERY, pair, permit=wrong),
        lambda: gallery.duplicates.are_different(GALLERY, pair, reasons="r", permit=wrong),
        lambda: gallery.duplicates.waiting(
            GalleryId("theirs"), permit=gallery.permit_for(Action.READ_GALLERY, GALLERY)
        ),
    ]
    for act in acts:
        with pytest.raises(DeniedError):
            act()
    mandate = Mandate("use", "agency", "purpose", None, 10, True, None, None, None)
    reviewed = replace(gallery.permit(Action.SEARCH), mandate=mandate)
    with pytest.raises(InputError):
        gallery.duplicates.look(GALLERY, EILEEN, permit=reviewed)


def test_no_more_pairs_wait_than_anybody_decides(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound what is found is still shown, and not kept."""
    monkeypatch.setattr(duplicates_module, "MOST_WAITING", 0)
    assert gallery.look(EILEEN) == [COLLINS]
    with gallery.service.records.reading() as reader:
        assert reader.documents(PAIR_KIND, limit=9) == []
