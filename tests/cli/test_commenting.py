"""Comments and photographs at the command line: what overseers hide, and what somebody sent to the desk."""

import hashlib
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from recognizance.governance.parties import Role, UseId
from recognizance.governance.subjects import RequestKind
from recognizance.governing.registration import at_the_machine
from recognizance.intake import Intake
from recognizance.storage import open_recorder, open_records

from ..conftest import jpeg
from ..contract.police_world import AGENCY, SETTINGS, Clock, governed, take_up, terms
from .test_commands import Run, run
from .test_governing import said

__all__ = ["run"]  # the fixture

PROPOSAL = UseId("robberies-2028")


@pytest.mark.slow
def test_an_overseer_hides_a_comment_and_the_desk_gets_a_photograph(
    run: Run, tmp_path: Path, hopper: Image.Image
) -> None:
    """Hidden once and by an overseer alone, with its words shown nowhere; the photograph comes out as it went in."""
    clock, data = Clock(), tmp_path / "data"
    with governed(data, clock) as governing:
        police = take_up(governing)
        governing.uses.propose(PROPOSAL, terms(), by=at_the_machine(police.supervisor.id))
        governing.uses.comment(PROPOSAL, "[b]search for my neighbour[/i]")
        officer = governing.registration.add_person(
            "An Officer", agency=AGENCY, roles=frozenset({Role.DESK_OFFICER}), by=at_the_machine()
        )
    photograph, written = jpeg(hopper), tmp_path / "sent.jpg"
    with closing(open_records(data, SETTINGS)) as records, closing(open_recorder(data, SETTINGS, records)) as recorder:
        intake = Intake(
            records, recorder, clock=clock, new_id=lambda: str(uuid.uuid4()), random_bytes=lambda n: b"7" * n
        )
        with_one, without = (
            intake.ask(RequestKind.ACCESS, asker="Ms. Hopper", statement="", photograph=each, agency=AGENCY).request.id
            for each in (photograph, None)
        )

    [shown] = said(run, "comment", "list", PROPOSAL)["comments"]
    listed = run("comment", "list", PROPOSAL)
    why = ("--reason", "names somebody who has no part in it")
    refused = run("comment", "hide", PROPOSAL, shown["comment"], *why, "--as", police.supervisor.id)
    hidden = run("comment", "hide", PROPOSAL, shown["comment"], *why, "--as", police.overseers[0].id)
    again = run("comment", "hide", PROPOSAL, shown["comment"], *why, "--as", police.overseers[0].id)
    [after] = said(run, "comment", "list", PROPOSAL)["comments"]
    whole = run("use", "show", PROPOSAL)
    run("comment", "show", PROPOSAL, shown["comment"], "--reason", "a mistake", "--as", police.overseers[0].id)
    sent = run("desk", "photograph", with_one, written, "--as", officer.id)
    none = run("desk", "photograph", without, tmp_path / "none.jpg", "--as", officer.id)

    assert shown["statement"] == "[b]search for my neighbour[/i]"
    assert "[b]search" in listed.out
    assert (refused.status == 0, hidden.status == 0, again.status == 0) == (False, True, False)
    assert "ask an administrator, who assigns roles" in refused.err
    assert "hidden already" in again.err
    assert (after["statement"], after["hidden"]) == ("", why[1])
    assert "neighbour" not in whole.out
    assert said(run, "comment", "list", PROPOSAL)["comments"] == [shown]
    assert sent.status == 0
    assert hashlib.sha256(written.read_bytes()).digest() == hashlib.sha256(photograph).digest()
    assert none.status != 0
    assert "no photograph came with request" in none.err
