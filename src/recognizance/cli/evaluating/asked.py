"""What a measuring command was asked for, and the measurement itself: pictures, engine, record, in this order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recognizance.cli.evaluating.options import Shared
from recognizance.errors import InputError

if TYPE_CHECKING:
    from recognizance.cli.measuring import EngineChoice, Measuring
    from recognizance.evaluation.conduct import Conduct
    from recognizance.evaluation.gate import Limit
    from recognizance.evaluation.labels import Decision
    from recognizance.evaluation.recorded import Recorded
    from recognizance.evaluation.runs import Run
    from recognizance.evaluation.testset import Progress, TestSet

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, as the options have it.

    Attributes:
        kind: Of measurement; begins the name of an evaluation that was given none.
        judges_groups: Whether each group has to keep to the limits, not only all together.
    """

    kind: str
    shared: Shared
    engine: "EngineChoice"
    threshold: str
    seed: int = 1
    limits: "tuple[Limit, ...]" = ()
    gallery_size: int | None = None
    judges_groups: bool = True

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self.shared.by is None else tuple(dict.fromkeys(self.shared.by))

    def conduct(self, test_set: "TestSet", *, is_recorded: bool, step: "Callable[[str, int], Progress]") -> "Conduct":
        from recognizance.evaluation.conduct import Conduct

        started, shared = datetime.now(UTC), self.shared
        return Conduct(
            name=shared.name or f"{self.kind}-{started:%Y%m%dT%H%M%SZ}-{test_set.commitment[:8]}",
            tester=shared.tester,
            is_independent=shared.independent,
            description=shared.description,
            seed=self.seed,
            operating=self.threshold,
            now=lambda: datetime.now(UTC),
            limits=self.limits,
            decision=self._decision(test_set),
            columns=self.columns,
            judges_groups=self.judges_groups,
            is_recorded=is_recorded,
            gallery_faces=self.gallery_size,
            resamples=shared.resamples,
            step=step,
        )

    def _decision(self, test_set: "TestSet") -> "Decision | None":
        from recognizance.evaluation.labels import parse_decision

        file = self.shared.decision
        if file is None:
            return None
        return parse_decision(file.read_bytes(), test_set.manifest, test_set.commitment, name=str(file))


def measured(
    asked: Asked,
    open_set: "Callable[[Callable[[str, int], Progress]], TestSet]",
    run: "Callable[[TestSet, Measuring, Conduct], Run]",
) -> "Recorded":
    """Open everything, measure, and put it on the record."""
    from recognizance.cli.measuring import bars, measuring

    with bars() as step:
        test_set = open_set(step)
        with measuring(
            asked.engine, test_set, asked.shared.cache, asked.shared.data, columns=asked.columns
        ) as open_engine:
            conduct = asked.conduct(test_set, is_recorded=open_engine.is_recorded, step=step)
            return open_engine.run(lambda: run(test_set, open_engine, conduct))


def opened(manifest: Path, data: Path, step: "Callable[[str, int], Progress]") -> "TestSet":
    """Read a manifest and commit to its pictures."""
    from recognizance.cli.measuring import buckets, read_file
    from recognizance.evaluation.manifest import parse_manifest
    from recognizance.evaluation.testset import commit_to

    parsed = parse_manifest(read_file(manifest), name=str(manifest))
    needs_s3 = any(sample.path.startswith("s3://") for sample in parsed.samples)
    advance = step("hashing pictures", len(parsed))
    return commit_to(parsed, manifest.parent, buckets=buckets(data) if needs_s3 else None, progress=advance)


def engine_of(shared: Shared) -> "EngineChoice":
    """Read which engine is measured, and how.

    Raises:
        InputError: If the options don't go together.
    """
    from recognizance.cli.measuring import EngineChoice

    parsed = EngineChoice.parse(
        shared.engine,
        similarity=shared.similarity,
        quality=shared.quality,
        default_threshold=shared.default_threshold,
    )
    return replace(parsed, collections=shared.collections)


def limit_of(text: str) -> "Limit":
    """Read `fmr=0.001`.

    Raises:
        InputError: If it names no rate, or what is at most isn't from 0 to 1.
    """
    from recognizance.evaluation.gate import Limit, Measure

    measure, _, rate = text.partition("=")
    if measure not in set(Measure):
        raise InputError(f"--limit {text!r}: choose from {', '.join(Measure)}, as in fnmr=0.05")
    try:
        return Limit(measure=Measure(measure), at_most=float(rate))
    except ValueError as error:
        raise InputError(f"--limit {text!r}: {rate!r} is no rate from 0 to 1") from error


def choice_of(kind: "type[_Choice]", text: str, option: str) -> "_Choice":
    """Read an option that is one of several words."""
    if text not in set(kind):
        raise InputError(f"{option} {text!r}: choose from {', '.join(kind)}")
    return kind(text)
