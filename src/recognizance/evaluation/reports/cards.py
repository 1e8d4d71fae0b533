"""Two short documents of a result: what the model is (model card), and what one threshold costs (error card).

A model card says what a model is for, what it was measured on, and where it was not: it follows Mitchell and others
("Model Cards for Model Reporting", 2019) in what it names. An error card is one page for one threshold: how many wrong
people a thousand searches return in a gallery of this size, for everybody and for each group, to be hung beside the
screen of whoever searches.

Pure. Implements docs/evaluation-reports.md, "Cards".
"""

import re
from collections.abc import Iterator

from recognizance.evaluation.measures import Estimate
from recognizance.evaluation.reports.report import commitments, gate_blocks, what_was_measured
from recognizance.evaluation.reports.summary import CANDIDATE, comparison_figures, search_figures, verdict_callout
from recognizance.evaluation.reports.views import (
    group_rows,
    group_size_rows,
    headline_rates,
    nearest_size,
    operating_comparison,
    operating_search,
    own_group_rows,
    rate_table,
    searches_by_threshold,
    set_in_words,
)
from recognizance.evaluation.results import Evaluation, IdentificationAt, VerificationAt, commitment
from recognizance.evaluation.words import evidence_word, in_so_many, possibly, what_it_proves
from recognizance.register.reports.blocks import Block, Callout, Figures, Heading, Paragraph, Report, Table, Tone

_SLUG = re.compile(r"[^A-Za-z0-9]+")

_MOST_GROUPS = 10
"""What fits one page. The report has all of them."""

_OUT_OF_SCOPE = (
    "To identify anybody: only people who review a candidate independently make it a lead, and nothing makes it more.",
    "To infer race, sex, age, emotion or anything else about a person: the groups here come from the data's manifest.",
    "On pictures, people or galleries unlike those that it was measured on, without measuring again.",
    "To compare templates of different models with each other.",
)


def model_card(evaluation: Evaluation) -> Report:
    """Return the card of the model that was measured."""
    engine, data = evaluation.engine, evaluation.data
    return Report(
        f"Model card: {what_was_measured(evaluation)}",
        evaluation.completed,
        (
            Paragraph(
                "A recogniser of faces: it turns a picture of a face into a template, and two templates into a score"
                " that is higher the more alike they are."
            ),
            Table(
                "The model",
                ("What", "Value"),
                (
                    ("model", engine.model or "not named by the engine"),
                    ("SHA-256 of its file", engine.model_digest or "not known to us"),
                    ("engine", " ".join(part for part in (engine.name, engine.version) if part)),
                    ("scores", engine.scale.value.replace("_", " ")),
                    ("measured", f"{evaluation.completed:%Y-%m-%d} by {evaluation.tester}"),
                    ("independent of the operator", "yes" if evaluation.is_independent else "no"),
                ),
            ),
            Heading("What it is not for"),
            *(Paragraph(each) for each in _OUT_OF_SCOPE),
            Heading("What it was measured on"),
            Paragraph(
                f"{set_in_words(data)}. It was not measured on anything else here, and a group that the manifest"
                " doesn't name was not looked at."
            ),
            Table(
                "People and pictures, by group as the manifest states it",
                ("Group", "People", "Pictures"),
                group_size_rows(data),
                "The manifest names no groups: how errors differ between people was not measured.",
            ),
            Heading("How often it errs"),
            verdict_callout(evaluation.gate),
            rate_table(
                f"At the threshold {evaluation.operating}",
                "Rate",
                tuple(headline_rates(evaluation, evaluation.concluded)),
            ),
            *_by_group(evaluation),
            *gate_blocks(evaluation),
            Heading("How to check this"),
            commitments(evaluation),
        ),
    )


def error_cards(evaluation: Evaluation) -> dict[str, Report]:
    """Return one card for each threshold, by a name for its file."""
    findings = evaluation.concluded
    cards: dict[str, Report] = {}
    for name, found in searches_by_threshold(findings).items():
        at = nearest_size(evaluation, found)
        if at is not None:
            cards[_file_name(name, len(cards) + 1)] = _search_card(evaluation, at)
    if not cards and findings.verification is not None:
        for compared in findings.verification.at:
            cards[_file_name(compared.name, len(cards) + 1)] = _comparison_card(evaluation, compared)
    return cards


def _search_card(evaluation: Evaluation, at: IdentificationAt) -> Report:
    found = at.found
    wrong, missed = dict(group_rows(found.fpir_by_group)), dict(group_rows(found.fnir_by_group))
    columns = ("A wrong person is returned", "The right one is missed")[: 2 if found.fnir.rate.trials else 1]
    own = evaluation.operator_gallery_faces
    larger = ""
    if own is not None and own > found.gallery_faces:
        larger = f" Your gallery has {own:,} faces, more than were measured: expect more wrong people than stated here."
    return _card(
        evaluation,
        f"Error card: {what_was_measured(evaluation)}, threshold {at.name}",
        search_figures(found),
        _groups_table(columns, wrong, missed if len(columns) > 1 else {}, "searches"),
        f"Score {found.threshold:.4g}{_similarity(at.similarity_pct)}. {what_it_proves(found.fpir)}{larger}",
    )


def _comparison_card(evaluation: Evaluation, at: VerificationAt) -> Report:
    own = dict(row for matrix in at.matrices for row in own_group_rows(matrix))
    columns = ("Two people are taken for one", "One is taken for two")
    return _card(
        evaluation,
        f"Error card: {what_was_measured(evaluation)}, threshold {at.name}",
        comparison_figures(at),
        _groups_table(columns, own, dict(group_rows(at.fnmr_by_group)), "comparisons"),
        f"Score {at.threshold:.4g}{_similarity(at.similarity_pct)}. {what_it_proves(at.fmr)}",
    )


def _card(
    evaluation: Evaluation, title: str, figures: tuple[tuple[str, str], ...], groups: Table, small: str
) -> Report:
    blocks: Iterator[Block] = iter(
        (
            Callout("A candidate is not an identification", CANDIDATE, Tone.PLAIN),
            Figures(figures),
            groups,
            Paragraph(small),
            Paragraph(
                f"Measured {evaluation.completed:%Y-%m-%d} by {evaluation.tester} on"
                f" {set_in_words(evaluation.data)}."
                f" SHA-256 of the result: {commitment(evaluation)}"
            ),
        )
    )
    return Report(title, evaluation.completed, tuple(blocks))


def _groups_table(
    columns: tuple[str, ...], first: dict[str, Estimate], second: dict[str, Estimate], trials: str
) -> Table:
    """Return both rates of each group, those that may be worst first, as many as a page has room for."""

    def worst(name: str) -> tuple[float, str]:
        estimate = first.get(name)
        high = 0.0 if estimate is None or estimate.interval is None else estimate.interval.high
        return -high, name

    names = sorted({**first, **second}, key=worst)
    rows: list[tuple[str, ...]] = []
    for name in names[:_MOST_GROUPS]:
        cells = [_cell(each.get(name), trials) for each in (first, second)[: len(columns)]]
        rows.append((name, *cells))
    more = len(names) - len(rows)
    left = f"; {more} more groups are in the report" if more else ""
    return Table(
        f"By group{left}",
        ("Group", *columns),
        tuple(rows),
        "The data name no groups: how errors differ between people was not measured.",
    )


def _cell(estimate: Estimate | None, trials: str) -> str:
    if estimate is None or not estimate.rate.trials:
        return "nothing was tried"
    remark = evidence_word(estimate)
    said = f"{in_so_many(estimate)}, {possibly(estimate)} ({estimate.rate.trials:,} {trials}"
    return f"{said}; {remark})" if remark else f"{said})"


def _by_group(evaluation: Evaluation) -> Iterator[Block]:
    """Yield every rate of every group at the operating threshold."""
    findings = evaluation.concluded
    searched, compared = operating_search(evaluation, findings), operating_comparison(evaluation, findings)
    tables: list[tuple[str, tuple[tuple[str, Estimate], ...]]] = []
    if searched is not None:
        faces = f"gallery of {searched.found.gallery_faces:,} faces"
        tables.append((f"FPIR by group, {faces}", group_rows(searched.found.fpir_by_group)))
        tables.append((f"FNIR by group, {faces}", group_rows(searched.found.fnir_by_group)))
    if compared is not None:
        own = tuple(row for matrix in compared.matrices for row in own_group_rows(matrix))
        tables.append(("FMR within each group", own))
        tables.append(("FNMR by group", group_rows(compared.fnmr_by_group)))
    for title, rows in tables:
        if any(estimate.rate.trials for _, estimate in rows):
            yield rate_table(title, "Group", rows)


def _similarity(similarity_pct: float | None) -> str:
    return "" if similarity_pct is None else f", similarity {similarity_pct:.4g}"


def _file_name(threshold: str, number: int) -> str:
    """Return a file's name that no threshold's name can turn into a path, and no two thresholds share."""
    slug = _SLUG.sub("-", threshold).strip("-").lower()[:40]
    return f"error-card-{number}-{slug}" if slug else f"error-card-{number}"
