"""The result document of an evaluation: what was run, on what, and every measure that came out, with its counts.

One form serves comparisons of two pictures (verification), searches in a gallery (identification) and the ACLU test.
It is canonical JSON (RFC 8785): the same result is the same bytes, and their SHA-256 is the commitment that a report, a
use and the ledger quote. A document is read strictly: exactly these fields, each of its type, spelled canonically, and
consistent in itself; what somebody edited is refused, never guessed at.

A rate is never stored without errors and trials. A document names groups as the manifest does, and holds no name,
picture or score of a single person: suspected label errors are counted here and listed in a file of their own.

Pure but for being run, which writes the published schema:

    python -m recognizance.evaluation.results > docs/evaluation-result.schema.json

Implements docs/evaluation-reports.md, "The result document". Terms as in ISO/IEC 19795-1:2021.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from recognizance.errors import InputError
from recognizance.evaluation import results_codec
from recognizance.evaluation.gate import Gate
from recognizance.evaluation.measures import (
    CalibrationRow,
    Curve,
    Differentials,
    EqualErrorRate,
    Estimate,
    Extrapolation,
    GroupMatrix,
    GroupRates,
    Histogram,
    Identification,
    MatchRateAtFmr,
)
from recognizance.ledger import read_canonical, write_canonical

FORMAT = 1
"""The version of the form. A reader refuses others."""

MAX_DOCUMENT_BYTES = 64 << 20
"""A document of 50 groups, 20 thresholds and 20 sizes has about 10 MB; what is larger isn't parsed."""

SCHEMA_ID = f"urn:recognizance:evaluation-result:{FORMAT}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,254}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    VERIFICATION = "verification"
    IDENTIFICATION = "identification"
    ACLU = "aclu"
    """Searches for people who are certainly absent, as the ACLU searched for Congress in 2018."""


class Scale(StrEnum):
    """What an engine's scores are. A higher one is always more alike."""

    COSINE = "cosine"
    """-1 to 1, as between our templates."""
    SIMILARITY_PCT = "similarity_pct"
    """0 to 100, as Rekognition answers."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What was measured.

    Attributes:
        name: In words: `in process`, `Rekognition over HTTP`, `scores from a file`.
        version: Of its software, as it says itself; empty where it doesn't say.
        model: The recogniser, as the engine names it; empty where it doesn't.
        model_digest: SHA-256 of the model's file. None where nobody outside can know it.
        endpoint: Host of a service. None for what ran in process.
    """

    name: str
    version: str
    model: str
    model_digest: str | None
    endpoint: str | None
    scale: Scale

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("an engine has a name")
        _check_digests(model_digest=self.model_digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSize:
    """How many people and pictures a group of the manifest has."""

    column: str
    group: str
    subjects: int
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """What it was measured on.

    Attributes:
        commitment: SHA-256 over the manifest's rows and every picture's hash.
        description: In the words of whoever ran it.
        groups: Of each group column; whoever has no value in it is in none.
    """

    commitment: str
    description: str
    subjects: int
    images: int
    groups: tuple[GroupSize, ...]

    def __post_init__(self) -> None:
        _check_digests(commitment=self.commitment)
        if self.subjects < 0 or self.images < 0:
            raise ValueError("people and pictures are counted from 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting that the result depends on, as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectedLabels:
    """How many labels look wrong: counts only, since each names people.

    Attributes:
        impostors_that_look_mated: Pairs under two names that may be one person.
        mated_that_look_impostor: Pairs under one name that may be two people.
        listing_digest: SHA-256 of the file that lists them.
    """

    impostors_that_look_mated: int
    mated_that_look_impostor: int
    listing_digest: str | None

    def __post_init__(self) -> None:
        _check_digests(listing_digest=self.listing_digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """A recorded decision to leave images or pairs out, because their labels are wrong.

    Attributes:
        decision_digest: SHA-256 of the file that names each, with its reason.
    """

    decided_by: str
    decided: datetime
    reason: str
    decision_digest: str
    images: int
    pairs: int

    def __post_init__(self) -> None:
        _check_digests(decision_digest=self.decision_digest)
        if not self.decided_by or not self.reason:
            raise ValueError("a decision to exclude says who took it, and why")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationAt:
    """Comparisons of two pictures at one threshold.

    Attributes:
        name: Of the threshold: `default`, `use`, `80`, `fmr 1e-4`.
        threshold: On the engine's scale. A score equal to it is accepted.
        similarity_pct: The same as a similarity, where that is known.
        fnmr_by_group: One for each group column. FMR within a group is on the diagonal of `matrices`.
    """

    name: str
    threshold: float
    similarity_pct: float | None
    fmr: Estimate
    fnmr: Estimate
    fnmr_by_group: tuple[GroupRates, ...]
    matrices: tuple[GroupMatrix, ...]
    differentials: tuple[Differentials, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCurve:
    """The DET curve of comparisons within one group."""

    column: str
    group: str
    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All that comparisons of two pictures showed."""

    curve: Curve
    group_curves: tuple[GroupCurve, ...]
    equal_error: EqualErrorRate | None
    match_rates: tuple[MatchRateAtFmr, ...]
    mated: Histogram
    impostors: Histogram
    calibration: tuple[CalibrationRow, ...]
    at: tuple[VerificationAt, ...]

    def __post_init__(self) -> None:
        if len({each.name for each in self.at}) != len(self.at):
            raise ValueError("each threshold of a verification has a name of its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentificationAt:
    """Searches in one gallery at one threshold.

    Attributes:
        name: Of the threshold, as in `VerificationAt`. An engine that raises its threshold with the gallery has other
            scores under one name.
    """

    name: str
    similarity_pct: float | None
    found: Identification


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """An estimate for a gallery larger than the data, under the name of a threshold."""

    name: str
    estimate: Extrapolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Searches:
    """All that searches in galleries showed.

    Attributes:
        mates: Scores of the mates of mated searches. None where the engine returned no score below its threshold.
        strangers: Best scores of searches for people who weren't there.
    """

    mates: Histogram | None
    strangers: Histogram | None
    at: tuple[IdentificationAt, ...]
    beyond: tuple[Beyond, ...]

    def __post_init__(self) -> None:
        if len({(each.name, each.found.gallery_faces) for each in self.at}) != len(self.at):
            raise ValueError("each threshold has one finding for a gallery's size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Every measure of one run.

    Attributes:
        acquisition: Pictures of which no template was made, among all (FTA).
        acquisition_by_group: One for each group column.
    """

    acquisition: Estimate
    acquisition_by_group: tuple[GroupRates, ...]
    verification: Verification | None
    searches: Searches | None

    def __post_init__(self) -> None:
        if self.verification is None and self.searches is None:
            raise ValueError("findings are of comparisons, of searches, or of both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The whole document.

    Attributes:
        evaluation: Its name, as uses and the ledger quote it.
        completed: When the last comparison was made.
        tester: Who ran it, in public.
        software: Name and version of what measured.
        protocol: Name of the rules by which pairs, galleries and probes were made, in `settings` with their values.
        operating: The name of the threshold that people will be searched with.
        operator_gallery_faces: The size of the gallery that this operator has or plans; reports mark it.
        findings: With every label as the manifest has it.
        without_excluded: The same without what `exclusions` names; there exactly if `exclusions` is.
        gate: None where no limits were given.
    """

    format: int = FORMAT
    evaluation: str
    kind: Kind
    completed: datetime
    tester: str
    is_independent: bool
    software: str
    engine: Engine
    data: DataSet
    protocol: str
    seed: int
    settings: tuple[Setting, ...]
    operating: str
    operator_gallery_faces: int | None
    suspected_labels: SuspectedLabels | None
    exclusions: Exclusions | None
    findings: Findings
    without_excluded: Findings | None
    gate: Gate | None

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"a result document of the form {self.format}; this software reads {FORMAT}")
        if not _NAME.fullmatch(self.evaluation) or not _NAME.fullmatch(self.protocol):
            raise ValueError("an evaluation and its protocol have names of letters, digits and _ . : @ / -")
        if self.completed.utcoffset() is None or self.seed < 0:
            raise ValueError("an evaluation has a moment with a time zone, and a seed from 0")
        if (self.exclusions is None) != (self.without_excluded is None):
            raise ValueError("results without exclusions come with the decision to exclude, and only then")
        wanted = self.findings.verification if self.kind is Kind.VERIFICATION else self.findings.searches
        if wanted is None:
            raise ValueError(f"an evaluation of the kind {self.kind} has such findings")
        if self.operating not in set(threshold_names(self.findings)):
            raise ValueError("the operating threshold is one of those that were measured")

    @property
    def concluded(self) -> Findings:
        """The findings that conclusions are drawn from: without what was excluded, if anything was."""
        return self.findings if self.without_excluded is None else self.without_excluded

    def setting(self, name: str) -> str | None:
        return next((each.value for each in self.settings if each.name == name), None)


def threshold_names(findings: Findings) -> Iterator[str]:
    """Yield the names of the thresholds that something was measured at."""
    if findings.verification is not None:
        yield from (each.name for each in findings.verification.at)
    if findings.searches is not None:
        yield from (each.name for each in findings.searches.at)


def write_evaluation(evaluation: Evaluation) -> bytes:
    """Return the document: canonical JSON."""
    return write_canonical(results_codec.written(evaluation))


def read_evaluation(data: bytes) -> Evaluation:
    """Read what `write_evaluation` wrote.

    Raises:
        InputError: If it is anything else: too large, another spelling, another field, a contradiction in itself.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InputError(f"the document has {len(data)} bytes; the limit is {MAX_DOCUMENT_BYTES}")
    evaluation = results_codec.read(Evaluation, read_canonical(data))
    if write_evaluation(evaluation) != data:
        raise InputError("the document isn't spelled as this software writes it")
    return evaluation


def commitment(evaluation: Evaluation) -> str:
    """Return the SHA-256 of the document, which reports, uses and the ledger quote."""
    return sha256(write_evaluation(evaluation)).hexdigest()


def schema_document() -> bytes:
    """Return the JSON Schema of the document, as it is published."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Result of an evaluation of face recognition, canonical JSON (RFC 8785)",
        **results_codec.schema(Evaluation),
    }
    return json.dumps(schema, indent=2, sort_keys=True).encode() + b"\n"


def _check_digests(**digests: str | None) -> None:
    for name, digest in digests.items():
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise ValueError(f"{name} is a SHA-256 in hexadecimal")


if __name__ == "__main__":
    sys.stdout.buffer.write(schema_document())
