"""Publishing by page: what only people can say of the service, each with what becomes public stated before its form.

A publication is a row: for whom it is, what it makes public, and its fields; a method for each reads them into a call
of `governing.publishing`, which asks the policy. Of a report's file the SHA-256 is made here, and nothing is kept.
Implements docs/publishing.md.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from enum import StrEnum

from starlette.responses import Response

from recognizance.errors import InputError, NotFoundError
from recognizance.governance.parties import AgencyId, Role, UseId
from recognizance.governing.installation import Governing
from recognizance.governing.publishing import (
    Dimension,
    LeadCounts,
    PublishedReport,
    RightsImpactAssessment,
    SharedData,
)
from recognizance.ledger.facts import ReportKind
from recognizance.web.forms import MAX_FORM_BYTES, REQUIRED, Form
from recognizance.web.frame import Page, View, only
from recognizance.web.language import N_
from recognizance.web.proposal_form import NO_SHA256
from recognizance.web.visits import Message, Tone, Visit

MAX_REPORT_BYTES = 20 << 20
"""Of a report whose SHA-256 is made here; a larger one's is typed in."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MONEY = re.compile(r"[0-9]{1,12}([.,][0-9]{1,2})?")
_COUNT = re.compile(r"(?P<group>[A-Za-z0-9_.:@/-]{1,255})\s*[:=]\s*(?P<count>[0-9]{1,12})")
_FIRST_YEAR = 1990


class Shape(StrEnum):
    """How a field is asked for."""

    LINE = "line"
    AREA = "area"
    SHORT = "short"
    FILE = "file"
    SELECT = "select"
    TICK = "tick"


@dataclass(frozen=True, slots=True)
class Blank:
    """One field to fill in.

    Attributes:
        label, hint: Marked for the catalogue; the hint is empty where the label says it all.
    """

    name: str
    label: str
    hint: str = ""
    shape: Shape = Shape.LINE
    required: bool = True


@dataclass(frozen=True, slots=True)
class Publication:
    """One thing that somebody publishes.

    Attributes:
        public: What becomes public by it, in the catalogue.
    """

    path: str
    title: str
    public: str
    role: Role
    fields: tuple[Blank, ...]

    @property
    def has_file(self) -> bool:
        return any(field.shape is Shape.FILE for field in self.fields)


KINDS: Mapping[ReportKind, str] = {
    ReportKind.ACCOUNTABILITY: N_("accountability report"),
    ReportKind.MONTHLY: N_("monthly report"),
    ReportKind.YEARLY: N_("yearly report"),
}
DIMENSIONS: Mapping[Dimension, str] = {
    Dimension.AGE: N_("age"),
    Dimension.RACE: N_("race"),
    Dimension.SEX: N_("sex"),
}

_ID = Blank("report", N_("Its name"), N_("Short and in one word, such as yearly-2026."))
_USE = Blank("use", N_("The use that it is about"), "", Shape.SELECT)
_EXPIRES = Blank("expires", N_("First day on which it no longer counts"), N_("Year-month-day."), Shape.SHORT, False)
_REPORT = (
    _ID,
    Blank("file", N_("The report"), N_("Its SHA-256 is published, not the file, which isn't kept."), Shape.FILE, False),
    Blank("sha256", N_("Or its SHA-256"), N_("Instead of the file."), required=False),
    _USE,
    _EXPIRES,
    Blank("cost", N_("What the use cost, by the report"), N_("In the agency's currency."), Shape.SHORT, False),
)
_ELEMENTS = (
    ("processes", N_("What the agency does with the system, and for what")),
    ("period_and_frequency", N_("For how long, and how often")),
    ("people_affected", N_("Which people and groups it is likely to affect")),
    ("risks", N_("Which harm it may do to them")),
    ("oversight", N_("How people oversee it")),
    ("measures", N_("What is done when a risk comes true, and where one complains")),
)


PUBLICATIONS = (
    Publication(
        "oversight-body",
        N_("Who oversees the service"),
        N_("The name, every overseer's pseudonym, and how many votes and days for comments a decision takes."),
        Role.OVERSEER,
        (Blank("name", N_("What the overseers are called together")),),
    ),
    Publication(
        "oversight-member",
        N_("Your own name as an overseer"),
        N_("Your name and office beside your pseudonym, and so beside every vote of yours, earlier ones too."),
        Role.OVERSEER,
        (
            Blank("name", N_("Your name"), required=False),
            Blank("office", N_("For which office or community you speak"), required=False),
            Blank(
                "gone",
                N_("Or no longer"),
                N_("Don't show my name any more. The record keeps what it was told."),
                Shape.TICK,
                required=False,
            ),
        ),
    ),
    Publication(
        "report",
        N_("A report of your agency"),
        N_("Its kind, name and SHA-256, the use, its end and the cost. The text belongs on your own pages."),
        Role.SUPERVISOR,
        (Blank("kind", N_("Kind"), "", Shape.SELECT), *_REPORT),
    ),
    Publication(
        "rights-impact",
        N_("What a use means for people's rights"),
        N_("The whole assessment, word for word."),
        Role.SUPERVISOR,
        (_ID, _USE, *(Blank(name, label, "", Shape.AREA) for name, label in _ELEMENTS), _EXPIRES),
    ),
    Publication(
        "sharing",
        N_("Data that went outside your agency"),
        N_("To whom it went, which data, and under which standard. Name nobody who was searched for."),
        Role.SUPERVISOR,
        (
            Blank("recipient", N_("To whom")),
            Blank("data", N_("Which data"), "", Shape.AREA),
            Blank("standard", N_("Under which agreement or standard"), "", Shape.AREA),
            _USE,
        ),
    ),
    Publication(
        "lead-figures",
        N_("Leads acted on, by age, race or sex"),
        N_("The counts, small ones as ranges. Exact ones are sealed. Once for each year, and never again."),
        Role.SUPERVISOR,
        (
            Blank("year", N_("Year"), N_("One that is over."), Shape.SHORT),
            Blank("dimension", N_("Counted by"), "", Shape.SELECT),
            Blank(
                "counts",
                N_("Counts"),
                N_("One group on each line, such as under_18: 2. Each lead is in one group."),
                Shape.AREA,
            ),
        ),
    ),
    Publication(
        "audit",
        N_("An audit"),
        N_("Its name and SHA-256, whom it is about, its end and the cost. The text belongs on your own pages."),
        Role.AUDITOR,
        (Blank("agency", N_("Agency"), "", Shape.SELECT), *_REPORT),
    ),
)


class PublishingPages:
    def __init__(self, governing: Governing) -> None:
        self._publishing = governing.publishing
        self._uses = governing.uses
        self._registration = governing.registration
        self._readers: Mapping[str, Callable[[Visit], Callable[[], object] | None]] = {
            "oversight-body": self._body,
            "oversight-member": self._member,
            "report": self._report,
            "rights-impact": self._rights_impact,
            "sharing": self._sharing,
            "lead-figures": self._lead_figures,
            "audit": self._audit,
        }

    def table(self) -> list[Page]:
        who = only(Role.ADMINISTRATOR, *(each.role for each in PUBLICATIONS))
        return [
            Page("/publish", self.all, who, navigation=N_("Publishing")),
            *(
                Page(
                    f"/publish/{each.path}",
                    self._view(each),
                    only(each.role),
                    has_form=True,
                    most_files=int(each.has_file),
                    most_bytes=MAX_REPORT_BYTES if each.has_file else MAX_FORM_BYTES,
                )
                for each in PUBLICATIONS
            ),
        ]

    def all(self, visit: Visit) -> Response:
        mine = [each for each in PUBLICATIONS if visit.has_role(each.role)]
        return visit.page(
            "publishing/all.html", publications=mine, may_state_operator=visit.has_role(Role.ADMINISTRATOR)
        )

    def _view(self, publication: Publication) -> View:
        def view(visit: Visit) -> Response:
            if visit.is_post:
                publish = self._readers[publication.path](visit)
                if publish is not None and visit.form.is_sound and self._done(visit, publish):
                    visit.say(visit.gettext("Published, and on the record."))
                    return visit.redirect("/publish")
            status = 422 if visit.form.errors else 200
            choices = self._choices(visit) if any(field.shape is Shape.SELECT for field in publication.fields) else {}
            return visit.page("publishing/form.html", status=status, publication=publication, choices=choices)

        return view

    @staticmethod
    def _done(visit: Visit, publish: Callable[[], object]) -> bool:
        try:
            publish()
        except InputError as error:
            visit.messages.append(Message(Tone.WARNING, visit.in_words(error)))
            visit.form.fail("", N_("Nothing was published. What is wrong stands above."))
            return False
        return True

    def _choices(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        first, own = ("", visit.gettext(N_("Choose one"))), visit.who.agency
        uses = [each.use for each in self._uses.list() if own is None or each.use.terms.agency == own]
        agencies = [(agency.id, agency.name) for agency, _ in self._registration.agencies()]
        return {
            "kind": [first, *((each.value, visit.gettext(text)) for each, text in KINDS.items())],
            "dimension": [first, *((each.value, visit.gettext(text)) for each, text in DIMENSIONS.items())],
            "agency": [first, *agencies],
            "use": [("", visit.gettext(N_("no one use"))), *((use.id, use.id) for use in uses)],
        }

    def _body(self, visit: Visit) -> Callable[[], object]:
        name = visit.form.text("name", most=4000)
        return lambda: self._publishing.oversight_body(name, by=visit.actor())

    def _member(self, visit: Visit) -> Callable[[], object]:
        form = visit.form
        if form.ticked("gone"):
            return lambda: self._publishing.oversight_member(None, by=visit.actor())
        name, office = form.text("name", most=400), form.optional("office", most=400)
        return lambda: self._publishing.oversight_member(name, office or None, by=visit.actor())

    def _report(self, visit: Visit) -> Callable[[], object] | None:
        kind = visit.form.one_of("kind", [each.value for each in KINDS])
        return self._of_report(visit, kind, _agency(visit))

    def _audit(self, visit: Visit) -> Callable[[], object] | None:
        agency = visit.form.one_of("agency", [value for value, _ in self._choices(visit)["agency"] if value])
        return self._of_report(visit, ReportKind.AUDIT.value, AgencyId(agency))

    def _of_report(self, visit: Visit, kind: str, agency: AgencyId) -> Callable[[], object] | None:
        form = visit.form
        name, digest = form.text("report", most=255), _digest(form)
        use, expires, cost = self._use(visit), _expires(form), _cents(form)
        if not form.is_sound:
            return None
        report = PublishedReport(name, ReportKind(kind), agency, digest, use, expires, cost)
        return lambda: self._publishing.report(report, by=visit.actor())

    def _rights_impact(self, visit: Visit) -> Callable[[], object]:
        form = visit.form
        said = {name: form.text(name, most=4000).replace("\r\n", "\n") for name, _ in _ELEMENTS}
        assessment = RightsImpactAssessment(
            id=form.text("report", most=255),
            agency=_agency(visit),
            use=self._use(visit),
            expires=_expires(form),
            **said,
        )
        return lambda: self._publishing.rights_impact(assessment, by=visit.actor())

    def _sharing(self, visit: Visit) -> Callable[[], object]:
        form = visit.form
        recipient, data, standard = (form.text(name, most=4000) for name in ("recipient", "data", "standard"))
        shared = SharedData(_agency(visit), recipient, data, standard, self._use(visit))
        return lambda: self._publishing.sharing(shared, by=visit.actor())

    def _lead_figures(self, visit: Visit) -> Callable[[], object] | None:
        form = visit.form
        year = form.whole_number("year", low=_FIRST_YEAR, high=9999)
        dimension, counts = form.choice("dimension", Dimension), _counts(form)
        if year is None or dimension is None or not form.is_sound:
            return None
        agency = _agency(visit)
        return lambda: self._publishing.lead_figures(LeadCounts(agency, year, dimension, counts), by=visit.actor())

    def _use(self, visit: Visit) -> UseId | None:
        use = visit.form.one_of("use", [value for value, _ in self._choices(visit)["use"]])
        return UseId(use) if use else None


def _agency(visit: Visit) -> AgencyId:
    agency = visit.who.agency
    if agency is None:
        raise NotFoundError("this is published of an agency, and you belong to none")
    return agency


def _digest(form: Form) -> str:
    """The SHA-256 of the file that was sent, or the one that was typed."""
    files = form.files.get("file", ())
    if files:
        return hashlib.sha256(files[0].data).hexdigest()
    typed = form.raw("sha256").strip().lower()
    if not typed:
        form.fail("file", REQUIRED)
    elif _SHA256.fullmatch(typed) is None:
        form.fail("sha256", NO_SHA256)
    return typed


def _expires(form: Form) -> datetime | None:
    day = form.day("expires") if form.raw("expires").strip() else None
    return None if day is None else datetime.combine(day, time(), UTC)


def _cents(form: Form) -> int | None:
    text = form.raw("cost").strip()
    if not text:
        return None
    if _MONEY.fullmatch(text) is None:
        form.fail("cost", N_("This is no amount. Write it such as 12500.50, without spaces."))
        return None
    return int(Decimal(text.replace(",", ".")) * 100)


def _counts(form: Form) -> dict[str, int]:
    """Groups and their counts, one on each line."""
    counts: dict[str, int] = {}
    for line in map(str.strip, form.text("counts", most=10_000).splitlines()):
        if not line:
            continue
        found = _COUNT.fullmatch(line)
        if found is None or found["group"] in counts:
            form.fail("counts", N_("Each line has one group and its count, such as under_18: 2, and no group twice."))
            return {}
        counts[found["group"]] = int(found["count"])
    return counts
