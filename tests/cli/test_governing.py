"""The commands that govern: from `init` to an active use, and who is refused what."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from recognizance.governance.codec import write_document
from recognizance.governance.oversight import Sha256Hex

from ..contract.police_world import AGENCY, ARRESTS, COURSE, USE, Clock, governed, take_up, terms
from ..evidence import REFERENCE
from .test_commands import Run, run, server

__all__ = ["run"]  # the fixture


def said(run: Run, *words: object) -> dict[str, Any]:
    """What a command prints for programs; fails the test if it fails."""
    done = run(*words, "--json")
    assert done.status == 0, done.err
    answer: dict[str, Any] = done.json
    return answer


@pytest.mark.slow
def test_a_police_installation_is_set_up_by_commands(run: Run, tmp_path: Path) -> None:
    """Parties, a gallery, a proposal, comments and a refused vote; then the server starts and knows the keys."""
    said(run, "init", "--profile", "law-enforcement", "--owner", "Ada")
    said(
        run, "agency", "add", AGENCY, "--kind", "law_enforcement", "--name", "Harbour Police",
        "--accountable-person", "The Chief", "--contact", "desk@harbour.example",
    )  # fmt: skip
    supervisor = said(run, "person", "add", "Sam", "--role", "supervisor", "--agency", AGENCY)["person"]
    operator = said(run, "person", "add", "Olga", "--role", "operator", "--agency", AGENCY)["person"]
    overseers = [said(run, "person", "add", f"Otto {i}", "--role", "overseer")["person"] for i in range(3)]
    said(
        run, "training", "add", operator, "--course", COURSE, "--completed", "2026-01-01", "--expires", "2099-01-01",
        "--certificate", "4711",
    )  # fmt: skip
    said(run, "gallery", "declare", ARRESTS, "--agency", AGENCY, "--source", "arrest_record", "--basis", "statute")
    written = tmp_path / "terms.json"
    written.write_bytes(write_document(terms()))
    refused = run("use", "propose", USE, written)
    proposed = said(run, "use", "propose", USE, written, "--as", supervisor)
    said(run, "use", "comment", USE, "Please publish the error rates.")
    early = run("vote", USE, "approve", "--reasons", "weighed", "--as", overseers[0])
    shown = said(run, "use", "show", USE)
    key = said(run, "person", "key", operator)
    people = said(run, "person", "list")["people"]
    with server(tmp_path / "data") as (ready, _):
        sts = boto3.client(
            "sts",
            endpoint_url=ready["endpoint"],
            region_name=ready["region"],
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
        )
        identity = sts.get_caller_identity()["UserId"]

    assert (refused.status, "the role supervisor" in refused.err) == (2, True)
    until = datetime.fromisoformat(proposed["comments_until"])
    assert proposed["state"] == "proposed"
    assert until - datetime.now(UTC) > timedelta(days=29)
    assert (early.status, f"comments are open until {until:%Y-%m-%d %H:%M} UTC" in early.err) == (2, True)
    assert [comment["statement"] for comment in shown["comments"]] == ["Please publish the error rates."]
    assert {person["name"] for person in people} == {"Ada", "Sam", "Olga", "Otto 0", "Otto 1", "Otto 2"}
    assert identity == operator


def test_whoever_proposes_or_declares_learns_at_once_that_every_search_would_be_refused(
    run: Run, tmp_path: Path
) -> None:
    """An evaluation that nobody published opens nothing, not even an emergency; one that fits gives no warning."""
    with governed(tmp_path / "data", Clock()) as governing:
        supervisor = take_up(governing).supervisor.id
    written = tmp_path / "terms.json"
    unpublished = replace(REFERENCE, report_sha256=Sha256Hex("0f" * 32))
    written.write_bytes(write_document(replace(terms(), evaluation=unpublished)))
    proposed = run("use", "propose", "unmeasured", written, "--as", supervisor)
    declared = run("use", "emergency", "unmeasured", "--grounds", "a child was taken", "--as", supervisor)
    written.write_bytes(write_document(terms()))
    fitting = run("use", "propose", USE, written, "--as", supervisor)

    warning = f"every search is refused: no evaluation with the commitment {'0f' * 32} is published"
    assert [done.status for done in (proposed, declared, fitting)] == [0, 0, 0]
    assert warning in proposed.err
    assert warning in declared.err
    assert "comments are open until" in fitting.out
    assert fitting.err == ""


def test_a_profile_that_does_not_exist_or_comes_too_late_is_refused(run: Run) -> None:
    """The choices are named, and the first one stays."""
    unknown = run("init", "--profile", "police")
    said(run, "init", "--profile", "organisation")
    late = run("init", "--profile", "private")

    assert (unknown.status, "private, organisation, law-enforcement" in unknown.err) == (2, True)
    assert (late.status, "can't be changed" in late.err) == (2, True)


@pytest.mark.parametrize("change", [{"surprise": 1}, {"starts": "tomorrow"}])
def test_terms_that_are_none_are_refused_by_field(run: Run, tmp_path: Path, change: dict[str, object]) -> None:
    """With the name of the file and of the field."""
    said(run, "init", "--profile", "organisation")
    written = tmp_path / "terms.json"
    written.write_text(json.dumps(json.loads(write_document(terms())) | change))
    done = run("use", "propose", USE, written)

    assert done.status == 2
    assert next(iter(change)) in done.err
