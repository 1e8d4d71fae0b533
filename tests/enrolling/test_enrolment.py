"""Enrolment: what was asked for is stored durably, what was not leaves no trace."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from recognizance.app import Service
from recognizance.enrolling.enrolment import Enrolled
from recognizance.enrolling.subjects import AssociationOutcome
from recognizance.errors import ConflictError, DeniedError, NotFoundError, TokenReusedError
from recognizance.faces import QualityFilter, UnindexedReason, open_photograph
from recognizance.identifiers import FaceId, GalleryId, ModelId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import Disassociation

from ..conftest import NOW, OpenService, jpeg

GALLERY = GalleryId("people")
SOMEBODY = SubjectId("somebody")
Permits = Callable[..., Permit]
Enrol = Callable[..., Enrolled]


@pytest.fixture
def enrol(service: Service, permit_for: Permits) -> Enrol:
    """Enrols a picture's faces into a gallery that this creates."""
    service.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))
    permit = permit_for(Action.ENROL, GALLERY)

    def run(
        picture: Image.Image,
        *,
        name: str | None = None,
        max_faces: int = 100,
        quality_filter: QualityFilter = QualityFilter.AUTO,
        into: Service = service,
    ) -> Enrolled:
        return into.enrolment.enrol(
            GALLERY,
            open_photograph(jpeg(picture), permit),
            external_image_id=name,
            max_faces=max_faces,
            quality_filter=quality_filter,
            permit=permit,
        )

    return run


def face_count(service: Service, permit_for: Permits) -> int:
    return service.galleries.describe(GALLERY, permit=permit_for(Action.READ_GALLERY, GALLERY)).face_count


def test_every_face_of_a_photograph_is_enrolled_largest_first(enrol: Enrol, both: Image.Image) -> None:
    """Two people in one picture are two faces of one image."""
    enrolled = enrol(both, name="both")

    boxes = [face.row.box for face in enrolled.faces]
    assert len(boxes) == 2
    assert boxes[0].width * boxes[0].height >= boxes[1].width * boxes[1].height
    assert len({face.row.image_id for face in enrolled.faces}) == 1
    assert {face.row.external_image_id for face in enrolled.faces} == {"both"}
    assert all(0 < side < 1 for box in boxes for side in (box.left, box.top, box.width, box.height))


def test_faces_beyond_the_limit_are_named_and_not_stored(
    enrol: Enrol, both: Image.Image, service: Service, permit_for: Permits
) -> None:
    """The largest face is kept; the other is told about, with the reason."""
    enrolled = enrol(both, max_faces=1)

    assert [face.reasons for face in enrolled.unindexed] == [(UnindexedReason.EXCEEDS_MAX_FACES,)]
    assert (len(enrolled.faces), face_count(service, permit_for)) == (1, 1)


def test_a_face_that_is_too_blurred_is_refused_with_its_reason(enrol: Enrol, collins: Image.Image) -> None:
    """AUTO leaves out what could not be recognised; NONE takes it."""
    blurred = collins.filter(ImageFilter.GaussianBlur(4))

    refused = enrol(blurred)
    taken = enrol(blurred, quality_filter=QualityFilter.NONE)

    assert [UnindexedReason.LOW_SHARPNESS in face.reasons for face in refused.unindexed] == [True]
    assert (len(refused.faces), len(taken.faces)) == (0, 1)


def test_a_picture_without_faces_leaves_nothing(
    enrol: Enrol, nobody: Image.Image, service: Service, permit_for: Permits
) -> None:
    """No face, no record, no error."""
    enrolled = enrol(nobody)

    assert (enrolled.faces, enrolled.unindexed, face_count(service, permit_for)) == ((), (), 0)


def test_the_same_photograph_is_not_stored_twice(
    enrol: Enrol, collins: Image.Image, both: Image.Image, service: Service, permit_for: Permits
) -> None:
    """The same bytes under the same name give the faces that are there; under another name, new ones."""
    first = enrol(collins, name="a")
    again = enrol(collins, name="a")
    renamed = enrol(collins, name="b")
    one = enrol(both, name="c", max_faces=1)
    rest = enrol(both, name="c")

    assert again.faces[0].row == first.faces[0].row
    assert renamed.faces[0].row.face_id != first.faces[0].row.face_id
    assert rest.faces[0].row == one.faces[0].row
    assert len({face.row.image_id for face in (*one.faces, *rest.faces)}) == 1
    assert face_count(service, permit_for) == 4


def test_photographs_are_not_kept_unless_asked_for(
    enrol: Enrol, collins: Image.Image, tmp_path: Path, permit_for: Permits, service: Service, service_in: OpenService
) -> None:
    """By default the photograph is nowhere in the data folder; with `keep_images` it comes back byte for byte."""
    row = enrol(collins).faces[0].row
    with service.records.reading() as reader, pytest.raises(NotFoundError):
        reader.kept_image(GALLERY, row.image_id)

    keeping = service_in(tmp_path / "keeping", keep_images=True)
    keeping.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))
    row = enrol(collins, into=keeping).faces[0].row
    with keeping.records.reading() as reader:
        kept = reader.kept_image(GALLERY, row.image_id)
    on_disk = b"".join(path.read_bytes() for path in keeping.data.iterdir() if path.is_file())

    assert kept == jpeg(collins)
    assert jpeg(collins)[100:200] not in on_disk


def test_a_gallery_of_another_model_takes_no_templates(
    service: Service, permit_for: Permits, collins: Image.Image
) -> None:
    """It's refused before a template is made."""
    with service.records.transaction() as transaction:
        transaction.create_gallery(GALLERY, model=ModelId("other@0000000000000000"), created=NOW, tags={})
    permit = permit_for(Action.ENROL, GALLERY)

    with pytest.raises(ConflictError, match="other@0000000000000000"):
        service.enrolment.enrol(
            GALLERY,
            open_photograph(jpeg(collins), permit),
            external_image_id=None,
            max_faces=1,
            quality_filter=QualityFilter.AUTO,
            permit=permit,
        )


@pytest.mark.usefixtures("enrol")
def test_a_permit_to_search_does_not_enrol(service: Service, permit_for: Permits, collins: Image.Image) -> None:
    """The act is checked where it happens."""
    permit = permit_for(Action.SEARCH, GALLERY)

    with pytest.raises(DeniedError, match="enrol"):
        service.enrolment.enrol(
            GALLERY,
            open_photograph(jpeg(collins), permit),
            external_image_id=None,
            max_faces=1,
            quality_filter=QualityFilter.AUTO,
            permit=permit,
        )


def test_somebody_elses_face_is_not_given_to_a_subject(
    enrol: Enrol, collins: Image.Image, hopper: Image.Image, service: Service, permit_for: Permits
) -> None:
    """Faces that don't resemble the subject's are refused, with the reason for each."""
    permit = permit_for(Action.ENROL, GALLERY)
    own, mirrored, other = (
        enrol(picture, name=name).faces[0].row.face_id
        for name, picture in (
            ("own", collins),
            ("mirrored", collins.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
            ("other", hopper),
        )
    )
    unknown = FaceId("00000000-0000-4000-8000-000000000000")
    service.subjects.create_subject(GALLERY, SOMEBODY, token=None, permit=permit)

    def associate(*faces: FaceId, threshold_pct: float = 75.0) -> dict[FaceId, AssociationOutcome]:
        return service.subjects.associate(
            GALLERY, SOMEBODY, faces, threshold_pct=threshold_pct, token=None, permit=permit
        )

    first = associate(own, mirrored, other, unknown)
    later = associate(own, other)
    forced = associate(other, threshold_pct=0.0)

    assert first == {
        own: AssociationOutcome.ASSOCIATED,
        mirrored: AssociationOutcome.ASSOCIATED,
        other: AssociationOutcome.LOW_SIMILARITY,
        unknown: AssociationOutcome.FACE_NOT_FOUND,
    }
    assert later == {own: AssociationOutcome.ALREADY_ASSOCIATED, other: AssociationOutcome.LOW_SIMILARITY}
    assert forced == {other: AssociationOutcome.ASSOCIATED}


def test_a_request_token_makes_a_repeat_harmless(
    enrol: Enrol, collins: Image.Image, service: Service, permit_for: Permits
) -> None:
    """The same token with the same request succeeds without effect; with another request it is refused."""
    permit = permit_for(Action.ENROL, GALLERY)
    face = enrol(collins).faces[0].row.face_id
    subjects = service.subjects

    subjects.create_subject(GALLERY, SOMEBODY, token="t", permit=permit)
    subjects.create_subject(GALLERY, SOMEBODY, token="t", permit=permit)
    with pytest.raises(ConflictError, match="somebody"):
        subjects.create_subject(GALLERY, SOMEBODY, token="u", permit=permit)
    with pytest.raises(TokenReusedError):
        subjects.create_subject(GALLERY, SubjectId("else"), token="t", permit=permit)
    subjects.associate(GALLERY, SOMEBODY, [face], threshold_pct=75.0, token="a", permit=permit)
    freed = subjects.disassociate(GALLERY, SOMEBODY, [face], token="d", permit=permit)
    replayed = subjects.disassociate(GALLERY, SOMEBODY, [face], token="d", permit=permit)

    assert freed == replayed == {face: Disassociation.DISASSOCIATED}
    assert len(subjects.subjects(GALLERY, after=None, limit=9, permit=permit_for(Action.READ_GALLERY, GALLERY))) == 1


def test_forgotten_faces_are_gone_and_unknown_ones_are_named(
    enrol: Enrol, collins: Image.Image, service: Service, permit_for: Permits
) -> None:
    """Deletion says what it removed and what it never had."""
    face = enrol(collins).faces[0].row.face_id
    unknown = FaceId("00000000-0000-4000-8000-000000000000")

    removed = service.enrolment.forget_faces(GALLERY, [unknown, face], permit=permit_for(Action.FORGET, GALLERY))

    assert (removed.removed, removed.unknown) == ((face,), (unknown,))
    assert face_count(service, permit_for) == 0
