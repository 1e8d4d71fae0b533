"""What people look at: a report as HTML and PDF, cards, and tables, all from a result document."""

from recognizance.evaluation.reports.files import RESULT, SCHEMA, report_files
from recognizance.evaluation.reports.report import evaluation_report
from recognizance.evaluation.reports.tables import csv_files

__all__ = ["RESULT", "SCHEMA", "csv_files", "evaluation_report", "report_files"]
