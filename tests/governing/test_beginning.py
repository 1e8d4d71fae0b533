"""How strict an installation is: assumed by a first start, chosen once while nothing has begun, and then for good."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from recognizance.documents import installation_of
from recognizance.errors import ConflictError
from recognizance.governance.gate import nothing_runs
from recognizance.governance.parties import Role
from recognizance.governance.profiles import ProfileName
from recognizance.governing.beginning import choose_profile, is_open_to_choice
from recognizance.governing.installation import Governing, open_governing
from recognizance.governing.registration import at_the_machine, establish
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.reviewing.leads import acted_on_in
from recognizance.reviewing.upkeep import withdraw_use
from recognizance.storage import new_id, open_recorder, open_records

from ..contract.police_world import SETTINGS, Clock


class Machine:
    """Records and ledger in a folder, and what opens the governing parts on them."""

    def __init__(self, data: Path, stack: ExitStack) -> None:
        self.data, self.clock = data, Clock()
        self.records: Records = stack.enter_context(closing(open_records(data, SETTINGS)))
        recorder = open_recorder(data, SETTINGS, self.records, clock=self.clock)
        self.recorder: Recorder = stack.enter_context(closing(recorder))

    def governing(self) -> Governing:
        return open_governing(
            self.data, self.records, self.recorder, clock=self.clock, new_id=new_id, random_bytes=os.urandom,
            ends_use=withdraw_use, acted_on=acted_on_in, running=nothing_runs,
        )  # fmt: skip

    def choose(self, profile: ProfileName) -> None:
        choose_profile(self.recorder, profile, owner_name="Ada", clock=self.clock)

    def is_open(self) -> bool:
        with self.records.reading() as reader:
            return is_open_to_choice(reader)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        yield Machine(tmp_path, stack)


def test_what_was_assumed_can_be_chosen_once(machine: Machine) -> None:
    """The owner stays who they are, and becomes an administrator who can approve nothing alone."""
    before = machine.governing().installation
    assert machine.is_open()
    machine.choose(ProfileName.LAW_ENFORCEMENT)
    after = machine.governing()
    assert after.profile.name is ProfileName.LAW_ENFORCEMENT
    assert after.installation.owner == before.owner
    assert after.installation.agency is None
    known = {each.person.id: each.person.roles for each, *_ in after.registration.people()}
    assert known == {before.owner: frozenset({Role.ADMINISTRATOR})}
    assert not machine.is_open()
    for profile in ProfileName:
        with pytest.raises(ConflictError):
            machine.choose(profile)


def test_the_same_profile_can_be_chosen_for_good(machine: Machine) -> None:
    machine.governing()
    machine.choose(ProfileName.PRIVATE)
    assert machine.governing().profile.name is ProfileName.PRIVATE
    with pytest.raises(ConflictError):
        machine.choose(ProfileName.LAW_ENFORCEMENT)


def test_what_init_chose_stays(machine: Machine) -> None:
    """Private too: whoever typed it meant it."""
    establish(machine.records, machine.recorder, ProfileName.PRIVATE, owner_name="", clock=machine.clock, new_id=new_id)
    assert not machine.is_open()
    with pytest.raises(ConflictError):
        machine.choose(ProfileName.ORGANISATION)


def test_nothing_is_chosen_once_something_has_begun(machine: Machine) -> None:
    """Somebody who was registered relies on the rules as they were then."""
    machine.governing().registration.add_person(
        "Bo", agency=None, roles=frozenset({Role.OVERSEER}), by=at_the_machine()
    )
    assert not machine.is_open()
    with pytest.raises(ConflictError):
        machine.choose(ProfileName.ORGANISATION)
    with machine.records.reading() as reader:
        known = installation_of(reader)
    assert known is not None
    assert known.profile is ProfileName.PRIVATE
