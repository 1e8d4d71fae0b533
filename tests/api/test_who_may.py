"""Who may: every route refuses whoever hasn't signed in, and everybody whose role policy doesn't permit its act.

What is expected is `tests/denials.py`, which knows nothing of routes or policy files. Requests are complete and about
things that exist, so that nothing but who asks is wrong with them.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from recognizance.api import Who
from recognizance.cli.portraits import hopper_portrait

from ..conftest import jpeg
from ..denials import JUDGEMENT, PERMITTED
from ..review_world import AGENCY, CASE, GALLERY, USE
from .client import ROUTES
from .world import ROLES, ApiWorld

SHA = "ab" * 32


@dataclass(frozen=True)
class Sample:
    """A request that only the wrong caller is refused."""

    path: Mapping[str, str] = field(default_factory=dict[str, str])
    body: object = None


@pytest.fixture(scope="module")
def samples(api: ApiWorld) -> dict[str, Sample]:
    """One request for each route that not everybody may ask."""
    review, settled = api.under_review(), api.under_review()
    lead = _lead(api, settled)
    use, gallery = {"use": api.propose()}, {"gallery": GALLERY}
    body = {"kind": "access", "asker": "somebody", "statement": ""}
    request = {"request": api.client.done("open_request", api.keys["desk_officer"], body=body)["request"]}
    person, picture = {"person": "nobody"}, base64.b64encode(jpeg(hopper_portrait())).decode()
    names, subject = {"names": ["nobody"]}, gallery | {"subject": "x"}
    photographs = {"photographs": [{"name": "x.jpg", "subject": "x", "picture": picture}]}
    report = {"report": "x", "agency": AGENCY, "sha256": SHA}
    elements = ("processes", "period_and_frequency", "people_affected", "risks", "oversight", "measures")
    deployed = dict.fromkeys(("operator", "accountable_person", "contact", "legal_basis"), "x")
    given: dict[str, Any] = {
        "show_who": Sample(),
        "publish_deployment": Sample({}, deployed | {"purposes": ["control_access"]}),
        "publish_body": Sample({}, {"name": "x"}),
        "publish_member": Sample({}, {"name": "x"}),
        "publish_report": Sample({}, report | {"kind": "yearly"}),
        "publish_audit": Sample({}, report),
        "publish_rights_impact": Sample({}, {"report": "x", "agency": AGENCY} | dict.fromkeys(elements, "x")),
        "publish_sharing": Sample({}, {"agency": AGENCY, "recipient": "x", "data": "x", "standard": "x"}),
        "publish_lead_figures": Sample({}, {"agency": AGENCY, "year": 2020, "dimension": "sex", "counts": {"x": 1}}),
        "report_incident": Sample(
            {}, {"occurrence": "error", "discovered": "2026-01-01T00:00:00Z", "statement": "x", "agency": AGENCY}
        ),
        "publish_evaluation": Sample({}, {"result": "{}"}),
        "submit_finding": Sample({}, {"statement": "x"}),
        "mitigate_finding": Sample({"finding": "x"}, {"statement": "x"}),
        "list_incidents": Sample(),
        "receive_incident": Sample({"incident": "x"}, {"statement": "x"}),
        "add_agency": Sample(
            {}, {"agency": "x", "kind": "business", "name": "x", "accountable_person": "x", "contact": "x"}
        ),
        "set_agency_standing": Sample({"agency": AGENCY}, {"standing": "suspended", "reason": "x"}),
        "list_people": Sample(),
        "add_person": Sample({}, {"name": "x", "roles": ["administrator"]}),
        "set_person_standing": Sample(person, {"standing": "active"}),
        "add_training": Sample(
            person, {"course": "x", "completed": "2026-01-01", "expires": "2099-01-01", "certificate": "x"}
        ),
        "list_programs": Sample(),
        "add_program": Sample({}, {"name": "x", "agency": AGENCY}),
        "list_keys": Sample(),
        "issue_key": Sample({}, {"owner": "nobody"}),
        "set_key_standing": Sample({"key": api.keys["first"].id}, {"active": False}),
        "delete_key": Sample({"key": api.keys["first"].id}),
        "propose_use": Sample({}, {"use": "x", "terms": api.terms()}),
        "vote_on_use": Sample(use, {"choice": "approve", "reasons": "x"}),
        "suspend_use": Sample({"use": USE}, {"reasons": "x"}),
        "withdraw_use": Sample(use),
        "declare_emergency": Sample(use, {"grounds": "x"}),
        "sweep_uses": Sample(),
        "propose_change": Sample({}, {"summary": "x", "max_fpir": 0.5}),
        "vote_on_change": Sample({"change": "x"}, {"choice": "approve", "reasons": "x"}),
        "declare_gallery": Sample({"gallery": "x"}, {"agency": AGENCY, "source": "arrest_record", "basis": "statute"}),
        "show_gallery": Sample(gallery),
        "list_marks": Sample(gallery),
        "add_mark": Sample(gallery, {"face": "x", "reasons": "x", "case": "x"}),
        "lift_mark": Sample(gallery | {"mark": "x"}, {"reasons": "x"}),
        "erase": Sample(gallery, {"faces": ["x"]}),
        "merge_subjects": Sample(subject, {"into": "y", "use": USE}),
        "split_subject": Sample(subject, {"faces": ["x"], "into": "y", "use": USE}),
        "look_for_duplicates": Sample(subject, {"use": USE}),
        "list_duplicates": Sample(gallery),
        "show_duplicate": Sample(gallery | {"pair": "x"}),
        "tell_apart": Sample(gallery | {"pair": "x"}, {"reasons": "x"}),
        "begin_import": Sample(gallery, photographs | {"use": USE}),
        "go_on_with_import": Sample(gallery | {"job": "x"}, photographs),
        "list_imports": Sample(gallery),
        "show_import": Sample(gallery | {"job": "x"}),
        "list_rejects": Sample(gallery | {"job": "x"}),
        "set_schedule": Sample(gallery, {}),
        "list_due": Sample(gallery),
        "hold": Sample(gallery | {"holding": "x"}, {"order_sha256": SHA, "until": "2099-01-01"}),
        "list_holds": Sample(),
        "run_retention": Sample(),
        "edit_probe": Sample({}, {"picture": picture, "kind": "rotate", "parameters": "90", "use": USE, "case": CASE}),
        "show_version": Sample({"edit": "x", "version": "before"}),
        "list_reviews": Sample(),
        "show_review": Sample({"review": review}),
        "claim_review": Sample({"review": review}),
        "release_review": Sample({"review": review}),
        "show_probe": Sample({"review": review}),
        "show_candidate": Sample({"review": review, "face": "x"}),
        "answer_review": Sample({"review": review}, {"findings": []}),
        "show_progress": Sample({"review": review}),
        "list_leads": Sample(),
        "show_lead": Sample({"lead": lead}),
        "attest_evidence": Sample({"lead": lead}, {"kind": "document", "description": "x", "document_sha256": SHA}),
        "export_lead": Sample({"lead": lead}),
        "hide_comment": Sample({"use": USE, "comment": "x"}, {"reason": "x"}),
        "show_comment": Sample({"use": USE, "comment": "x"}, {"reason": "x"}),
        "show_request_photograph": Sample(request),
        "conclude_lead": Sample({"lead": lead}, {"kind": "acted_on", "statement": "x"}),
        "disclose": Sample({}, {"case": CASE, "recipient_kind": "court", "recipient": "x"}),
        "open_request": Sample({}, body),
        "list_requests": Sample(),
        "show_request": Sample(request),
        "step_request": Sample(request, {"event": "verify"}),
        "extend_request": Sample(request, {"reason": "x"}),
        "look_up_names": Sample(request, names),
        "look_up_photograph": Sample(request, {"photograph": picture}),
        "export_held": Sample(request, names),
        "erase_held": Sample(request, names),
        "correct_held": Sample(request, {"gallery": GALLERY, "face": "x"}),
    }
    return given


def test_no_route_is_left_out(samples: dict[str, Sample]) -> None:
    """Whatever is not for everybody is in the matrix."""
    assert set(samples) == {name for name, route in ROUTES.items() if route.who is not Who.ANYBODY}


def test_nobody_is_refused_everywhere(api: ApiWorld, samples: dict[str, Sample]) -> None:
    """Without credentials each route answers 401, and says how to sign in."""
    answers = {name: api.client.ask(name, path=each.path, body=each.body) for name, each in samples.items()}

    assert {answer.status_code for answer in answers.values()} == {401}
    assert all(answer.headers["www-authenticate"].startswith("Basic") for answer in answers.values())


def test_every_wrong_role_is_refused_everywhere(api: ApiWorld, samples: dict[str, Sample]) -> None:
    """Route × role: where policy doesn't permit the act the answer is 403, or 404 where a route hides what is there."""
    wrong: list[tuple[str, str, int]] = []
    unexplained: list[tuple[str, str]] = []
    asked = 0
    for name, sample in samples.items():
        route = ROUTES[name]
        if route.act is None:
            continue
        for role, key in ROLES.items():
            if (route.act.value, role) in PERMITTED:
                continue
            answer = api.client.ask(name, api.keys[key], path=sample.path, body=sample.body)
            asked += 1
            if answer.status_code not in ({403, 404} if route.hides else {403}):
                wrong.append((name, role, answer.status_code))
            elif answer.status_code == 403 and not _is_explained(answer.json()):
                unexplained.append((name, role))

    assert asked > 200
    assert wrong == []
    assert unexplained == []


def test_a_program_judges_nothing(api: ApiWorld, samples: dict[str, Sample]) -> None:
    """Acts that need judgement are refused to a program's key, whatever its agency."""
    judged = {name: each for name, each in samples.items() if (act := ROUTES[name].act) and act.value in JUDGEMENT}
    answers = {
        name: api.client.ask(name, api.keys["program"], path=each.path, body=each.body) for name, each in judged.items()
    }

    assert len(judged) > 30
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code not in {403, 404}} == {}
    assert {name for name, answer in answers.items() if answer.status_code == 404} <= {
        name for name, route in ROUTES.items() if route.hides
    }


@pytest.mark.parametrize("name", ["show_progress", "show_lead"])
def test_what_is_not_ones_own_is_not_there(api: ApiWorld, samples: dict[str, Sample], name: str) -> None:
    """A search's progress and its lead are for whoever searched, and for supervisors of their agency."""
    path = samples[name].path
    seen = {who: api.client.ask(name, key, path=path).status_code for who, key in api.keys.items()}

    assert {who for who, status in seen.items() if status == 200} == {"searcher", "supervisor"}
    assert set(seen.values()) <= {200, 403, 404}


def _is_explained(problem: Any) -> bool:
    return bool(problem["missing"] and problem["who_can_grant"] and problem["decision_id"])


def _lead(api: ApiWorld, review: str) -> str:
    """Have a review settled; answers its lead."""
    where = {"review": review}
    for name in ("first", "second"):
        api.client.done("claim_review", api.keys[name], path=where)
        shown = api.client.done("show_review", api.keys[name], path=where)
        found = [
            {"face": each["face"], "outcome": "same_person", "observations": ["nose"]} for each in shown["candidates"]
        ]
        api.client.done("answer_review", api.keys[name], path=where, body={"findings": found})
    leads = api.client.done("list_leads", api.keys["supervisor"], query={"page_size": "200"})["leads"]
    return next(str(each["lead"]) for each in leads if each["review"] == review)
