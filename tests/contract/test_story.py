"""The whole story over HTTP, on a real socket: from an agency's registration to an outsider who verifies the ledger.

Nobody in it touches the service but over the wire. Only time is helped along: a new purpose waits thirty days for the
public's comments.
"""

import base64
import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import uvicorn
from botocore.config import Config

from recognizance.app import http_app, wire
from recognizance.config import Settings
from recognizance.disclosing.bundle import verify_bundle
from recognizance.evaluation.results import commitment, write_evaluation
from recognizance.faces import Calibration, FaceReader
from recognizance.governance.codec import write_document
from recognizance.governance.oversight import sha256_hex
from recognizance.governance.profiles import ProfileName
from recognizance.governance.terms import ErrorLimits, EvaluationId, EvaluationReference
from recognizance.governing.registration import establish
from recognizance.ledger import VerifierKey, source_at, verify
from recognizance.register import build_register, read_log, to_json
from recognizance.storage import new_id, open_recorder, open_records

from ..evaluation.test_publication import result
from .police_world import ACCOUNT, AGENCY, ARRESTS, COURSE, Clock, role_arn, terms
from .rekognition_world import REGION, astronaut, hopper, jpeg

USE, CASE, NAME = "robberies", "2026-0117", "hopper-booking-1952"
TAGS = [
    {"Key": "Case", "Value": CASE},
    {"Key": "Justification", "Value": "recording of the robbery"},
    {"Key": "Offence", "Value": "robbery"},
]
EVIDENCE = {"kind": "document", "description": "a ferry ticket", "document_sha256": hashlib.sha256(b"x").hexdigest()}


class Person:
    """Somebody who speaks to the API with their own key; whoever has none speaks as the public."""

    def __init__(self, endpoint: str, key: tuple[str, str] | None = None) -> None:
        self.endpoint = endpoint
        self.key = key

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        # No proxy of the environment stands between two programs on one machine.
        with httpx.Client(auth=self.key, trust_env=False, timeout=30) as client:
            return client.request(method, f"{self.endpoint}/api/v1{path}", json=body)

    def done(self, method: str, path: str, body: object = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.headers.get("content-type") == "application/json" else answer.content

    def aws(self, service: str, token: str | None = None) -> Any:  # boto3 ships no types
        key = self.key or ("", "")
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def session(self) -> Any:
        """Rekognition on behalf of the use, for the case."""
        given = self.aws("sts").assume_role(RoleArn=role_arn(USE), RoleSessionName="shift-7", Tags=TAGS)["Credentials"]
        key = (given["AccessKeyId"], given["SecretAccessKey"])
        return Person(self.endpoint, key).aws("rekognition", given["SessionToken"])


class Story:
    """Everybody, and the clock."""

    def __init__(self, endpoint: str, root: tuple[str, str], clock: Clock, data: Path, key: VerifierKey) -> None:
        self.public = Person(endpoint)
        self.root = Person(endpoint, root)
        self.clock = clock
        self.data = data
        self.log_key = key
        """As the operator published it elsewhere."""
        self.people: dict[str, Person] = {}

    def add(self, name: str, role: str, *, trained: bool = False, outside: bool = False) -> None:
        form = {"name": name, "roles": [role], "agency": None if outside else AGENCY}
        somebody = self.root.done("POST", "/people", form)["id"]
        if trained:
            course = {"course": COURSE, "completed": "2020-01-01", "expires": "2099-12-31", "certificate": f"of {name}"}
            self.root.done("POST", f"/people/{somebody}/trainings", course)
        key = self.root.done("POST", "/keys", {"owner": somebody})
        self.people[name] = Person(self.public.endpoint, (key["access_key_id"], key["secret_access_key"]))


@contextmanager
def beginning(data: Path, faces: tuple[FaceReader, Calibration]) -> Iterator[Story]:
    """A fresh law-enforcement installation on a socket, forty days ago, with the key of whoever runs the machine."""
    settings = Settings(account=ACCOUNT, keep_images=True, inference_threads=2)
    clock = Clock(datetime.now(UTC) - timedelta(days=40))
    records = open_records(data, settings)
    with closing(open_recorder(data, settings, records, clock=clock)) as recorder:
        establish(records, recorder, ProfileName.LAW_ENFORCEMENT, owner_name="the clerk", clock=clock, new_id=new_id)
    service = wire(data, settings, records, *faces, clock=clock)
    root = service.keys.create()
    server = uvicorn.Server(uvicorn.Config(http_app(service), host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Story(f"http://127.0.0.1:{port}", (str(root.id), root.secret), clock, data, service.recorder.verifier)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        service.close()


@pytest.mark.slow
def test_the_whole_story(tmp_path: Path, faces: tuple[FaceReader, Calibration]) -> None:
    """Register, propose, comment, approve, search, review, lead, disclose, ask, erase, publish, verify."""
    with beginning(tmp_path / "data", faces) as story:
        _the_agency_registers(story)
        _a_use_is_proposed_discussed_and_approved(story)
        enrolled = _faces_are_enrolled(story)
        review = _a_search_waits_for_two_people(story, enrolled)
        lead = _two_reviewers_decide_blind(story, review)
        bundle = _the_lead_leaves_and_the_case_is_disclosed(story, lead, enrolled)
        erasure = _a_subject_asks_and_is_erased(story, enrolled, lead)
        register = _the_register_shows_all_of_it(story)
        published = tmp_path / "published"
        _copy_what_is_public(story, published)

    # Everything below is somebody else's, elsewhere: the static files, the key, and what was handed out.
    shutil.rmtree(story.data)
    source, keys = source_at(str(published)), (story.log_key,)
    report = verify(source, keys)
    assert (report.is_sound, report.checkpoint is not None) == (True, True)
    assert to_json(build_register(read_log(source, keys))) == register
    checked = verify_bundle(bundle, log_keys=keys)
    assert (checked.case, checked.pictures > 0) == (CASE, True)
    assert erasure["proof_sha256"].encode() in b"".join(file.read_bytes() for file in _entry_files(published))
    assert NAME.encode() not in b"".join(file.read_bytes() for file in published.rglob("*") if file.is_file())


def _the_agency_registers(story: Story) -> None:
    form = {"kind": "law_enforcement", "name": "Harbour Police", "accountable_person": "The Chief"}
    story.root.done("POST", "/agencies", {"agency": AGENCY, "contact": "desk@harbour.example", **form})
    declared = {"agency": AGENCY, "source": "arrest_record", "basis": "statute"}
    story.root.done("PUT", f"/galleries/{ARRESTS}/declaration", declared)
    story.add("operator", "operator", trained=True)
    story.add("first", "examiner", trained=True)
    story.add("second", "examiner", trained=True)
    story.add("supervisor", "supervisor")
    story.add("officer", "desk_officer")
    story.add("auditor", "auditor", outside=True)
    for number in range(1, 6):
        story.add(f"overseer {number}", "overseer", outside=True)


def _a_use_is_proposed_discussed_and_approved(story: Story) -> None:
    # What the use relies on: an evaluation that an auditor publishes, with limits that overseers will vote on.
    measured = result(completed=story.clock.now - timedelta(days=1))
    story.people["auditor"].done("POST", "/evaluations", {"result": write_evaluation(measured).decode()})
    limits = ErrorLimits(fpir=0.1, least_true_positives=0.7)
    relied_on = EvaluationReference(EvaluationId(measured.evaluation), sha256_hex(commitment(measured)), limits)
    wanted = replace(terms(began=story.clock.now), evaluation=relied_on)
    asked = json.loads(write_document(wanted))
    story.people["supervisor"].done("POST", "/uses", {"use": USE, "terms": asked})
    story.public.done("POST", f"/uses/{USE}/comments", {"statement": "publish the error rates"})
    ballot = {"choice": "approve", "reasons": "read and weighed"}
    too_early = story.people["overseer 1"].ask("POST", f"/uses/{USE}/votes", ballot)
    story.clock.now += timedelta(days=31)
    too_late = story.public.ask("POST", f"/uses/{USE}/comments", {"statement": "wait"})
    of_the_agency = story.people["supervisor"].ask("POST", f"/uses/{USE}/votes", ballot)
    for number in (1, 2, 3):
        story.people[f"overseer {number}"].done("POST", f"/uses/{USE}/votes", ballot)
    story.clock.now = datetime.now(UTC)
    shown = story.public.done("GET", f"/uses/{USE}")

    assert (too_early.status_code, too_late.status_code, of_the_agency.status_code) == (409, 409, 403)
    assert (shown["state"], len(shown["votes"])) == ("active", 3)
    assert [each["statement"] for each in shown["comments"]] == ["publish the error rates"]


def _faces_are_enrolled(story: Story) -> str:
    story.people["supervisor"].aws("rekognition").create_collection(CollectionId=ARRESTS)
    session = story.people["operator"].session()
    answers = [
        session.index_faces(CollectionId=ARRESTS, Image={"Bytes": jpeg(picture)}, ExternalImageId=name)
        for picture, name in ((hopper(), NAME), (astronaut(), "somebody-else"))
    ]
    face: str = answers[0]["FaceRecords"][0]["Face"]["FaceId"]
    return face


def _a_search_waits_for_two_people(story: Story, enrolled: str) -> str:
    asked = {"CollectionId": ARRESTS, "FaceMatchThreshold": 90, "MaxFaces": 5}
    answer = story.people["operator"].session().search_faces_by_image(**asked, Image={"Bytes": jpeg(hopper(), 60)})
    said = answer["ResponseMetadata"]["HTTPHeaders"]
    review: str = said["x-recognizance-review"]

    assert len(answer["FaceMatches"]) == 1
    assert enrolled not in json.dumps(answer)
    assert NAME not in json.dumps(answer)
    assert "x-recognizance-receipt" in said
    assert story.people["operator"].done("GET", f"/reviews/{review}/progress")["progress"] == "under_review"
    assert story.people["operator"].ask("POST", f"/reviews/{review}/claim").status_code == 403
    return review


def _two_reviewers_decide_blind(story: Story, review: str) -> str:
    for name in ("first", "second"):
        reviewer = story.people[name]
        assert reviewer.done("GET", "/reviews")["reviews"] == [review]
        reviewer.done("POST", f"/reviews/{review}/claim")
        shown = reviewer.done("GET", f"/reviews/{review}")
        [candidate] = shown["candidates"]
        assert set(shown) == {"review", "probe_sha256", "candidates"}
        assert reviewer.done("GET", f"/reviews/{review}/probe").startswith(b"\x89PNG")
        assert reviewer.done("GET", f"/reviews/{review}/candidates/{candidate['face']}").startswith(b"\x89PNG")
        assert story.people["operator"].done("GET", "/leads")["leads"] == []
        finding = {"face": candidate["face"], "outcome": "same_person", "observations": ["nose", "ears", "light"]}
        reviewer.done("POST", f"/reviews/{review}/answers", {"findings": [finding]})
    [lead] = story.people["operator"].done("GET", "/leads")["leads"]

    assert lead["stamp"] == "investigative lead, not the sole basis for any action"
    assert lead["external_image_id"] == NAME
    return str(lead["lead"])


def _the_lead_leaves_and_the_case_is_disclosed(story: Story, lead: str, enrolled: str) -> bytes:
    supervisor = story.people["supervisor"]
    locked = supervisor.ask("POST", f"/leads/{lead}/exports")
    supervisor.done("POST", f"/leads/{lead}/attestation", EVIDENCE)
    exported = supervisor.done("POST", f"/leads/{lead}/exports")
    form = {"case": CASE, "recipient_kind": "defence", "recipient": "A Lawyer"}
    bundle: bytes = supervisor.done("POST", "/disclosures", form)

    assert locked.status_code == 409
    assert exported["lead"]["face"] == enrolled
    assert base64.b64decode(exported["probe_png"]).startswith(b"\x89PNG")
    return bundle


def _a_subject_asks_and_is_erased(story: Story, enrolled: str, lead: str) -> Any:
    officer = story.people["officer"]

    def opened(kind: str) -> str:
        form = {"kind": kind, "asker": "Ms. Hopper, by letter", "statement": "what do you hold about me?"}
        request: str = officer.done("POST", "/desk-requests", form)["request"]
        officer.done("POST", f"/desk-requests/{request}/steps", {"event": "verify"})
        return request

    access = opened("access")
    photograph = {"photograph": base64.b64encode(jpeg(hopper(), 80)).decode()}
    alike = officer.done("POST", f"/desk-requests/{access}/likenesses", photograph)
    names = {"names": [each["face"] for each in alike["faces"]]}
    held = officer.done("POST", f"/desk-requests/{access}/names", names)
    answer = {"event": "answer", "answer": "you are enrolled once, and were a candidate once"}
    officer.done("POST", f"/desk-requests/{access}/steps", answer)
    erasure = opened("erasure")
    erased = officer.done("POST", f"/desk-requests/{erasure}/erasure", names)
    officer.done("POST", f"/desk-requests/{erasure}/steps", {"event": "answer", "answer": "all of it is gone"})
    [proven] = erased["erasures"]
    asked = {"CollectionId": ARRESTS, "FaceMatchThreshold": 90, "MaxFaces": 5}
    again = story.people["operator"].session().search_faces_by_image(**asked, Image={"Bytes": jpeg(hopper(), 60)})

    assert names == {"names": [enrolled]}
    assert (held["is_enrolled"], held["was_a_candidate"]) == (True, True)
    assert (proven["faces"], erased["traces"]) == ([enrolled], 0)
    assert again["FaceMatches"] == []
    shown = story.people["supervisor"].ask("GET", f"/leads/{lead}")
    assert enrolled not in shown.text
    assert NAME not in shown.text
    return story.public.done("GET", f"/erasures/{proven['proof']['erasure']}")


def _the_register_shows_all_of_it(story: Story) -> bytes:
    answer = story.public.ask("GET", "/register.json")
    register = answer.json()
    [use] = register["deployment"]["uses"]
    [agency] = register["deployment"]["agencies"]
    schema = story.public.ask("GET", "/register.schema.json").json()

    assert (use["use"], use["state"], use["needs_review"]) == (USE, "active", True)
    assert (agency["agency"], agency["accountable_person"]) == (AGENCY, "The Chief")
    assert [each["statement"] for each in register["oversight"]["comments"]] == ["publish the error rates"]
    assert [each["choice"] for each in register["oversight"]["votes"]] == ["approve"] * 3
    assert {"searches", "reviews"} & {each["measure"] for each in register["use"]["figures"]}
    assert register["people"]["figures"]
    assert set(schema["properties"]) == set(register)
    assert NAME not in answer.text
    return answer.content


def _copy_what_is_public(story: Story, target: Path) -> None:
    """What any web server or bucket would hold."""
    shutil.copytree(story.data / "ledger", target, ignore=shutil.ignore_patterns("journal*"))


def _entry_files(published: Path) -> Iterator[Path]:
    yield from (file for file in published.rglob("*") if file.is_file() and "entries" in file.parts)
