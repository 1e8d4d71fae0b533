"""Somebody from outside measures a police installation over HTTP with a boto3 client, and reaches nobody's face."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.errors import DeniedError, InputError
from recognizance.evaluation.cache import Cache
from recognizance.evaluation.conduct import Conduct
from recognizance.evaluation.endpoint import Endpoint, Patience
from recognizance.evaluation.engines_rekognition import RekognitionEngine
from recognizance.evaluation.gate import Limit, Measure
from recognizance.evaluation.manifest import parse_manifest
from recognizance.evaluation.protocols import Enrolment, IdentificationRules, divide
from recognizance.evaluation.results import Kind
from recognizance.evaluation.searching import Question, identify
from recognizance.evaluation.testset import TestSet, commit_to
from recognizance.faces import Calibration, FaceReader, QualityFilter, open_photograph
from recognizance.governance import Asking, Credential, Policy, Principal
from recognizance.governance.leads import EditKind
from recognizance.governance.parties import Person, PersonId, Role
from recognizance.governing.access import IssuedKey
from recognizance.governing.registration import at_the_machine
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action, Permit
from recognizance.reviewing.probe_edits import Edit

from ..conftest import jpeg
from ..review_world import review_world
from .police_world import ARRESTS, Station, station


@dataclass(frozen=True)
class Visit:
    """The installation, and a tester with their key."""

    station: Station
    tester: Person
    key: IssuedKey

    @property
    def client(self) -> Any:  # boto3 ships no types
        return self.station.client("rekognition", self.key)

    @property
    def prefix(self) -> str:
        return f"test.{self.tester.id}."


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    with station(tmp_path_factory.mktemp("tested") / "data") as running:
        registration, root = running.governing.registration, at_the_machine()
        tester = registration.add_person("A University", agency=None, roles=frozenset({Role.TESTER}), by=root)
        yield Visit(running, tester, registration.issue_key(tester.id, by=root))


@pytest.fixture
def test_set(tmp_path: Path) -> TestSet:
    """Two people, of whom there are two pictures each."""
    rows = []
    for name, portrait in (("collins", collins_portrait()), ("hopper", hopper_portrait())):
        for number, size in enumerate((portrait.size, (portrait.width * 4 // 5, portrait.height * 4 // 5))):
            (tmp_path / f"{name}-{number}.jpg").write_bytes(jpeg(portrait.resize(size)))
            rows.append(f"{name}-{number}.jpg,{name},{'female' if name == 'hopper' else 'male'}")
    manifest = "path,subject,sex\n" + "\n".join(rows) + "\n"
    return commit_to(parse_manifest(manifest.encode(), name="manifest.csv"), tmp_path)


def galleries_of(tested: Visit) -> list[str]:
    with tested.station.server.service.records.reading() as reader:
        return [row.id for row in reader.galleries(after=None, limit=100)]


def refused(ask: Any) -> str:
    with pytest.raises(ClientError) as caught:
        ask()
    return str(caught.value.response["Error"]["Code"])


def test_a_tester_runs_an_evaluation_and_nothing_stays(tested: Visit, test_set: TestSet, tmp_path: Path) -> None:
    """The protocols run as against any endpoint; when they are done no gallery, no face and no picture is left."""
    endpoint = Endpoint(tested.client, patience=Patience(total_s=60.0))
    conduct = Conduct(
        name="university-2026",
        tester="A University",
        is_independent=True,
        description="two portraits",
        seed=1,
        operating="default",
        now=lambda: datetime(2026, 11, 1, tzinfo=UTC),
        limits=(Limit(measure=Measure.FPIR, at_most=0.01),),
        resamples=100,
    )
    rules = IdentificationRules(
        seed=1, absent_share=0.5, enrolment=Enrolment.FIRST, probes_a_person=1, gallery_sizes=()
    )
    before = galleries_of(tested)
    with closing(Cache(tmp_path / "cache")) as cache, ThreadPoolExecutor(2) as workers:
        engine = RekognitionEngine(test_set, endpoint, cache, workers=workers, collections=tested.prefix)
        question = Question(kind=Kind.IDENTIFICATION, protocol="one-to-many/1", settings=())
        evaluation = identify(test_set, engine, divide(test_set.manifest, rules), question, conduct)

    found = evaluation.findings.searches
    assert found is not None
    assert [each.found.fpir.rate.errors for each in found.at if each.name == "default"] == [0]
    assert [each.found.fnir.rate.errors for each in found.at if each.name == "default"] == [0]
    assert galleries_of(tested) == before


def test_what_a_killed_run_left_goes_when_the_testers_key_is_gone(tested: Visit) -> None:
    """The server's own retention erases it, with the real policies and on the record; until then it stays."""
    registration, root = tested.station.governing.registration, at_the_machine()
    other = registration.add_person("A Laboratory", agency=None, roles=frozenset({Role.TESTER}), by=root)
    key = registration.issue_key(other.id, by=root)
    theirs, service = f"test.{other.id}.killed", tested.station.server.service
    client = tested.station.client("rekognition", key)
    client.create_collection(CollectionId=theirs)
    client.index_faces(CollectionId=theirs, Image={"Bytes": jpeg(hopper_portrait())})
    before = galleries_of(tested)

    service.retention.run_all(by=root)
    kept = galleries_of(tested)
    service.keys.delete(key.id)
    service.retention.run_all(by=root)

    assert theirs in before
    assert kept == before
    assert galleries_of(tested) == [each for each in before if each != theirs]


def test_a_tester_reaches_nobody_elses_faces(tested: Visit) -> None:
    """Their own galleries and their own pictures, and nothing that anybody else made or that says who is here."""
    client, picture = tested.client, {"Bytes": jpeg(hopper_portrait())}
    theirs = f"{tested.prefix}own"
    client.create_collection(CollectionId=theirs)
    try:
        client.index_faces(CollectionId=theirs, Image=picture)
        answered = client.search_faces_by_image(CollectionId=theirs, Image=picture)["FaceMatches"]
        tries = {
            "search": lambda: client.search_faces_by_image(CollectionId=ARRESTS, Image=picture),
            "enrol": lambda: client.index_faces(CollectionId=ARRESTS, Image=picture),
            "read": lambda: client.list_faces(CollectionId=ARRESTS),
            "describe": lambda: client.describe_collection(CollectionId=ARRESTS),
            "list": client.list_collections,
            "delete": lambda: client.delete_collection(CollectionId=ARRESTS),
            "create another": lambda: client.create_collection(CollectionId="mine"),
            "create another tester's": lambda: client.create_collection(CollectionId="test.somebody.own"),
        }
        codes = {name: refused(ask) for name, ask in tries.items()}
    finally:
        client.delete_collection(CollectionId=theirs)

    assert len(answered) == 1
    assert set(codes.values()) == {"AccessDeniedException"}, codes


def test_nobody_else_reaches_a_testers_gallery(tested: Visit) -> None:
    """What a tester sends is searched and read by nobody: not under a use, and not by those who keep galleries."""
    theirs, picture = f"{tested.prefix}private", {"Bytes": jpeg(hopper_portrait())}
    tested.client.create_collection(CollectionId=theirs)
    try:
        supervisor = tested.station.client("rekognition", tested.station.police.keys["supervisor"])
        session = tested.station.rekognition(
            tested.station.assume(
                Tags=[
                    {"Key": "Case", "Value": "case-7"},
                    {"Key": "Justification", "Value": "a witness filmed it"},
                    {"Key": "Offence", "Value": "robbery"},
                ]
            )
        )
        codes = {
            refused(lambda: supervisor.list_faces(CollectionId=theirs)),
            refused(
                lambda: session.search_faces_by_image(
                    CollectionId=theirs, Image=picture, FaceMatchThreshold=85.0, MaxFaces=10
                )
            ),
        }
    finally:
        tested.client.delete_collection(CollectionId=theirs)

    assert codes == {"AccessDeniedException"}


def test_a_testers_photographs_are_not_kept_where_all_others_are(
    tmp_path: Path, faces: tuple[FaceReader, Calibration]
) -> None:
    """Where photographs are kept beside what is enrolled, those of a test aren't."""
    with review_world(tmp_path / "data", faces) as world:
        tester = Person(PersonId(PrincipalId("a-tester")), None, frozenset({Role.TESTER}))
        world.add_person(tester)
        decide = partial(
            world.service.governing.policy.decide,
            Principal(tester.id, frozenset()),
            Action.ENROL,
            gallery=GalleryId(f"test.{tester.id}.own"),
            decision_id=DecisionId("d-1"),
            asking=Asking(Credential.PERSON_KEY),
        )
        permits = {"tester": decide(), "all others": permit_of_everything()}
        kept = {
            who: world.service.enrolment.prepare(
                open_photograph(jpeg(hopper_portrait()), permit),
                max_faces=1,
                quality_filter=QualityFilter.NONE,
                permit=permit,
            ).kept_bytes
            for who, permit in permits.items()
        }

        with pytest.raises(InputError, match="on behalf of a use"):
            world.service.probes.edit(
                open_photograph(jpeg(hopper_portrait()), permits["tester"]),
                Edit(EditKind.ROTATE, "90"),
                permit=permits["tester"],
            )

    assert kept["tester"] is None
    assert kept["all others"] is not None


def permit_of_everything() -> Permit:
    principal = Principal(PrincipalId("a test"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(principal, Action.ENROL, gallery=ARRESTS, decision_id=DecisionId("d-2"))


def test_findings_are_public_and_their_clock_runs(tested: Visit) -> None:
    """A tester submits; an operator may not; a supervisor answers, once; the register has all of it."""
    governing = tested.station.governing
    finding, receipt = governing.findings.submit(
        "FPIR of women is ten times higher", by=at_the_machine(tested.tester.id)
    )
    supervisor = at_the_machine(tested.station.police.supervisor.id)
    with pytest.raises(DeniedError):
        governing.findings.submit("all is well", by=at_the_machine(tested.station.police.operator.id))
    answered, _ = governing.findings.mitigate(finding.id, "the threshold was raised", by=supervisor)

    assert receipt.index > 0
    assert (answered.due - finding.submitted).days == 90
    assert governing.findings.get(finding.id) == answered
