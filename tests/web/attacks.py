"""Texts that would run wherever a page doesn't escape them, and what to look for in a page afterwards."""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

import httpx

MARK = "x-attack"
"""The element that an attack would make."""

OWN = "county-only-"
"""What a private text begins with, so that no page says it by chance."""

PRIVATE = (
    "name-of-somebody", "photograph-name", "subject-name", "certificate", "justification", "asker", "recipient",
    "statement-of-asker", "answer-to-asker", "remarks", "evidence", "reason-of-mark", "edited-case", "case-of-county",
    "tag",
)  # fmt: skip
"""What only some people of the county may read; everything else that was typed is public."""


def attack(label: str) -> str:
    """A text that becomes an element, an attribute, a script or a template's value wherever it isn't escaped."""
    named = f"{OWN}{label}" if label.split(maxsplit=1)[0] in PRIVATE else label
    return f"{named}\"'><{MARK} onclick=alert(1)></textarea></title></script><{MARK}>{{{{1234*4321}}}}\\u003c{MARK}"


class Attacks(HTMLParser):
    """Reads a page as a browser does, and lists what an attack made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith(MARK):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            address = "".join((value or "").split()).lower()
            if name.startswith("on"):
                self.found.append(f"{tag} {name}")
            if name in {"href", "src", "action", "formaction"} and address.startswith(("javascript:", "data:", "vbs")):
                self.found.append(f"{tag} {name}={value}")


def attacks_in(answer: httpx.Response) -> list[str]:
    """What an attack made of a page; nothing is what there has to be."""
    if not answer.headers.get("content-type", "").startswith(("text/html", "image/svg", "application/xhtml")):
        return []
    parser = Attacks()
    parser.feed(answer.text)
    return parser.found + (["a template computed"] if "5332114" in answer.text else [])


def attacked(place: str, value: object) -> Iterator[str]:
    """The places of a request's body that an attack was typed into."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from attacked(f"{place}.{name}" if place else str(name), each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from attacked(place, each)
    elif isinstance(value, str) and MARK in value:
        yield place
