"""Monthly and yearly reports of an agency, as HTML and PDF."""

from recognizance.register.reports.content import agency_report
from recognizance.register.reports.html import MEDIA_TYPE_HTML, write_html
from recognizance.register.reports.pdf import MEDIA_TYPE_PDF, write_pdf
from recognizance.register.reports.periods import Period

__all__ = ["MEDIA_TYPE_HTML", "MEDIA_TYPE_PDF", "Period", "agency_report", "write_html", "write_pdf"]
