"""Evaluations on the record: published by an auditor, found by the commitment to their result, counting for a time.

Publishing one is an entry of the ledger, and takes every step that uses relying on it were waiting for. Nothing about
it can be changed afterwards: a measurement that is wrong is followed by another one, and by another use. Who measured
is no matter here: whoever publishes answers for it, and the register shows both.

Reads no result document, which stands further up (`evaluation.publication`). Implements docs/evaluation-gate.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from recognizance.documents import Kind, every, found, inserted
from recognizance.errors import ConflictError, InputError, UnavailableError
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.gate import LASTS, GroupRates, InUse, PublishedEvaluation, Running
from recognizance.governance.oversight import Sha256Hex, sha256_hex
from recognizance.governance.terms import EvaluationId
from recognizance.governing.published_results import PublishedResults
from recognizance.governing.registration import Actor, Gate
from recognizance.governing.uses import Uses
from recognizance.identifiers import ModelId
from recognizance.ledger import Receipt, facts
from recognizance.recording import Recorder
from recognizance.records import Reader, Records


@dataclass(frozen=True, slots=True)
class Measured:
    """What a result document says, as far as it goes on the record.

    Attributes:
        fact: What the ledger will say; it commits to the document.
        rates: At the operating threshold, of everybody and of each group.
    """

    fact: facts.Evaluation
    rates: tuple[GroupRates, ...]
    completed: datetime


class Evaluations:
    """Publishes evaluations and lists them. Safe to share between threads.

    Attributes:
        results: The files that readers get, and the record has the hashes of.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        uses: Uses,
        results: PublishedResults,
        *,
        clock: Clock,
        running: Running,
    ) -> None:
        self.results = results
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._uses = uses
        self._clock = clock
        self._running = running

    def in_use(self) -> InUse:
        """What runs here, which an evaluation is held against.

        Raises:
            UnavailableError: If the recogniser has no table, so that nobody could say what its scores mean.
        """
        in_use = self._running()
        if in_use is None:
            raise UnavailableError("the recogniser in use has no table of similarities; `evaluate calibrate` makes one")
        return in_use

    def require_publisher(self, by: Actor) -> None:
        """Refuse whoever may not publish, before anything of theirs is read.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        self._gate.require(by, Act.PUBLISH_EVALUATION)

    def publish(
        self, measured: Measured, *, expires: datetime | None = None, by: Actor
    ) -> tuple[PublishedEvaluation, Receipt]:
        """Enter an evaluation, and let uses that rely on it become active.

        Args:
            expires: From when it no longer counts; a year after its completion without one, and never later.

        Raises:
            DeniedError: If whoever publishes may not.
            InputError: If it is over already, or expires later than it may.
            ConflictError: If it was published before, or its name was.
        """
        self._gate.require(by, Act.PUBLISH_EVALUATION)
        now, rule = self._clock(), self.in_use().rule_sha256
        until = measured.completed + LASTS if expires is None else expires
        if measured.completed > now:
            raise InputError(f"the evaluation was completed at {measured.completed:%Y-%m-%d %H:%M}, which is to come")
        if until <= now:
            raise InputError(f"the evaluation counts until {until:%Y-%m-%d} and that is over: measure again")
        fact = replace(measured.fact, expires=until)
        commitment = sha256_hex(fact.report_digest)
        with self._recorder.changing() as change:
            self._require_new(change.transaction, commitment, fact.evaluation)
            entry = change.enter(lambda _: fact)
            published = PublishedEvaluation(
                id=EvaluationId(fact.evaluation),
                report_sha256=commitment,
                model=ModelId(fact.model),
                threshold=fact.threshold,
                gallery_faces=fact.gallery_faces,
                rates=measured.rates,
                tester=fact.tester,
                is_independent=fact.is_independent,
                rule_sha256=rule,
                completed=measured.completed,
                published=now,
                expires=until,
                entry=entry,
            )
            inserted(change.transaction, Kind.EVALUATION, commitment, published)
            self._uses.settle_those_on(change, commitment)
        return published, change.receipts[0]

    def list(self) -> list[PublishedEvaluation]:
        """All that were published, by name; public."""
        with self._records.reading() as reader:
            known = [each.value for each in every(reader, Kind.EVALUATION, PublishedEvaluation)]
        return sorted(known, key=lambda each: each.id)

    def _require_new(self, reader: Reader, commitment: Sha256Hex, name: str) -> None:
        if found(reader, Kind.EVALUATION, commitment, PublishedEvaluation) is not None:
            raise ConflictError(f"the evaluation {name!r} was published before")
        if any(each.value.id == name for each in every(reader, Kind.EVALUATION, PublishedEvaluation)):
            raise ConflictError(f"another evaluation was published under the name {name!r}")
