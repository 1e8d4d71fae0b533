"""A supervisor proposes a use by page: each mistake beside its field, the terms as they will be, and then for good."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from playwright.sync_api import expect

from recognizance.documents import terms_sha256
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import AuthorityKind
from recognizance.governance.uses import UseState
from recognizance.storage import new_id
from recognizance.web.forms import Form
from recognizance.web.proposal_form import blank, filled, read_terms

from ..review_world import AGENCY, GALLERY, OVERSEERS, SEARCHER, SUPERVISOR, USE
from .reading import reading
from .world import ADMINISTRATOR, DESKTOP, PHONE, Browsers, Scheme, Web, assert_accessible, look

NEW = "/proposals/new"


class Filled(HTMLParser):
    """What a form has in it, as a browser would send it without anybody touching it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._area: str | None = None
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "input" and name and (kind not in {"radio", "checkbox"} or "checked" in given):
            self.values.setdefault(name, []).append(given.get("value", ""))
        elif tag == "textarea":
            self._area = name
            self.values.setdefault(name, []).append("")
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.values.setdefault(self._select, []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._area = None if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.values[self._area][-1] += data


def filled_form(text: str) -> dict[str, list[str]]:
    main = text[text.index('<form method="post" novalidate>') :]
    values = Filled(main[: main.index("</form>")]).values
    return {name: each for name, each in values.items() if name != "csrf"}


def coming(web: Web, days: int) -> str:
    return (web.world.clock.now + timedelta(days=days)).date().isoformat()


def begun(web: Web, use: str) -> dict[str, list[str]]:
    """The form as it comes from the use in force, with a name and an end."""
    form = filled_form(reading(web, SUPERVISOR).get(f"{NEW}?from={USE}").text)
    return form | {"use": [use], "starts": [coming(web, 1)], "expires": [coming(web, 60)]}


def sent(web: Web, form: dict[str, list[str]], step: str = "look") -> httpx.Response:
    given: dict[str, list[str]] = {**form, "step": [step]}
    return reading(web, SUPERVISOR).post(NEW, **given)


def test_a_use_is_proposed_from_an_earlier_one(web: Web) -> None:
    """Nothing is kept while it is looked at; what is proposed is what was shown, to the hash."""
    use = f"again-{new_id()[:8]}"
    form = begun(web, use) | {"searches_per_day": ["7"], "offences": ["robbery\nburglary"]}
    looked = sent(web, form)
    with pytest.raises(Exception, match="there is no"):
        web.service.governing.uses.get(UseId(use))
    shown = re.search(r"SHA-256 <code>(\w{64})</code></dd>\s*</dl>", looked.text)
    proposed = sent(web, filled_form_of_look(looked.text), "send")

    known = web.service.governing.uses.get(UseId(use)).use
    assert (looked.status_code, proposed.headers.get("location")) == (200, f"/uses/{use}")
    assert shown is not None
    assert shown[1] == known.terms_sha256 == terms_sha256(known.terms)
    assert known.terms.limits.searches_per_day == 7
    assert known.terms.limits.offences == {"robbery", "burglary"}
    assert known.proposer == SUPERVISOR
    assert "anybody may comment until" in sent(web, form | {"purpose": ["identify_victim"]}).text
    for said in ("What is other than in", "burglary, robbery", "The overseers can vote at once"):
        assert said in looked.text


def filled_form_of_look(text: str) -> dict[str, list[str]]:
    main = text[text.index('action="/proposals/new"') :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', main[: main.index("</form>")])
    values: dict[str, list[str]] = {}
    for name, value in found:
        if name != "csrf":
            values.setdefault(unescape(name), []).append(unescape(value))
    return values


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"use": ["a b"]}, "use"),
        ({"gallery": ["somebody-elses"]}, "gallery"),
        ({"purpose": ["find_missing_person"]}, "search_classes"),
        ({"search_classes": []}, "search_classes"),
        ({"offences": [""]}, "offences"),
        ({"captures": ["still", "live"], "authority": ["none"]}, "authority"),
        ({"threshold_floor_pct": ["101"]}, "threshold_floor_pct"),
        ({"candidates": ["0"]}, "candidates"),
        ({"most_fpir_pct": [""]}, "most_fpir_pct"),
        ({"gallery": ["-"], "most_fmr_pct": ["0.1"]}, "most_fpir_pct"),
        ({"gallery": ["-"], "most_fpir_pct": [""]}, "most_fmr_pct"),
        ({"least_true_positives_pct": ["x"]}, "least_true_positives_pct"),
        ({"evaluation": ["0" * 64]}, "evaluation"),
        ({"evaluation": ["other"], "evaluation_name": ["e"], "evaluation_sha256": ["abc"]}, "evaluation_sha256"),
        ({"authority_sha256": ["abc"]}, "authority_sha256"),
        ({"authority_place": [" "]}, "authority_place"),
        ({"expires": ["2020-01-01"]}, "expires"),
        ({"starts": ["tomorrow"]}, "starts"),
        ({"report_expires": ["2020-01-01"]}, "report_expires"),
        ({"report_retention": [" "]}, "report_retention"),
        ({"report_inputs": ["x" * 3_001]}, "report_inputs"),
    ],
)
def test_each_mistake_stands_beside_its_field(web: Web, wrong: dict[str, list[str]], field: str) -> None:
    """The form comes again with everything that was typed, and leads to what is wrong."""
    form = begun(web, f"wrong-{new_id()[:8]}") | wrong
    answer = sent(web, form, "send")

    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    kept = filled_form(answer.text)
    assert kept["report_vendor"] == form["report_vendor"]
    assert kept["searches_per_day"] == form["searches_per_day"]


def test_a_name_that_is_taken_is_said(web: Web) -> None:
    """The use in force stays as it is."""
    answer = sent(web, begun(web, USE), "send")
    assert answer.status_code == 422
    assert "There is a use of this name already." in answer.text


def test_changing_it_brings_the_form_back(web: Web) -> None:
    """From the look at it to the form, nothing typed is lost."""
    form = begun(web, "changed-my-mind")
    again = filled_form(sent(web, filled_form_of_look(sent(web, form).text), "edit").text)
    assert {name: values for name, values in again.items() if values != [""]} == {
        name: values for name, values in form.items() if values != [""]
    }


def test_a_use_is_given_up_and_an_emergency_declared_by_page(web: Web) -> None:
    """Both are confirmed, and only of one's own agency's uses."""
    uses = [f"own-{new_id()[:8]}" for _ in range(2)]
    for use in uses:
        # Of a new purpose, which waits for comments.
        assert sent(web, begun(web, use) | {"purpose": ["identify_victim"]}, "send").is_redirect
    supervisor = reading(web, SUPERVISOR)
    assert supervisor.post(f"/proposals/{uses[0]}/withdraw").status_code == 422
    assert supervisor.post(f"/proposals/{uses[0]}/withdraw", confirmed="yes").is_redirect
    assert supervisor.post(f"/proposals/{uses[1]}/emergency", grounds=" ").status_code == 422
    assert supervisor.post(f"/proposals/{uses[1]}/emergency", grounds="a hostage was taken").is_redirect

    known = [web.service.governing.uses.get(UseId(use)).use.state for use in uses]
    assert known == [UseState.WITHDRAWN, UseState.EMERGENCY]
    assert uses[0] in supervisor.get("/proposals").text


def test_only_supervisors_come_here(web: Web) -> None:
    """Neither searchers nor administrators nor overseers propose a use."""
    for person in (SEARCHER, ADMINISTRATOR, OVERSEERS[0]):
        assert reading(web, person).get(NEW).status_code == 403
    assert httpx.get(f"{web.url}{NEW}").status_code == 303
    assert reading(web, SUPERVISOR).get(f"{NEW}?from=nothing").status_code == 404


def test_terms_that_fill_a_form_are_read_from_it_again(web: Web) -> None:
    """Whatever terms say, but for days that are over, comes back as it was."""
    terms = web.service.governing.uses.get(USE).use.terms
    today = web.world.clock.now.date()
    assert terms.evaluation is not None
    form = filled(terms, today)
    days = {"starts": ("2027-01-01",), "expires": ("2027-02-01",)}
    form = Form({**form.values, **days})
    again = read_terms(
        form, AGENCY, galleries={GALLERY}, evaluations={terms.evaluation.report_sha256: terms.evaluation.evaluation}
    )

    assert form.errors == {}
    assert again is not None
    assert again.limits == terms.limits
    assert again.evaluation == terms.evaluation
    assert again.report.retention == terms.report.retention
    assert (again.purpose, again.search_classes, again.course) == (terms.purpose, terms.search_classes, terms.course)
    assert again.authority is not None
    assert terms.authority is not None
    assert again.authority.kind is AuthorityKind.STATUTE
    # A day isn't longer than the document's own moments.
    assert terms.authority.starts <= again.authority.starts < again.authority.ends <= terms.authority.ends


def test_a_blank_form_is_not_sound(web: Web) -> None:
    """What most proposals say is in it, and everything else has to be said."""
    form = blank(web.world.clock.now.date())
    assert read_terms(form, AGENCY, galleries={"-"}, evaluations={}) is None
    assert {"gallery", "purpose", "offences", "evaluation", "expires", "report_vendor"} - {"offences"} <= set(
        form.errors
    )


@pytest.mark.parametrize(("size", "scheme", "language"), [("desktop", "light", "en"), ("phone", "dark", "es")])
def test_proposing_keeps_nobody_out(web: Web, browsers: Browsers, size: str, scheme: Scheme, language: str) -> None:
    """axe-core finds nothing on the form, with its mistakes, and on what it will look like; no script is needed."""
    viewport = DESKTOP if size == "desktop" else PHONE
    page = browsers.open(
        "/proposals", as_=SUPERVISOR, viewport=viewport, scheme=scheme, language=language, javascript=True
    )

    def seen(step: str) -> None:
        look(page, f"propose-{step}-{size}-{scheme}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), step

    seen("all")
    page.goto(NEW)
    page.locator("button[name=step]").click()
    seen("wrong")
    page.goto(f"{NEW}?from={USE}")
    seen("form")
    page.locator("[name=use]").fill("looked-at")
    page.locator("[name=searches_per_day]").fill("7")
    page.locator("[name=starts]").fill(coming(web, 1))
    page.locator("[name=expires]").fill(coming(web, 60))
    page.locator("button[name=step]").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    seen("look")
    for path in (f"/proposals/{USE}/withdraw", f"/proposals/{USE}/emergency"):
        page.goto(path)
        seen(path.rpartition("/")[2])
