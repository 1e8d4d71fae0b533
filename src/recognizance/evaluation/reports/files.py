"""All files of one result, by name: what a folder, a ZIP file or a server hands out.

The same document gives the same bytes. Pure. Implements docs/evaluation-reports.md, "Files".
"""

from recognizance.evaluation.reports.cards import error_cards, model_card
from recognizance.evaluation.reports.report import evaluation_report
from recognizance.evaluation.reports.tables import csv_files
from recognizance.evaluation.results import Evaluation, schema_document, write_evaluation
from recognizance.register.reports import write_html, write_pdf
from recognizance.register.reports.blocks import Report

RESULT = "result.json"
SCHEMA = "result.schema.json"


def report_files(evaluation: Evaluation, receipt: str | None = None) -> dict[str, bytes]:
    """Return the result, its schema, the report, the cards and the tables.

    Args:
        receipt: As in `evaluation_report`.
    """
    reports: dict[str, Report] = {
        "report": evaluation_report(evaluation, receipt),
        "model-card": model_card(evaluation),
        **error_cards(evaluation),
    }
    files = {RESULT: write_evaluation(evaluation), SCHEMA: schema_document()}
    for name, report in reports.items():
        files[f"{name}.html"] = write_html(report)
        files[f"{name}.pdf"] = write_pdf(report)
    return files | {f"csv/{name}": data for name, data in csv_files(evaluation).items()}
