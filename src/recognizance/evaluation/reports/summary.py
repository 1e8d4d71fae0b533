"""The first page of a report, for whoever reads only that: the verdict, and what the figures mean for people.

Every sentence follows from counts in the document. Where they prove little, that is said before anything is concluded.
Pure. Implements docs/evaluation-reports.md, "In plain words".
"""

from collections.abc import Iterable, Iterator, Sequence

from recognizance.evaluation.gate import Check, Gate, Limit, Measure
from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.measures import Estimate, Identification, Rate, Verdict
from recognizance.evaluation.reports.views import (
    extremes,
    group_rows,
    operating_comparison,
    operating_search,
    own_group_rows,
)
from recognizance.evaluation.results import Evaluation, IdentificationAt, Kind, VerificationAt
from recognizance.evaluation.words import in_so_many, percent, possibly, rate_phrase, what_it_proves
from recognizance.register.reports.blocks import Block, Callout, Figures, Heading, Paragraph, Tone

ACLU_2018 = Rate(28, 535)
"""Members of Congress for whom an arrest photograph was returned, at the default threshold, among 25,000 faces."""

_TONES = {
    Verdict.PASSED: Tone.GOOD,
    Verdict.FAILED: Tone.BAD,
    Verdict.INSUFFICIENT_EVIDENCE: Tone.UNSURE,
}
_TITLES = {
    Verdict.PASSED: "Passed: every limit is met, for everybody and for each group",
    Verdict.FAILED: "Failed: a limit is exceeded",
    Verdict.INSUFFICIENT_EVIDENCE: "Insufficient evidence: too little was tried to show that the limits are met",
}
_MEANINGS = {
    Measure.FMR: "two people are taken for one (FMR)",
    Measure.FNMR: "one person is taken for two (FNMR)",
    Measure.FPIR: "a wrong person is returned (FPIR)",
    Measure.FNIR: "the right person is missed (FNIR)",
    Measure.FTA: "no face can be used (FTA)",
}
"""What a limited rate says; a gate's reader may not know the abbreviation."""
CANDIDATE = (
    "A candidate is a machine's suggestion that two pictures look alike. It is not an identification, and by itself no"
    " reason to stop, question or accuse anybody."
)


def summary(evaluation: Evaluation) -> Iterator[Block]:
    """Yield the verdict and what it means for people, in words."""
    findings = evaluation.concluded
    yield verdict_callout(evaluation.gate)
    searched = operating_search(evaluation, findings)
    if searched is not None:
        yield from _for_the_searched(evaluation, searched)
    compared = operating_comparison(evaluation, findings)
    if compared is not None and evaluation.kind is Kind.VERIFICATION:
        yield from _for_the_compared(compared)
    if evaluation.exclusions is not None:
        yield Paragraph(
            f"These figures leave out {evaluation.exclusions.images:,} pictures and {evaluation.exclusions.pairs:,}"
            " pairs whose labels somebody decided are wrong. The decision, and the figures with them, are below."
        )


def verdict_callout(gate: Gate | None) -> Callout:
    """Return the gate's verdict, naming each group that doesn't meet a limit."""
    if gate is None:
        return Callout(
            "No verdict: no limits were set",
            "These figures were not held against the limits of a use. They say how often the system errs here, not"
            " whether that is acceptable.",
        )
    if not gate.checks and not gate.agreements:
        return Callout(
            "Insufficient evidence: no limits were set",
            "The result is on the record, where it has to have a verdict, and these figures were not held against any"
            " limit: nothing was shown to be met.",
            _TONES[gate.verdict],
        )
    said = _each(gate.failed)
    said += [
        f"{each.what.capitalize()} is {each.found}, and what was authorised is {each.authorised}."
        for each in gate.agreements
        if not each.agrees
    ]
    failed = {_subject(check) for check in gate.failed}
    said += _each(check for check in gate.unproven if _subject(check) not in failed)
    if not said:
        said = ["The upper end of every interval lies within its limit."]
    return Callout(_TITLES[gate.verdict], "\n".join(said), _TONES[gate.verdict])


def search_figures(found: Identification) -> tuple[tuple[str, str], ...]:
    """Return how many of a thousand searches return a wrong person and, where it was tried, miss the right one."""
    gallery = f"a gallery of {found.gallery_faces:,} faces"
    wrong = f"searches for people who are not in {gallery} return a wrong person; {possibly(found.fpir)}"
    figures = ((in_so_many(found.fpir), wrong),)
    if not found.fnir.rate.trials:
        return figures
    missed = f"searches for people who are in it do not return them; {possibly(found.fnir)}"
    return (*figures, (in_so_many(found.fnir), missed))


def comparison_figures(compared: VerificationAt) -> tuple[tuple[str, str], ...]:
    """Return how many of a thousand comparisons are wrong, of each kind."""
    return (
        (in_so_many(compared.fmr), f"comparisons of two people take them for one; {possibly(compared.fmr)}"),
        (in_so_many(compared.fnmr), f"comparisons of one person take them for two; {possibly(compared.fnmr)}"),
    )


def _each(checks: Iterable[Check]) -> list[str]:
    """Return a sentence for each group and rate: of the largest gallery, where several sizes come to the same."""
    largest: dict[tuple[str | None, str | None, Limit], Check] = {}
    for check in checks:
        known = largest.get(_subject(check))
        if known is None or (check.gallery_faces or 0) >= (known.gallery_faces or 0):
            largest[_subject(check)] = check
    return [_checked(check) for check in largest.values()]


def _subject(check: Check) -> tuple[str | None, str | None, Limit]:
    return check.column, check.group, check.limit


def _checked(check: Check) -> str:
    """Say what stands against a limit: the rate, or where that is within it, how high it may be."""
    estimate, limit = check.estimate, check.limit.at_most
    among = "" if check.gallery_faces is None else f", among {check.gallery_faces:,} faces"
    what = f"{_whose(check)}{among}: {_MEANINGS[check.limit.measure]}"
    if estimate.interval is None or estimate.rate.value is None:
        return f"{what}: nothing was tried; the limit is {percent(limit)}."
    rate = rate_phrase(estimate, limit)
    if estimate.rate.value > limit:
        return f"{what} in {rate}, above the limit of {percent(limit)}."
    return f"{what} in {rate}, which does not show that the limit of {percent(limit)} is kept."


def _whose(check: Check) -> str:
    return "Everybody" if check.group is None else f"{check.column}: {check.group}"


def _for_the_searched(evaluation: Evaluation, searched: IdentificationAt) -> Iterator[Block]:
    found = searched.found
    yield Heading("What this means for a person who is searched for")
    yield Figures(search_figures(found))
    yield Paragraph(
        f"{found.fpir.rate.trials:,} searches were made for people who were certainly not in the gallery."
        f" {_who_came_back(found.fpir)}: {rate_phrase(found.fpir)}. {what_it_proves(found.fpir)}"
    )
    if evaluation.kind is Kind.ACLU:
        yield Paragraph(_beside_2018(found.fpir))
    for column in found.fpir_by_group:
        yield from _by_group(group_rows((column,)), "a wrong person is returned")
    yield Paragraph(CANDIDATE)
    yield Paragraph(_sizes(evaluation, searched))


def _who_came_back(fpir: Estimate) -> str:
    if fpir.rate.errors == 0:
        return "In none of them was anybody returned"
    return f"In {fpir.rate.errors:,} of them somebody was returned, and that was a wrong person every time"


def _for_the_compared(compared: VerificationAt) -> Iterator[Block]:
    yield Heading("What this means for a person whose pictures are compared")
    yield Figures(comparison_figures(compared))
    yield Paragraph(
        f"Two different people were taken for one in {rate_phrase(compared.fmr)} of comparisons."
        f" {what_it_proves(compared.fmr)} One person was taken for two in {rate_phrase(compared.fnmr)}."
        f" {what_it_proves(compared.fnmr)}"
    )
    for matrix in compared.matrices:
        yield from _by_group(own_group_rows(matrix), "two different people of the group are taken for one")
    for column in compared.fnmr_by_group:
        yield from _by_group(group_rows((column,)), "one person is taken for two")
    yield Paragraph(
        "A search compares one picture with every face of a gallery, so even a rare false match becomes likely there:"
        " these figures do not tell how often a search returns a wrong person."
    )


def _by_group(rows: Sequence[tuple[str, Estimate]], what: str) -> Iterator[Block]:
    """Yield which group is worst off, and whether these data can tell."""
    found = extremes(rows)
    if found is None:
        return
    (worst, high), (best, low) = found
    if high.rate.errors == 0:
        yield Paragraph(
            f"In no group was there an error of this kind ({what}); that does not show that they are equal."
        )
        return
    said = f"Most often {what} for {worst}: {rate_phrase(high)}; least often for {best}: {rate_phrase(low)}."
    yield Paragraph(f"{said} {_apart(high, low)}")


def _apart(high: Estimate, low: Estimate) -> str:
    if high.interval is None or low.interval is None:
        return "There is no interval to tell whether this is more than chance."
    if high.interval.low > low.interval.high:
        return "The intervals do not overlap: chance alone hardly explains the difference."
    return "The intervals overlap: these data are too few to say that the groups differ, or that they do not."


def _beside_2018(fpir: Estimate) -> str:
    reference = estimate_independent(ACLU_2018)
    return (
        "For comparison: in 2018 the ACLU searched for the 535 members of Congress among 25,000 arrest photographs,"
        f" with the system's default settings, and somebody else was returned for 28: {rate_phrase(reference)}."
        f" Pictures, people and gallery were others than here, where it was {rate_phrase(fpir)}: a yardstick, and not"
        " a race."
    )


def _sizes(evaluation: Evaluation, searched: IdentificationAt) -> str:
    measured = searched.found.gallery_faces
    own = evaluation.operator_gallery_faces
    if own is None:
        return f"The figures are for {measured:,} faces. In a larger gallery there are more people to be mistaken for."
    if own > measured:
        return (
            f"This operator's gallery has {own:,} faces, and the largest that was measured has {measured:,}. In the"
            " larger one more searches return a wrong person than these figures say."
        )
    return f"This operator's gallery has {own:,} faces; the figures are for {measured:,}, the next size measured."
