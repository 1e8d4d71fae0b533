"""The denial matrix over HTTP: kind of credential × role × use state × purpose × act, each a whole signed request.

What is expected is `tests/denials.py`, as for the policies themselves. There every cell is asked; here every class of
cells, because a request costs a signature and a refusal an entry in the ledger:

- acts under a use by whoever has the role for them: every credential and state for a purpose of police and for another,
  and every credential and purpose while the use is active;
- everybody else, and every other act: every credential and role, with an active use; acts under a use without one, too.

The second line is the same in each profile (`permits.cedar`), and asked in one of them. Left out are the command line,
which is no credential here, and `NOT_HERE`. The profile `private` has one owner and no roles.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from recognizance.app import Service, http_app, wire
from recognizance.config import Settings
from recognizance.documents import GalleryDeclaration, Kind, PersonRecord, UseRecord, inserted
from recognizance.faces import Calibration, FaceReader
from recognizance.governance import Act, Credential, Grounds, Policy
from recognizance.governance.codec import write_document
from recognizance.governance.parties import (
    AccessKey,
    Agency,
    AgencyId,
    AgencyKind,
    CourseId,
    OwnerKind,
    Person,
    PersonId,
    Program,
    ProgramId,
    Role,
    Training,
    UseId,
)
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import PURPOSE_CLASSES, LawfulBasis, OffenceCode, Purpose, Source
from recognizance.governance.uses import UseState
from recognizance.governing.access import ADMINISTRATOR, IssuedKey, principal_of
from recognizance.governing.registration import establish
from recognizance.identifiers import AccessKeyId, DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action
from recognizance.records import Secret, Transaction
from recognizance.storage import new_id, open_recorder, open_records

from ..api.client import Client, signed
from ..denials import UNDER_A_USE, expected
from ..evidence import insert_published, published
from ..uses_in_states import NOW, terms_with, use_in

ACCOUNT = "123456789012"
AGENCY, GALLERY = AgencyId("harbour-police"), GalleryId("arrests")
OUTSIDE = {Role.OVERSEER, Role.ADMINISTRATOR, Role.AUDITOR, Role.TESTER}
GROUNDS = Grounds("case-7", "a witness filmed it", OffenceCode("robbery"))
STATED = {
    "X-Recognizance-Case": "case-7",
    "X-Recognizance-Justification": "a witness filmed it",
    "X-Recognizance-Offence": "robbery",
}
TWO_PURPOSES = (Purpose.INVESTIGATE_OFFENCE, Purpose.CONTROL_ACCESS)
PROFILES = (ProfileName.LAW_ENFORCEMENT, ProfileName.ORGANISATION)
NOT_HERE = {
    "measure",  # no route: evaluations are run at the machine
    "propose_change",  # no route
    "search_for_asker",  # on behalf of a desk request that exists: tests/api
    "review",  # of a review that exists: tests/api
    "attest_evidence",  # of a lead that exists: tests/api
    "export_lead",
    "conclude_lead",
    "disclose",
    "test",  # of a gallery that a tester made: contract/test_independent_testing.py
}
Cell = tuple[str, str, str | None, str, str]


@dataclass
class World:
    """An installation with somebody in every role, and a use in every state for every purpose."""

    service: Service
    client: Client
    profile: ProfileName
    keys: dict[tuple[str, str | None], IssuedKey]

    def key(self, credential: Credential, role: Role, use: str | None) -> tuple[IssuedKey, str | None]:
        """What somebody signs with: a key bound to the use, or one bound to none; or a session."""
        if credential is Credential.SESSION:
            issued = self.service.governing.tokens.issue(
                issued_by=AccessKeyId(self.keys[role.value, None].id),
                use=UseId(use or "a use that isn't there"),
                name="case-7",
                grounds=GROUNDS,
                lasts=timedelta(hours=1),
            )
            return IssuedKey(issued.session.key_id, issued.secret), issued.token
        owner = "program" if credential is Credential.PROGRAM_KEY else role.value
        return self.keys[owner, use], None

    def allows(self, cell: Cell) -> bool:
        """Whether the installation lets a cell's request through; what it then makes of it is another matter."""
        credential, role, state, purpose, act = cell
        use = None if state is None else _use_id(UseState(state), Purpose(purpose))
        key, token = self.key(Credential(credential), Role(role), use)
        answer = REQUESTS[act](self.client, key, token, use)
        # Whatever the protocol, and whatever it then calls it: refused by policy is refused by policy.
        refused = answer.status_code == 403 or "AccessDenied" in answer.text
        assert refused or answer.status_code < 500, f"{cell}: {answer.status_code} {answer.text}"
        assert refused or answer.status_code != 401, f"{cell}: {answer.text}"
        return not refused


def _use_id(state: UseState, purpose: Purpose) -> str:
    return f"{state.value}.{purpose.value}"


def _rekognition(
    operation: str, body: dict[str, Any], client: Client, key: IssuedKey, token: str | None, _: str | None
) -> httpx.Response:
    content = json.dumps(body).encode()
    headers = {"X-Amz-Target": f"RekognitionService.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    given = signed("POST", "/", key, content=content, token=token, headers=headers | STATED, service="rekognition")
    return client.raw("POST", "/", content=content, headers=given)


def _assume(client: Client, key: IssuedKey, token: str | None, use: str | None) -> httpx.Response:
    form = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{use or 'none'}",
        "RoleSessionName": "case-7",
    }
    tags = (("Case", GROUNDS.case), ("Justification", GROUNDS.justification), ("Offence", GROUNDS.offence))
    for number, (name, value) in enumerate(tags, 1):
        form |= {f"Tags.member.{number}.Key": name, f"Tags.member.{number}.Value": str(value)}
    content = urlencode(form).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    given = signed("POST", "/", key, content=content, token=token, headers=headers, service="sts")
    return client.raw("POST", "/", content=content, headers=given)


def _api(
    method: str, path: str, body: object, client: Client, key: IssuedKey, token: str | None, _: str | None
) -> httpx.Response:
    url, content = f"/api/v1{path}", b"" if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    given = signed(method, url, key, content=content, token=token, headers=headers)
    return client.raw(method, url, content=content, headers=given)


_JUNK = {"Bytes": base64.b64encode(b"no picture").decode()}
_NOWHERE = "/uses/nowhere"
_AGENCY_FORM = {"agency": AGENCY, "kind": "business", "name": "x", "accountable_person": "x", "contact": "x"}
# What is wrong with these is found after the policy was asked: a use that isn't there, and no legal basis.
_REPORT = {"report": "x", "agency": AGENCY, "sha256": "ab" * 32, "use": "nowhere"}
_DEPLOYMENT = dict.fromkeys(("operator", "accountable_person", "contact"), "x") | {
    "legal_basis": "",
    "purposes": ["control_access"],
}
_OF_A_SEARCH = {"CollectionId": GALLERY, "FaceMatchThreshold": 99.0, "MaxFaces": 10}
_PROPOSAL = {"use": "nowhere-yet", "terms": json.loads(write_document(terms_with()))}
Ask = Callable[[Client, IssuedKey, str | None, str | None], httpx.Response]
REQUESTS: dict[str, Ask] = {
    # Permitted, each of these fails for another reason, or changes nothing: no picture, no such face, no such use.
    "detect": partial(_rekognition, "DetectFaces", {"Image": _JUNK}),
    "compare": partial(
        _rekognition, "CompareFaces", {"SourceImage": _JUNK, "TargetImage": _JUNK, "SimilarityThreshold": 99.0}
    ),
    "search": partial(_rekognition, "SearchFaces", _OF_A_SEARCH | {"FaceId": new_id()}),
    "enrol": partial(_rekognition, "IndexFaces", {"CollectionId": GALLERY, "Image": _JUNK}),
    "forget": partial(_rekognition, "DeleteFaces", {"CollectionId": GALLERY, "FaceIds": [new_id()]}),
    "read_gallery": partial(_rekognition, "DescribeCollection", {"CollectionId": GALLERY}),
    "manage_gallery": partial(_api, "GET", f"/galleries/{GALLERY}/retention/due", None),
    "assume_use": _assume,
    "register_agency": partial(_api, "POST", "/agencies", _AGENCY_FORM),
    "manage_people": partial(_api, "GET", "/people", None),
    "issue_key": partial(_api, "GET", "/keys", None),
    "propose_use": partial(_api, "POST", "/uses", _PROPOSAL),
    "withdraw_use": partial(_api, "POST", f"{_NOWHERE}/withdrawal", None),
    "declare_emergency": partial(_api, "POST", f"{_NOWHERE}/emergency", {"grounds": "x"}),
    "vote": partial(_api, "POST", f"{_NOWHERE}/votes", {"choice": "approve", "reasons": "x"}),
    "suspend_use": partial(_api, "POST", f"{_NOWHERE}/suspension", {"reasons": "x"}),
    "handle_request": partial(_api, "GET", "/desk-requests", None),
    "run_retention": partial(_api, "GET", "/holds", None),
    "read_record": partial(_api, "GET", "/probe-edits/none/before", None),
    "publish_deployment": partial(_api, "POST", "/publications/deployment", _DEPLOYMENT),
    "publish_oversight": partial(_api, "POST", "/incidents/none/notice", {"statement": "x"}),
    "publish_report": partial(_api, "POST", "/publications/reports", _REPORT | {"kind": "yearly"}),
    "publish_evaluation": partial(_api, "POST", "/evaluations", {"result": "{}"}),
    "submit_finding": partial(_api, "POST", "/findings", {"statement": "x"}),
    "publish_audit": partial(_api, "POST", "/publications/audits", _REPORT),
    "report_incident": partial(_api, "GET", "/incidents", None),
}


def cells(profile: ProfileName) -> Iterator[Cell]:
    """The classes of the matrix that this module's first lines tell of."""
    credentials = [each for each in Credential if each is not Credential.COMMAND_LINE]
    states: tuple[UseState | None, ...] = (None, *UseState)
    if profile is ProfileName.ORGANISATION:
        states = (None, UseState.ACTIVE, UseState.EMERGENCY, UseState.SUSPENDED)
    of_uses = [*product(states, TWO_PURPOSES), *product((UseState.ACTIVE,), set(Purpose) - set(TWO_PURPOSES))]
    for credential, (state, purpose), act in product(credentials, of_uses, sorted(UNDER_A_USE)):
        # A session begins no other one: STS refuses that before anybody is asked.
        if (credential, act) != (Credential.SESSION, "assume_use"):
            yield credential.value, Role.OPERATOR.value, state and state.value, purpose.value, act
    # Whatever a tester does to faces is another act: contract/test_independent_testing.py.
    roles = set(Role) - {Role.TESTER} if profile is ProfileName.LAW_ENFORCEMENT else ()
    for credential, role, act in product(credentials, roles, REQUESTS):
        # A program is an operator and nothing else.
        is_somebody = credential is not Credential.PROGRAM_KEY or role is Role.OPERATOR
        if (
            not is_somebody
            or (act in UNDER_A_USE and role is Role.OPERATOR)
            or (credential, act)
            == (
                Credential.SESSION,
                "assume_use",
            )
        ):
            continue
        for state in (None, UseState.ACTIVE) if act in UNDER_A_USE else (UseState.ACTIVE,):
            yield credential.value, role.value, state and state.value, Purpose.CONTROL_ACCESS.value, act


def test_no_act_is_left_out() -> None:
    """Whatever policy decides is asked here, or said not to be."""
    assert REQUESTS.keys() | NOT_HERE == {act.value for act in Act}
    assert not REQUESTS.keys() & NOT_HERE


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_every_class_of_the_denial_matrix_over_http(
    profile: ProfileName, tmp_path: Path, faces: tuple[FaceReader, Calibration]
) -> None:
    """Each is let through or refused as the sentences of docs/policy.md say."""
    world = _world(profile, tmp_path / "data", faces)
    try:
        asked = list(cells(profile))
        wrong = [cell for cell in asked if world.allows(cell) != expected(profile, *cell)]
    finally:
        world.client.close()
        world.service.close()

    assert len(asked) > (600 if profile is ProfileName.LAW_ENFORCEMENT else 150)
    assert wrong == []


def _world(profile: ProfileName, data: Path, faces: tuple[FaceReader, Calibration]) -> World:
    def clock() -> datetime:
        return NOW

    settings = Settings(account=ACCOUNT, inference_threads=2)
    records = open_records(data, settings)
    recorder = open_recorder(data, settings, records, clock=clock)
    establish(records, recorder, profile, owner_name="the clerk", clock=clock, new_id=new_id)
    recorder.close()
    service = wire(data, settings, records, *faces, clock=clock)
    keys: dict[tuple[str, str | None], IssuedKey] = {}
    with service.records.transaction() as transaction:
        _register(transaction, profile)
        uses = _uses(transaction)
        for owner, principal, kind in _owners(transaction):
            bound = [None, *uses] if owner in {"operator", "program"} else [None, _LIVE]
            for use in bound:
                keys[owner, use] = _key(transaction, len(keys), principal, kind, use)
    permit = Policy().decide(
        principal_of(ADMINISTRATOR), Action.MANAGE_GALLERY, gallery=GALLERY, decision_id=DecisionId(new_id())
    )
    service.galleries.create(GALLERY, tags={}, permit=permit)
    return World(service, Client(http_app(service)), profile, keys)


_LIVE = _use_id(UseState.ACTIVE, Purpose.CONTROL_ACCESS)


def _register(transaction: Transaction, profile: ProfileName) -> None:
    kind = AgencyKind.LAW_ENFORCEMENT if profile is ProfileName.LAW_ENFORCEMENT else AgencyKind.BUSINESS
    inserted(transaction, Kind.AGENCY, AGENCY, Agency(AGENCY, kind, "Harbour", "the chief", "chief@example.org"))
    declared = GalleryDeclaration(GALLERY, AGENCY, Source.ARREST_RECORD, LawfulBasis.STATUTE)
    inserted(transaction, Kind.GALLERY, GALLERY, declared)


def _uses(transaction: Transaction) -> list[str]:
    names: list[str] = []
    insert_published(transaction, published(terms_with().limits.threshold_floor_pct, NOW))
    for state, purpose in product(UseState, Purpose):
        # Rekognition's protocol has no word for the class of a search, so each use has one.
        terms: dict[str, Any] = {"purpose": purpose, "search_classes": frozenset({min(PURPOSE_CLASSES[purpose])})}
        if state is UseState.APPROVED:
            # One whose start has come is active, whether or not anybody has recorded it.
            terms["starts"] = NOW + timedelta(days=1)
        use = use_in(state, **terms)
        named = replace(use, id=UseId(_use_id(state, purpose)))
        inserted(transaction, Kind.USE, named.id, UseRecord(named, new_id()), state=named.state.value)
        names.append(named.id)
    return names


def _owners(transaction: Transaction) -> Iterator[tuple[str, PrincipalId, OwnerKind]]:
    trained = Training(CourseId("face-examination"), NOW.date() - timedelta(days=9), NOW.date() + timedelta(days=9))
    for role in Role:
        person = Person(
            PersonId(PrincipalId(new_id())), None if role in OUTSIDE else AGENCY, frozenset({role}), (trained,)
        )
        inserted(transaction, Kind.PERSON, person.id, PersonRecord(person, role.value))
        yield role.value, person.id, OwnerKind.PERSON
    program = Program(ProgramId(PrincipalId(new_id())), AGENCY, "a program")
    inserted(transaction, Kind.PROGRAM, program.id, program)
    yield "program", program.id, OwnerKind.PROGRAM


def _key(transaction: Transaction, number: int, owner: PrincipalId, kind: OwnerKind, use: str | None) -> IssuedKey:
    issued = IssuedKey(AccessKeyId(f"RCGZ{number:016}"), f"{number:040}")
    began = NOW - timedelta(days=1)
    secret = Secret(issued.secret.encode())
    transaction.add_access_key(issued.id, secret=secret, principal=owner, created=began)
    bound = None if use is None else UseId(use)
    inserted(transaction, Kind.KEY, issued.id, AccessKey(issued.id, kind, owner, began, bound_use=bound))
    return issued
