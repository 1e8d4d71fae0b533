"""Publishing by page: what becomes public is said first, mistakes stand beside their fields, and the record has it."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from recognizance.ledger import Facts, facts

from ..review_world import AGENCY, FIRST, OVERSEERS, SEARCHER, SUPERVISOR, USE
from .reading import reading
from .world import ADMINISTRATOR, AUDITOR, DESKTOP, PHONE, Browsers, Scheme, Web, assert_accessible, look

REPORT = b"%PDF-1.7 the report"
DIGEST = hashlib.sha256(REPORT).hexdigest()
ELEMENTS = ("processes", "period_and_frequency", "people_affected", "risks", "oversight", "measures")
IMPACT = {"report": "impact-2027", "use": USE, "expires": "2099-01-01"} | dict.fromkeys(ELEMENTS, "as it <is>")
SHARED = {"recipient": "State Police", "data": "a lead", "standard": "an agreement", "use": USE}


def last(web: Web, kind: type[Facts]) -> Any:
    """What the record's last entry of a kind says."""
    return [each for each in web.world.entries() if isinstance(each, kind)][-1]


def test_what_becomes_public_is_said_before_it_is(web: Web) -> None:
    """Each form says it first; everybody sees what they may publish and nothing else."""
    for person, paths in {
        OVERSEERS[0]: ("oversight-body", "oversight-member"),
        SUPERVISOR: ("report", "rights-impact", "sharing", "lead-figures"),
        AUDITOR: ("audit",),
    }.items():
        reader = reading(web, person)
        listed = reader.get("/publish").text
        assert listed.count('href="/publish/') == len(paths)
        for path in paths:
            page = reader.get(f"/publish/{path}").text
            assert page.index("This becomes public:") < page.index("Publish it, for good")
    assert "/administration/deployment" in reading(web, ADMINISTRATOR).get("/publish").text


def test_overseers_say_who_they_are(web: Web) -> None:
    """The body with its members as they are registered; one's own name, and that it is no longer shown."""
    overseer = reading(web, OVERSEERS[0])
    assert overseer.post("/publish/oversight-body", name=" ").status_code == 422
    assert overseer.post("/publish/oversight-body", name="Harbour Oversight Board").is_redirect
    assert last(web, facts.OversightBody).name == "Harbour Oversight Board"
    assert len(last(web, facts.OversightBody).members) == len(OVERSEERS)

    assert overseer.post("/publish/oversight-member", name="").status_code == 422
    assert overseer.post("/publish/oversight-member", name="Ada L.", office="for the library").is_redirect
    assert (last(web, facts.OversightMember).name, last(web, facts.OversightMember).office) == (
        "Ada L.",
        "for the library",
    )
    assert overseer.post("/publish/oversight-member", name="Ada L.", gone="yes").is_redirect
    assert last(web, facts.OversightMember).name is None


def test_a_reports_file_is_hashed_and_not_kept(web: Web) -> None:
    """The record has the SHA-256 of the file that was sent, or the one that was typed."""
    supervisor, auditor = reading(web, SUPERVISOR), reading(web, AUDITOR)
    form = {"kind": "yearly", "report": "yearly-2026", "use": USE, "cost": "12500,5", "expires": "2099-01-01"}
    files = {"file": ("report.pdf", REPORT, "application/pdf")}
    assert supervisor.post("/publish/report", files=files, **form).is_redirect
    said = last(web, facts.Report)
    assert (said.digest, said.cost_cents, said.use) == (DIGEST, 1_250_050, USE)

    audit = {"agency": AGENCY, "report": "audit-2026", "sha256": DIGEST.upper(), "use": ""}
    assert auditor.post("/publish/audit", **audit).is_redirect
    assert (last(web, facts.Report).report_kind, last(web, facts.Report).digest) == (facts.ReportKind.AUDIT, DIGEST)


def test_rights_impact_sharing_and_figures_are_published(web: Web) -> None:
    """The assessment whole, the sharing as it is said, and the counts of leads that are on record, once."""
    supervisor = reading(web, SUPERVISOR)
    year = str(web.world.clock.now.year - 1)
    figures = {"year": year, "dimension": "age", "counts": "under_18: 0\r\nadults = 0\r\n"}
    for path, form in {"rights-impact": IMPACT, "sharing": SHARED, "lead-figures": figures}.items():
        answer = supervisor.post(f"/publish/{path}", **form)
        assert answer.is_redirect, re.findall(r'class="(?:error|message[^"]*)"[^>]*>([^<]*)', answer.text)
    again = supervisor.post("/publish/lead-figures", **figures)
    other = supervisor.post("/publish/lead-figures", **figures | {"dimension": "sex", "counts": "women: 3"})

    assert last(web, facts.RightsImpact).measures == "as it <is>"
    assert last(web, facts.Sharing).recipient == "State Police"
    assert last(web, facts.LeadFigures).year == int(year)
    assert (again.status_code, other.status_code) == (422, 422)
    assert "Nothing was published." in again.text
    assert "have 3 leads together" in other.text


@pytest.mark.parametrize(
    ("path", "form", "field"),
    [
        ("report", {"kind": "audit"}, "kind"),
        ("report", {"kind": "yearly", "report": "x"}, "file"),
        ("report", {"kind": "yearly", "report": "x", "sha256": "abc"}, "sha256"),
        ("report", {"kind": "yearly", "report": "x", "sha256": DIGEST, "cost": "a lot"}, "cost"),
        ("report", {"kind": "yearly", "report": "x", "sha256": DIGEST, "use": "somebody-elses"}, "use"),
        ("rights-impact", IMPACT | {"risks": " "}, "risks"),
        ("rights-impact", IMPACT | {"expires": "soon"}, "expires"),
        ("sharing", SHARED | {"recipient": ""}, "recipient"),
        ("lead-figures", {"year": "x", "dimension": "age", "counts": "a: 1"}, "year"),
        ("lead-figures", {"year": "2020", "dimension": "height", "counts": "a: 1"}, "dimension"),
        ("lead-figures", {"year": "2020", "dimension": "age", "counts": "a: 1\na: 2"}, "counts"),
        ("lead-figures", {"year": "2020", "dimension": "age", "counts": "some people"}, "counts"),
    ],
)
def test_a_mistake_stands_beside_its_field(web: Web, path: str, form: dict[str, str], field: str) -> None:
    """Nothing goes on the record, and what was typed is still there."""
    supervisor = reading(web, SUPERVISOR)
    before = len(web.world.entries())
    answer = supervisor.post(f"/publish/{path}", **{"use": "", **form})

    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert len(web.world.entries()) == before


def test_what_is_over_already_is_refused_in_words(web: Web) -> None:
    """What only the service knows stands above the form."""
    answer = reading(web, SUPERVISOR).post("/publish/rights-impact", **IMPACT | {"expires": "2020-01-01"})
    assert answer.status_code == 422
    assert "has expired on 2020-01-01" in answer.text


def test_an_incident_is_reported_and_its_clock_runs(web: Web) -> None:
    """Whoever reports sees by when it has to reach an overseer; one discovered later than now is refused."""
    reporter, now = reading(web, FIRST), web.world.clock.now
    found = now - timedelta(hours=2)
    form = {
        "occurrence": "violation",
        "statement": "a search without a case <again>",
        "day": found.date().isoformat(),
        "time": f"{found:%H:%M}",
        "agency": AGENCY,
        "people_affected": "1",
    }
    assert reporter.post("/incidents/report", **form | {"time": "25:00"}).status_code == 422
    assert reporter.post("/incidents/report", **form | {"day": "2099-01-01"}).status_code == 422
    assert reporter.post("/incidents/report", **form | {"agency": "another"}).status_code == 422
    assert reporter.post("/incidents/report", **form).is_redirect

    said = last(web, facts.Incident)
    assert (said.statement, said.people_affected) == ("a search without a case <again>", 1)
    assert said.discovered == found.replace(second=0, microsecond=0)
    page = reporter.get("/incidents").text
    assert "a search without a case &lt;again&gt;" in page
    assert "21 hours left" in page
    assert "/oversight/incidents/" in reading(web, OVERSEERS[1]).get("/incidents").text


def test_an_operator_states_what_they_never_allow(web: Web) -> None:
    """Beside what no policy ever allows, which is published with it."""
    form = {
        "operator": "Harbour County",
        "accountable_person": "the Clerk",
        "contact": "clerk",
        "legal_basis": "Code 7",
    }
    sent = reading(web, ADMINISTRATOR).post(
        "/administration/deployment", **form, purposes="investigate_offence", prohibited_uses="traffic\r\nparking"
    )
    assert sent.is_redirect
    assert {"traffic", "parking", "lawful_protest"} <= set(last(web, facts.Deployment).prohibited_uses)


def test_others_are_turned_away(web: Web) -> None:
    """A publication is for one role, and a report of incidents for everybody with one."""
    for path in ("report", "oversight-body", "audit"):
        assert reading(web, SEARCHER).get(f"/publish/{path}").status_code == 403
    assert reading(web, SUPERVISOR).get("/publish/audit").status_code == 403
    assert reading(web, SEARCHER).get("/incidents/report").status_code == 200
    assert httpx.get(f"{web.url}/incidents").status_code == 303


@pytest.mark.parametrize(("size", "scheme", "language"), [("desktop", "light", "en"), ("phone", "dark", "es")])
def test_publishing_keeps_nobody_out(web: Web, browsers: Browsers, size: str, scheme: Scheme, language: str) -> None:
    """axe-core finds nothing on the forms, also with what is wrong with them, and nothing is wider than the screen."""
    viewport = DESKTOP if size == "desktop" else PHONE
    for person, paths in {
        SUPERVISOR: ("", "/report", "/lead-figures", "/rights-impact", "/sharing"),
        OVERSEERS[0]: ("/oversight-body", "/oversight-member"),
        AUDITOR: ("/audit",),
        FIRST: ("/incidents", "/incidents/report"),
    }.items():
        page = browsers.open("/account", as_=person, viewport=viewport, scheme=scheme, language=language)
        for path in paths:
            page.goto(path if path.startswith("/incidents") else f"/publish{path}")
            if path in {"/report", "/incidents/report"}:
                page.locator("main form button").first.click()
            look(page, f"publish{path.replace('/', '-')}-{size}-{scheme}")
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
