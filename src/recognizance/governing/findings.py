"""Findings on the record: what testers found, what was done about it, and what nobody has answered in time.

Submitting one is an entry of the ledger before the tester is answered, and starts a clock of 90 days that the register
shows. Nobody can refuse, edit or withdraw a finding, least of all those whom it concerns.

Implements docs/evaluation-gate.md, "Independent testing", and decision 0040.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from recognizance.errors import NotFoundError
from recognizance.galleries import Clock
from recognizance.governance import Act
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.findings import Finding, due_by, mitigate
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import PersonId
from recognizance.governing.registration import Actor, Gate
from recognizance.ledger import Receipt, facts
from recognizance.recording import Recorder
from recognizance.records import Document, Reader, Records

FINDING_KIND = "finding"
_OPEN, _ANSWERED = "open", "answered"
_PAGE = 500


class Findings:
    """Takes findings and answers to them. Safe to share between threads."""

    def __init__(
        self, records: Records, recorder: Recorder, gate: Gate, *, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._clock = clock
        self._new_id = new_id

    def submit(self, statement: str, *, result_sha256: Sha256Hex | None = None, by: Actor) -> tuple[Finding, Receipt]:
        """Put a finding on the record.

        Args:
            result_sha256: The commitment to the result document that shows it.

        Raises:
            DeniedError: If whoever submits it is neither a tester nor an auditor.
            InputError: If it says nothing.
        """
        tester, _ = self._gate.require(by, Act.SUBMIT_FINDING)
        finding = Finding(self._new_id(), statement, PersonId(tester), self._clock(), result_sha256)
        with self._recorder.changing() as change:
            change.transaction.insert_document(_document(finding))
            change.enter(
                lambda entry: facts.Finding(
                    finding=finding.id,
                    step=facts.FindingStep.SUBMITTED,
                    statement=statement,
                    result_digest=result_sha256,
                    due=due_by(finding.submitted),
                    stated_by=entry.pseudonym(tester),
                )
            )
        return finding, change.receipts[0]

    def mitigate(self, finding: str, statement: str, *, by: Actor) -> tuple[Finding, Receipt]:
        """Say what was done about a finding, once.

        Raises:
            DeniedError: If whoever says so may not publish for an agency.
            NotFoundError: If there is no such finding.
            ConflictError: If it was answered before.
            InputError: If it says nothing.
        """
        person, _ = self._gate.require(by, Act.PUBLISH_REPORT)
        with self._recorder.changing() as change:
            document = change.transaction.document(FINDING_KIND, finding)
            answered = mitigate(read_document(Finding, document.body), statement, self._clock())
            change.transaction.replace_document(replace(_document(answered), revision=document.revision))
            change.enter(
                lambda entry: facts.Finding(
                    finding=answered.id,
                    step=facts.FindingStep.MITIGATED,
                    statement=statement,
                    result_digest=None,
                    due=answered.due,
                    stated_by=entry.pseudonym(person),
                )
            )
        return answered, change.receipts[0]

    def get(self, finding: str) -> Finding:
        """One finding; public.

        Raises:
            NotFoundError: If there is none of this id.
        """
        for each in self.list():
            if each.id == finding:
                return each
        raise NotFoundError(f"there is no finding {finding!r}")

    def list(self) -> list[Finding]:
        """All findings, the oldest first; public."""
        with self._records.reading() as reader:
            return sorted(_every(reader), key=lambda each: (each.submitted, each.id))


def _every(reader: Reader) -> Iterator[Finding]:
    after = ""
    while page := reader.documents(FINDING_KIND, after=after, limit=_PAGE):
        after = page[-1].id
        yield from (read_document(Finding, document.body) for document in page)


def _document(finding: Finding) -> Document:
    state = _OPEN if finding.mitigated is None else _ANSWERED
    return Document(FINDING_KIND, finding.id, state, write_document(finding))
