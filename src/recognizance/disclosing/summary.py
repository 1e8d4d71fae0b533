"""The summary of a disclosure bundle, for people to read: a PDF file whose bytes depend on its entries alone.

It says nothing that the bundle's entries and openings don't say, and of each line from which entry it is. Pure.
Implements `docs/review.md`, "Disclosure".
"""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from recognizance.governance.review import LEAD_STAMP
from recognizance.ledger import Entry, EntryId, Opening, PrivateValue, facts
from recognizance.register.reports import write_pdf
from recognizance.register.reports.blocks import Block, Heading, Paragraph, Report, Table

_ERASED = "erased"
_Values: TypeAlias = Mapping[tuple[EntryId, str], PrivateValue]


def summary_pdf(
    case: str, entries: Mapping[int, Entry], own: Mapping[int, Entry], openings: Sequence[Opening]
) -> bytes:
    """Write the summary.

    Args:
        entries: Everything in the bundle, by its index in the log.
        own: Those among them that are about the case itself; the others are the rules that were in force.
    """
    values = {(opening.entry_id, opening.field): opening.value for opening in openings}
    newest = max((entry.time for entry in entries.values()), default=None)
    blocks: list[Block] = [
        Paragraph(
            "Taken from the service's public ledger. Numbers in the first column are those of the ledger's entries,"
            " which are in this bundle with their proofs. A candidate is a machine's suggestion. A lead is an"
            f" {LEAD_STAMP}."
        ),
        *_searches(own, values),
        *_reviews(own, values),
        *_others(own, values),
        *_rules(entries, own),
    ]
    return write_pdf(Report(f"Record of case {case}", newest, tuple(blocks)))


def _searches(own: Mapping[int, Entry], values: _Values) -> list[Block]:
    rows: list[tuple[str, ...]] = []
    candidates: list[tuple[str, ...]] = []
    empty = 0
    for index, entry in own.items():
        said = entry.facts
        if not isinstance(said, facts.Search):
            continue
        empty += said.outcome is not facts.SearchOutcome.CANDIDATES
        rows.append(
            (
                str(index),
                _time(entry),
                said.use,
                f"{said.gallery}, version {said.gallery_version}",
                said.model,
                said.outcome.value.replace("_", " "),
                str(said.candidates),
            )
        )
        result = values.get((entry.id, "result"), _ERASED)
        if isinstance(result, tuple):
            candidates += [(str(index), *(_text(part) for part in each)) for each in result if isinstance(each, tuple)]
        elif said.candidates:
            candidates.append((str(index), _ERASED, _ERASED))
    columns = ("entry", "time", "use", "gallery", "model", "outcome", "candidates")
    return [
        Heading("Searches"),
        Paragraph(f"{len(rows)} searches were made, of which {empty} found nobody."),
        Table("Every search", columns, tuple(rows), "No search was made."),
        Table("Every candidate", ("search", "face", "similarity"), tuple(candidates), "There was no candidate."),
    ]


def _reviews(own: Mapping[int, Entry], values: _Values) -> list[Block]:
    answers: list[tuple[str, ...]] = []
    leads: list[tuple[str, ...]] = []
    for index, entry in own.items():
        match entry.facts:
            case facts.ReviewAnswer() as said:
                reasons = _text(values.get((entry.id, "reasons"), _ERASED))
                candidate = _text(values.get((entry.id, "candidate"), _ERASED))
                outcome = said.outcome.value.replace("_", " ")
                answers.append((str(index), said.review, str(said.round), said.reviewer, candidate, outcome, reasons))
            case facts.Lead() as said:
                evidence = _text(values.get((entry.id, "evidence"), _ERASED))
                leads.append((str(index), _time(entry), said.lead, said.event.value.replace("_", " "), evidence))
            case _:
                pass
    columns = ("entry", "review", "answer", "reviewer", "candidate", "outcome", "reasons")
    return [
        Heading("Reviews and leads"),
        Table("Every answer of a reviewer", columns, tuple(answers), "No review is over."),
        Table(
            f"Leads ({LEAD_STAMP})", ("entry", "time", "lead", "event", "evidence"), tuple(leads), "There is no lead."
        ),
    ]


def _others(own: Mapping[int, Entry], values: _Values) -> list[Block]:
    """Refusals, edits of probes and everything else about the case, with what each committed to."""
    shown = (facts.Search, facts.ReviewAnswer, facts.Lead)
    rows: list[tuple[str, ...]] = []
    for index, entry in own.items():
        if isinstance(entry.facts, shown):
            continue
        opened = {name: value for (entry_id, name), value in values.items() if entry_id == entry.id and name != "case"}
        said = "; ".join(f"{name}: {_text(value)}" for name, value in sorted(opened.items()))
        rows.append((str(index), _time(entry), entry.facts.kind.replace("_", " "), said))
    return [Table("Refusals, edits of probes and other steps", ("entry", "time", "what", "details"), tuple(rows))]


def _rules(entries: Mapping[int, Entry], own: Mapping[int, Entry]) -> list[Block]:
    rows = tuple(
        (str(index), _time(entry), entry.facts.kind.replace("_", " "))
        for index, entry in entries.items()
        if index not in own
    )
    return [
        Heading("What was in force"),
        Table("Uses, votes, policies, models, evaluations, galleries and training", ("entry", "time", "what"), rows),
    ]


def _time(entry: Entry) -> str:
    return f"{entry.time:%Y-%m-%d %H:%M:%S} UTC"


def _text(value: PrivateValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
