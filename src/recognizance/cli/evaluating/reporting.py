"""`recognizance evaluate report`: reports, cards and tables made again, from a result document and nothing else.

Needs no installation, no picture and no model, and looks at nothing but the files that it is given.
"""

from pathlib import Path
from typing import Annotated

import typer

from recognizance.cli.evaluating.options import Out
from recognizance.cli.evaluating.writing import say
from recognizance.cli.options import Json
from recognizance.cli.output import print_json, results, speaking_plainly
from recognizance.errors import InputError


@speaking_plainly
def report(
    result: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A result document, as `evaluate` wrote it.")
    ],
    out: Out,
    commitment: Annotated[
        str | None, typer.Option(help="The SHA-256 that a use, a register or a report quotes; another one is refused.")
    ] = None,
    decision: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The decision that set labels aside; another one is refused."),
    ] = None,
    json: Json = False,
) -> None:
    """Check a result document, and make its report, cards and tables again."""
    from recognizance.cli.measuring import read_file, write_files
    from recognizance.evaluation import results as documents
    from recognizance.evaluation.publication import require_decision
    from recognizance.evaluation.reports import report_files

    evaluation = documents.read_evaluation(read_file(result))
    digest = documents.commitment(evaluation)
    if commitment is not None and commitment.lower() != digest:
        raise InputError(f"{result} isn't the result of that commitment: its own is {digest}")
    if decision is not None:
        require_decision(evaluation, read_file(decision))
    write_files(out, report_files(evaluation))
    verdict = None if evaluation.gate is None else evaluation.gate.verdict.value
    if json:
        print_json({"evaluation": evaluation.evaluation, "out": str(out), "digest": digest, "verdict": verdict})
        return
    say(evaluation)
    results.print(f"{result}: a whole result document, its commitment is {digest}", markup=False, soft_wrap=True)
    results.print(f"{out}: report.html, report.pdf, cards and tables", markup=False)
