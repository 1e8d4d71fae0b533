"""One-to-one comparison: every face of the target gets its answer, and nothing is kept."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from recognizance.app import Service
from recognizance.errors import DeniedError
from recognizance.faces import Photograph, QualityFilter, open_photograph
from recognizance.oneshot import Comparison
from recognizance.permits import Action, Mandate, Permit

from .conftest import jpeg

Permits = Callable[..., Permit]
Compare = Callable[..., Comparison]


@pytest.fixture
def compare(service: Service, permit_for: Permits) -> Compare:
    permit = permit_for(Action.COMPARE)

    def run(source: Image.Image, target: Image.Image, threshold_pct: float = 80.0) -> Comparison:
        def photograph(picture: Image.Image) -> Photograph:
            return open_photograph(jpeg(picture), permit)

        return service.oneshot.compare(
            photograph(source),
            photograph(target),
            threshold_pct=threshold_pct,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        )

    return run


def test_the_right_one_of_two_people_matches(compare: Compare, collins: Image.Image, both: Image.Image) -> None:
    """The face on the left is hers, the one on the right is not."""
    comparison = compare(collins, both)

    [matched], [unmatched] = comparison.matched, comparison.unmatched
    assert matched.similarity_pct > 99
    assert matched.face.detection.box_xyxy_px[2] < collins.width
    assert unmatched.detection.box_xyxy_px[0] > collins.width


def test_a_threshold_of_zero_matches_every_face_most_similar_first(
    compare: Compare, hopper: Image.Image, both: Image.Image
) -> None:
    """Nobody is left over, and the order is that of similarity."""
    comparison = compare(hopper, both, threshold_pct=0.0)

    similarities = [compared.similarity_pct for compared in comparison.matched]
    assert len(similarities) == 2
    assert similarities == sorted(similarities, reverse=True)
    assert comparison.unmatched == ()


def test_a_comparison_is_the_same_in_both_directions(
    compare: Compare, collins: Image.Image, hopper: Image.Image
) -> None:
    """Which of the two is the source does not matter."""
    there = compare(collins, hopper, threshold_pct=0.0).matched[0].similarity_pct
    back = compare(hopper, collins, threshold_pct=0.0).matched[0].similarity_pct

    assert there == back


def test_a_picture_without_faces_is_told_apart_from_no_match(
    compare: Compare, collins: Image.Image, nobody: Image.Image
) -> None:
    """No face in the source is one thing, no face in the target another."""
    assert compare(nobody, collins).source is None
    empty = compare(collins, nobody)
    assert empty.source is not None
    assert (empty.matched, empty.unmatched) == ((), ())


def test_every_face_of_the_target_takes_a_search_of_the_day(
    service: Service, permit_for: Permits, collins: Image.Image, both: Image.Image
) -> None:
    """A page of portraits is a gallery: comparing with it counts as often as comparing with each, or isn't answered."""
    mandate = Mandate("robberies", "pd", "find", None, 3, True, None, None, None)
    permit = replace(permit_for(Action.COMPARE), mandate=mandate)

    def run(target: Image.Image) -> Comparison:
        pictures = [open_photograph(jpeg(each), permit) for each in (collins, target)]
        return service.oneshot.compare(*pictures, threshold_pct=80.0, quality_filter=QualityFilter.NONE, permit=permit)

    assert len(run(both).matched) == 1
    with pytest.raises(DeniedError, match="a search left for today, of the 3"):
        run(both)
    assert len(run(collins).matched) == 1


def test_detection_needs_its_own_permit(service: Service, permit_for: Permits, collins: Image.Image) -> None:
    """A permit to compare is none to detect."""
    permit = permit_for(Action.COMPARE)

    with pytest.raises(DeniedError, match="detect"):
        service.oneshot.detect(open_photograph(jpeg(collins), permit), permit=permit)
