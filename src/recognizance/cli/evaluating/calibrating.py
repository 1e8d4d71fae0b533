"""`recognizance evaluate calibrate`: what a recogniser's scores mean, measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.evaluating.asked import Asked, engine_of, measured, opened
from recognizance.cli.evaluating.options import (
    CacheFolder,
    DecisionFile,
    Description,
    Manifest,
    Resamples,
    Seed,
    Shared,
)
from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import print_json, results, speaking_plainly

if TYPE_CHECKING:
    from recognizance.cli.measuring import Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import TestSet


@speaking_plainly
def calibrate(
    manifest: Manifest,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The table's file to write.")],
    engine: Annotated[str, typer.Option(help="local, or local:RECOGNISER.")] = "local",
    decision: DecisionFile = None,
    seed: Seed = 2018,
    resamples: Resamples = 1000,
    description: Description = "",
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Measure what a recogniser's scores mean: a table of similarities, with the range that was measured."""
    from recognizance.cli.measuring import write_files
    from recognizance.evaluation.calibrate import checked, require_enough, table_of
    from recognizance.evaluation.protocols import AllPairs
    from recognizance.evaluation.runs import verify
    from recognizance.governing.running import table_sha256

    shared = Shared(
        by=[],
        decision=decision,
        resamples=resamples,
        description=description,
        engine=engine,
        cache=cache,
        data=data,
    )
    asked = Asked(kind="calibration", shared=shared, engine=engine_of(shared), threshold="fmr 0.0001", seed=seed)

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        require_enough(sample.subject for sample in test_set.manifest.samples)
        return verify(test_set, measuring.engine, AllPairs(len(test_set)), conduct)

    done = measured(asked, lambda step: opened(manifest, data, step), run)
    text = table_of(done.run.evaluation)
    write_files(out.parent, {out.name: text.encode()})
    table = checked(text)
    if json:
        extent = {"from": table.knots[0].score, "to": table.measured_up_to}
        print_json({"table": str(out), "sha256": table_sha256(table), "model": table.model, "measured": extent})
        return
    known = {pct: table.score_at_pct(pct) for pct in (80.0, 99.0)}
    for pct, score in known.items():
        beyond = " (extrapolated)" if score > table.measured_up_to else ""
        results.print(f"similarity {pct:g}: score {score:.4f}{beyond}", markup=False)
    results.print(f"{out}: measured from {table.knots[0].score:.2f} to {table.measured_up_to:.2f}", markup=False)
