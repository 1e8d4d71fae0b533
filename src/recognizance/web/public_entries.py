"""Ledger entries in words: one sentence for each kind, and every public field with its value.

The sentence is this server's reading of the entry; the entry itself stands beside it as it is in the ledger, and the
reader's browser checks that, not the sentence. Values are put into a sentence after it was translated, as texts that
were spelled out: what somebody wrote into an entry can't hide anything or turn the line round.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recognizance.errors import InputError
from recognizance.ledger import Entry, NewerSchemaError
from recognizance.ledger.facts.fields import private_types, public_types
from recognizance.register.document import plain_text
from recognizance.web.language import N_, Wording
from recognizance.web.record_words import FIELD_WORDS, KIND_WORDS, code_words

SENTENCES: Mapping[str, str] = {
    "access_key": N_("An access key of %(agency)s: %(standing)s."),
    "account": N_("An account for these pages, of somebody at %(agency)s: %(standing)s."),
    "agency": N_("The agency %(agency)s (%(name)s): %(standing)s."),
    "alert": N_("The watchlist %(watchlist)s under the use %(use)s: an alert was %(event)s."),
    "change_proposal": N_("A change of the rules (%(rule)s) was proposed: %(summary)s"),
    "comment": N_("Somebody commented on a proposal."),
    "comment_moderation": N_("An overseer decided that a comment is %(visibility)s: %(reason)s"),
    "comparison": N_("Two given faces were compared under the use %(use)s of %(agency)s."),
    "deployment": N_("%(operator)s stated that they operate this service, and on what basis."),
    "detection": N_("Faces were looked for in a picture, under the use %(use)s of %(agency)s. Found: %(faces)s."),
    "disclosure": N_("A case's whole record was handed out, under the use %(use)s: %(searches)s searches."),
    "erasure": N_("Data was destroyed for good (faces: %(faces)s, pictures: %(images)s). Cause: %(cause)s."),
    "evaluation": N_("%(tester)s measured how often the model %(model)s errs: %(verdict)s."),
    "failure": N_("An act (%(action)s) under the use %(use)s of %(agency)s ended without an answer: %(cause)s."),
    "finding": N_("Somebody who tested the service found something (%(step)s): %(statement)s"),
    "gallery": N_("The gallery %(gallery)s of %(agency)s: %(standing)s."),
    "gallery_content": N_("The gallery %(gallery)s changed (%(change)s). Faces that it holds now: %(faces)s."),
    "gallery_declaration": N_("%(agency)s stated where the faces of the gallery %(gallery)s come from: %(source)s."),
    "hold": N_("An order keeps something in the gallery %(gallery)s from being destroyed until %(until)s."),
    "incident": N_("Something went wrong (%(occurrence)s): %(statement)s"),
    "incident_notice": N_("An incident has reached an overseer, who says: %(statement)s"),
    "lead": N_("A lead under the use %(use)s: %(event)s."),
    "lead_figures": N_("%(agency)s published its leads of %(year)s by %(dimension)s."),
    "ledger_key": N_("It was stated which key signs this record: %(reason)s"),
    "mark": N_("Somebody found that a candidate in the gallery %(gallery)s is not who was looked for: %(standing)s."),
    "model": N_("The model %(model)s (%(role)s): %(standing)s."),
    "oversight_body": N_("%(name)s oversees this service; %(votes_needed)s of its members have to agree to a use."),
    "oversight_member": N_("An overseer is known by name, or no longer is: %(standing)s."),
    "person": N_("Somebody who works with this service, at %(agency)s: %(standing)s. Roles: %(roles)s."),
    "policy": N_("The policy that decides from here on was stated whole: %(version)s."),
    "probe_edit": N_("A picture was edited before it was searched for, under the use %(use)s: %(operation)s."),
    "refusal": N_("An act was refused: %(action)s. Missing: %(missing)s."),
    "report": N_("%(agency)s published a report (%(report_kind)s): %(report)s."),
    "restoration": N_("The service's records were put back from an older copy: %(reason)s"),
    "retention": N_("How long the gallery %(gallery)s keeps what was set anew."),
    "retention_run": N_("What was due in the gallery %(gallery)s was destroyed. Faces: %(faces_destroyed)s."),
    "review_answer": N_("A reviewer's answer on one candidate: %(outcome)s."),
    "review_opened": N_("Candidates of a search under the use %(use)s wait for %(reviewers_needed)s reviewers."),
    "review_step": N_("Something was done in a review under the use %(use)s; which and by whom is not public yet."),
    "rights_impact": N_("%(agency)s published what a use means for people's rights: %(report)s."),
    "schema": N_("What an entry of this record may hold was stated whole."),
    "search": N_("%(agency)s searched the gallery %(gallery)s for a face, under the use %(use)s: %(outcome)s."),
    "sharing": N_("%(agency)s shared data with %(recipient)s: %(data)s."),
    "software": N_("The software that runs from here on: %(name)s %(version)s."),
    "subject_request": N_("Somebody asked about themselves (%(request_kind)s): %(event)s."),
    "suppression": N_("%(candidates)s candidates were left out of an answer, because they are known to be others."),
    "threshold": N_("The decision threshold of the model %(model)s was set to %(new)s: %(reason)s"),
    "training": N_("Somebody completed the course %(course)s; it counts until %(expires)s."),
    "use_proposal": N_("%(agency)s proposed the use %(use)s: %(purpose)s, in the gallery %(gallery)s."),
    "use_transition": N_("The use %(use)s went from %(from_state)s to %(to_state)s: %(cause)s."),
    "vote": N_("An overseer voted (%(question)s): %(choice)s."),
    "witness": N_("%(operator)s is asked to watch over this record, or no longer is: %(standing)s."),
}
"""By kind. A test holds it to the list of all kinds."""

UNREADABLE = N_("This entry was written by newer software, and can't be put into words here.")
_LONGEST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entry, in words. `value` is empty for a commitment, whose value isn't public."""

    name: str
    value: str
    is_commitment: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An entry, told.

    Attributes:
        kind: In words; empty for an entry that can't be read.
        text: The leaf, as it is in the ledger.
    """

    index: int
    kind: str
    sentence: str
    text: str
    id: str = ""
    time: datetime | None = None
    fields: tuple[Field, ...] = ()


def told(index: int, data: bytes, wording: Wording) -> Told:
    """Tell one leaf of the ledger in the reader's language."""
    text = data.decode(errors="replace")
    try:
        entry = Entry.parse(data)
    except (NewerSchemaError, InputError):
        return Told(index, "", wording.gettext(UNREADABLE), text)
    facts = type(entry.facts)
    values = {name: spelled(name, getattr(entry.facts, name), wording) for name in public_types(facts)}
    short = {name: _short(value) for name, value in values.items()}
    fields = [Field(_called(name, wording), value) for name, value in values.items()]
    fields += [Field(_called(name, wording), "", is_commitment=True) for name in private_types(facts)]
    sentence = wording.gettext(SENTENCES.get(facts.kind, facts.kind)) % short
    kind = wording.gettext(KIND_WORDS.get(facts.kind, facts.kind))
    return Told(index, kind, sentence, text, entry.id, entry.time, tuple(fields))


def _called(field: str, wording: Wording) -> str:
    return wording.gettext(FIELD_WORDS.get(field, field))


def spelled(field: str, value: object, wording: Wording) -> str:
    """A field's value in words: codes as people say them, moments in the reader's language."""
    match value:
        case None | () | "":
            return "–"
        case str() if (words := code_words(field, value)) is not None:
            # What a policy says is missing goes on, after a colon, with how a program states it.
            return wording.gettext(words).partition(":")[0]
        case bool():
            return wording.gettext(N_("yes")) if value else wording.gettext(N_("no"))
        case datetime():
            return wording.moment(value)
        case StrEnum():
            return value.value.replace("_", " ")
        case int():
            return wording.number(value)
        case float():
            return f"{value:.6g}"
        case tuple():
            return ", ".join(spelled(field, each, wording) for each in value)
        case _:
            return plain_text(str(value))


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
