"""The whole story through the pages, in a real browser: from a proposal to an outsider's own check.

It is told twice: in English, in light colours on a large screen, and in Spanish, in dark colours on a phone. What is
clicked and read is named by its English text, and found by that text's words in the language of the telling.

Everybody in it sits at a browser of their own. One thing has no page and is done beside it: the passing of thirty-one
days. Pictures of every step are made if a folder is set for them (`RECOGNIZANCE_TEST_SCREENSHOTS`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.disclosing.bundle import verify_bundle
from recognizance.faces import Calibration, FaceReader
from recognizance.gallery.exact import ExactIndex
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.purposes import Purpose
from recognizance.ledger import FolderSource, verify
from recognizance.web.language import Language, Wording, wording

from ..conftest import jpeg
from ..review_world import FIRST, OVERSEERS, SEARCHER, SECOND, SUPERVISOR, USE, World, review_world
from .world import DESK_OFFICER, PHONE, Browsers, Web, assert_accessible, look, now, served, take_up

LARGE: ViewportSize = {"width": 1440, "height": 900}
NAME = "hopper-booking-1952"
COMMENT = "Publish how often it was wrong, every month."


@dataclass
class Story:
    """Everybody's browsers, one size of screen, one language, and one case."""

    web: Web
    browsers: Browsers
    size: str
    files: Path

    @property
    def use(self) -> UseId:
        return UseId(f"victims-{self.size}")

    @property
    def case(self) -> str:
        return f"2026-{self.size}"

    @property
    def world(self) -> World:
        return self.web.world

    @property
    def is_small(self) -> bool:
        return self.size == "phone"

    @property
    def wording(self) -> Wording:
        return wording(Language.SPANISH if self.is_small else Language.ENGLISH)

    def words(self, text: str) -> str:
        """A text of the catalogue, as this telling's pages have it."""
        assert self.wording.knows(text), text
        return self.wording.gettext(text)

    def open(self, path: str, person: PersonId | None = None) -> Page:
        """A page as somebody, in a browser of their own."""
        return self.browsers.open(
            path,
            as_=person,
            viewport=PHONE if self.is_small else LARGE,
            scheme="dark" if self.is_small else "light",
            language=self.wording.language.value,
        )

    def seen(self, page: Page, step: str) -> None:
        """Look at a page, have axe-core look at it, and have it fit the screen."""
        look(page, f"story-{step}-{self.size}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), step

    def photograph(self, quality: int) -> Path:
        path = self.files / f"{quality}.jpg"
        path.write_bytes(jpeg(hopper_portrait(), quality))
        return path


@pytest.fixture
def told(faces: tuple[FaceReader, Calibration], tmp_path: Path) -> Iterator[Web]:
    """An installation of each telling's own: it turns the clock, and ends with a lead that went out."""
    with review_world(tmp_path / "data", faces, now=now()) as world:
        take_up(world)
        ExactIndex(world.service.reader.dimension)
        world.enrol("somebody-else", collins_portrait())
        with served(world.service) as url:
            yield Web(url, world)


@pytest.fixture
def story(told: Web, chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Story]:
    browsers = Browsers(told, chromium)
    yield Story(told, browsers, request.param, tmp_path)
    browsers.close()


@pytest.mark.slow
@pytest.mark.parametrize("story", ["desktop", "phone"], indirect=True)
def test_the_whole_story_through_the_pages(story: Story) -> None:
    """Propose, comment, vote, search, review, lead, bundle; ask, erase; the register, and the reader's own check."""
    face = story.world.enrol(f"{NAME}-{story.size}", hopper_portrait())
    _a_use_is_discussed_and_approved(story)
    index = _an_operator_searches(story)
    for reviewer in (FIRST, SECOND):
        _a_reviewer_decides(story, reviewer)
    bundle = _a_lead_is_attested_exported_and_disclosed(story)
    reference, code = _somebody_asks_to_be_erased(story)
    _the_desk_erases_them(story, reference, face)
    _whoever_asked_sees_that_it_is_done(story, reference, code)
    _the_register_shows_it_and_the_reader_checks_it(story, index)

    recorder = story.web.service.recorder
    report = verify(FolderSource(recorder.public), (recorder.verifier,))
    checked = verify_bundle(bundle.read_bytes(), log_keys=(recorder.verifier,))
    assert report.is_sound
    assert (checked.case, checked.pictures > 0) == (story.case, True)


def _a_use_is_discussed_and_approved(story: Story) -> None:
    clock = story.world.clock
    present = clock.now
    purpose = Purpose.IDENTIFY_VICTIM if story.size == "desktop" else Purpose.IDENTIFY_DECEASED
    clock.now = present - timedelta(days=40)
    try:
        _a_supervisor_proposes(story, purpose)
        public = story.open("/consultations")
        story.seen(public, "01-consultations")
        public.get_by_role("link", name=re.compile(story.use)).first.click()
        story.seen(public, "02-use-open-for-comments")
        public.locator("[name=statement]").first.fill(COMMENT)
        public.locator("input[name=agreed]").check()
        public.locator("form[action$='/comment'] button, form:has([name=statement]) button").first.click()
        expect(public.get_by_role("status").first).to_contain_text(
            story.words("Thank you. Your comment is published, and on the record.")
        )
        story.seen(public, "03-commented")
        clock.now = present - timedelta(days=8)
        story.web.service.governing.uses.sweep()
        for number in range(3):
            overseer = story.open(f"/oversight/uses/{story.use}/vote", OVERSEERS[number])
            if number == 0:
                story.seen(overseer, "04-vote")
            overseer.get_by_label(story.words("Approve")).check()
            overseer.get_by_label(story.words("Reasons")).fill("Read and weighed, the comment included.")
            overseer.get_by_role("button", name=story.words("Vote"), exact=True).click()
            expect(overseer.get_by_role("status").first).to_be_visible()
        story.seen(overseer, "05-voted")
    finally:
        clock.now = present
    story.web.service.governing.uses.sweep()
    public.reload()
    expect(public.get_by_text(COMMENT)).to_be_visible()
    story.seen(public, "06-use-active")


def _a_supervisor_proposes(story: Story, purpose: Purpose) -> None:
    """From the use that is in force, for another purpose; looked at as it will be published, and then for good."""
    proposed = story.world.clock.now
    page = story.open(f"/proposals/new?from={USE}", SUPERVISOR)
    page.locator("[name=use]").fill(story.use)
    page.locator(f"[name=purpose][value={purpose.value}]").check()
    page.locator("[name=starts]").fill(f"{proposed:%Y-%m-%d}")
    page.locator("[name=report_published]").fill(f"{proposed:%Y-%m-%d}")
    story.seen(page, "00-proposing")
    page.get_by_role("button", name=story.words("See it as it will be published"), exact=True).click()
    story.seen(page, "00-looked-at")
    page.get_by_role("button", name=story.words("Propose it, for good"), exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(
        story.words("Proposed, and public. Its votes and comments will stand here.")
    )


def _an_operator_searches(story: Story) -> int:
    page = story.open("/search", SEARCHER)
    story.seen(page, "07-choose-a-use")
    page.locator(f"a[href$='use={story.use}']").click()
    page.get_by_label(story.words("Case number")).fill(story.case)
    page.get_by_label(story.words("Why this search is needed")).fill("found at the pier, and cannot speak")
    page.get_by_label("robbery", exact=True).check()
    page.get_by_label(story.words("A photograph of the person looked for")).set_input_files(story.photograph(80))
    story.seen(page, "08-case-and-photograph")
    page.get_by_role("button", name=story.words("Look for faces"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        story.wording.ngettext("%(num)d face was found", "%(num)d faces were found", 1) % {"num": 1}
    )
    story.seen(page, "09-faces")
    page.get_by_role("button", name=story.words("Search for this face"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story.words("candidates wait for review").capitalize())
    story.seen(page, "10-waiting")
    assert NAME not in page.content()
    return int(page.url.rpartition("/")[2])


def _a_reviewer_decides(story: Story, reviewer: PersonId) -> None:
    page = story.open("/reviews", reviewer)
    step = "first" if reviewer == FIRST else "second"
    story.seen(page, f"11-reviews-{step}")
    page.locator("main a[href^='/reviews/']:not([href$=shortcuts])").first.click()
    page.get_by_role("button", name=story.words("Take it on"), exact=True).click()
    story.seen(page, f"12-review-{step}")
    assert NAME not in page.content()
    assert story.case not in page.content()
    for candidate in page.locator("section.candidate").all():
        candidate.locator("input[data-outcome=same_person]").check()
        for reason in ("nose", "ears"):
            candidate.locator(f"input[type=checkbox][value={reason}]").first.check()
    page.get_by_role("button", name=story.words("Give my findings"), exact=True).click()
    expect(page.get_by_role("status").first).to_be_visible()
    story.seen(page, f"13-answered-{step}")


def _a_lead_is_attested_exported_and_disclosed(story: Story) -> Path:
    page = story.open("/leads", SUPERVISOR)
    story.seen(page, "14-leads")
    page.locator("main a[href^='/leads/']").first.click()
    expect(page.locator("main")).to_contain_text(story.words("Investigative lead, not the sole basis for any action"))
    expect(page.get_by_role("button", name=story.words("Export the lead"), exact=True)).to_have_count(0)
    story.seen(page, "15-lead-locked")
    page.get_by_role("link", name=story.words("Attest independent evidence"), exact=True).click()
    page.get_by_label(story.words("a document"), exact=True).check()
    page.get_by_label(story.words("What it is, and why it is independent")).fill(
        "a ferry ticket in that name, found before the search"
    )
    page.get_by_label(story.words("The document that says so")).set_input_files(story.photograph(50))
    page.get_by_label(story.words("I have seen this evidence, and it has nothing to do with the face.")).check()
    page.get_by_role("button", name=story.words("Attest"), exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(
        story.words("Your attestation is on record. The lead can be exported now.")
    )
    story.seen(page, "16-lead-open")
    page.get_by_role("button", name=story.words("Export the lead"), exact=True).click()
    expect(page.locator("main")).to_contain_text(f"{NAME}-{story.size}")
    story.seen(page, "17-lead-sheet")
    page.goto("/case-record")
    page.get_by_label(story.words("Case number")).fill(story.case)
    page.locator("input[name=recipient_kind][value=defence]").check()
    page.get_by_label(story.words("Who that is")).fill("A Lawyer")
    story.seen(page, "18-case-record")
    with page.expect_download() as started:
        page.get_by_role("button", name=story.words("Gather and download"), exact=True).click()
    bundle = story.files / "bundle.zip"
    started.value.save_as(bundle)
    return bundle


def _somebody_asks_to_be_erased(story: Story) -> tuple[str, str]:
    page = story.open("/ask")
    story.seen(page, "19-ask")
    page.goto("/ask/request")
    page.locator("input[name=kind][value=erasure]").check()
    page.get_by_label(story.words("Your name")).fill("Grace Hopper")
    page.get_by_label(story.words("How can the desk reach you?")).fill("by letter, at the harbour")
    page.get_by_label(story.words("A photograph of yourself")).set_input_files(story.photograph(70))
    story.seen(page, "20-ask-form")
    page.get_by_role("button", name=story.words("Send my request"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story.words("Your request has come in"))
    story.seen(page, "21-asked")
    reference, code = page.locator("dl.facts code").all_inner_texts()
    return reference, code


def _the_desk_erases_them(story: Story, reference: str, face: str) -> None:
    page = story.open("/desk", DESK_OFFICER)
    story.seen(page, "22-desk")
    page.goto(f"/desk/requests/{reference}")
    page.locator("input[name=event][value=verify]").check()
    page.get_by_role("button", name=story.words("Go on"), exact=True).click()
    story.seen(page, "23-desk-verified")
    page.get_by_role("button", name=story.words("Search"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story.words("Faces like the photograph"))
    story.seen(page, "24-desk-alike")
    page.locator(f"input[name=names][value='{face}']").check()
    page.get_by_role("button", name=story.words("Look these up"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story.words("What is held"))
    story.seen(page, "25-desk-held")
    page.get_by_label(story.words("All of these are theirs, and are to be erased.")).check()
    page.get_by_role("button", name=story.words("Erase for good"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story.words("Erased"))
    story.seen(page, "26-desk-erased")
    page.goto(f"/desk/requests/{reference}")
    page.locator("input[name=event][value=answer]").check()
    page.get_by_label(story.words("What they are told")).fill("All of it is gone.")
    page.get_by_role("button", name=story.words("Go on"), exact=True).click()
    story.seen(page, "27-desk-answered")


def _whoever_asked_sees_that_it_is_done(story: Story, reference: str, code: str) -> None:
    page = story.open("/ask/status")
    page.locator("input[name=reference]").fill(reference)
    page.locator("input[name=code]").fill(code)
    page.locator("main form button").first.click()
    expect(page.locator("main")).to_contain_text(
        story.words("It was answered. The answer went to the address that you gave.")
    )
    story.seen(page, "28-ask-status")


def _the_register_shows_it_and_the_reader_checks_it(story: Story, index: int) -> None:
    page = story.open("/register")
    story.seen(page, "29-register")
    for number, section in enumerate(("oversight", "use", "people"), 30):
        page.goto(f"/register/{section}")
        story.seen(page, f"{number}-register-{section}")
    page.goto(f"/uses/{story.use}")
    expect(page.get_by_text("Read and weighed, the comment included.").first).to_be_visible()
    story.seen(page, "33-use-with-votes")
    page.goto(f"/record/{index}")
    expect(page.locator("[data-verifier]")).to_have_attribute("data-state", "proven")
    story.seen(page, "34-entry-proven")
    assert NAME not in page.content()
    page.goto("/verify")
    expect(page.locator("[data-verifier]").first).to_have_attribute("data-state", "proven")
    story.seen(page, "35-verified")
