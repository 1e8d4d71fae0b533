"""`recognizance evaluate verification`: pictures compared one to one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.evaluating.asked import Asked, engine_of, limit_of, measured, opened
from recognizance.cli.evaluating.options import GallerySize, Limits, Manifest, Out, Seed, Shared, sharing_options
from recognizance.cli.evaluating.writing import write
from recognizance.cli.output import speaking_plainly
from recognizance.errors import InputError

if TYPE_CHECKING:
    from recognizance.cli.measuring import Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import TestSet


@speaking_plainly
@sharing_options
def verification(
    shared: Shared,
    manifest: Manifest,
    out: Out,
    pairs: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV: first, second. Without it, all pairs.")
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="What people are compared at; without it 80, or the --default-threshold of a list of scores."
        ),
    ] = None,
    limit: Limits = None,
    seed: Seed = 1,
    gallery_size: GallerySize = None,
) -> None:
    """Compare pictures one to one: FMR, FNMR, DET, per group, and labels that look wrong."""
    from recognizance.cli.measuring import EngineKind
    from recognizance.evaluation.protocols import AllPairs, parse_pairs
    from recognizance.evaluation.runs import verify

    chosen, default_threshold = engine_of(shared), shared.default_threshold
    if threshold is None and chosen.kind is EngineKind.SCORES and default_threshold is None:
        raise InputError("a list of scores has no usual threshold: give --default-threshold or --threshold, as a score")
    asked = Asked(
        kind="verification",
        shared=shared,
        engine=chosen,
        threshold=threshold or ("80" if default_threshold is None else "default"),
        seed=seed,
        limits=tuple(map(limit_of, limit or ())),
        gallery_size=gallery_size,
    )

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        plan = (
            AllPairs(len(test_set))
            if pairs is None
            else parse_pairs(pairs.read_bytes(), test_set.manifest, name=str(pairs))
        )
        return verify(test_set, measuring.engine, plan, conduct)

    done = measured(asked, lambda step: opened(manifest, shared.data, step), run)
    write(done, out, json=shared.json)
