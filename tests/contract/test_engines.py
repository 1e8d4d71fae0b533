"""Every engine of an evaluation keeps one contract: ours in process, this server over HTTP, a list of scores."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from PIL import Image

from recognizance.errors import CorruptionError, DeniedError, InputError, UnavailableError
from recognizance.evaluation.aclu import aclu_test
from recognizance.evaluation.cache import Cache
from recognizance.evaluation.endpoint import Endpoint, Patience
from recognizance.evaluation.engines import Engine
from recognizance.evaluation.engines_rekognition import RekognitionEngine
from recognizance.evaluation.engines_scores import ScoreListEngine, parse_scores
from recognizance.evaluation.manifest import parse_manifest
from recognizance.evaluation.protocols import AllPairs, given_strangers
from recognizance.evaluation.results import Scale
from recognizance.evaluation.runs import verify
from recognizance.evaluation.testset import TestSet
from recognizance.faces import Calibration, FaceReader
from recognizance.permits import Action, Permit

from ..evaluation.worlds import conduct, local_engine, numbers, portraits
from .rekognition_world import Server

KINDS = ("local", "local similarity", "rekognition", "scores")
COLLINS, DOUBLE, HOPPER, ROOM = (0, 1, 2), 3, (4, 5, 6), 7
"""By path: collins/1-3, double/1, hopper/1-3, room/1."""
IMPATIENT = Patience(total_s=0.01, first_s=0.001, sleep=lambda _seconds: None)

Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, collins: Image.Image, hopper: Image.Image, nobody: Any) -> TestSet:
    return portraits(tmp_path_factory.mktemp("portraits"), collins, hopper, nobody)


@contextmanager
def over_http(test_set: TestSet, server: Server, folder: Path, client: Any = None) -> Iterator[RekognitionEngine]:
    with closing(Cache(folder / "answers")) as cache, ThreadPoolExecutor(4) as workers:
        endpoint = Endpoint(client or server.client(), IMPATIENT)
        yield RekognitionEngine(test_set, endpoint, cache, workers=workers)


@pytest.fixture
def opened(
    small: TestSet,
    server: Server,
    faces: tuple[FaceReader, Calibration],
    permit_for: Callable[..., Permit],
    tmp_path: Path,
) -> Opened:
    """Opens an engine of a kind on the portraits."""
    permit = permit_for(Action.MEASURE)

    @contextmanager
    def go(kind: str) -> Iterator[Engine]:
        match kind:
            case "local":
                with local_engine(small, faces, permit, tmp_path, max_fpir=0.01) as engine:
                    yield engine
            case "local similarity":
                scale = Scale.SIMILARITY_PCT
                with local_engine(small, faces, permit, tmp_path, max_fpir=0.01, scale=scale) as engine:
                    yield engine
            case "rekognition":
                with over_http(small, server, tmp_path) as remote:
                    yield remote
            case _:
                with local_engine(small, faces, permit, tmp_path) as engine:
                    listed = written(engine, small)
                yield ScoreListEngine(parse_scores(listed, small.manifest), model="theirs", default_threshold=0.4)

    return go


def written(engine: Engine, test_set: TestSet) -> bytes:
    """All scores of an engine as a list; an empty score where it failed."""
    everybody = np.arange(len(test_set), dtype=np.int32)
    scores = engine.scores(everybody, everybody, None, lambda _: None)
    samples = test_set.manifest.samples
    lines = ["enrol,probe,score,label"]
    for low in range(len(samples)):
        for high in range(low + 1, len(samples)):
            score = "" if np.isnan(scores[low, high]) else repr(float(scores[low, high]))
            label = "mated" if samples[low].subject == samples[high].subject else "non-mated"
            lines.append(f"{samples[high].path},{samples[low].path},{score},{label}")
    return "\n".join(lines).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_scores_mates_higher_and_failures_as_nan(opened: Opened, kind: str) -> None:
    """Scores are symmetric, mates score above strangers, and a picture without a face has none."""
    with opened(kind) as engine:
        people = numbers(COLLINS[0], COLLINS[1], HOPPER[0], ROOM)
        acquired = engine.acquire(people, lambda _: None)
        scores = engine.scores(people, people, None, lambda _: None)

    assert acquired.found[people].tolist() == [True, True, True, False]
    assert [number for number, _ in acquired.reasons] == [ROOM]
    assert scores.dtype == np.float32
    assert np.isnan(scores[3]).all()
    assert np.isnan(scores[:, 3]).all()
    assert scores[0, 1] == scores[1, 0]
    assert scores[0, 1] > scores[0, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_answers_candidates_at_the_threshold_and_nobody_below(opened: Opened, kind: str) -> None:
    """-inf for whoever didn't come back, NaN for a probe without a face and for what couldn't be enrolled."""
    gallery, probes = numbers(COLLINS[0], HOPPER[0], ROOM), numbers(COLLINS[2], ROOM)
    with opened(kind) as engine, engine.gallery(gallery, lambda _: None) as searching:
        enrolled = searching.enrolled
        default = searching.search(probes, None, lambda _: None)
        none = searching.search(probes, engine.identity.ends[1], lambda _: None)

    assert enrolled.tolist() == [True, True, False]
    assert np.isfinite(default[0, 0])
    assert default[0, 1] == -np.inf
    assert np.isnan(default[1]).all()
    assert np.isnan(default[:, 2]).all()
    assert not np.isfinite(none[0, 1])


def test_over_http_and_in_process_the_same_scores_and_candidates(opened: Opened, small: TestSet) -> None:
    """To the last bit of the similarity: comparisons, searches with default settings, searches at a threshold."""
    everybody = np.arange(len(small), dtype=np.int32)
    gallery, probes = everybody[[0, 3, 4, 7]], everybody[[1, 2, 5, 6, 7]]
    found = []
    for kind in ("local similarity", "rekognition"):
        with opened(kind) as engine:
            compared = engine.scores(everybody, everybody, everybody[:, None] < everybody[None, :], lambda _: None)
            with engine.gallery(gallery, lambda _: None) as searching:
                answers = [searching.search(probes, threshold, lambda _: None) for threshold in (None, 0.0, 99.0)]
        found.append([np.triu(compared, 1), *answers])

    for here, there in zip(*found, strict=True):
        assert np.array_equal(here, there, equal_nan=True)


def test_over_http_and_in_process_the_same_report(opened: Opened, small: TestSet) -> None:
    """Every count, rate and interval of a whole run is the same; only the engine's description differs."""
    documents = []
    for kind in ("local similarity", "rekognition"):
        with opened(kind) as engine:
            run = verify(small, engine, AllPairs(len(small)), conduct())
            test = aclu_test(small, engine, given_strangers(small.manifest, COLLINS, 1), conduct(operating="default"))
        searches = test.findings.searches
        assert searches is not None
        at = [each for each in searches.at if each.name == "default"]
        documents.append((run.evaluation.findings, at))

    assert documents[0] == documents[1]


def test_nothing_stays_at_the_endpoint(opened: Opened, rekognition: Any, small: TestSet) -> None:
    """The collection is deleted when the block ends, and when it ends by an error."""
    changed = replace(small, reader=lambda _path: b"another picture")
    before = rekognition.list_collections()["CollectionIds"]
    during = []
    with opened("rekognition") as engine:
        with engine.gallery(numbers(0, 4), lambda _: None):
            during = rekognition.list_collections()["CollectionIds"]
        with pytest.raises(CorruptionError), engine.gallery(numbers(0, 5), lambda _: None):
            changed.picture(0)

    assert len(during) == len(before) + 1
    assert rekognition.list_collections()["CollectionIds"] == before


class Counted:
    """A real client that notes what was answered, and fails some of them as a busy or broken endpoint does."""

    def __init__(self, client: Any, failures: list[Exception] | None = None, after: int | None = None) -> None:
        self.client, self.meta, self.answered = client, client.meta, list[str]()
        self.failures, self.after = failures or [], after

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            if self.failures:
                raise self.failures.pop()
            if self.after is not None and len(self.answered) >= self.after:
                raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
            answer = getattr(self.client, name)(**arguments)
            self.answered.append(name)
            return answer

        return call


def busy(code: str, status: int = 400) -> ClientError:
    said: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "Anything")


def test_an_endpoint_that_nobody_listens_at_is_not_waited_for() -> None:
    """A closed port says at once that the address is wrong or the service down, however patient the run is."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and never listened on: whoever connects is refused
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        client = boto3.client(
            "rekognition", endpoint_url=url, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s",
            config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        waits: list[float] = []

        with pytest.raises(UnavailableError, match="takes no connection: is the address right"):
            Endpoint(client, Patience(sleep=waits.append)).ask("list_collections")

    assert waits == []


def test_a_throttled_call_is_made_again_and_a_refused_one_is_not(
    small: TestSet, server: Server, tmp_path: Path
) -> None:
    """Throttling and failures of the endpoint are waited for; a refusal stops at once, in its own words."""
    failures: list[Exception] = [busy("ThrottlingException"), busy("Anything", 503), busy("InternalServerError", 500)]
    client = Counted(server.client(), failures)
    with over_http(small, server, tmp_path, client) as engine:
        assert engine.acquire(numbers(0), lambda _: None).found[0]
        client.failures = [busy("AccessDeniedException")]
        with pytest.raises(DeniedError, match="AccessDeniedException"):
            engine.acquire(numbers(4), lambda _: None)
        client.failures = [busy("ValidationException")]
        with pytest.raises(InputError, match="ValidationException"):
            engine.acquire(numbers(4), lambda _: None)


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(small: TestSet, server: Server, tmp_path: Path) -> None:
    """What was answered is asked for once in all, whoever asks again; a finished run asks nothing."""
    pairs = (numbers(0, 1), numbers(4, 5))
    client = Counted(server.client())
    with over_http(small, server, tmp_path, client) as engine:
        engine.scores(numbers(0), numbers(4, 5), None, lambda _: None)
        client.after = len(client.answered)
        with pytest.raises(UnavailableError, match="what it answered before is kept"):
            engine.scores(*pairs, None, lambda _: None)
        client.after = None
        engine.scores(*pairs, None, lambda _: None)
        with engine.gallery(numbers(0, 4), lambda _: None) as searching:
            first = searching.search(numbers(1), None, lambda _: None)
    again = Counted(server.client())
    with over_http(small, server, tmp_path, again) as engine:
        engine.scores(*pairs, None, lambda _: None)
        with engine.gallery(numbers(0, 4), lambda _: None) as searching:
            second = searching.search(numbers(1), None, lambda _: None)

    assert client.answered.count("compare_faces") == 4
    assert np.array_equal(first, second)
    # Which model answers has to be asked; nothing else is.
    assert again.answered == ["create_collection", "delete_collection"]


def test_a_collection_that_a_killed_run_left_is_used_and_deleted(
    small: TestSet, server: Server, rekognition: Any, tmp_path: Path
) -> None:
    """Its faces are found, not enrolled again, and it's gone at the end."""
    before = rekognition.list_collections()["CollectionIds"]
    first = Counted(server.client())
    with over_http(small, server, tmp_path, first) as engine:
        left = engine.gallery(numbers(0, 4, 5), lambda _: None)
        searching = left.__enter__()
        # Killed here: `__exit__` never runs.
        del searching
        second = Counted(server.client())
        with (
            over_http(small, server, tmp_path, second) as again,
            again.gallery(numbers(0, 4, 5), lambda _: None) as there,
        ):
            found = there.search(numbers(1), None, lambda _: None)

    assert np.isfinite(found[0, 0])
    assert first.answered.count("index_faces") == 3
    assert "index_faces" not in second.answered
    assert rekognition.list_collections()["CollectionIds"] == before


def test_a_permit_to_search_is_none_to_measure(
    small: TestSet, faces: tuple[FaceReader, Calibration], permit_for: Callable[..., Permit], tmp_path: Path
) -> None:
    """Our pipeline looks at no picture of a test set without a permit to measure."""
    with pytest.raises(DeniedError), local_engine(small, faces, permit_for(Action.SEARCH), tmp_path):
        pass


def test_templates_are_kept_and_taken_from_the_cache(
    small: TestSet,
    faces: tuple[FaceReader, Calibration],
    permit_for: Callable[..., Permit],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second run reads no picture, and has the same scores."""
    everybody = np.arange(len(small), dtype=np.int32)
    with local_engine(small, faces, permit_for(Action.MEASURE), tmp_path) as engine:
        first = engine.scores(everybody, everybody)
    read: list[int] = []
    monkeypatch.setattr(TestSet, "picture", lambda self, number: read.append(number))
    with local_engine(small, faces, permit_for(Action.MEASURE), tmp_path) as engine:
        second = engine.scores(everybody, everybody)

    assert np.array_equal(first, second, equal_nan=True)
    assert read == []


LISTED = b"path,subject\na.jpg,Ada\nb.jpg,Ada\nc.jpg,Bo\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns have to be"),
        ("enrol,probe,score\n", "there is no score"),
        ("enrol,probe,score\na.jpg,x.jpg,1\n", "line 2, column probe: the manifest has no picture 'x.jpg'"),
        ("enrol,probe,score\na.jpg,b.jpg,high\n", "line 2, column score: 'high' is no number"),
        ("enrol,probe,score\na.jpg,b.jpg,inf\n", "line 2, column score: 'inf' isn't finite"),
        ("enrol,probe,score\na.jpg,a.jpg,1\n", "line 2: 'a.jpg' is compared with itself"),
        ("enrol,probe,score,label\na.jpg,b.jpg,1,non-mated\n", "line 2, column label: 'non-mated'"),
        ("enrol,probe,score\na.jpg,b.jpg,1\nb.jpg,a.jpg,2\n", "a pair is listed twice, with two scores"),
        ("enrol,probe,score\na.jpg,b.jpg\n", "line 2: 2 fields"),
    ],
)
def test_a_fault_in_a_list_of_scores_is_named_by_its_line(text: str, said: str) -> None:
    """Nothing is skipped."""
    with pytest.raises(InputError) as refused:
        parse_scores(text.encode(), parse_manifest(LISTED))

    assert said in str(refused.value)


def test_a_list_of_scores_has_holes_and_no_default_of_its_own() -> None:
    """A pair that isn't listed has no score, and nobody's threshold is guessed."""
    listed = parse_scores(b"enrol,probe,score\nb.jpg,a.jpg,3.5\na.jpg,c.jpg,-1\n", parse_manifest(LISTED))
    engine = ScoreListEngine(listed, model="theirs")
    scores = engine.scores(numbers(0, 1), numbers(1, 2))

    assert engine.identity.ends == (-1.0, 3.5)
    assert scores.tolist()[0] == [3.5, -1.0]
    assert np.isnan(scores[1]).all()
    with engine.gallery(numbers(1)) as searching, pytest.raises(InputError, match="no default threshold"):
        searching.search(numbers(0), None, lambda _: None)
