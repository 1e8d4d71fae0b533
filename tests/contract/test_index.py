"""What every `Index` promises, asked of each implementation, and any order of calls against a dictionary and a sort."""

import math
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recognizance.errors import ConflictError, DeniedError, NotFoundError
from recognizance.gallery import BruteForceIndex, Candidate, Index, Templates
from recognizance.gallery.exact import ExactIndex
from recognizance.gallery.index import scores
from recognizance.governance import Policy, Principal
from recognizance.governance.policy import Role
from recognizance.identifiers import DecisionId, FaceId, GalleryId, PrincipalId
from recognizance.permits import Action, Permit

GALLERY = GalleryId("mugshots")
PRINCIPAL = Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR}))

Build = Callable[[int], Index]


def permit(action: Action = Action.SEARCH, gallery: GalleryId = GALLERY) -> Permit:
    return Policy().decide(PRINCIPAL, action, gallery=gallery, decision_id=DecisionId("d"))


def key(number: int) -> FaceId:
    return FaceId(str(uuid.UUID(int=number)))


def unit(vectors: np.ndarray) -> Templates:
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def random_templates(number: int, dimensions: int, *, seed: int) -> Templates:
    return unit(np.random.default_rng(seed).standard_normal((number, dimensions)))


def search(
    index: Index, probes: Templates, *, limit: int = 10, threshold: float = -1.0, excluded: tuple[str, ...] = ()
) -> list[list[Candidate]]:
    return index.search(probes, limit=limit, threshold=threshold, permit=permit(), gallery=GALLERY, excluded=excluded)


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(params=["brute force", "exact", "exact on two threads"])
def build(request: pytest.FixtureRequest, workers: ThreadPoolExecutor) -> Build:
    builders: dict[str, Build] = {
        "brute force": BruteForceIndex,
        "exact": ExactIndex,
        "exact on two threads": lambda dimensions: ExactIndex(dimensions, workers=workers, threads=2),
    }
    return builders[request.param]


def test_an_empty_index_answers_every_probe_with_nothing(build: Build) -> None:
    """No face, no candidate, and as many answers as probes."""
    assert search(build(8), random_templates(3, 8, seed=1)) == [[], [], []]


def test_no_probe_gets_no_answer(build: Build) -> None:
    """Zero probes are a search too."""
    index = build(8)
    index.add([key(1)], random_templates(1, 8, seed=1))

    assert search(index, np.empty((0, 8), dtype=np.float32)) == []


def test_candidates_come_best_first_with_their_scores(build: Build) -> None:
    """Four unit vectors of the plane, whose cosines with the first axis are known."""
    index = build(2)
    index.add([key(n) for n in range(4)], np.array([[0, 1], [0.6, 0.8], [-1, 0], [1, 0]], dtype=np.float32))

    (answer,) = search(index, np.array([[1, 0]], dtype=np.float32))

    assert [(c.key, c.similarity) for c in answer] == [
        (key(3), 1.0),
        (key(1), float(np.float32(0.6))),
        (key(0), 0.0),
        (key(2), -1.0),
    ]


def test_a_score_equal_to_the_threshold_is_accepted(build: Build) -> None:
    """The threshold is inclusive, and the next number above it is not reached."""
    index = build(2)
    index.add([key(1)], np.array([[0.6, 0.8]], dtype=np.float32))
    probe = np.array([[1, 0]], dtype=np.float32)
    score = float(np.float32(0.6))

    assert len(search(index, probe, threshold=score)[0]) == 1
    assert search(index, probe, threshold=math.nextafter(score, 2.0)) == [[]]


def test_equal_scores_are_ordered_by_key_and_the_limit_keeps_the_lowest(build: Build) -> None:
    """A thousand copies of one face, entered in disorder: the answer is the ten lowest keys."""
    index = build(16)
    (template,) = random_templates(1, 16, seed=2)
    order = np.random.default_rng(3).permutation(1000).tolist()
    index.add([key(n << 60) for n in order], np.tile(template, (1000, 1)))

    (answer,) = search(index, template[np.newaxis])

    assert [c.key for c in answer] == [key(n << 60) for n in range(10)]
    assert len({c.similarity for c in answer}) == 1


@pytest.mark.parametrize("dimensions", [1, 2, 63, 128, 129, 200, 512])
def test_answers_are_those_of_brute_force(build: Build, dimensions: int) -> None:
    """Every length of template, with limits and thresholds on both sides of what is there."""
    faces, probes = random_templates(3000, dimensions, seed=4), random_templates(4, dimensions, seed=5)
    index, reference = build(dimensions), BruteForceIndex(dimensions)
    for each in (index, reference):
        each.add([key(n * 7919 % 3001) for n in range(3000)], faces)

    for limit, threshold in ((1, -1.0), (10, -1.0), (5000, 0.1), (100, 0.3), (10, 1.0)):
        assert search(index, probes, limit=limit, threshold=threshold) == search(
            reference, probes, limit=limit, threshold=threshold
        )


def test_excluded_faces_are_no_candidates(build: Build) -> None:
    """The next best move up; keys that nobody has are passed over."""
    index = build(16)
    faces = random_templates(50, 16, seed=6)
    index.add([key(n) for n in range(50)], faces)
    (everybody,) = search(index, faces[:1], limit=50)
    best = [c.key for c in everybody[:2]]

    (others,) = search(index, faces[:1], limit=5, excluded=(*best, key(999)))

    assert others == everybody[2:7]


def test_additions_and_removals_take_effect_for_the_next_search(build: Build) -> None:
    """A removed face is gone, the others stay, and its key may come back with another template."""
    index = build(16)
    faces = random_templates(40, 16, seed=7)
    index.add([key(n) for n in range(40)], faces)

    assert index.remove([key(5), key(39), key(0), key(777), key(5)]) == 3
    index.add([key(5)], -faces[5:6])

    (answer,) = search(index, faces[5:6], limit=100)
    assert {c.key for c in answer} == {key(n) for n in range(1, 39)}
    assert answer[-1].key == key(5)
    assert answer[-1].similarity == pytest.approx(-1.0, abs=1e-6)
    assert len(index) == 38
    assert key(0) not in index
    assert key(1) in index


def test_removing_everything_leaves_an_index_that_can_be_filled_again(build: Build) -> None:
    """Down to nothing, across every segment, and up again."""
    index = build(4)
    faces = random_templates(5000, 4, seed=8)
    keys = [key(n) for n in range(5000)]
    index.add(keys, faces)

    assert index.remove(keys) == 5000
    assert search(index, faces[:1]) == [[]]
    index.add(keys[::-1], faces)

    assert len(index) == 5000
    np.testing.assert_array_equal(index.template(key(4999), permit=permit(), gallery=GALLERY), faces[0])


def test_an_addition_with_a_key_that_is_there_adds_nothing(build: Build) -> None:
    """All or nothing: the faces before the conflict aren't there either."""
    index = build(8)
    faces = random_templates(2000, 8, seed=9)
    index.add([key(1500)], faces[:1])

    with pytest.raises(ConflictError):
        index.add([key(n) for n in range(2000)], faces)
    with pytest.raises(ConflictError):
        index.add([key(7), key(8), key(7)], faces[:3])

    assert len(index) == 1
    assert not any(key(n) in index for n in (0, 7, 8, 1499))
    assert [c.key for c in search(index, faces[:1])[0]] == [key(1500)]
    index.add([key(7), key(8)], faces[:2])
    assert len(index) == 3


@pytest.mark.parametrize(
    "templates",
    [
        np.ones((1, 7), dtype=np.float32) / np.float32(math.sqrt(7)),
        np.ones((1, 8), dtype=np.float64) / math.sqrt(8),
        np.ones((1, 8), dtype=np.float32),
        np.zeros((1, 8), dtype=np.float32),
        np.full((1, 8), np.nan, dtype=np.float32),
        np.full((1, 8), np.inf, dtype=np.float32),
        np.asfortranarray(random_templates(2, 8, seed=1))[:1],
        random_templates(1, 8, seed=1)[0],
        random_templates(2, 8, seed=1),
    ],
    ids=["length", "dtype", "long", "zero", "nan", "infinite", "order", "one row", "one too many"],
)
def test_templates_that_are_none_are_refused(build: Build, templates: Templates) -> None:
    """A wrong shape, type or length is a programmer's mistake, and nothing is added."""
    index = build(8)

    with pytest.raises(ValueError, match="template"):
        index.add([key(1)], templates)

    assert len(index) == 0


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "0" * 36,
        str(uuid.UUID(int=1)).replace("0", "A"),
        "{" + str(uuid.UUID(int=1))[1:],
        uuid.UUID(int=1).hex,
        "é" * 36,
    ],
)
def test_keys_that_are_no_lower_case_uuid_are_refused(build: Build, spelling: str) -> None:
    """One spelling, so that the key that comes back is the one that went in."""
    index = build(8)
    faces = random_templates(2, 8, seed=1)

    with pytest.raises(ValueError, match="key 1 is not a lower-case UUID"):
        index.add([key(1), spelling], faces)

    assert spelling not in index
    assert len(index) == 0


@pytest.mark.parametrize(
    ("limit", "threshold"), [(0, 0.0), (-1, 0.0), (1, math.nan), (1, 1.1), (1, -1.1), (1, math.inf)]
)
def test_a_limit_or_threshold_out_of_range_is_refused(build: Build, limit: int, threshold: float) -> None:
    """Nothing is guessed from a number that means nothing."""
    with pytest.raises(ValueError, match=r"limit|threshold"):
        search(build(8), random_templates(1, 8, seed=1), limit=limit, threshold=threshold)


@pytest.mark.parametrize(
    "wrong", [permit(Action.ENROL), permit(gallery=GalleryId("another"))], ids=["another act", "another gallery"]
)
def test_nothing_is_searched_or_read_without_a_permit_for_it(build: Build, wrong: Permit) -> None:
    """Denied before anything is looked at."""
    index = build(8)
    faces = random_templates(1, 8, seed=1)
    index.add([key(1)], faces)

    with pytest.raises(DeniedError):
        index.search(faces, limit=1, threshold=-1.0, permit=wrong, gallery=GALLERY)
    with pytest.raises(DeniedError):
        index.template(key(1), permit=wrong, gallery=GALLERY)


def test_a_template_comes_back_as_a_copy(build: Build) -> None:
    """What a caller does to it, or to what was added, changes nothing."""
    index = build(8)
    faces = random_templates(1, 8, seed=1)
    original = faces.copy()
    index.add([key(1)], faces)
    faces[:] = 0

    index.template(key(1), permit=permit(), gallery=GALLERY)[:] = 0

    np.testing.assert_array_equal(index.template(key(1), permit=permit(), gallery=GALLERY), original[0])
    with pytest.raises(NotFoundError):
        index.template(key(2), permit=permit(), gallery=GALLERY)


def test_the_score_is_the_rounded_exact_sum() -> None:
    """Against rational arithmetic: of a thousand random pairs, the canonical score is the nearest float32 number."""
    left, right = random_templates(10, 128, seed=10), random_templates(100, 128, seed=11)

    for probe in left:
        exact = [
            sum(Fraction(a) * Fraction(b) for a, b in zip(probe.tolist(), row, strict=True)) for row in right.tolist()
        ]
        assert scores(probe, right).tolist() == [float(np.float32(float(value))) for value in exact]


class IndexMachine(RuleBasedStateMachine):
    """Any order of additions, removals and searches, with few distinct templates so that ties abound."""

    def __init__(self) -> None:
        super().__init__()
        self.workers = ThreadPoolExecutor(2)
        self.pool = random_templates(12, 3, seed=12)
        self.index: Index = ExactIndex(3)
        self.model: dict[FaceId, int] = {}

    def teardown(self) -> None:
        self.workers.shutdown()

    @initialize(threads=st.sampled_from([1, 2]))
    def begin(self, threads: int) -> None:
        self.index = ExactIndex(3, workers=self.workers, threads=threads)

    @rule(numbers=st.lists(st.integers(0, 60), max_size=30), which=st.integers(0, 11))
    def add(self, numbers: list[int], which: int) -> None:
        keys = [key(number) for number in numbers]
        choice = [(which + place) % 12 for place in range(len(keys))]
        if len(set(keys)) < len(keys) or not self.model.keys().isdisjoint(keys):
            with pytest.raises(ConflictError):
                self.index.add(keys, self.pool[choice])
        else:
            self.index.add(keys, self.pool[choice])
            self.model.update(zip(keys, choice, strict=True))

    @rule(numbers=st.lists(st.integers(0, 60), max_size=30))
    def remove(self, numbers: list[int]) -> None:
        there = {key(number) for number in numbers} & self.model.keys()
        assert self.index.remove([key(number) for number in numbers]) == len(there)
        for each in there:
            del self.model[each]

    @rule(which=st.integers(0, 11), limit=st.integers(1, 70), threshold=st.floats(-1, 1), number=st.integers(0, 60))
    def search(self, which: int, limit: int, threshold: float, number: int) -> None:
        values = scores(self.pool[which], self.pool).tolist()
        expected = sorted(
            (Candidate(face, values[choice]) for face, choice in self.model.items() if values[choice] >= threshold),
            key=lambda candidate: (-candidate.similarity, candidate.key),
        )
        expected = [candidate for candidate in expected if candidate.key != key(number)][:limit]
        assert search(
            self.index, self.pool[which : which + 1], limit=limit, threshold=threshold, excluded=(key(number),)
        ) == [expected]

    @invariant()
    def everybody_is_there(self) -> None:
        assert len(self.index) == len(self.model)
        assert all((key(number) in self.index) == (key(number) in self.model) for number in range(61))


TestAnyOrderOfCalls = IndexMachine.TestCase
TestAnyOrderOfCalls.settings = settings(
    max_examples=60, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)
