"""A report as one HTML file that loads nothing: styles and pictures are inside, scripts are forbidden.

Every text that comes from an entry is escaped, stands in an element of its own direction (`bdi`), and has its hidden
characters spelled out. The file is made for paper as well as for screens and screen readers.
"""

import base64
from html import escape

from recognizance.register.document import plain_text
from recognizance.register.reports.blocks import Bars, Block, Heading, Intervals, Paragraph, Report, Table
from recognizance.register.reports.charts import draw_svg

MEDIA_TYPE_HTML = "text/html; charset=utf-8"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light; }
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
p { white-space: pre-line; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #bbb; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ccc;
  overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid #555; overflow-wrap: normal; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; } figcaption { font-size: .9rem; color: #333; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } thead { display: table-header-group; } }
@page { margin: 18mm; }
"""


def write_html(report: Report) -> bytes:
    """Return the file."""
    title = _text(report.title)
    body = "\n".join(_block(block) for block in report.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{_own(report.title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h2>{_own(block.text)}</h2>"
        case Paragraph():
            return f"<p>{_own(block.text)}</p>"
        case Table():
            return _table(block)
        case Bars() | Intervals():
            picture = base64.b64encode(draw_svg(block)).decode()
            return (
                f'<figure><img src="data:image/svg+xml;base64,{picture}" alt="{_text(block.text)}">'
                f"<figcaption>{_own(block.text)}</figcaption></figure>"
            )


def _table(table: Table) -> str:
    if not table.rows:
        return f"<p><strong>{_own(table.title)}:</strong> {_own(table.if_empty)}</p>"
    head = "".join(f'<th scope="col">{_own(column)}</th>' for column in table.columns)
    rows = "\n".join(
        f'<tr><th scope="row">{_own(row[0])}</th>{"".join(f"<td>{_own(cell)}</td>" for cell in row[1:])}</tr>'
        for row in table.rows
    )
    return (
        f"<table>\n<caption>{_own(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n"
        "</table>"
    )


def _text(text: str) -> str:
    return escape(plain_text(text))


def _own(text: str) -> str:
    return f"<bdi>{_text(text)}</bdi>"
