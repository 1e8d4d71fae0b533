"""`recognizance evaluate labels`: labels that look wrong, listed for a person to decide on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.evaluating.asked import Asked, engine_of, measured, opened
from recognizance.cli.evaluating.options import CacheFolder, Engine, Manifest, Shared
from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import print_json, results, speaking_plainly
from recognizance.errors import InputError

if TYPE_CHECKING:
    from recognizance.cli.measuring import Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import TestSet

_FEW_RESAMPLES = 100
"""Where intervals are thrown away."""


@speaking_plainly
def labels(
    manifest: Manifest,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The CSV file to write. It names people.")],
    engine: Engine = "local",
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """List labels that look wrong, for a person to decide on: one person under two names, two under one."""
    from recognizance.cli.measuring import write_files
    from recognizance.evaluation.protocols import AllPairs
    from recognizance.evaluation.runs import EQUAL_ERRORS, verify
    from recognizance.evaluation.words import counted

    shared = Shared(by=[], resamples=_FEW_RESAMPLES, engine=engine, cache=cache, data=data)
    asked = Asked(kind="labels", shared=shared, engine=engine_of(shared), threshold=EQUAL_ERRORS)

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        subjects = [sample.subject for sample in test_set.manifest.samples]
        if len(set(subjects)) in {1, len(subjects)}:
            raise InputError("labels are judged by both kinds of pairs: of one person, and of two people")
        return verify(test_set, measuring.engine, AllPairs(len(test_set)), conduct)

    done = measured(asked, lambda step: opened(manifest, data, step), run)
    found = done.run.evaluation.suspected_labels
    write_files(out.parent, {out.name: done.run.listing or b""}, private={out.name})
    counts = (0, 0) if found is None else (found.impostors_that_look_mated, found.mated_that_look_impostor)
    if json:
        print_json({"file": str(out), "look_mated": counts[0], "look_impostor": counts[1]})
    else:
        results.print(
            f"{out}: {counted(counts[0], 'pair')} under two names that look mated, {counts[1]:,} under one name that"
            " don't",
            markup=False,
        )
