"""An agency that reviews, as in `review_world`, behind its API: somebody in every role, and a key for each."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from recognizance.app import http_app
from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.documents import Kind, PersonRecord, UseRecord, stored
from recognizance.faces import Calibration, FaceReader
from recognizance.governance.codec import write_document
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.governing.access import IssuedKey
from recognizance.governing.registration import at_the_machine

from ..review_world import AGENCY, FIRST, NOW, SEARCHER, SECOND, SUPERVISOR, THIRD, USE, World, person_id, review_world
from .client import Client

OFFICER, SECOND_OFFICER = person_id("desk officer"), person_id("second desk officer")
ADMINISTRATOR, AUDITOR, TESTER = person_id("administrator"), person_id("auditor"), person_id("tester")
OVERSEERS = tuple(person_id(f"a voting overseer {number}") for number in range(1, 6))
PEOPLE: tuple[tuple[str, PersonId, Role, AgencyId | None], ...] = (
    ("desk_officer", OFFICER, Role.DESK_OFFICER, AGENCY),
    ("second_officer", SECOND_OFFICER, Role.DESK_OFFICER, AGENCY),
    ("administrator", ADMINISTRATOR, Role.ADMINISTRATOR, None),
    ("auditor", AUDITOR, Role.AUDITOR, None),
    ("tester", TESTER, Role.TESTER, None),
    *((f"overseer{number}", each, Role.OVERSEER, None) for number, each in enumerate(OVERSEERS, 1)),
)
ROLES: dict[str, str] = {
    "operator": "operator",
    "examiner": "first",
    "supervisor": "supervisor",
    "overseer": "overseer1",
    "desk_officer": "desk_officer",
    "administrator": "administrator",
    "auditor": "auditor",
    "tester": "tester",
}
"""For each role the key of somebody who has it and no other."""


@dataclass
class ApiWorld:
    """The installation, and keys by name."""

    world: World
    client: Client
    keys: dict[str, IssuedKey]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def terms(self) -> dict[str, Any]:
        """Terms of a use as JSON: those of the use in force."""
        with self.world.service.records.reading() as reader:
            record = stored(reader, Kind.USE, USE, UseRecord).value
        terms: dict[str, Any] = json.loads(write_document(record.use.terms))
        return terms

    def propose(self, name: str = "proposal") -> str:
        """A fresh proposal of a new purpose."""
        use = f"{name}-{next(self.numbers)}"
        terms = self.terms() | {"gallery": f"gallery-of-{use.replace('/', '-')}"}
        self.client.done("propose_use", self.keys["supervisor"], body={"use": use, "terms": terms})
        return use

    def in_force(self) -> str:
        """A fresh use that has its approvals and is active."""
        use, clock = self.propose(), self.world.clock
        clock.now += timedelta(days=31)
        try:
            for number in (1, 2, 3):
                ballot = {"choice": "approve", "reasons": "read and weighed"}
                self.client.done("vote_on_use", self.keys[f"overseer{number}"], path={"use": use}, body=ballot)
        finally:
            clock.now -= timedelta(days=31)
        return use

    def under_review(self, picture: Image.Image | None = None) -> str:
        """A review of a fresh search, which nobody has taken on."""
        case = f"24-{next(self.numbers):05}"
        found = self.world.search(picture or collins_portrait(), case=case).found
        assert found is not None
        assert found.review is not None
        return str(found.review.review)


@contextmanager
def api_world(data: Path, faces: tuple[FaceReader, Calibration], *, now: datetime = NOW) -> Iterator[ApiWorld]:
    """A law-enforcement installation in `data`, with two people enrolled, all of it in force at `now`."""
    with review_world(data, faces, now=now) as world:
        for _, person, role, agency in PEOPLE:
            world.add_person(Person(person, agency, frozenset({role})))
        operator = person_id("operator and nothing else")
        with world.service.records.reading() as reader:
            trained = stored(reader, Kind.PERSON, SEARCHER, PersonRecord).value.person.trainings
        world.add_person(Person(operator, AGENCY, frozenset({Role.OPERATOR}), trained))
        registration, root = world.service.governing.registration, at_the_machine()
        program = registration.add_program("a program", agency=AGENCY, by=root)
        owners = {
            "searcher": SEARCHER,
            "operator": operator,
            "supervisor": SUPERVISOR,
            "first": FIRST,
            "second": SECOND,
            "third": THIRD,
            "program": program.id,
            **{name: person for name, person, _, _ in PEOPLE},
        }
        keys = {name: registration.issue_key(owner, by=root) for name, owner in owners.items()}
        world.enrol("collins.jpg", collins_portrait())
        world.enrol("hopper.jpg", hopper_portrait())
        client = Client(http_app(world.service))
        try:
            yield ApiWorld(world, client, keys)
        finally:
            client.close()
