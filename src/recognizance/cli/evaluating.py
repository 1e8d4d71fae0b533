"""`recognizance evaluate`: error rates on the caller's own pictures, per group, with their uncertainty.

Exit status 3 says that a measurement was made and its limits weren't shown to hold.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from recognizance.cli import gating
from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import notices, print_json, results, speaking_plainly
from recognizance.errors import InputError

if TYPE_CHECKING:
    from recognizance.cli.measuring import EngineChoice, Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.gate import Check, Limit
    from recognizance.evaluation.labels import Decision
    from recognizance.evaluation.recorded import Recorded
    from recognizance.evaluation.results import Evaluation, Findings
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import Progress, TestSet

_Choice = TypeVar("_Choice", bound=StrEnum)
_FEW_RESAMPLES = 100
"""Where intervals are thrown away."""

_LISTING = "labels.csv"

EXIT_NOT_SHOWN = 3
"""The measurement was made, and a limit was passed or not shown to be kept."""

app = typer.Typer(
    help="Measure error rates on your own pictures, per group, with their uncertainty.", no_args_is_help=True
)
app.command("publish")(gating.publish)
app.command("fits")(gating.fits)
app.add_typer(gating.findings_app, name="findings")

Manifest = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="CSV: path, subject, and any group columns (docs/evaluation.md)."),
]
Out = Annotated[Path, typer.Option(file_okay=False, help="Folder for the result, the report and the tables.")]
By = Annotated[
    list[str] | None, typer.Option("--by", help="A group column to report by; may be given again. Without it, all.")
]
Seed = Annotated[int, typer.Option(min=0, help="What every choice hangs on: the same seed and pictures, the same run.")]
Name = Annotated[str | None, typer.Option(help="The evaluation's name, as uses and the ledger quote it.")]
Tester = Annotated[str, typer.Option(help="Who runs it; public.")]
Independent = Annotated[
    bool, typer.Option("--independent", help="The tester neither operates nor supplies what is measured.")
]
Description = Annotated[str, typer.Option(help="The pictures in a few words; public.")]
Limits = Annotated[
    list[str] | None,
    typer.Option("--limit", help="A rate and what it may be at most, such as fnmr=0.05; may be given again."),
]
DecisionFile = Annotated[
    Path | None,
    typer.Option("--decision", exists=True, dir_okay=False, help="Labels to leave out of a second set of results."),
]
Resamples = Annotated[int, typer.Option(min=100, help="Resamples of the people, for intervals.")]
GallerySize = Annotated[
    int | None, typer.Option(min=1, help="Faces of the gallery that you have or plan; the report marks it.")
]
Operating = Annotated[
    str, typer.Option("--threshold", help="What people are searched with: a similarity, or a name such as default.")
]
CacheFolder = Annotated[
    Path | None,
    typer.Option("--cache", file_okay=False, help="Where templates and answers are kept; they are personal data."),
]
Engine = Annotated[
    str, typer.Option(help="local, local:RECOGNISER, rekognition (Amazon's), rekognition:URL, or scores:FILE.")
]
Similarity = Annotated[
    bool, typer.Option("--similarity", help="Report on Rekognition's 0 to 100 instead of the cosine; local only.")
]
Quality = Annotated[str, typer.Option(help="Quality filter of every picture: NONE, AUTO, LOW, MEDIUM or HIGH.")]
DefaultThreshold = Annotated[
    float | None, typer.Option(help="The threshold that the vendor of a list of scores sets where nobody chooses.")
]

Collections = Annotated[
    str | None,
    typer.Option(
        help="What the names of an endpoint's collections begin with; a tester's own is test.ID. (with dots)."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked for, as the options have it."""

    kind: str
    engine: "EngineChoice"
    data: Path
    cache: Path | None
    by: list[str] | None = None
    decision: Path | None = None
    limit: list[str] | None = None
    name: str | None = None
    tester: str = "the operator"
    independent: bool = False
    description: str = ""
    seed: int = 1
    resamples: int = 1000
    threshold: str
    gallery_size: int | None = None
    judges_groups: bool = True

    def conduct(self, test_set: "TestSet", *, is_recorded: bool, step: "Callable[[str, int], Progress]") -> "Conduct":
        from recognizance.evaluation.conduct import Conduct

        started = datetime.now(UTC)
        return Conduct(
            name=self.name or f"{self.kind}-{started:%Y%m%dT%H%M%SZ}-{test_set.commitment[:8]}",
            tester=self.tester,
            is_independent=self.independent,
            description=self.description,
            seed=self.seed,
            operating=self.threshold,
            now=lambda: datetime.now(UTC),
            limits=tuple(map(_limit, self.limit or ())),
            decision=self._decision(test_set),
            columns=self.columns,
            judges_groups=self.judges_groups,
            is_recorded=is_recorded,
            gallery_faces=self.gallery_size,
            resamples=self.resamples,
            step=step,
        )

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self.by is None else tuple(dict.fromkeys(self.by))

    def _decision(self, test_set: "TestSet") -> "Decision | None":
        from recognizance.evaluation.labels import parse_decision

        if self.decision is None:
            return None
        name = str(self.decision)
        return parse_decision(self.decision.read_bytes(), test_set.manifest, test_set.commitment, name=name)


@app.command("verification")
@speaking_plainly
def verification(
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
    by: By = None,
    limit: Limits = None,
    decision: DecisionFile = None,
    seed: Seed = 1,
    resamples: Resamples = 1000,
    gallery_size: GallerySize = None,
    name: Name = None,
    tester: Tester = "the operator",
    independent: Independent = False,
    description: Description = "",
    engine: Engine = "local",
    similarity: Similarity = False,
    quality: Quality = "NONE",
    default_threshold: DefaultThreshold = None,
    collections: Collections = None,
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Compare pictures one to one: FMR, FNMR, DET, per group, and labels that look wrong."""
    from recognizance.cli.measuring import EngineKind
    from recognizance.evaluation.protocols import AllPairs, parse_pairs
    from recognizance.evaluation.runs import verify

    chosen = _engine(
        engine, similarity=similarity, quality=quality, default_threshold=default_threshold, collections=collections
    )
    if threshold is None and chosen.kind is EngineKind.SCORES and default_threshold is None:
        raise InputError("a list of scores has no usual threshold: give --default-threshold or --threshold, as a score")
    asked = _Asked(
        kind="verification",
        engine=chosen,
        data=data,
        cache=cache,
        by=by,
        decision=decision,
        limit=limit,
        name=name,
        tester=tester,
        independent=independent,
        description=description,
        seed=seed,
        resamples=resamples,
        threshold=threshold or ("80" if default_threshold is None else "default"),
        gallery_size=gallery_size,
    )

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        plan = (
            AllPairs(len(test_set))
            if pairs is None
            else parse_pairs(pairs.read_bytes(), test_set.manifest, name=str(pairs))
        )
        return verify(test_set, measuring.engine, plan, conduct)

    done = _measured(asked, lambda step: _opened(manifest, data, step), run)
    _write(done, out, json=json)


@app.command("identification")
@speaking_plainly
def identification(
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
        list[int] | None, typer.Option(help="Estimate for a gallery of so many faces; may be given again.")
    ] = None,
    threshold: Operating = "default",
    by: By = None,
    limit: Limits = None,
    decision: DecisionFile = None,
    seed: Seed = 1,
    resamples: Resamples = 1000,
    gallery_size: GallerySize = None,
    name: Name = None,
    tester: Tester = "the operator",
    independent: Independent = False,
    description: Description = "",
    engine: Engine = "local",
    similarity: Similarity = False,
    quality: Quality = "NONE",
    default_threshold: DefaultThreshold = None,
    collections: Collections = None,
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Search galleries of several sizes for people who are enrolled and for people who aren't: FPIR, FNIR, ranks."""
    from recognizance.evaluation.protocols import Enrolment, IdentificationRules, divide
    from recognizance.evaluation.results import Kind
    from recognizance.evaluation.runs import Run as Finished
    from recognizance.evaluation.searching import Question, identify

    asked = _Asked(
        kind="identification",
        engine=_engine(
            engine,
            similarity=similarity,
            quality=quality,
            default_threshold=default_threshold,
            collections=collections,
        ),
        data=data,
        cache=cache,
        by=by,
        decision=decision,
        limit=limit,
        name=name,
        tester=tester,
        independent=independent,
        description=description,
        seed=seed,
        resamples=resamples,
        threshold=threshold,
        gallery_size=gallery_size,
    )
    rules = IdentificationRules(
        seed=seed,
        absent_share=absent,
        enrolment=_choice(Enrolment, enrol, "--enrol"),
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
        beyond=tuple(beyond or ()),
    )

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        return Finished(identify(test_set, measuring.engine, divide(test_set.manifest, rules), question, conduct), None)

    done = _measured(asked, lambda step: _opened(manifest, data, step), run)
    _write(done, out, json=json)


@app.command("aclu")
@speaking_plainly
def aclu(
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
    by: By = None,
    decision: DecisionFile = None,
    seed: Seed = 2018,
    resamples: Resamples = 1000,
    name: Name = None,
    tester: Tester = "the operator",
    independent: Independent = False,
    description: Description = "",
    engine: Engine = "local",
    similarity: Similarity = False,
    quality: Quality = "NONE",
    default_threshold: DefaultThreshold = None,
    collections: Collections = None,
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Repeat the ACLU's test of 2018: enrol people, search for others who are absent, count who comes back."""
    from recognizance.evaluation.aclu import aclu_test, division_of, sentences
    from recognizance.evaluation.runs import Run as Finished
    from recognizance.evaluation.testset import joined

    asked = _Asked(
        kind="aclu",
        engine=_engine(
            engine,
            similarity=similarity,
            quality=quality,
            default_threshold=default_threshold,
            collections=collections,
        ),
        data=data,
        cache=cache,
        by=by,
        decision=decision,
        limit=[f"fpir={max_fpir}"],
        name=name,
        tester=tester,
        independent=independent,
        description=description,
        seed=seed,
        resamples=resamples,
        threshold=threshold,
        judges_groups=each_group,
    )
    authorised = _authorised(use, use_threshold, data)
    if probe_manifest is not None and enrolled is not None:
        raise InputError("--enrolled divides one set; with --probe-manifest everybody of the gallery is enrolled")

    def opened(step: "Callable[[str, int], Progress]") -> "TestSet":
        gallery = _opened(gallery_manifest, data, step)
        return gallery if probe_manifest is None else joined(gallery, _opened(probe_manifest, data, step))

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        division = division_of(test_set.manifest, probes=probes, enrolled=enrolled, seed=seed)
        return Finished(aclu_test(test_set, measuring.engine, division, conduct, use_pct=authorised), None)

    done = _measured(asked, opened, run)
    _write(done, out, json=json, said=sentences(done.run.evaluation))


@app.command("labels")
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

    asked = _Asked(
        kind="labels",
        engine=_engine(engine, similarity=False, quality="NONE", default_threshold=None),
        data=data,
        cache=cache,
        by=[],
        resamples=_FEW_RESAMPLES,
        threshold=EQUAL_ERRORS,
    )

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        subjects = [sample.subject for sample in test_set.manifest.samples]
        if len(set(subjects)) in {1, len(subjects)}:
            raise InputError("labels are judged by both kinds of pairs: of one person, and of two people")
        return verify(test_set, measuring.engine, AllPairs(len(test_set)), conduct)

    done = _measured(asked, lambda step: _opened(manifest, data, step), run)
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


@app.command("calibrate")
@speaking_plainly
def calibrate(
    manifest: Manifest,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The table's file to write.")],
    engine: Annotated[str, typer.Option(help="local, or local:RECOGNISER.")] = "local",
    decision: DecisionFile = None,
    seed: Seed = 2018,
    resamples: Resamples = 300,
    description: Description = "",
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Measure what a recogniser's scores mean: a table of similarities, with the range that was measured."""
    from recognizance.cli.measuring import write_files
    from recognizance.evaluation.calibrate import checked, table_of
    from recognizance.evaluation.protocols import AllPairs
    from recognizance.evaluation.runs import verify
    from recognizance.governing.running import table_sha256

    asked = _Asked(
        kind="calibration",
        engine=_engine(engine, similarity=False, quality="NONE", default_threshold=None),
        data=data,
        cache=cache,
        by=[],
        decision=decision,
        description=description,
        seed=seed,
        resamples=resamples,
        threshold="fmr 0.0001",
    )

    def run(test_set: "TestSet", measuring: "Measuring", conduct: "Conduct") -> "Run":
        return verify(test_set, measuring.engine, AllPairs(len(test_set)), conduct)

    done = _measured(asked, lambda step: _opened(manifest, data, step), run)
    text = table_of(done.run.evaluation)
    write_files(out.parent, {out.name: text.encode()})
    table = checked(text)
    if json:
        measured = {"from": table.knots[0].score, "to": table.measured_up_to}
        print_json({"table": str(out), "sha256": table_sha256(table), "model": table.model, "measured": measured})
        return
    known = {pct: table.score_at_pct(pct) for pct in (80.0, 99.0)}
    for pct, score in known.items():
        beyond = " (extrapolated)" if score > table.measured_up_to else ""
        results.print(f"similarity {pct:g}: score {score:.4f}{beyond}", markup=False)
    results.print(f"{out}: measured from {table.knots[0].score:.2f} to {table.measured_up_to:.2f}", markup=False)


@app.command("clean")
@speaking_plainly
def clean(
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Remove what evaluations keep: templates of the pictures and answers about them, which are personal data."""
    from recognizance.cli.measuring import cache_folder
    from recognizance.evaluation.cache import remove_cache

    folder = cache or cache_folder(data)
    size = remove_cache(folder)
    if json:
        print_json({"cache": str(folder), "removed_bytes": size})
    else:
        results.print(f"{folder}: {size / 1e6:.1f} MB removed", markup=False)


def _engine(
    text: str,
    *,
    similarity: bool,
    quality: str,
    default_threshold: float | None,
    collections: str | None = None,
) -> "EngineChoice":
    from recognizance.cli.measuring import EngineChoice

    parsed = EngineChoice.parse(text, similarity=similarity, quality=quality, default_threshold=default_threshold)
    return replace(parsed, collections=collections)


def _limit(text: str) -> "Limit":
    """Read `fmr=0.001`."""
    from recognizance.evaluation.gate import Limit, Measure

    measure, _, rate = text.partition("=")
    if measure not in set(Measure):
        raise InputError(f"--limit {text!r}: choose from {', '.join(Measure)}, as in fnmr=0.05")
    try:
        return Limit(measure=Measure(measure), at_most=float(rate))
    except ValueError as error:
        raise InputError(f"--limit {text!r}: {rate!r} is no rate from 0 to 1") from error


def _opened(manifest: Path, data: Path, step: "Callable[[str, int], Progress]") -> "TestSet":
    """Read a manifest and commit to its pictures."""
    from recognizance.cli.measuring import buckets, read_file
    from recognizance.evaluation.manifest import parse_manifest
    from recognizance.evaluation.testset import commit_to

    parsed = parse_manifest(read_file(manifest), name=str(manifest))
    needs_s3 = any(sample.path.startswith("s3://") for sample in parsed.samples)
    advance = step("hashing pictures", len(parsed))
    return commit_to(parsed, manifest.parent, buckets=buckets(data) if needs_s3 else None, progress=advance)


def _measured(
    asked: _Asked,
    opened: "Callable[[Callable[[str, int], Progress]], TestSet]",
    run: "Callable[[TestSet, Measuring, Conduct], Run]",
) -> "Recorded":
    """Open everything, measure, and put it on the record."""
    from recognizance.cli.measuring import bars, measuring

    with bars() as step:
        test_set = opened(step)
        with measuring(asked.engine, test_set, asked.cache, asked.data, columns=asked.columns) as open_engine:
            conduct = asked.conduct(test_set, is_recorded=open_engine.is_recorded, step=step)
            return open_engine.run(lambda: run(test_set, open_engine, conduct))


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


def _choice(kind: "type[_Choice]", text: str, option: str) -> "_Choice":
    if text not in set(kind):
        raise InputError(f"{option} {text!r}: choose from {', '.join(kind)}")
    return kind(text)


def _write(done: "Recorded", out: Path, *, json: bool, said: tuple[str, ...] = ()) -> None:
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
        _say(evaluation, said)
        results.print(f"{out}: report.html, report.pdf, result.json and tables", markup=False)
        if _LISTING in files:
            notices.print(f"{out / _LISTING} names people: keep it with the pictures", markup=False)
    if (
        verdict is not None
        and verdict is not Verdict.PASSED
        and evaluation.gate is not None
        and (evaluation.gate.checks or evaluation.gate.agreements)
    ):
        raise typer.Exit(EXIT_NOT_SHOWN)


def _say(evaluation: "Evaluation", said: tuple[str, ...]) -> None:
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
    elif not said:
        _say_rates(evaluation, evaluation.findings, "")
    gate = evaluation.gate
    if gate is None:
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


def _say_rates(evaluation: "Evaluation", findings: "Findings", labels: str) -> None:
    """The rates at the operating threshold, under a line that says which threshold and which labels."""
    from recognizance.evaluation.reports.views import headline_rates, operating_comparison, operating_search
    from recognizance.evaluation.words import rate_phrase

    compared, searched = operating_comparison(evaluation, findings), operating_search(evaluation, findings)
    score = compared.threshold if compared is not None else None if searched is None else searched.found.threshold
    known = "" if score is None else f" (score {score:.4g})"
    results.print(f"At the threshold {evaluation.operating}{known}{labels}:", markup=False)
    for name, estimate in headline_rates(evaluation, findings):
        results.print(f"  {name}: {rate_phrase(estimate)}", markup=False)


def _checked(check: "Check") -> str:
    from recognizance.evaluation.words import percent, rate_phrase

    whose = "everybody" if check.group is None else f"{check.column} {check.group}"
    at_most = percent(check.limit.at_most)
    return f"{check.limit.measure.value} of {whose}, at most {at_most}: {rate_phrase(check.estimate)}"
