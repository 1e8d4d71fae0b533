"""What a measuring command leaves behind and says: the folder of results, the rates in words, the exit status.

Exit status 3 says that a measurement was made and its limits weren't shown to hold.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from recognizance.cli.output import notices, print_json, results

if TYPE_CHECKING:
    from recognizance.evaluation.gate import Check
    from recognizance.evaluation.recorded import Recorded
    from recognizance.evaluation.results import Evaluation, Findings

EXIT_NOT_SHOWN = 3
"""The measurement was made, and a limit was passed or not shown to be kept."""

_LISTING = "labels.csv"
_GROUPS = 6
"""So many groups of a rate are named on a terminal."""


def write(done: "Recorded", out: Path, *, json: bool, said: tuple[str, ...] = ()) -> None:
    """Write the folder of results, say what came of it, and exit by the gate's verdict."""
    from recognizance.cli.measuring import write_files
    from recognizance.evaluation.measures import Verdict
    from recognizance.evaluation.reports import report_files
    from recognizance.evaluation.results import commitment

    evaluation = done.run.evaluation
    proof = None if done.receipt is None else done.receipt.data
    files = report_files(evaluation, None if proof is None else proof.decode())
    if proof is not None:
        files["receipt.tlog-proof"] = proof
    if done.run.listing is not None:
        files[_LISTING] = done.run.listing
    write_files(out, files, private={_LISTING})
    verdict = None if evaluation.gate is None else evaluation.gate.verdict
    if json:
        print_json(
            {
                "evaluation": evaluation.evaluation,
                "out": str(out),
                "digest": commitment(evaluation),
                "data": evaluation.data.commitment,
                "verdict": None if verdict is None else verdict.value,
            }
        )
    else:
        say(evaluation, said)
        results.print(f"{out}: report.html, report.pdf, result.json, cards and tables", markup=False)
        if _LISTING in files:
            notices.print(f"{out / _LISTING} names people: keep it with the pictures", markup=False)
    if (
        verdict is not None
        and verdict is not Verdict.PASSED
        and evaluation.gate is not None
        and (evaluation.gate.checks or evaluation.gate.agreements)
    ):
        raise typer.Exit(EXIT_NOT_SHOWN)


def say(evaluation: "Evaluation", said: tuple[str, ...] = ()) -> None:
    """The few rates that the result comes down to, and what the gate found."""
    for sentence in said:
        results.print(sentence, markup=False)
    if not said and evaluation.without_excluded is not None and evaluation.exclusions is not None:
        from recognizance.evaluation.words import counted

        left_out = evaluation.exclusions
        images, pairs = counted(left_out.images, "picture"), counted(left_out.pairs, "pair")
        _say_rates(evaluation, evaluation.findings, ", with every label")
        _say_rates(
            evaluation, evaluation.without_excluded, f", without {images} and {pairs} that the decision leaves out"
        )
    else:
        _say_rates(evaluation, evaluation.concluded, "")
    gate = evaluation.gate
    if gate is None:
        results.print("No verdict: no --limit was set, and what has no verdict can't be published")
        return
    if not gate.checks and not gate.agreements:
        results.print("Verdict: insufficient evidence, as no --limit was set")
        return
    for check in gate.failed:
        results.print(f"fails: {_checked(check)}", markup=False)
    for check in gate.unproven:
        results.print(f"not shown: {_checked(check)}", markup=False)
    for agreement in gate.agreements:
        if not agreement.agrees:
            results.print(
                f"fails: the {agreement.what} is {agreement.found}; authorised is {agreement.authorised}", markup=False
            )
    results.print(f"Verdict: {gate.verdict.value.replace('_', ' ')}")


def _say_rates(evaluation: "Evaluation", findings: "Findings", labels: str) -> None:
    """The rates at the operating threshold, under a line that says which threshold and which labels."""
    from recognizance.evaluation.reports.views import headlines, operating_comparison, operating_search
    from recognizance.evaluation.words import rate_phrase

    compared, searched = operating_comparison(evaluation, findings), operating_search(evaluation, findings)
    score = compared.threshold if compared is not None else None if searched is None else searched.found.threshold
    known = "" if score is None else f" (score {score:.4g})"
    results.print(f"At the threshold {evaluation.operating}{known}{labels}:", markup=False)
    for name, estimate, groups in headlines(evaluation, findings):
        results.print(f"  {name}: {rate_phrase(estimate)}", markup=False)
        # Those that may be worst off; the report has them all.
        worst = sorted(groups, key=lambda row: -(1.0 if row[1].interval is None else row[1].interval.high))[:_GROUPS]
        for group, of_group in groups:
            if group in dict(worst):
                results.print(f"    {group}: {rate_phrase(of_group)}", markup=False)
        if len(groups) > len(worst):
            results.print(f"    and {len(groups) - len(worst)} more groups, in the report", markup=False)


def _checked(check: "Check") -> str:
    from recognizance.evaluation.words import percent, rate_phrase

    whose = "everybody" if check.group is None else f"{check.column}: {check.group}"
    among = "" if check.gallery_faces is None else f" among {check.gallery_faces:,} faces"
    at_most = check.limit.at_most
    rate = rate_phrase(check.estimate, at_most)
    return f"{check.limit.measure.value.upper()} of {whose}{among}, at most {percent(at_most)}: {rate}"
