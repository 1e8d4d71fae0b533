"""An installation without a server, for tests of who gets in: accounts, their news, and a clock that stands still."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from recognizance.governance.gate import nothing_runs
from recognizance.governance.parties import PersonId, Role
from recognizance.governance.profiles import ProfileName
from recognizance.governing import one_time
from recognizance.governing.account_documents import Stage
from recognizance.governing.entrance import Entrance, open_entrance
from recognizance.governing.installation import Governing, open_governing
from recognizance.governing.passwords import cheap_hasher
from recognizance.governing.registration import at_the_machine, establish
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.reviewing.leads import acted_on_in
from recognizance.reviewing.upkeep import withdraw_use
from recognizance.storage import new_id, open_recorder, open_records

from ..contract.police_world import SETTINGS, Clock

ROOT = at_the_machine()
PASSWORD = "seven herons counted slowly"
HERE = "192.0.2.1"


@dataclass
class World:
    governing: Governing
    entrance: Entrance
    records: Records
    recorder: Recorder
    clock: Clock

    def person(self, role: Role = Role.OVERSEER) -> PersonId:
        return self.governing.registration.add_person("Somebody", agency=None, roles=frozenset({role}), by=ROOT).id

    def account(self, login: str = "a@example.org") -> PersonId:
        """Somebody with a password and nothing else."""
        person = self.person()
        invitation = self.entrance.accounts.invite(person, login, by=ROOT)
        self.entrance.accounts.accept(invitation.token, PASSWORD)
        return person

    def enter(self, login: str = "a@example.org", password: str = PASSWORD) -> tuple[str, Stage]:
        opened = self.entrance.sign_in.with_password(login, password, address=HERE, device="a browser")
        return opened.token, opened.stage

    def with_app(self, token: str) -> tuple[str, bytes, tuple[str, ...]]:
        """Set an authenticator app up; the token that follows, its secret, and recovery codes."""
        secret = self.entrance.sign_in.begin_authenticator(token)
        opened, codes = self.entrance.sign_in.confirm_authenticator(token, self.code(secret))
        return opened.token, secret, codes

    def code(self, secret: bytes) -> str:
        return one_time.hotp(secret, one_time.step_at(self.clock.now))


def opened(data: Path, profile: ProfileName, *, sends: bool = False) -> Iterator[World]:
    clock = Clock()
    with (
        closing(open_records(data, SETTINGS)) as records,
        closing(open_recorder(data, SETTINGS, records, clock=clock)) as recorder,
    ):
        establish(records, recorder, profile, owner_name="an administrator", clock=clock, new_id=new_id)
        governing = open_governing(
            data,
            records,
            recorder,
            clock=clock,
            new_id=new_id,
            random_bytes=os.urandom,
            ends_use=withdraw_use,
            running=nothing_runs,
            acted_on=acted_on_in,
            sends=sends,
        )
        entrance = open_entrance(
            records,
            recorder,
            governing.gate,
            governing.installation,
            clock=clock,
            random_bytes=os.urandom,
            sends=sends,
            hasher=cheap_hasher(),
        )
        yield World(governing, entrance, records, recorder, clock)
