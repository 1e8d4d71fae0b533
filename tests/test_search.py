"""Search: the right person or nobody, at a threshold that means something."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from recognizance.app import Service
from recognizance.errors import DeniedError, NotFoundError
from recognizance.faces import QualityFilter, open_photograph
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import FaceRow
from recognizance.search import PhotographSearch

from .conftest import jpeg

GALLERY = GalleryId("people")
Permits = Callable[..., Permit]
Enrol = Callable[[Image.Image, str], FaceId]
Find = Callable[..., PhotographSearch[FaceRow]]


@pytest.fixture
def enrol(service: Service, permit_for: Permits) -> Enrol:
    """Enrols the largest face of a picture under a name; answers its id."""
    service.galleries.create(GALLERY, tags={}, permit=permit_for(Action.MANAGE_GALLERY, GALLERY))
    permit = permit_for(Action.ENROL, GALLERY)

    def run(picture: Image.Image, name: str) -> FaceId:
        enrolled = service.enrolment.enrol(
            GALLERY,
            open_photograph(jpeg(picture), permit),
            external_image_id=name,
            max_faces=1,
            quality_filter=QualityFilter.AUTO,
            permit=permit,
        )
        return enrolled.faces[0].row.face_id

    return run


@pytest.fixture
def find(service: Service, permit_for: Permits) -> Find:
    """Searches for the largest face of a picture."""
    permit = permit_for(Action.SEARCH, GALLERY)

    def run(
        picture: Image.Image,
        *,
        threshold_pct: float = 80.0,
        limit: int = 10,
        quality_filter: QualityFilter = QualityFilter.NONE,
    ) -> PhotographSearch[FaceRow]:
        return service.search.faces_by_photograph(
            GALLERY,
            open_photograph(jpeg(picture), permit),
            threshold_pct=threshold_pct,
            limit=limit,
            quality_filter=quality_filter,
            permit=permit,
        )

    return run


def names(search: PhotographSearch[FaceRow]) -> list[str | None]:
    assert search.found is not None
    return [match.enrolled.external_image_id for match in search.found.matches]


def test_a_poor_photograph_finds_the_right_person(
    enrol: Enrol, find: Find, collins: Image.Image, hopper: Image.Image
) -> None:
    """Tilted, dark, soft, small and compressed hard, and still only she comes back."""
    enrol(collins, "collins")
    enrol(hopper, "hopper")
    tilted = collins.rotate(-14, expand=True, fillcolor=(80, 80, 80))
    poor = ImageEnhance.Brightness(tilted).enhance(0.6).filter(ImageFilter.GaussianBlur(1.3)).resize((300, 300))

    assert names(find(poor)) == ["collins"]


def test_a_stranger_comes_back_as_nobody(enrol: Enrol, find: Find, collins: Image.Image, hopper: Image.Image) -> None:
    """The face was found and searched, and the answer is that nobody is similar enough."""
    enrol(collins, "collins")

    search = find(hopper)

    assert search.searched is not None
    assert names(search) == []


def test_the_same_photograph_is_as_similar_as_can_be(enrol: Enrol, find: Find, collins: Image.Image) -> None:
    """An identical face reaches 100, so a threshold of 100 finds it."""
    enrol(collins, "collins")

    search = find(collins, threshold_pct=100.0)

    assert search.found is not None
    assert [match.similarity_pct for match in search.found.matches] == [100.0]


def test_the_threshold_rises_with_the_gallery(
    service: Service, permit_for: Permits, enrol: Enrol, find: Find, collins: Image.Image, hopper: Image.Image
) -> None:
    """What a candidate has to reach never falls as faces are added, and is told with the answer."""
    enrol(collins, "collins")
    small = find(hopper)
    calibration, bound = service.calibration, service.settings.max_fpir
    sizes = [1, 100, 10_000, 1_000_000, 20_000_000]
    scores = [calibration.operating_score(80.0, gallery_size=size, max_fpir=bound) for size in sizes]

    assert small.found is not None
    assert small.found.gallery_size == 1
    assert small.found.operating_pct == pytest.approx(80.0)
    assert scores == sorted(scores)
    assert scores[-1] > scores[0]


def test_the_callers_own_threshold_can_be_stricter(enrol: Enrol, find: Find, collins: Image.Image) -> None:
    """At 99.99 a poor photograph of the right person is not enough."""
    enrol(collins, "collins")
    poor = collins.filter(ImageFilter.GaussianBlur(3))

    assert (names(find(poor, threshold_pct=50.0)), names(find(poor, threshold_pct=99.99))) == (["collins"], [])


def test_only_the_largest_good_face_is_searched(
    enrol: Enrol, find: Find, both: Image.Image, collins: Image.Image, hopper: Image.Image
) -> None:
    """Of two people in a picture one is searched for, and the other is told about."""
    enrol(collins, "collins")
    enrol(hopper, "hopper")

    search = find(both)

    assert search.searched is not None
    assert len(names(search)) == 1
    assert len(search.passed_over) == 1


def test_a_picture_without_faces_is_not_searched(
    enrol: Enrol, find: Find, nobody: Image.Image, collins: Image.Image
) -> None:
    """There is a difference between nobody in the picture and nobody in the gallery."""
    enrol(collins, "collins")

    search = find(nobody)

    assert (search.searched, search.found) == (None, None)


def test_a_face_does_not_find_itself(service: Service, permit_for: Permits, enrol: Enrol, collins: Image.Image) -> None:
    """A search with an enrolled face answers the others that resemble it."""
    face = enrol(collins, "one")
    mirrored = enrol(collins.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "mirrored")
    permit = permit_for(Action.SEARCH, GALLERY)

    found = service.search.faces_by_face(GALLERY, face, threshold_pct=80.0, limit=10, permit=permit)

    assert [match.enrolled.face_id for match in found.matches] == [mirrored]


def test_subjects_are_found_by_face_by_photograph_and_by_each_other(
    service: Service, permit_for: Permits, enrol: Enrol, collins: Image.Image, hopper: Image.Image
) -> None:
    """A subject's face finds the subject; a subject does not find itself; one without faces finds nobody."""
    faces = {name: enrol(picture, name) for name, picture in (("collins", collins), ("hopper", hopper))}
    permit = permit_for(Action.ENROL, GALLERY)
    for name in ("collins", "hopper", "empty"):
        service.subjects.create_subject(GALLERY, SubjectId(name), token=None, permit=permit)
    for name, face in faces.items():
        service.subjects.associate(GALLERY, SubjectId(name), [face], threshold_pct=75.0, token=None, permit=permit)
    searching = permit_for(Action.SEARCH, GALLERY)

    by_face = service.search.subjects_by_face(GALLERY, faces["hopper"], threshold_pct=80.0, limit=9, permit=searching)
    by_photograph = service.search.subjects_by_photograph(
        GALLERY,
        open_photograph(jpeg(collins.resize((256, 256))), searching),
        threshold_pct=80.0,
        limit=9,
        quality_filter=QualityFilter.NONE,
        permit=searching,
    )
    by_subject = {
        name: service.search.subjects_by_subject(
            GALLERY, SubjectId(name), threshold_pct=80.0, limit=9, permit=searching
        ).matches
        for name in ("collins", "empty")
    }

    assert [match.enrolled.subject_id for match in by_face.matches] == ["hopper"]
    assert by_photograph.found is not None
    assert [match.enrolled.subject_id for match in by_photograph.found.matches] == ["collins"]
    assert by_subject == {"collins": (), "empty": ()}


def test_what_does_not_exist_is_not_found(
    service: Service, permit_for: Permits, enrol: Enrol, collins: Image.Image
) -> None:
    """A missing gallery, face or subject is named."""
    enrol(collins, "collins")
    missing = GalleryId("missing")
    face = FaceId("00000000-0000-4000-8000-000000000000")
    permit = permit_for(Action.SEARCH, GALLERY)

    with pytest.raises(NotFoundError, match="missing"):
        service.search.faces_by_photograph(
            missing,
            open_photograph(jpeg(collins), permit),
            threshold_pct=80.0,
            limit=1,
            quality_filter=QualityFilter.NONE,
            permit=permit_for(Action.SEARCH, missing),
        )
    with pytest.raises(NotFoundError, match=face):
        service.search.faces_by_face(GALLERY, face, threshold_pct=80.0, limit=1, permit=permit)
    with pytest.raises(NotFoundError, match="nobody"):
        service.search.subjects_by_subject(GALLERY, SubjectId("nobody"), threshold_pct=80.0, limit=1, permit=permit)


def test_a_permit_for_one_gallery_does_not_search_another(
    service: Service, permit_for: Permits, enrol: Enrol, collins: Image.Image
) -> None:
    """The gallery is part of what was decided."""
    enrol(collins, "collins")
    elsewhere = permit_for(Action.SEARCH, GalleryId("elsewhere"))

    with pytest.raises(DeniedError, match="people"):
        service.search.faces_by_photograph(
            GALLERY,
            open_photograph(jpeg(collins), elsewhere),
            threshold_pct=80.0,
            limit=1,
            quality_filter=QualityFilter.NONE,
            permit=elsewhere,
        )


def test_a_png_and_a_jpeg_of_one_portrait_are_one_person(
    service: Service, permit_for: Permits, enrol: Enrol, collins: Image.Image
) -> None:
    """The file format does not decide who somebody is."""
    enrol(collins, "collins")
    file = io.BytesIO()
    collins.save(file, format="PNG")
    permit = permit_for(Action.SEARCH, GALLERY)

    search = service.search.faces_by_photograph(
        GALLERY,
        open_photograph(file.getvalue(), permit),
        threshold_pct=99.0,
        limit=1,
        quality_filter=QualityFilter.NONE,
        permit=permit,
    )

    assert names(search) == ["collins"]
