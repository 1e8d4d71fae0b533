"""The parts of a report that list what the register has: error rates, decisions, incidents, galleries, proof. Pure."""

from collections.abc import Iterator

from recognizance.register.reports.blocks import Block, Heading, Intervals, Paragraph, Table
from recognizance.register.reports.periods import Period
from recognizance.register.rows import GroupRow, Register

TRUE_POSITIVES_PCT = 98.0
"""What Virginia's Code 15.2-1723.2 asks of a model, in every group."""

_NONE = "None in this period."


def listings(register: Register, agency: str, period: Period) -> Iterator[Block]:
    """Yield what was decided and what happened in the period, and the galleries as they are."""
    yield from _decisions(register, agency, period)
    yield from _changes(register, period)
    yield from _galleries(register, agency)
    yield from _incidents(register, agency, period)


def rates(register: Register) -> Iterator[Block]:
    """Yield the newest evaluation of each model: errors of each group, with intervals."""
    yield Heading("How often it errs")
    newest = {row.model: row for row in register.evaluations.evaluations}
    if not newest:
        yield Paragraph("The ledger has no evaluation: how often the system errs, and for whom, isn't known here.")
    for row in newest.values():
        groups = [each for each in register.evaluations.groups if each.evaluation == row.evaluation]
        tested = "an independent tester" if row.is_independent else "a tester who isn't independent"
        yield Paragraph(
            f"Model {row.model} was tested on {row.made:%Y-%m-%d} by {row.tester}, {tested}, at the threshold"
            f" {row.threshold:g}. Verdict: {row.verdict.replace('_', ' ')}."
        )
        yield Paragraph(
            "FMR: strangers taken for the same person. FNMR: the same person taken for strangers. FPIR: searches for"
            " somebody who isn't enrolled that returned anybody. FNIR: searches for somebody enrolled that missed them."
        )
        yield from _true_positives(row.evaluation, groups)
        yield Table(
            f"Error rates by group, {row.evaluation}",
            ("Group", "Rate", "Errors", "Trials", "Percent", "95 % interval", "Note"),
            tuple(_rate_row(each) for each in groups),
            "No group was measured.",
        )
    yield Table(
        "What tests found",
        ("Submitted", "What was found", "Answer due", "Answered", "Note"),
        tuple(
            (
                f"{row.submitted:%Y-%m-%d}",
                row.statement,
                f"{row.due:%Y-%m-%d}",
                "" if row.mitigated is None else f"{row.mitigated:%Y-%m-%d}",
                "overdue" if row.is_overdue else "",
            )
            for row in register.evaluations.findings
        ),
        "No tester has submitted a finding.",
    )


def proof(register: Register) -> Iterator[Block]:
    """Yield how anybody can check the report."""
    yield Heading("How to check this report")
    log = register.proof.log[0]
    yield Paragraph(
        f"Everything here comes from the first {log.entries} entries of the ledger {log.origin}, an append-only record"
        " that anybody can verify. Its checkpoint:"
    )
    yield Paragraph(log.checkpoint)
    yield Table(
        "Keys of the ledger",
        ("Public key", "In use"),
        tuple((row.key, "yes" if row.in_use else "no") for row in register.proof.keys),
    )
    yield Table(
        "Witnesses",
        ("Operator", "Public key", "Cosigned"),
        tuple((row.operator, row.key, "yes" if row.cosigned else "no") for row in register.proof.witnesses),
    )
    steps = tuple((str(row.step), row.instruction) for row in register.proof.steps)
    yield Table("Steps", ("Step", "What to do"), steps)


def _true_positives(evaluation: str, groups: list[GroupRow]) -> Iterator[Block]:
    points = tuple(
        (row.group, 100 * (1 - row.rate), 100 * (1 - row.high), 100 * (1 - row.low))
        for row in groups
        if row.measure == "FNMR" and row.rate is not None and row.low is not None and row.high is not None
    )
    if points:
        said = "; ".join(f"{name}: {rate:.2f} ({low:.2f} to {high:.2f})" for name, rate, low, high in points)
        yield Intervals(
            f"True positives by group, percent with 95 % interval, {evaluation}",
            points,
            TRUE_POSITIVES_PCT,
            f"{TRUE_POSITIVES_PCT:g} %",
            f"Points with intervals: true positives by group, in percent; a line at {TRUE_POSITIVES_PCT:g}. {said}.",
        )


def _rate_row(row: GroupRow) -> tuple[str, ...]:
    note = "few errors: an uncertain rate" if row.few_errors else ""
    if row.rate is None or row.low is None or row.high is None:
        return row.group, row.measure, str(row.errors), str(row.trials), "not measured", "", ""
    interval = f"{100 * row.low:.3g} to {100 * row.high:.3g}"
    return row.group, row.measure, str(row.errors), str(row.trials), f"{100 * row.rate:.3g}", interval, note


def _decisions(register: Register, agency: str, period: Period) -> Iterator[Block]:
    mine = {row.use for row in register.deployment.uses if row.agency == agency}
    yield Heading("Decisions and changes")
    yield Table(
        "Decisions on uses of this agency",
        ("Day", "Use", "From", "To", "Cause", "Conditions"),
        tuple(
            (
                f"{row.decided:%Y-%m-%d}",
                row.use,
                row.from_state.replace("_", " "),
                row.to_state.replace("_", " "),
                row.cause,
                row.conditions or "",
            )
            for row in register.oversight.decisions
            if row.use in mine and row.decided in period
        ),
        _NONE,
    )
    yield Table(
        "Votes of overseers",
        ("Day", "Use", "Overseer", "Vote", "Statement and conditions"),
        tuple(
            (
                f"{row.cast:%Y-%m-%d}",
                row.use or "",
                row.voter,
                row.choice,
                " ".join([row.statement or "", *row.conditions]),
            )
            for row in register.oversight.votes
            if row.use in mine and row.cast in period
        ),
        _NONE,
    )


def _changes(register: Register, period: Period) -> Iterator[Block]:
    yield Table(
        "Changes of thresholds",
        ("Day", "Model", "Gallery", "Before", "After", "Reason"),
        tuple(
            (
                f"{row.changed:%Y-%m-%d}",
                row.model,
                row.gallery or "all",
                "" if row.former is None else f"{row.former:g}",
                f"{row.new:g}",
                row.reason,
            )
            for row in register.system.thresholds
            if row.changed in period
        ),
        _NONE,
    )
    changed = [(row.since, "model", f"{row.model} {row.standing}") for row in register.system.models]
    changed += [(row.changed, "policy", f"version {row.version}") for row in register.system.policies]
    changed += [(row.since, "software", f"{row.name} {row.version}") for row in register.system.software]
    yield Table(
        "Changes of models, policy and software",
        ("Day", "What", "Which"),
        tuple((f"{moment:%Y-%m-%d}", what, which) for moment, what, which in sorted(changed) if moment in period),
        _NONE,
    )


def _galleries(register: Register, agency: str) -> Iterator[Block]:
    searched = {row.gallery for row in register.deployment.uses if row.agency == agency}
    yield Heading("Galleries")
    yield Table(
        "Galleries that this agency keeps or searches, as they are now",
        ("Gallery", "Source", "Lawful basis", "Faces", "Retention", "Last purge"),
        tuple(
            (
                row.gallery,
                row.source,
                row.lawful_basis,
                str(row.faces.value),
                "no limit stated" if row.retention_days is None else f"{row.retention_days} days",
                f"{row.last_purge:%Y-%m-%d}" if row.last_purge else "none",
            )
            for row in register.galleries.galleries
            if row.agency == agency or row.gallery in searched
        ),
    )


def _incidents(register: Register, agency: str, period: Period) -> Iterator[Block]:
    section = register.incidents
    yield Heading("Incidents, audits, sharing, cost")
    yield Table(
        "Incidents of this agency or of the whole service",
        ("Recorded", "Discovered", "Kind", "What happened", "People affected"),
        tuple(
            (
                f"{row.recorded:%Y-%m-%d}",
                f"{row.discovered:%Y-%m-%d}",
                row.occurrence,
                row.statement,
                "not stated" if row.people_affected is None else str(row.people_affected.value),
            )
            for row in section.incidents
            if row.agency in {agency, None} and row.recorded in period
        ),
        _NONE,
    )
    yield Table(
        "Audits and other reports",
        ("Published", "Kind", "Report", "SHA-256 of its text"),
        tuple(
            (f"{row.published:%Y-%m-%d}", row.kind.replace("_", " "), row.report, row.digest)
            for row in register.deployment.reports
            if row.agency == agency and row.published in period
        ),
        _NONE,
    )
    yield Table(
        "Data shared outside the agency",
        ("Recorded", "With whom", "What", "Under which standard"),
        tuple(
            (f"{row.recorded:%Y-%m-%d}", row.recipient, row.data, row.standard)
            for row in section.sharing
            if row.agency == agency and row.recorded in period
        ),
        _NONE,
    )
    yield Table(
        "Cost, as reports of the agency state it",
        ("Report", "Cost"),
        tuple(
            (row.report, f"{row.cost_cents // 100:,}.{row.cost_cents % 100:02d}")
            for row in section.costs
            if row.agency == agency and row.published in period
        ),
        "Not stated in this period.",
    )
