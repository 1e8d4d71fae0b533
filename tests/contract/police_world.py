"""An installation with the profile `law-enforcement`: an agency with its people, five overseers, and an active use.

Its history was made by the services themselves, with a clock that starts forty days ago, because a new purpose waits
for its public comment period. What is served runs on the system's clock.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from recognizance.config import Settings
from recognizance.documents import GalleryDeclaration
from recognizance.governance.oversight import Choice
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, CourseId, Person, Role, Training, UseId
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.terms import (
    UseTerms,
)
from recognizance.governing.access import IssuedKey
from recognizance.governing.installation import Governing, open_governing
from recognizance.governing.registration import at_the_machine, establish
from recognizance.identifiers import GalleryId
from recognizance.reviewing.leads import acted_on_in
from recognizance.reviewing.upkeep import withdraw_use
from recognizance.storage import new_id, open_recorder, open_records

from ..evidence import in_use, measured
from ..investigation import investigation_terms
from .rekognition_world import REGION, Server, running

ACCOUNT = "123456789012"
AGENCY = AgencyId("harbour-police")
ARRESTS = GalleryId("arrests")
COURSE = CourseId("face-examination")
USE = UseId("robberies")
SETTINGS = Settings(inference_threads=2, account=ACCOUNT)
BEGAN = datetime.now(UTC) - timedelta(days=40)
LIMIT_A_DAY = 40
FLOOR_PCT = 85.0


@dataclass(eq=False)  # each is its own, and so is a service that has it
class Clock:
    """A clock that a test moves."""

    now: datetime = BEGAN

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Police:
    """Who takes part, and their keys."""

    operator: Person
    untrained: Person
    lapsed: Person
    supervisor: Person
    overseers: list[Person]
    auditor: Person
    keys: dict[str, IssuedKey] = field(default_factory=dict)


@dataclass(frozen=True)
class Station:
    """A running police installation."""

    server: Server
    police: Police

    @property
    def governing(self) -> Governing:
        return self.server.service.governing

    def client(self, service: str, key: IssuedKey | None = None, token: str = "", **more: Any) -> Any:  # no types
        key = key or self.police.keys["operator"]
        return boto3.client(
            service,
            endpoint_url=self.server.endpoint,
            region_name=REGION,
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            aws_session_token=token or None,
            config=Config(retries={"total_max_attempts": 1}),
            **more,
        )

    def assume(self, *, use: str = USE, who: str = "operator", name: str = "case-7", **more: Any) -> dict[str, Any]:
        """Credentials of a session on a use."""
        answer = self.client("sts", self.police.keys[who]).assume_role(
            RoleArn=role_arn(use), RoleSessionName=name, **more
        )
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def rekognition(self, credentials: dict[str, Any]) -> Any:  # boto3 ships no types
        key = IssuedKey(credentials["AccessKeyId"], credentials["SecretAccessKey"])
        return self.client("rekognition", key, credentials["SessionToken"])


def role_arn(use: str = USE) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{use}"


def terms(*, searches_per_day: int = LIMIT_A_DAY, began: datetime = BEGAN, gallery: GalleryId = ARRESTS) -> UseTerms:
    """Terms that overseers approve."""
    return investigation_terms(
        agency=AGENCY,
        gallery=gallery,
        course=COURSE,
        proposed=began,
        starts=began,
        expires=began + timedelta(days=365),
        floor_pct=FLOOR_PCT,
        searches_per_day=searches_per_day,
    )


@contextmanager
def governed(data: Path, clock: Clock, *, profile: ProfileName = ProfileName.LAW_ENFORCEMENT) -> Iterator[Governing]:
    """The governing parts of an installation, without a server and on a clock of the test's own."""
    with (
        closing(open_records(data, SETTINGS)) as records,
        closing(open_recorder(data, SETTINGS, records, clock=clock)) as recorder,
    ):
        establish(records, recorder, profile, owner_name="an administrator", clock=clock, new_id=new_id)
        yield open_governing(
            data,
            records,
            recorder,
            clock=clock,
            new_id=new_id,
            random_bytes=os.urandom,
            ends_use=withdraw_use,
            acted_on=acted_on_in,
            running=in_use,
        )


def take_up(governing: Governing, *, began: datetime = BEGAN) -> Police:
    """Register the agency and everybody, and publish the evaluation that uses rely on."""
    root, registration = at_the_machine(), governing.registration
    registration.add_agency(
        Agency(AGENCY, AgencyKind.LAW_ENFORCEMENT, "Harbour Police", "The Chief", "desk@harbour.example"), by=root
    )
    registration.declare_gallery(
        GalleryDeclaration(ARRESTS, AGENCY, Source.ARREST_RECORD, LawfulBasis.STATUTE), by=root
    )

    def person(name: str, role: Role, agency: AgencyId | None = AGENCY) -> Person:
        return registration.add_person(name, agency=agency, roles=frozenset({role}), by=root)

    police = Police(
        operator=person("An Operator", Role.OPERATOR),
        untrained=person("A Beginner", Role.OPERATOR),
        lapsed=person("Long Ago", Role.OPERATOR),
        supervisor=person("A Supervisor", Role.SUPERVISOR),
        overseers=[person(f"Overseer {number}", Role.OVERSEER, None) for number in range(1, 6)],
        auditor=person("An Auditor", Role.AUDITOR, None),
    )
    completed = began - timedelta(days=1)
    governing.evaluations.publish(measured(FLOOR_PCT, completed), by=at_the_machine(police.auditor.id))
    training = Training(COURSE, date(2020, 1, 1), date(2099, 12, 31))
    registration.add_training(police.operator.id, training, certificate="nr. 1", by=root)
    lapsed = Training(COURSE, date(2020, 1, 1), date(2020, 12, 31))
    registration.add_training(police.lapsed.id, lapsed, certificate="nr. 2", by=root)
    for name, someone in (
        ("operator", police.operator),
        ("untrained", police.untrained),
        ("lapsed", police.lapsed),
        ("supervisor", police.supervisor),
        ("overseer", police.overseers[0]),
    ):
        police.keys[name] = registration.issue_key(someone.id, by=root)
    return police


def approve(governing: Governing, police: Police, clock: Clock, use: UseId = USE, **changes: Any) -> None:
    """Take a use from its proposal to its activation."""
    governing.uses.propose(use, terms(**changes), by=at_the_machine(police.supervisor.id))
    # Only a new purpose waits, but waiting does no harm.
    clock.now += timedelta(days=31)
    for overseer in police.overseers[:3]:
        governing.uses.vote(use, Choice.APPROVE, "read and weighed", by=at_the_machine(overseer.id))


@contextmanager
def station(data: Path) -> Iterator[Station]:
    """A running police installation with an active use and an empty gallery."""
    clock = Clock()
    with governed(data, clock) as governing:
        police = take_up(governing)
        approve(governing, police, clock)
        clock.now = datetime.now(UTC)
        approve_more(governing, police, clock)
    with running(data, SETTINGS) as server:
        server.client().create_collection(CollectionId=ARRESTS)
        yield Station(server, police)


def approve_more(governing: Governing, police: Police, clock: Clock) -> None:
    """A second use of the same purpose, which need not wait, with two searches a day."""
    governing.uses.propose(UseId("two-a-day"), terms(searches_per_day=2), by=at_the_machine(police.supervisor.id))
    for overseer in police.overseers[:3]:
        governing.uses.vote(UseId("two-a-day"), Choice.APPROVE, "read and weighed", by=at_the_machine(overseer.id))
    clock.now = datetime.now(UTC)
