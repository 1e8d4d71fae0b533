"""What a report of an agency says: plain words first, then tables and charts, then how to check it.

Everything comes from the register or from counts that are published as in the register, so a report never says what the
register withholds. Pure.
"""

from collections.abc import Iterator, Sequence

from recognizance.errors import NotFoundError
from recognizance.register.figures import NO_AGENCY, Measured, in_months, publish
from recognizance.register.reports import clauses
from recognizance.register.reports.blocks import Bars, Block, Heading, Paragraph, Report, Table
from recognizance.register.reports.listings import listings, proof, rates
from recognizance.register.reports.periods import Period
from recognizance.register.rows import AgencyRow, Register
from recognizance.register.saved import Reading
from recognizance.register.sections import build_register
from recognizance.register.state import month_of
from recognizance.register.suppression import Cell, published

_DIMENSIONS = {
    "purpose": "Searches by purpose",
    "offence": "Searches by offence",
    "search_class": "Searches by class of search",
    "outcome": "Searches by outcome",
}


def agency_report(reading: Reading, agency: str, period: Period) -> Report:
    """Return the report of one agency on one period.

    Raises:
        NotFoundError: If the ledger knows no such agency.
    """
    register = build_register(reading)
    known = {row.agency: row for row in register.deployment.agencies}
    named = known.get(agency)
    if named is None and agency not in {row.agency for row in register.deployment.uses}:
        raise NotFoundError(f"the ledger has no agency {agency!r}")
    report = _AgencyReport(reading, register, agency, named, period)
    kind = "Yearly" if period.month is None else "Monthly"
    return Report(f"{kind} report on face recognition: {report.name}, {period.title}", register.as_of, report.blocks())


def in_words(cell: Cell) -> str:
    """Return a count within a sentence.

    >>> [in_words(Cell(*ends)) for ends in ((0, 0), (7, 7), (1, 4), (6, 9), (3, None))]
    ['no', '7', 'fewer than 5', 'between 6 and 9', 'at least 3']
    """
    if cell.is_exact:
        return str(cell.least) if cell.least else "no"
    if cell.is_small:
        return "fewer than 5"
    return f"at least {cell.least}" if cell.most is None else f"between {cell.least} and {cell.most}"


def spelled(word: str) -> str:
    """Return a category for people.

    >>> spelled("in_time")
    'in time'
    """
    return word.replace("_", " ")


class _AgencyReport:
    """One report while it is put together."""

    def __init__(
        self, reading: Reading, register: Register, agency: str, named: AgencyRow | None, period: Period
    ) -> None:
        self._register = register
        self._agency = agency
        self._named = named
        self._period = period
        self._published = publish(reading.state)
        self.name = named.name if named else agency

    def blocks(self) -> tuple[Block, ...]:
        return (
            *self._in_short(),
            *self._who_answers(),
            *self._use(),
            *self._reviews(),
            *self._emergencies(),
            *rates(self._register),
            *self._people(),
            *listings(self._register, self._agency, self._period),
            Heading("Laws that ask for figures like these"),
            Paragraph(clauses.CAVEAT),
            Table("Laws and where to look", clauses.COLUMNS, clauses.ROWS),
            *proof(self._register),
        )

    def _measured(self, measure: str, agency: str | None = None) -> Measured:
        return in_months(self._published, agency or self._agency, measure, self._period.months)

    def _total(self, measure: str) -> Cell:
        return self._measured(measure).total

    def _in_short(self) -> Iterator[Block]:
        searches = self._measured("searches")
        outcomes = searches.breakdowns.get("outcome")
        yield Heading("In short")
        sentences = [f"{self.name} made {in_words(searches.total)} searches for faces in {self._period.title}."]
        if outcomes:
            nothing = outcomes.get("no_candidate", published(0))
            sentences.append(f"Of these, {in_words(nothing)} returned nobody.")
        confirmed, acted_on, false = (self._total(f"leads_{event}") for event in ("confirmed", "acted_on", "false"))
        sentences += [
            f"The policy refused {in_words(self._total('refusals'))} requests.",
            f"Reviewers confirmed {in_words(confirmed)} leads; {in_words(acted_on)} were acted on.",
            f"{in_words(false).capitalize()} leads were found to be false.",
            f"{in_words(self._total('emergencies_declared')).capitalize()} emergencies were declared.",
        ]
        yield Paragraph(" ".join(sentences))
        yield Paragraph(
            "A candidate is a machine's suggestion and never an identification. A lead is a candidate that two people"
            " confirmed separately; it is never the sole basis for any action."
        )
        yield Paragraph(
            'Counts from 1 to 4 are shown as "<5", so that nobody is singled out. Where such a count could be worked'
            " out from others, those are ranges or withheld. Months and times are in UTC."
        )
        newest = self._register.as_of
        if newest is None or newest < self._period.end:
            yield Paragraph("The period isn't over in the ledger yet: figures may still grow.")

    def _who_answers(self) -> Iterator[Block]:
        yield Heading("Who answers for it")
        rows: list[tuple[str, str]] = []
        if self._register.deployment.statements:
            said = self._register.deployment.statements[-1]
            rows += [
                ("Operator of the service", said.operator),
                ("Accountable person", said.accountable_person),
                ("Contact", said.contact),
                ("Legal basis", said.legal_basis),
                ("Prohibited uses", ", ".join(map(spelled, said.prohibited_uses)) or "none stated"),
            ]
        if self._named:
            rows += [
                ("Agency", f"{self._named.name} ({spelled(self._named.kind)})"),
                ("Accountable person of the agency", self._named.accountable_person),
                ("Contact of the agency", self._named.contact),
            ]
        yield Table("Names and contacts", ("What", "Who or which"), tuple(rows), "The ledger names nobody.")

    def _use(self) -> Iterator[Block]:
        yield Heading("What it was used for")
        uses = [row for row in self._register.deployment.uses if row.agency == self._agency]
        yield Table(
            "Uses of this agency",
            ("Use", "Purpose", "Gallery", "Classes of search", "State", "Expires", "Needs review"),
            tuple(
                (
                    row.use,
                    spelled(row.purpose),
                    row.gallery or "any",
                    ", ".join(map(spelled, row.search_classes)),
                    spelled(row.state),
                    f"{row.expires:%Y-%m-%d}",
                    "yes" if row.needs_review else "no",
                )
                for row in uses
            ),
        )
        if self._period.month is None:
            yield self._by_month()
        searches = self._measured("searches")
        yield from self._chart("offence", searches)
        for dimension, title in _DIMENSIONS.items():
            yield _parts(title, searches, dimension)
        yield self._measures(
            "Other acts",
            ("candidates_shown", "comparisons", "detections", "failures", "probe_edits", "disclosures"),
        )
        yield _parts("Refusals by what was missing", self._measured("refusals"), "reason")
        yield from self._unattributed()

    def _unattributed(self) -> Iterator[Block]:
        """Refusals of those whom no agency could be named for are nobody's, and must not get lost."""
        unnamed = self._measured("refusals", NO_AGENCY).total
        if unnamed != published(0):
            yield Paragraph(
                f"Beside these, {in_words(unnamed)} requests were refused whose agency isn't known, in the"
                " whole service."
            )

    def _by_month(self) -> Bars:
        newest = self._register.as_of
        bars = tuple(
            (month, in_months(self._published, self._agency, "searches", [month]).total)
            for month in self._period.months
            if newest is not None and month <= month_of(newest)
        )
        said = ", ".join(f"{month}: {cell.value}" for month, cell in bars)
        return Bars("Searches by month", bars, f"Bars: searches by month. {said}.")

    def _chart(self, dimension: str, searches: Measured) -> Iterator[Block]:
        parts = searches.breakdowns.get(dimension)
        if parts:
            bars = tuple(sorted(((spelled(name), cell) for name, cell in parts.items()), key=_longest_first))
            said = ", ".join(f"{name}: {cell.value}" for name, cell in bars)
            yield Bars(_DIMENSIONS[dimension], bars, f"Bars: searches by {dimension}. {said}.")

    def _reviews(self) -> Iterator[Block]:
        yield Heading("Reviews and leads")
        yield self._measures("Reviews", ("reviews_opened", "reviews_disputed", "review_answers"))
        yield _parts("Answers of reviewers, one for each candidate", self._measured("review_answers"), "outcome")
        yield self._measures(
            "Leads",
            (
                "leads_confirmed",
                "leads_evidence_attested",
                "leads_exported",
                "leads_acted_on",
                "leads_arrest",
                "leads_not_used",
                "leads_false",
                "leads_closed",
            ),
        )
        yield from self._leads_by_group()
        yield self._measures("Alerts of watchlists", ("alerts_raised", "alerts_confirmed", "alerts_dismissed"))

    def _leads_by_group(self) -> Iterator[Block]:
        """What the agency published once the year was over; a month has no such figures."""
        if self._period.month is not None:
            return
        known = [
            row
            for row in self._register.use.leads_by_group
            if row.agency == self._agency and row.year == self._period.year
        ]
        for dimension in sorted({row.dimension for row in known}):
            yield Table(
                f"Leads acted on, by {dimension} as people recorded it",
                (dimension.capitalize(), "Leads"),
                tuple(
                    ("all together" if row.group is None else spelled(row.group), str(row.count.value))
                    for row in known
                    if row.dimension == dimension
                ),
            )
        if not known:
            yield Paragraph("The agency has published no leads by age, race or sex for this year.")

    def _emergencies(self) -> Iterator[Block]:
        yield Heading("Emergencies and late approvals")
        names = ("emergencies_declared", "emergencies_authorised", "emergencies_lapsed", "late_authorisations")
        yield self._measures("Emergencies and searches before their authorisation", names)

    def _people(self) -> Iterator[Block]:
        yield Heading("What people asked")
        yield Paragraph("The desk serves the whole service. These figures are of all agencies together.")
        received, closed = (self._measured(f"requests_{step}", NO_AGENCY) for step in ("received", "closed"))
        yield _parts("Requests received, by kind", received, "kind")
        yield _parts("Requests closed, by answer", closed, "answer")
        yield _parts("Requests closed, by deadline", closed, "time")
        yield _parts("Appeals decided", self._measured("appeals_decided", NO_AGENCY), "answer")
        yield Table(
            "Days until an answer",
            ("Month", "Requests closed", "Median of days"),
            tuple(
                (
                    row.month,
                    str(row.closed.value),
                    "not shown" if row.median_days is None else f"{row.median_days:g}",
                )
                for row in self._register.people.response_times
                if row.month in self._period.months
            ),
        )
        yield _parts("Erasures by cause", self._measured("erasures", NO_AGENCY), "cause")

    def _measures(self, title: str, names: Sequence[str]) -> Table:
        rows = tuple((spelled(name), str(self._total(name).value)) for name in names)
        return Table(title, ("What", "Count"), rows)


def _parts(title: str, measured: Measured, dimension: str) -> Table:
    parts = measured.breakdowns.get(dimension, {})
    if parts is None:
        total = (("all together", str(measured.total.value)), ("parts", "withheld"))
        return Table(title, (spelled(dimension).capitalize(), "Count"), total)
    rows = [(spelled(name), str(cell.value)) for name, cell in parts.items()]
    if rows:
        rows.append(("all together", str(measured.total.value)))
    return Table(title, (spelled(dimension).capitalize(), "Count"), tuple(rows))


def _longest_first(bar: tuple[str, Cell]) -> tuple[int, str]:
    name, cell = bar
    return -cell.least, name
