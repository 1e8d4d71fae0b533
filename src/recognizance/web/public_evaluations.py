"""Published tests of how often the models err: each on the record, with its report and cards where they were put.

Publishing an evaluation keeps its result document in `DATA/evaluations/`; an operator may put one there as
`<evaluation>.json`. It is shown only if its SHA-256 is the one that the ledger has for that evaluation, so nothing can
be shown that wasn't published, or not any more as it was. Report and cards are made from it here, each time the same. A
decision that set labels aside is shown by the hash in the result. Implements docs/evaluation-reports.md for readers.
"""

from collections.abc import Mapping
from functools import lru_cache

from starlette.responses import Response

from recognizance.errors import NotFoundError
from recognizance.evaluation.publication import shown_decision, shown_result
from recognizance.evaluation.reports import RESULT, evaluation_report
from recognizance.evaluation.reports.cards import error_cards, model_card
from recognizance.evaluation.results import Evaluation, read_evaluation
from recognizance.governing.published_results import PublishedResults
from recognizance.register import LiveRegister
from recognizance.register.reports import write_html
from recognizance.register.reports.blocks import Report
from recognizance.register.rows import EvaluationRow
from recognizance.web.frame import Page
from recognizance.web.language import N_
from recognizance.web.overseer_words import VERDICTS
from recognizance.web.public_register import group_charts
from recognizance.web.public_words import ERRORS
from recognizance.web.visits import Visit

DECISION = "decision.csv"
_REPORT = "report.html"
_HTML = "text/html; charset=utf-8"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; sandbox"
"""A report is one file with its styles inside, and may do nothing else."""

FILES = {
    _REPORT: N_("The report"),
    "model-card.html": N_("The card of the model"),
    RESULT: N_("The result, for programs"),
}
"""What the files of a test are called; the cards of its thresholds by their files' names."""

_TYPES = {".html": _HTML, ".json": "application/json", ".csv": "text/csv; charset=utf-8"}


class EvaluationsPages:
    def __init__(self, register: LiveRegister, results: PublishedResults) -> None:
        self._register = register
        self._results = results

    def table(self) -> list[Page]:
        return [
            Page("/evaluations", self.all),
            Page("/evaluations/{evaluation:path}/files/{file:path}", self.file),
            Page("/evaluations/{evaluation:path}", self.one),
        ]

    def all(self, visit: Visit) -> Response:
        rows = self._register.register().evaluations.evaluations
        return visit.page("public/evaluations.html", evaluations=rows[::-1], verdicts=_verdicts())

    def one(self, visit: Visit) -> Response:
        row = self._found(visit)
        groups = [each for each in self._register.register().evaluations.groups if each.evaluation == row.evaluation]
        document = self._document(row)
        evaluation = None if document is None else _read(document)
        decision = None if evaluation is None else shown_decision(self._results, evaluation)
        files = [] if document is None else [_REPORT, *_cards(document), RESULT]
        return visit.page(
            "public/evaluation.html",
            row=row,
            charts=group_charts(groups),
            errors=ERRORS,
            verdicts=_verdicts(),
            set_aside=None if evaluation is None else evaluation.exclusions,
            decision=None if decision is None else DECISION,
            files=files,
            called=FILES,
        )

    def file(self, visit: Visit) -> Response:
        row = self._found(visit)
        document = self._document(row)
        wanted: str = visit.path["file"]
        data = None if document is None else _file(document, wanted)
        if document is not None and wanted == DECISION:
            data = shown_decision(self._results, _read(document))
        if data is None:
            raise NotFoundError("this test has no such file")
        headers = {"Content-Type": _TYPES["." + wanted.rpartition(".")[2]], "Content-Security-Policy": _POLICY}
        if wanted in {RESULT, DECISION}:
            headers["Content-Disposition"] = f'attachment; filename="{wanted}"'
        return Response(data, headers=headers)

    def _found(self, visit: Visit) -> EvaluationRow:
        for row in self._register.register().evaluations.evaluations:
            if row.evaluation == visit.path["evaluation"]:
                return row
        raise NotFoundError("there is no such test on the record")

    def _document(self, row: EvaluationRow) -> bytes | None:
        """The result document that the ledger has the digest of; `None` where it isn't there, or isn't that one."""
        return shown_result(self._results, row.evaluation, row.report_digest)


def _verdicts() -> dict[str, str]:
    return {verdict.value: words for verdict, words in VERDICTS.items()}


@lru_cache(maxsize=4)
def _read(document: bytes) -> Evaluation:
    return read_evaluation(document)


@lru_cache(maxsize=16)
def _file(document: bytes, name: str) -> bytes | None:
    """One file of a result, made when it is asked for: drawing a report takes seconds, and most are never asked for."""
    if name == RESULT:
        return document
    if name == _REPORT:
        return write_html(evaluation_report(_read(document)))
    card = _cards(document).get(name)
    return None if card is None else write_html(card)


@lru_cache(maxsize=4)
def _cards(document: bytes) -> Mapping[str, Report]:
    """The model's card and one for each threshold, by the names of their files; nothing is drawn for them."""
    evaluation = _read(document)
    cards = {"model-card": model_card(evaluation), **error_cards(evaluation)}
    return {f"{name}.html": card for name, card in cards.items()}
