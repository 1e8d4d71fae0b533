"""`recognizance evaluate aclu`: the test of 2018, on any engine and any two sets of people."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.evaluating.asked import Asked, engine_of, limit_of, measured, opened
from recognizance.cli.evaluating.options import Operating, Out, Seed, Shared, sharing_options
from recognizance.cli.evaluating.writing import write
from recognizance.cli.output import speaking_plainly
from recognizance.errors import InputError

if TYPE_CHECKING:
    from recognizance.cli.measuring import Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import Progress, TestSet


@speaking_plainly
@sharing_options
def aclu(
    shared: Shared,
    out: Out,
    gallery_manifest: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Whom to enrol; or everybody, to be divided.")
    ],
    probe_manifest: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Who is certainly absent. Without it, the set is divided."),
    ] = None,
    enrolled: Annotated[
        int | None, typer.Option(min=1, help="People to enrol; without it, all who aren't absent.")
    ] = None,
    probes: Annotated[int, typer.Option(min=1, help="Absent people to search for, of a set that is divided.")] = 535,
    use: Annotated[str | None, typer.Option(help="A use of this installation, whose threshold has to be kept.")] = None,
    use_threshold: Annotated[
        float | None, typer.Option(min=0.0, max=100.0, help="The threshold that a use authorises, without naming it.")
    ] = None,
    max_fpir: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="What the upper bound of the false positive rate may be.")
    ] = 0.01,
    each_group: Annotated[
        bool, typer.Option("--each-group", help="Hold every group to that limit, not all together.")
    ] = False,
    threshold: Operating = "default",
    seed: Seed = 2018,
) -> None:
    """Repeat the ACLU's test of 2018: enrol people, search for others who are absent, count who comes back."""
    from recognizance.evaluation.aclu import aclu_test, division_of, sentences
    from recognizance.evaluation.runs import Run as Finished
    from recognizance.evaluation.testset import joined

    asked = Asked(
        kind="aclu",
        shared=shared,
        engine=engine_of(shared),
        threshold=threshold,
        seed=seed,
        limits=(limit_of(f"fpir={max_fpir}"),),
        judges_groups=each_group,
    )
    authorised = _authorised(use, use_threshold, shared.data)
    if probe_manifest is not None and enrolled is not None:
        raise InputError("--enrolled divides one set; with --probe-manifest everybody of the gallery is enrolled")

    def both(step: "Callable[[str, int], Progress]") -> "TestSet":
        gallery = opened(gallery_manifest, shared.data, step)
        return gallery if probe_manifest is None else joined(gallery, opened(probe_manifest, shared.data, step))

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        division = division_of(test_set.manifest, probes=probes, enrolled=enrolled, seed=seed)
        return Finished(aclu_test(test_set, measuring.engine, division, conduct, use_pct=authorised), None)

    done = measured(asked, both, run)
    write(done, out, json=shared.json, said=sentences(done.run.evaluation))


def _authorised(use: str | None, threshold_pct: float | None, data: Path) -> float | None:
    """The threshold that a use authorises, from the use itself or as stated."""
    from recognizance.cli.opening import government_of
    from recognizance.governance.parties import UseId

    if use is None:
        return threshold_pct
    if threshold_pct is not None:
        raise InputError("state --use or --use-threshold, not both")
    with government_of(data) as governing:
        return governing.uses.get(UseId(use)).use.terms.limits.threshold_floor_pct
