"""`recognizance evaluate identification`: people searched for in galleries of several sizes."""

from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.evaluating.asked import Asked, choice_of, engine_of, limit_of, measured, opened
from recognizance.cli.evaluating.options import (
    GallerySize,
    Limits,
    Manifest,
    Operating,
    Out,
    Seed,
    Shared,
    sharing_options,
)
from recognizance.cli.evaluating.writing import write
from recognizance.cli.output import speaking_plainly

if TYPE_CHECKING:
    from recognizance.cli.measuring import Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import TestSet


@speaking_plainly
@sharing_options
def identification(
    shared: Shared,
    manifest: Manifest,
    out: Out,
    absent: Annotated[
        float, typer.Option(help="Share of the people who are never enrolled, above 0 and below 1.")
    ] = 0.5,
    enrol: Annotated[str, typer.Option(help="Pictures enrolled of each person: first, or all-but-last.")] = "first",
    probes: Annotated[int, typer.Option(min=1, help="Probes that one person gives at most.")] = 5,
    sizes: Annotated[
        list[int] | None, typer.Option("--size", help="A gallery's size in people, besides all; may be given again.")
    ] = None,
    beyond: Annotated[
        list[int] | None,
        typer.Option(help="Estimate for a gallery of so many faces; may be given again. Without it, --gallery-size."),
    ] = None,
    threshold: Operating = "default",
    limit: Limits = None,
    seed: Seed = 1,
    gallery_size: GallerySize = None,
) -> None:
    """Search galleries of several sizes for people who are enrolled and for people who aren't: FPIR, FNIR, ranks."""
    from recognizance.evaluation.protocols import Enrolment, IdentificationRules, divide
    from recognizance.evaluation.results import Kind
    from recognizance.evaluation.runs import Run as Finished
    from recognizance.evaluation.searching import Question, identify

    asked = Asked(
        kind="identification",
        shared=shared,
        engine=engine_of(shared),
        threshold=threshold,
        seed=seed,
        limits=tuple(map(limit_of, limit or ())),
        gallery_size=gallery_size,
    )
    rules = IdentificationRules(
        seed=seed,
        absent_share=absent,
        enrolment=choice_of(Enrolment, enrol, "--enrol"),
        probes_a_person=probes,
        gallery_sizes=tuple(sizes or ()),
    )
    question = Question(
        kind=Kind.IDENTIFICATION,
        protocol="one-to-many/1",
        settings=(
            ("absent share", f"{absent:g}"),
            ("enrolment", rules.enrolment.value),
            ("probes a person", str(probes)),
        ),
        # Whoever says how large their gallery is wants to know what happens there.
        beyond=tuple(beyond or ([] if gallery_size is None else [gallery_size])),
    )

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        return Finished(identify(test_set, measuring.engine, divide(test_set.manifest, rules), question, conduct), None)

    done = measured(asked, lambda step: opened(manifest, shared.data, step), run)
    write(done, out, json=shared.json)
