"""Who is compared with whom follows from the manifest and the seed, and nobody is on both sides."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.evaluation.manifest import Manifest, Sample, parse_manifest
from recognizance.evaluation.protocols import (
    AllPairs,
    Enrolment,
    IdentificationRules,
    divide,
    ordered,
    parse_pairs,
    strangers,
)

FACES = Path(__file__).parents[3] / "shared" / "faces"


def people(images: list[int]) -> Manifest:
    """So many pictures of each of so many people."""
    samples = [
        Sample(f"{person:03}/{image}.jpg", f"person {person:03}", "", ())
        for person, count in enumerate(images)
        for image in range(count)
    ]
    return Manifest(tuple(samples), (), None)


@given(st.integers(1, 40), st.integers(1, 12))
def test_all_pairs_holds_every_two_samples_once(samples: int, size: int) -> None:
    """Whatever the size of the blocks, n(n - 1)/2 pairs and each of them once."""
    plan = AllPairs(samples)
    seen: Counter[tuple[int, int]] = Counter()
    for block in plan.blocks(size):
        mask = np.ones((len(block.rows), len(block.columns)), bool) if block.compared is None else block.compared
        seen.update((int(block.rows[row]), int(block.columns[column])) for row, column in np.argwhere(mask))

    assert set(seen.values()) <= {1}
    assert set(seen) == {(low, high) for high in range(samples) for low in range(high)}
    assert plan.comparisons == len(seen)


def test_given_pairs_are_compared_and_no_others() -> None:
    """Each listed pair once, in whatever block, and no pair that only shares its samples."""
    manifest = people([3, 3, 2])
    paths = [sample.path for sample in manifest.samples]
    wanted = {(0, 3), (1, 4), (0, 7), (2, 5)}
    text = "first,second\n" + "".join(f"{paths[high]},{paths[low]}\n" for low, high in wanted)

    plan = parse_pairs(text.encode(), manifest)
    seen = []
    for block in plan.blocks(32):
        assert block.compared is not None
        seen += [(int(block.rows[row]), int(block.columns[column])) for row, column in np.argwhere(block.compared)]

    assert sorted(seen) == sorted(wanted)
    assert plan.comparisons == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns have to be first,second"),
        ("first,second\n", "there is no pair"),
        ("first,second\n000/0.jpg,000/0.jpg\n", "line 2: '000/0.jpg' is paired with itself"),
        ("first,second\n000/0.jpg,gone.jpg\n", "line 2: the manifest has no picture 'gone.jpg'"),
        ("first,second\n000/0.jpg,000/1.jpg\n000/1.jpg,000/0.jpg\n", "line 3: this pair is on line 2 too"),
        ("first,second\n000/0.jpg\n", "line 2: 1 fields"),
    ],
)
def test_a_fault_in_a_list_of_pairs_is_named_by_its_line(text: str, said: str) -> None:
    """Nothing is skipped."""
    with pytest.raises(InputError) as refused:
        parse_pairs(text.encode(), people([2, 2]))

    assert said in str(refused.value)


@given(
    st.lists(st.integers(1, 6), min_size=4, max_size=30),
    st.integers(0, 5),
    st.sampled_from(list(Enrolment)),
    st.integers(1, 3),
)
def test_a_division_keeps_enrolled_and_absent_people_apart(
    images: list[int], seed: int, enrolment: Enrolment, most: int
) -> None:
    """No probe is enrolled, mates are enrolled, strangers aren't, and nobody gives more probes than allowed."""
    manifest = people(images)
    rules = IdentificationRules(seed=seed, absent_share=0.5, enrolment=enrolment, probes_a_person=most)
    try:
        found = divide(manifest, rules)
    except InputError:
        assert images.count(1) < 2 or len(images) - images.count(1) < 2
        return
    subject = [sample.subject for sample in manifest.samples]
    enrolled = {subject[number] for number in found.enrolled}

    assert enrolled == set(found.people)
    assert [found.people[place] for place in found.enrolled_of] == [subject[number] for number in found.enrolled]
    assert {subject[number] for number in found.mated} <= enrolled
    assert enrolled.isdisjoint(subject[number] for number in found.non_mated)
    assert set(found.enrolled.tolist()).isdisjoint([*found.mated.tolist(), *found.non_mated.tolist()])
    probes = Counter(subject[number] for number in [*found.mated, *found.non_mated])
    assert max(probes.values()) <= most


def test_galleries_grow_by_taking_people_in() -> None:
    """The gallery of ten holds that of five, so that sizes are compared on the same people."""
    rules = IdentificationRules(seed=1, gallery_sizes=(5, 10))
    found = divide(people([3] * 40), rules)

    assert found.gallery_sizes == (5, 10, 20)
    small, large = set(found.gallery(5).tolist()), set(found.gallery(10).tolist())
    assert len(small) == 5
    assert small < large < set(found.enrolled.tolist())


def test_the_seed_decides_and_nothing_else_does() -> None:
    """The same seed gives the same people; another one others; one person more moves nobody else."""
    manifest, larger = people([1] * 60), people([1] * 61)
    first = strangers(manifest, probes=20, enrolled=30, seed=7)
    again = strangers(manifest, probes=20, enrolled=30, seed=7)
    other = strangers(manifest, probes=20, enrolled=30, seed=8)
    names = [sample.subject for sample in manifest.samples]

    assert first.people == again.people
    assert first.non_mated.tolist() == again.non_mated.tolist()
    assert first.non_mated.tolist() != other.non_mated.tolist()
    order = ordered([sample.subject for sample in larger.samples], 7, "absent")
    assert [name for name in order if name in names] == ordered(names, 7, "absent")


def test_the_order_of_people_is_the_same_on_every_machine() -> None:
    """By SHA-256: `printf '7\\0absent\\0b' | sha256sum` begins with 1552, that of c with 1d09, that of a with 2a7f."""
    assert ordered(iter("cab"), 7, "absent") == ["b", "c", "a"]


@pytest.mark.parametrize(("probes", "enrolled"), [(0, None), (5, None), (3, 3), (2, 0)])
def test_a_division_that_the_people_do_not_suffice_for_is_refused(probes: int, enrolled: int | None) -> None:
    """Fewer strangers than asked for would be another test than the one that is reported."""
    with pytest.raises(InputError, match="the set has 5 people"):
        strangers(people([1] * 5), probes=probes, enrolled=enrolled, seed=1)


def test_a_gallery_larger_than_the_people_is_refused() -> None:
    """Nothing is extrapolated in silence."""
    with pytest.raises(InputError, match="a gallery of 21 people is asked for; 20 can be enrolled"):
        divide(people([3] * 40), IdentificationRules(seed=1, gallery_sizes=(21,)))


@pytest.mark.skipif(not FACES.is_dir(), reason="needs ../shared/faces")
def test_the_shared_set_is_read_as_it_is() -> None:
    """5,151 pictures of 2,795 people, in the groups that the set states; three have none."""
    manifest = parse_manifest((FACES / "lfw.csv").read_bytes())

    assert len(manifest) == 5151
    assert len(manifest.by_subject()) == 2795
    assert Counter(manifest.groups("sex")) == {"female": 1261, "male": 3887, "": 3}
