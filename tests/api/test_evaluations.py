"""Publishing an evaluation over HTTP: readers find what the command would have given them, and nothing else."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest

from recognizance.evaluation import results as r
from recognizance.evaluation.results import commitment, write_evaluation

from ..evaluation.result_world import DECISION, set_aside
from ..evaluation.test_publication import result
from .world import ApiWorld


def with_labels_set_aside(api: ApiWorld, name: str, decision: bytes = DECISION) -> r.Evaluation:
    """A result whose conclusions leave out what a decision names."""
    return set_aside(result(evaluation=name, completed=api.world.clock.now - timedelta(days=1)), decision)


def page(api: ApiWorld, path: str) -> httpx.Response:
    """A public page, once the ledger's public files have what was promised."""
    api.world.entries()
    return api.client.raw("GET", f"/evaluations/{path}")


def test_what_is_published_over_http_is_shown_with_the_decision_that_set_labels_aside(api: ApiWorld) -> None:
    """Report, result and decision, each with the hash that the record leads to; gallery and end are said in words."""
    made = with_labels_set_aside(api, "lab-http")
    body = {"result": write_evaluation(made).decode(), "decision": DECISION.decode()}

    published = api.client.done("publish_evaluation", api.keys["auditor"], body=body)

    shown, report = page(api, "lab-http"), page(api, "lab-http/files/report.html")
    document = page(api, "lab-http/files/result.json").content
    downloaded = page(api, "lab-http/files/decision.csv")
    decision = downloaded.content
    named = json.loads(document)["exclusions"]["decision_digest"]
    assert sha256(document).hexdigest() == published["report_sha256"]
    assert "/evaluations/lab-http/files/report.html" in shown.text
    assert "2,000 faces. In a larger gallery it errs more often" in shown.text
    assert "Counts until" in shown.text
    assert named in shown.text
    assert downloaded.headers["Content-Disposition"] == 'attachment; filename="decision.csv"'
    assert (report.status_code, report.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    # As the page says that anybody can check it: (echo DATA; cat decision.csv) | sha256sum
    assert sha256(made.data.commitment.encode() + b"\n" + decision).hexdigest() == named


def test_a_decision_that_is_not_published_is_named_all_the_same(api: ApiWorld) -> None:
    """It names people, so its publisher may keep it; its hash is on the page."""
    made = with_labels_set_aside(api, "lab-silent", DECISION.replace(b"Doc_Rivers", b"D_Rivers"))
    api.client.done("publish_evaluation", api.keys["auditor"], body={"result": write_evaluation(made).decode()})

    shown = page(api, "lab-silent").text
    assert made.exclusions is not None
    assert made.exclusions.decision_digest in shown
    assert "was not published" in shown
    assert page(api, "lab-silent/files/decision.csv").status_code == 404


@pytest.mark.parametrize("aside", [True, False], ids=["another decision", "no label was set aside"])
def test_a_decision_that_the_result_does_not_name_publishes_nothing(api: ApiWorld, aside: bool) -> None:
    """Neither the evaluation nor the file."""
    made = with_labels_set_aside(api, "lab-refused")
    if not aside:
        made = replace(made, exclusions=None, without_excluded=None)
    body = {"result": write_evaluation(made).decode(), "decision": DECISION.decode() + "\n"}

    refused = api.client.ask("publish_evaluation", api.keys["auditor"], body=body)

    listed = api.client.done("list_evaluations", query={"page_size": "200"})["evaluations"]
    assert refused.status_code == 422
    assert "decision" in refused.json()["detail"]
    assert commitment(made) not in {each["report_sha256"] for each in listed}
    assert page(api, "lab-refused").status_code == 404
