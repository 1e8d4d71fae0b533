"""Marks: who was found not to be somebody is not found to be them again, whatever becomes of the face."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from recognizance.app import Service
from recognizance.enrolling.enrolment import Enrolled
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.faces import QualityFilter, open_photograph
from recognizance.forgetting.marks import Marked, Marks, MarkState
from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId
from recognizance.ledger import Entry, facts
from recognizance.permits import Action, Permit
from recognizance.records import FaceRow, NewFace, Secret
from tests.conftest import jpeg
from tests.records.world import erase_gallery

from .conftest import ADA, GALLERY, Installation
from .conftest import permit_for as permit_here

Permits = Callable[..., Permit]
PROBE = "ab" * 32
OTHER_PROBE = "cd" * 32


@pytest.fixture
def marks(installation: Installation) -> Marks:
    return Marks(
        installation.records,
        installation.recorder,
        key=Secret(bytes(32)),
        clock=lambda: installation.now,
        new_id=installation.new_id,
    )


def left_out(
    installation: Installation, marks: Marks, *, probe: str | None = PROBE, case: str | None = None
) -> set[str]:
    """Of all enrolled faces, those that the marks leave out of a search."""
    rows: dict[str, FaceRow] = {row.face_id: row for row in installation.rows()}
    with installation.records.reading() as reader:
        return set(marks.suppressed(reader, GALLERY, rows, probe_sha256=probe, case=case).keys)


def mark(marks: Marks, face: NewFace, *, case: str | None = None) -> Marked:
    probe = PROBE if case is None else None
    permit = permit_here(Action.SEARCH)
    return marks.add(GALLERY, face.face_id, reasons="other ears", probe_sha256=probe, case=case, permit=permit)


def test_a_mark_holds_for_its_probe_or_its_case_and_nothing_else(installation: Installation, marks: Marks) -> None:
    """Somebody who isn't the person in one picture may be the one in another."""
    [ada], [bob] = installation.enrol(), installation.enrol()
    mark(marks, ada)
    mark(marks, bob, case="24-1701")

    assert left_out(installation, marks) == {ada.face_id}
    assert left_out(installation, marks, probe=OTHER_PROBE) == set()
    assert left_out(installation, marks, probe=OTHER_PROBE, case="24-1701") == {bob.face_id}
    assert left_out(installation, marks, case="24-1701") == {ada.face_id, bob.face_id}
    assert left_out(installation, marks, probe=None, case="24-1702") == set()


def test_a_mark_survives_erasure_and_enrolling_the_picture_again(installation: Installation, marks: Marks) -> None:
    """The face id is another one then; the picture is the same."""
    [ada] = installation.enrol(name="ada-lovelace.jpg")
    mark(marks, ada)
    erasure = installation.erasure()
    erased = erasure.faces(GALLERY, [ada.face_id], permit=permit_here(Action.FORGET))
    assert erased.needles is not None
    assert erasure.traces(erased.needles, folder=installation.data) == ()
    assert left_out(installation, marks) == set()

    [again] = installation.enrol(name="another-name.jpg", sha256=ada.image_sha256)

    assert again.face_id != ada.face_id
    assert left_out(installation, marks) == {again.face_id}


def test_a_mark_survives_a_new_picture_of_the_same_subject(installation: Installation, marks: Marks) -> None:
    """Neither a new picture nor a new name sheds it."""
    [ada] = installation.enrol(subject=ADA)
    mark(marks, ada)
    with installation.records.transaction() as transaction:
        [new] = installation.world.faces(1)
        transaction.add_faces(GALLERY, [replace(new, image_sha256=bytes(32))])
        transaction.associate(GALLERY, ADA, [new.face_id])

    assert left_out(installation, marks) == {ada.face_id, new.face_id}


def test_a_mark_survives_a_change_of_the_model(installation: Installation, marks: Marks) -> None:
    """The gallery is made anew for another recogniser; its templates have nothing in common with the old ones."""
    [ada] = installation.enrol()
    mark(marks, ada)
    other_model = ModelId("another@fedcba9876543210")
    with installation.records.transaction() as transaction:
        erase_gallery(transaction, GALLERY)
        transaction.create_gallery(GALLERY, model=other_model, created=installation.now)
        [face] = installation.world.faces(1, image_id=ImageId(installation.world.uuid()))
        transaction.add_faces(GALLERY, [replace(face, model=other_model, image_sha256=ada.image_sha256)])

    assert left_out(installation, marks) == {face.face_id}


def test_a_mark_that_was_a_mistake_is_lifted_once_and_stays_on_the_record(
    installation: Installation, marks: Marks
) -> None:
    """With reasons; both entries say who."""
    [ada] = installation.enrol()
    marked = mark(marks, ada)
    permit = permit_here(Action.SEARCH)
    with pytest.raises(InputError, match="reasons"):
        marks.lift(marked.id, reasons=" ", permit=permit)

    with installation.recorder.following() as promised:
        lifted = marks.lift(marked.id, reasons="wrong picture", permit=permit)

    said = Entry.parse(promised[0].data).facts
    assert isinstance(said, facts.Mark)
    assert (said.mark, said.standing, said.scope) == (marked.id, facts.Standing.REMOVED, facts.MarkScope.PROBE)
    assert left_out(installation, marks) == set()
    assert [each.state for each in marks.of_gallery(GALLERY, permit=permit)] == [MarkState.LIFTED]
    assert lifted.mark == marked.mark
    with pytest.raises(ConflictError, match="lifted before"):
        marks.lift(marked.id, reasons="again", permit=permit)


def test_a_mark_names_nobody_in_the_file(installation: Installation, marks: Marks) -> None:
    """Names and pictures are HMACs under a key; they aren't in the document, nor in the ledger."""
    [ada] = installation.enrol(subject=ADA)
    marked = mark(marks, ada)
    with installation.records.reading() as reader:
        document = reader.document("mark", marked.id)

    assert ADA.encode() not in document.body
    assert (ada.image_sha256 or b"").hex().encode() not in document.body
    assert PROBE.encode() not in document.body
    assert PROBE not in document.labels.values()


def test_what_no_mark_can_be_made_of_is_refused(installation: Installation, marks: Marks) -> None:
    """A face that isn't there; neither or both of picture and case; a face of which nothing would last; no reasons."""
    [ada] = installation.enrol()
    [bare] = installation.world.faces(1)
    with installation.records.transaction() as transaction:
        transaction.add_faces(GALLERY, [bare])
    permit = permit_here(Action.SEARCH)

    with pytest.raises(NotFoundError):
        marks.add(GALLERY, FaceId("nobody"), reasons="r", probe_sha256=PROBE, permit=permit)
    for given in ({}, {"probe_sha256": PROBE, "case": "c"}):
        with pytest.raises(InputError, match="one picture or about one case"):
            marks.add(GALLERY, ada.face_id, reasons="r", permit=permit, **given)
    with pytest.raises(ConflictError, match="outlive"):
        marks.add(GALLERY, bare.face_id, reasons="r", probe_sha256=PROBE, permit=permit)
    with pytest.raises(InputError, match="reasons"):
        marks.add(GALLERY, ada.face_id, reasons=" ", probe_sha256=PROBE, permit=permit)


@pytest.fixture
def people(service: Service, permit_for: Permits, collins: Image.Image, hopper: Image.Image) -> dict[str, Enrolled]:
    """Two people enrolled by the whole service."""
    gallery = GalleryId("people")
    service.galleries.create(gallery, tags={}, permit=permit_for(Action.MANAGE_GALLERY, gallery))
    permit = permit_for(Action.ENROL, gallery)
    return {
        name: service.enrolment.enrol(
            gallery,
            open_photograph(jpeg(picture), permit),
            external_image_id=name,
            max_faces=1,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        )
        for name, picture in (("collins", collins), ("hopper", hopper))
    }


def test_a_search_leaves_marked_candidates_out_and_says_so_beside_it(
    service: Service, people: dict[str, Enrolled], permit_for: Permits, collins: Image.Image
) -> None:
    """The next candidate takes the place; the record has the number left out and the marks, and the search's entry."""
    gallery = GalleryId("people")
    data = jpeg(collins, quality=80)
    permit = permit_for(Action.SEARCH, gallery)
    photograph = open_photograph(data, permit)

    def found() -> list[str | None]:
        searched = service.search.faces_by_photograph(
            gallery, photograph, threshold_pct=1, limit=1, quality_filter=QualityFilter.NONE, permit=permit
        )
        assert searched.found is not None
        return [match.enrolled.external_image_id for match in searched.found.matches]

    before = found()
    face = people["collins"].faces[0].row.face_id
    marked = service.marks.add(
        gallery, face, reasons="a test", probe_sha256=photograph.sha256, permit=permit_for(Action.SEARCH, gallery)
    )
    with service.recorder.following() as promised:
        after = found()

    search, suppression = (Entry.parse(each.data) for each in promised)
    assert before == ["collins"]
    assert "collins" not in after
    assert isinstance(search.facts, facts.Search)
    assert isinstance(suppression.facts, facts.Suppression)
    assert suppression.facts.search == search.id
    assert (suppression.facts.candidates, suppression.facts.marks) == (1, (marked.id,))
