"""A report as one HTML file that loads nothing: styles and pictures are inside, scripts are forbidden.

Every text that comes from an entry is escaped, stands in an element of its own direction (`bdi`), and has its hidden
characters spelled out. The file is made for paper as well as for screens and screen readers.
"""

import base64
import re
from html import escape

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
from recognizance.register.reports.charts import draw_svg

MEDIA_TYPE_HTML = "text/html; charset=utf-8"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_NUMBER = re.compile(r"[-0-9.,e]+( %)?( to [-0-9.,e]+( %)?)?")
_STYLE = """
:root { color-scheme: light; }
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 54rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
p { white-space: pre-line; } p, figcaption, .callout { max-width: 46rem; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #bbb; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ccc;
  overflow-wrap: anywhere; }
td:last-child:not(.n) { min-width: 7rem; }
thead th { border-bottom: 2px solid #555; overflow-wrap: normal; } .n { white-space: nowrap; }
figure { margin: 1rem 0; } img, svg { max-width: 100%; height: auto; } figcaption { font-size: .9rem; color: #333; }
.callout { border: 1px solid #767676; border-left-width: .5rem; padding: .7rem 1rem; margin: 1.2rem 0; }
.callout p { margin: .2rem 0; } .callout p:first-child { font-size: 1.15rem; font-weight: 700; }
.good { border-color: #005f46; } .bad { border-color: #a33c00; border-left-style: double; border-left-width: .8rem; }
.unsure { border-color: #7a5800; border-left-style: dashed; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1.2rem 0; padding: 0; list-style: none; }
.figures li { flex: 1 1 9rem; font-size: .9rem; }
.figures strong { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } h2 { break-after: avoid; }
  tr, figure, .callout { break-inside: avoid; } h3 { break-after: avoid; } thead { display: table-header-group; } }
@page { margin: 18mm; }
"""


def write_html(report: Report) -> bytes:
    """Return the file."""
    title = _text(report.title)
    body = "\n".join(_block(block, number) for number, block in enumerate(report.blocks))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{_own(report.title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()


def _block(block: Block, number: int) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_own(block.text)}</h{block.level}>"
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
        case Picture():
            return f"<figure>{_inline(block, f'b{number}-')}<figcaption>{_own(block.text)}</figcaption></figure>"
        case Callout():
            title, text = _own(block.title), _own(block.text)
            return f'<div class="callout {block.tone}"><p>{title}</p><p>{text}</p></div>'
        case Figures():
            items = "".join(f"<li><strong>{_own(value)}</strong> {_own(what)}</li>" for value, what in block.figures)
            return f'<ul class="figures">{items}</ul>'


def _inline(picture: Picture, prefix: str) -> str:
    """Return an SVG as a part of the page, named for whoever can't see it.

    Every drawing numbers its parts from the same start, and a page has one space of ids: each gets a prefix.
    """
    drawing = picture.svg.decode()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{prefix}", drawing)
    opening, rest = drawing.split(">", 1)
    names = f'role="img" aria-labelledby="{prefix}title {prefix}desc"'
    title = f'<title id="{prefix}title">{_text(picture.title)}</title>'
    return f'{opening} {names}>{title}<desc id="{prefix}desc">{_text(picture.text)}</desc>{rest}'


def _table(table: Table) -> str:
    if not table.rows:
        return f"<p><strong>{_own(table.title)}:</strong> {_own(table.if_empty)}</p>"
    head = "".join(f'<th scope="col">{_own(column)}</th>' for column in table.columns)
    rows = "\n".join(
        f'<tr><th scope="row">{_own(row[0])}</th>{"".join(_cell(cell) for cell in row[1:])}</tr>' for row in table.rows
    )
    return (
        f"<table>\n<caption>{_own(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n"
        "</table>"
    )


def _cell(text: str) -> str:
    # A number is never broken over two lines; a word in a narrow column may be.
    return f'<td class="n">{_own(text)}</td>' if _NUMBER.fullmatch(text) else f"<td>{_own(text)}</td>"


def _text(text: str) -> str:
    # A number keeps its percent sign on its line.
    return escape(re.sub(r"(?<=[0-9]) (?=%)", "\u00a0", plain_text(text)))


def _own(text: str) -> str:
    return f"<bdi>{_text(text)}</bdi>"
