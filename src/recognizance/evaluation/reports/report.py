"""The report of an evaluation: plain words first, then the drawings and their numbers, then how to check all of it.

Pure: a result document in, a report out, which `register.reports` writes as HTML and as PDF. Implements
docs/evaluation-reports.md, "The report".
"""

from collections.abc import Iterator

from recognizance.evaluation.reports.findings import findings_blocks
from recognizance.evaluation.reports.summary import summary
from recognizance.evaluation.reports.views import (
    RATE_COLUMNS,
    group_size_rows,
    headline_rates,
    rate_cells,
    set_in_words,
)
from recognizance.evaluation.results import Evaluation, Kind, commitment
from recognizance.evaluation.words import counted, percent
from recognizance.register.reports.blocks import Block, Callout, Heading, Paragraph, Report, Table, Tone

_KINDS = {
    Kind.VERIFICATION: "Test of comparisons of two pictures, one-to-one,",
    Kind.IDENTIFICATION: "Test of searches in a gallery, one-to-many,",
    Kind.ACLU: "Test of searches for people who are certainly absent (the ACLU's test of 2018)",
}


def evaluation_report(evaluation: Evaluation, receipt: str | None = None) -> Report:
    """Return the report.

    Args:
        receipt: The proof that the ledger holds this result, as text; None before it is on the record.
    """
    return Report(
        f"How wrong is it: {what_was_measured(evaluation)}",
        evaluation.completed,
        (
            Paragraph(_in_one_sentence(evaluation)),
            *summary(evaluation),
            *findings_blocks(evaluation),
            *_labels(evaluation),
            *gate_blocks(evaluation),
            *_settings(evaluation),
            *how_to_check(evaluation, receipt),
        ),
    )


def what_was_measured(evaluation: Evaluation) -> str:
    """Return the name of the model or, where the engine doesn't name one, of the engine."""
    return evaluation.engine.model or evaluation.engine.name


def gate_blocks(evaluation: Evaluation) -> Iterator[Block]:
    """Yield each check of the gate."""
    if evaluation.gate is None:
        return
    yield Heading("Held against limits")
    rows: list[tuple[str, ...]] = []
    for check in evaluation.gate.checks:
        whose = "everybody" if check.group is None else f"{check.column}: {check.group}"
        faces = "" if check.gallery_faces is None else f"{check.gallery_faces:,}"
        rows.append(
            (
                whose,
                check.limit.measure.upper(),
                faces,
                percent(check.limit.at_most),
                *rate_cells(check.estimate)[:-1],
                check.verdict.replace("_", " "),
            )
        )
    columns = ("Group", "Measure", "Faces", "Limit", *RATE_COLUMNS[:-1], "Verdict")
    yield Table("The upper end of each interval has to lie within the limit", columns, tuple(rows))
    if evaluation.gate.agreements:
        agreed = tuple((each.what, each.authorised, each.found, each.verdict) for each in evaluation.gate.agreements)
        yield Table("Settings held against what was authorised", ("What", "Authorised", "Found", "Verdict"), agreed)


def how_to_check(evaluation: Evaluation, receipt: str | None) -> Iterator[Block]:
    """Yield what the figures are bound to, so that nobody has to believe them."""
    yield Heading("How to check this")
    yield commitments(evaluation)
    yield Paragraph(
        "The same manifest, pictures, model, seed and settings give the same result. Every number here is in"
        " result.json, whose form result.schema.json describes; the tables are beside it as CSV."
    )
    if receipt is None:
        yield Callout(
            "No receipt",
            "Nothing here shows that a ledger holds this result. Look for its SHA-256 in the register of evaluations.",
            Tone.UNSURE,
        )
    else:
        yield Heading("Receipt", 3)
        yield Paragraph("This proof shows that the ledger holds the result:")
        yield Paragraph(receipt)


def commitments(evaluation: Evaluation) -> Table:
    """Return the hashes that the figures are bound to."""
    return Table(
        "Commitments: SHA-256, in hexadecimal",
        ("Of what", "Value"),
        (
            ("this result (the file result.json)", commitment(evaluation)),
            ("the data: every row of the manifest and every picture", evaluation.data.commitment),
            ("the model's file", evaluation.engine.model_digest or "not known to us"),
            *_label_commitments(evaluation),
        ),
    )


def _in_one_sentence(evaluation: Evaluation) -> str:
    independent = "independent of the operator" if evaluation.is_independent else "not independent of the operator"
    return (
        f"{_KINDS[evaluation.kind]} of {what_was_measured(evaluation)} on"
        f" {set_in_words(evaluation.data)}, made by {evaluation.tester} ({independent}), completed"
        f" {evaluation.completed:%Y-%m-%d %H:%M} UTC."
    )


def _labels(evaluation: Evaluation) -> Iterator[Block]:
    suspected, exclusions = evaluation.suspected_labels, evaluation.exclusions
    if suspected is None and exclusions is None:
        return
    yield Heading("Labels that may be wrong")
    if suspected is not None:
        yield Paragraph(
            f"Pairs under two names that look like one person: {suspected.impostors_that_look_mated:,}; pairs under one"
            f" name that look like two: {suspected.mated_that_look_impostor:,}. They are suspected by the"
            " scores themselves; only somebody who looks at the pictures can tell."
        )
    if exclusions is None or evaluation.without_excluded is None:
        yield Paragraph("Nothing was excluded: every figure counts every label as the manifest has it.")
        return
    yield Paragraph(
        f"{exclusions.decided_by} decided on {exclusions.decided:%Y-%m-%d} to leave out"
        f" {counted(exclusions.images, 'picture')} and {counted(exclusions.pairs, 'pair')}. Reason: {exclusions.reason}"
    )
    without = dict(headline_rates(evaluation, evaluation.without_excluded))
    rows: list[tuple[str, ...]] = []
    for name, estimate in headline_rates(evaluation, evaluation.findings):
        rows.append((name, "every label", *rate_cells(estimate)))
        if name in without:
            rows.append((name, "without the excluded", *rate_cells(without[name])))
    yield Table("With and without the excluded labels", ("Rate", "Labels", *RATE_COLUMNS), tuple(rows))


def _settings(evaluation: Evaluation) -> Iterator[Block]:
    engine, data = evaluation.engine, evaluation.data
    yield Heading("What was run, and on what")
    yield Table(
        "Engine, protocol and settings",
        ("What", "Value"),
        (
            ("evaluation", evaluation.evaluation),
            ("engine", " ".join(part for part in (engine.name, engine.version) if part)),
            ("model", engine.model or "not named by the engine"),
            ("endpoint", engine.endpoint or "none: ran in process or from a file"),
            ("software that measured", evaluation.software),
            ("protocol", evaluation.protocol),
            ("seed", str(evaluation.seed)),
            ("operating threshold", evaluation.operating),
            *((each.name, each.value) for each in evaluation.settings),
        ),
    )
    yield Table(
        "People and pictures, by group as the manifest states it",
        ("Group", "People", "Pictures"),
        (
            ("everybody", f"{data.subjects:,}", f"{data.images:,}"),
            *group_size_rows(data),
        ),
    )


def _label_commitments(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    suspected, exclusions = evaluation.suspected_labels, evaluation.exclusions
    if suspected is not None and suspected.listing_digest is not None:
        yield "the list of labels that may be wrong", suspected.listing_digest
    if exclusions is not None:
        yield "the decision to exclude", exclusions.decision_digest
