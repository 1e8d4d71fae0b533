"""A report as PDF: the one file that imports fpdf2 (decision 0028).

The same report is the same bytes: the file's date is that of the newest entry. Its font is DejaVu Sans, which comes
with matplotlib; a character that it doesn't have is spelled out as its code point, and the HTML has it as it is. Texts
that run from right to left are not shaped here.
"""

import io
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import matplotlib as mpl
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from PIL import Image

from recognizance.register.document import plain_text
from recognizance.register.reports.blocks import (
    Bars,
    Block,
    Callout,
    Figures,
    Heading,
    Intervals,
    Paragraph,
    Picture,
    Report,
    Table,
)
from recognizance.register.reports.charts import draw_png

MEDIA_TYPE_PDF = "application/pdf"
_FONT = "DejaVu Sans"
_MARGIN_MM = 18
_LINE_MM = 5.2
_LEAST_ROOM_MM = 30
"""A heading that would stand nearer to the foot of a page starts the next one."""

_BAR_GREY = 90
_NO_ENTRY = datetime(1970, 1, 1, tzinfo=UTC)


def write_pdf(report: Report) -> bytes:
    """Return the file."""
    return _Writer(report).written()


class _Page(FPDF):
    """A page with its number at the foot."""

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FONT, size=8)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="C")


class _Writer:
    def __init__(self, report: Report) -> None:
        self._report = report
        pdf = _Page(format="A4")
        folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
        pdf.add_font(_FONT, fname=folder / "DejaVuSans.ttf")
        pdf.add_font(_FONT, style="B", fname=folder / "DejaVuSans-Bold.ttf")
        pdf.set_margin(_MARGIN_MM)
        pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM)
        pdf.set_lang("en")
        pdf.set_creation_date(report.as_of or _NO_ENTRY)
        pdf.set_producer("recognizance")
        font = pdf.fonts["dejavu sans"]
        self._known = frozenset(font.cmap if isinstance(font, TTFFont) else ())
        pdf.set_title(self._text(report.title))
        pdf.add_page()
        self._pdf = pdf

    def written(self) -> bytes:
        self._lines(self._report.title, size=17, bold=True)
        for block, following in zip_longest(self._report.blocks, self._report.blocks[1:]):
            self._pdf.ln(2)
            if isinstance(block, Heading) and self._pdf.will_page_break(_LEAST_ROOM_MM + self._height_mm(following)):
                self._pdf.add_page()
            self._write(block)
        return bytes(self._pdf.output())

    def _write(self, block: Block) -> None:
        match block:
            case Heading():
                self._pdf.ln(3)
                self._lines(block.text, size=13 if block.level == 2 else 11, bold=True)
            case Paragraph():
                self._lines(block.text)
            case Table():
                self._table(block)
            case Bars() | Intervals():
                self._picture(draw_png(block), block.text)
            case Picture():
                self._picture(block.png, block.text)
            case Callout():
                self._callout(block)
            case Figures():
                self._figures(block)

    def _lines(self, text: str, *, size: float = 10, bold: bool = False) -> None:
        self._pdf.set_font(_FONT, style="B" if bold else "", size=size)
        height = _LINE_MM * max(size / 10, 0.9)
        self._pdf.multi_cell(0, height, self._text(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _height_mm(self, block: Block | None) -> float:
        """How much room the next block needs where it begins: a heading over it goes to the next page with it."""
        if not isinstance(block, Picture):
            return _LEAST_ROOM_MM / 2 if isinstance(block, Table) else 0.0
        with Image.open(io.BytesIO(block.png)) as image:
            return float(self._pdf.epw) * image.height / image.width

    def _picture(self, png: bytes, text: str) -> None:
        self._pdf.image(io.BytesIO(png), w=self._pdf.epw, alt_text=self._text(text))
        self._lines(text, size=8)

    def _callout(self, callout: Callout) -> None:
        if self._pdf.will_page_break(_LEAST_ROOM_MM):
            self._pdf.add_page()
        top, page = self._pdf.get_y(), self._pdf.page
        self._pdf.set_left_margin(_MARGIN_MM + 5)
        self._lines(callout.title, size=12, bold=True)
        self._lines(callout.text)
        self._pdf.set_left_margin(_MARGIN_MM)
        self._pdf.set_x(_MARGIN_MM)
        if self._pdf.page == page:
            with self._pdf.local_context(fill_color=_BAR_GREY):
                self._pdf.rect(_MARGIN_MM, top, 1.6, self._pdf.get_y() - top, style="F")

    def _figures(self, block: Figures) -> None:
        self._pdf.set_font(_FONT, size=10)
        with self._pdf.table(
            text_align="LEFT",
            first_row_as_headings=False,
            borders_layout="NONE",
            line_height=_LINE_MM,
            col_widths=(1, 3),
        ) as written:
            for value, what in block.figures:
                row = written.row()
                row.cell(self._text(value), style=FontFace(emphasis="BOLD", size_pt=14))
                row.cell(self._text(what))

    def _table(self, table: Table) -> None:
        if not table.rows:
            self._lines(f"{table.title}: {table.if_empty}")
            return
        if self._pdf.will_page_break(_LEAST_ROOM_MM):
            self._pdf.add_page()
        self._lines(table.title, size=9, bold=True)
        self._pdf.set_font(_FONT, size=8)
        with self._pdf.table(
            text_align="LEFT",
            headings_style=FontFace(emphasis="BOLD"),
            borders_layout="HORIZONTAL_LINES",
            col_widths=_widths(table),
            line_height=4.2,
            padding=0.8,
        ) as written:
            for row in (table.columns, *table.rows):
                written.row([self._text(cell) for cell in row])

    def _text(self, text: str) -> str:
        return "".join(
            letter if ord(letter) in self._known or letter == "\n" else f"[U+{ord(letter):04X}]"
            for letter in plain_text(text)
        )


def _widths(table: Table) -> tuple[int, ...]:
    """Give each column room by its longest text, within bounds, so that none is squeezed to a letter a line."""
    return tuple(
        min(max(8, round(1.5 * len(table.columns[place])), *(len(row[place]) + 3 for row in table.rows)), 44)
        for place in range(len(table.columns))
    )
