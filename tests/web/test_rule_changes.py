"""Changes of the rule for thresholds through the pages: proposed by upload, read by all, voted on by overseers."""

import re

import httpx
import pytest

from recognizance.governance.oversight import ChangeState, Choice
from recognizance.governing.registration import at_the_machine
from recognizance.governing.stated_rules import asked_rule
from recognizance.governing.thresholds import ProposedRule

from ..review_world import OVERSEERS, SEARCHER, SUPERVISOR
from .reading import reading
from .world import ADMINISTRATOR, DESKTOP, PHONE, Browsers, Scheme, Web, assert_accessible, look


def proposed(web: Web, *, max_fpir: float = 0.001, summary: str = "fewer false candidates") -> ProposedRule:
    """A change of the bound, by an administrator."""
    thresholds = web.service.governing.thresholds
    known = thresholds.in_force()
    assert known is not None
    present = thresholds.stated(known.rule.sha256)
    assert present is not None
    asked = asked_rule(present, table=None, max_fpir=max_fpir)
    return thresholds.propose(asked, summary, by=at_the_machine(ADMINISTRATOR))


def table_of(web: Web) -> str:
    known = web.service.governing.thresholds.in_force()
    assert known is not None
    return httpx.get(f"{web.url}/changes/rules/{known.rule.sha256}").text


def test_a_table_is_proposed_by_upload_and_read_by_everybody(web: Web) -> None:
    """The file that is downloaded can be uploaded; what it changes stands on a page that needs no account."""
    lower = table_of(web).replace('"pairs": ', '"pairs": 1')
    files = {"table": ("table.json", lower.encode(), "application/json")}
    sent = reading(web, ADMINISTRATOR).post("/changes/propose", summary="counted <anew>", files=files)
    page = httpx.get(f"{web.url}{sent.headers['location']}").text

    assert sent.is_redirect
    assert "counted &lt;anew&gt;" in page
    assert "another one" in page
    assert page.count("in a gallery of") == 3
    assert "counted &lt;anew&gt;" in httpx.get(f"{web.url}/changes").text


@pytest.mark.parametrize(
    ("fields", "upload", "said"),
    [
        ({"summary": "so"}, b"", "This is the rule in force."),
        ({"summary": "so", "max_fpir_pct": "0"}, b"", "No search can promise that."),
        ({"summary": "so", "max_fpir_pct": "-1"}, b"", "not a percentage in the range"),
        ({"summary": " ", "max_fpir_pct": "0.5"}, b"", "empty."),
        ({"summary": "so"}, b'{"knots": []}', "This is no table"),
        ({"summary": "so"}, b"\xff\xd8\xff", "This is no table"),
    ],
)
def test_a_proposal_that_isnt_sound_says_where(web: Web, fields: dict[str, str], upload: bytes, said: str) -> None:
    """Each mistake stands beside its field, and nothing is proposed."""
    before = len(web.service.governing.thresholds.list())
    files = {"table": ("table.json", upload, "application/json")} if upload else None
    answer = reading(web, ADMINISTRATOR).post("/changes/propose", files=files, **fields)

    assert answer.status_code == 422
    assert said in answer.text
    assert len(web.service.governing.thresholds.list()) == before


def test_overseers_vote_on_the_rule_that_they_read(web: Web) -> None:
    """Reasons are asked for, another rule isn't counted, and the third approval decides; every vote is public."""
    change = proposed(web, summary="voted on by page").change.id
    overseer, path = reading(web, OVERSEERS[0]), f"/changes/{change}/vote"
    assert f"/changes/{change}" in overseer.get("/oversight").text
    matter = re.search(r'name="matter" value="(\w+)"', overseer.get(path).text)
    assert matter is not None
    form = {"choice": "approve", "reasons": "weighed with care", "matter": matter[1]}

    assert overseer.post(path, **{**form, "reasons": ""}).status_code == 422
    assert overseer.post(path, **{**form, "matter": "0" * 64}).status_code == 422
    for person in OVERSEERS[:3]:
        assert reading(web, person).post(path, **form).is_redirect
    assert overseer.get(path).status_code == 409

    known = web.service.governing.thresholds.get(change).change
    page = httpx.get(f"{web.url}/changes/{change}").text
    assert (known.state, len(known.votes)) == (ChangeState.APPROVED, 3)
    assert page.count("weighed with care") == 3
    assert "threshold adopt" in reading(web, ADMINISTRATOR).get(f"/changes/{change}").text
    assert f"/changes/{change}" not in overseer.get("/oversight").text


def test_only_those_who_may_come_here(web: Web) -> None:
    """Whoever searches neither proposes nor votes; a supervisor proposes and doesn't vote."""
    change = proposed(web).change.id
    assert reading(web, SEARCHER).get("/changes/propose").status_code == 403
    assert reading(web, SUPERVISOR).get("/changes/propose").status_code == 200
    assert reading(web, SUPERVISOR).get(f"/changes/{change}/vote").status_code == 403
    assert httpx.get(f"{web.url}/changes/propose").status_code == 303
    assert httpx.get(f"{web.url}/changes/nothing").status_code == 404
    assert httpx.get(f"{web.url}/changes/rules/nothing").status_code == 404


@pytest.mark.parametrize(("size", "scheme", "language"), [("desktop", "light", "en"), ("phone", "dark", "es")])
def test_no_page_about_a_change_keeps_anybody_out(
    web: Web, browsers: Browsers, size: str, scheme: Scheme, language: str
) -> None:
    """axe-core finds nothing, nothing is wider than the screen, and no script is needed."""
    known = proposed(web, max_fpir=0.05 if size == "phone" else 0.002)
    web.service.governing.thresholds.vote(
        known.change.id, Choice.APPROVE, "read and weighed", by=at_the_machine(OVERSEERS[3])
    )
    change = known.change.id
    for person, paths in {
        None: ["/changes", f"/changes/{change}"],
        OVERSEERS[0]: [f"/changes/{change}/vote", "/oversight", "/oversight/changes"],
        ADMINISTRATOR: ["/changes/propose"],
    }.items():
        viewport = DESKTOP if size == "desktop" else PHONE
        page = browsers.open(paths[0], as_=person, viewport=viewport, scheme=scheme, language=language)
        for path in paths:
            page.goto(path)
            look(page, f"rule{path.replace('/', '-')[:24]}-{size}-{scheme}")
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
