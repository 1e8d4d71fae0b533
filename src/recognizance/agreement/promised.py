"""What a ledger's entries say must stand in the records: a fold over all of them, in order.

Only what an entry says without doubt is expected. A kind of document that no entry speaks of isn't looked for here, and
is named as not covered by whoever compares (`check.py`). Pure.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from recognizance.ledger import Entry, EntryId, facts

_STANDINGS: Mapping[facts.Standing, str] = {
    facts.Standing.ADDED: "active",
    facts.Standing.CHANGED: "active",
    facts.Standing.RESUMED: "active",
    facts.Standing.SUSPENDED: "suspended",
    facts.Standing.REMOVED: "removed",
}
_MARKS = {facts.Standing.ADDED: "in_force", facts.Standing.REMOVED: "lifted"}
_REQUESTS: Mapping[facts.RequestEvent, frozenset[str]] = {
    # Between being received and being answered, the desk's steps are nobody else's business.
    facts.RequestEvent.RECEIVED: frozenset({"received", "awaiting_proof", "verified"}),
    facts.RequestEvent.ANSWERED: frozenset({"answered"}),
    facts.RequestEvent.REFUSED: frozenset({"refused"}),
    facts.RequestEvent.WITHDRAWN: frozenset({"withdrawn"}),
    facts.RequestEvent.APPEALED: frozenset({"appealed"}),
    facts.RequestEvent.OVERTURNED: frozenset({"verified"}),
    facts.RequestEvent.UPHELD: frozenset({"closed"}),
}
_LEADS = {
    facts.LeadEvent.CONFIRMED: "locked",
    facts.LeadEvent.EVIDENCE_ATTESTED: "attested",
    facts.LeadEvent.EXPORTED: "exported",
    facts.LeadEvent.ACTED_ON: "acted_on",
    facts.LeadEvent.ARREST: "arrest",
    facts.LeadEvent.NOT_USED: "not_used",
    facts.LeadEvent.FALSE: "false",
    facts.LeadEvent.CLOSED: "withdrawn",
}
_ACTED_ON = (frozenset({"acted_on"}), frozenset({"arrest"}))
_STATED = (facts.Schema, facts.Software, facts.Model, facts.ThresholdChange, facts.PolicyChange, facts.LedgerKey)
_ANY_ID = EntryId("00000000-0000-0000-0000-000000000000")
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)

PARTIES = "party"
"""Stands for people and programs, whose entries are of one kind and whose documents are of two."""


@dataclass(frozen=True, slots=True)
class PromisedGallery:
    """A gallery as the ledger has it; `version` is that of its last change of content, if there was one."""

    version: int | None = None
    faces: int | None = None


@dataclass(slots=True)
class Promised:
    """What the entries so far say of the records.

    Attributes:
        states: By kind of document and id, the states that it may be in.
        searches: Pictures searched for or compared, by use.
        digests: SHA-256 of documents that entries name by it, by kind.
        stated: Digests of what was stated at starts, as `recording.statements` remembers it.
        removed_galleries: Indexes of entries that removed a gallery, by its name.
        erased_galleries: How many entries say that all of a gallery of this name is gone.
    """

    states: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict[str, dict[str, frozenset[str]]])
    galleries: dict[str, PromisedGallery] = field(default_factory=dict[str, PromisedGallery])
    searches: Counter[str] = field(default_factory=Counter[str])
    digests: dict[str, set[str]] = field(default_factory=lambda: {"erasure": set(), "retention_run": set()})
    stated: set[str] = field(default_factory=set[str])
    removed_galleries: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    erased_galleries: Counter[str] = field(default_factory=Counter[str])

    def add(self, index: int, entry: Entry) -> None:
        """Take the next entry of the log into account."""
        said = entry.facts
        self._add_party(said)
        self._add_life(entry.id, said)
        self._add_gallery(index, said)
        if isinstance(said, facts.Search | facts.Comparison):
            self.searches[said.use] += 1
        if isinstance(said, _STATED):
            self.stated.add(hashlib.sha256(replace(entry, id=_ANY_ID, time=_ANY_TIME).data).hexdigest())

    def _expect(self, kind: str, document_id: str, *states: str) -> None:
        self.states.setdefault(kind, {})[document_id] = frozenset(states)

    def _add_party(self, said: facts.Facts) -> None:
        match said:
            case facts.Agency() as agency:
                self._expect("agency", agency.agency, _STANDINGS[agency.standing])
            case facts.Person() as person:
                self._expect(PARTIES, person.person, _STANDINGS[person.standing])
            case facts.UseProposal() as proposal:
                self._expect("use", proposal.use, "proposed")
            case facts.UseTransition() as transition:
                self._expect("use", transition.use, transition.to_state.value)
            case _:
                pass

    def _add_life(self, entry: EntryId, said: facts.Facts) -> None:
        match said:
            case facts.SubjectRequest() as request if request.event in _REQUESTS:
                self._expect("subject_request", request.request, *_REQUESTS[request.event])
            case facts.Mark() as mark:
                self._expect("mark", mark.mark, _MARKS[mark.standing])
            case facts.Lead() as lead:
                # A lead that was acted on can be exported again, and stays what it is.
                is_again = lead.event is facts.LeadEvent.EXPORTED
                if not (is_again and self.states.get("lead", {}).get(lead.lead) in _ACTED_ON):
                    self._expect("lead", lead.lead, _LEADS[lead.event])
            case facts.Incident():
                self._expect("incident", entry, "reported")
            case facts.IncidentNotice() as notice:
                self._expect("incident", notice.incident, "received")
            case facts.LeadFigures() as figures:
                name = hashlib.sha256(f"{figures.year} {figures.dimension} {figures.agency}".encode()).hexdigest()
                self._expect("lead_figures", name, "published")
            case facts.RetentionRun() as run:
                self.digests["retention_run"].add(run.receipt_digest)
            case facts.Erasure() as erasure if erasure.gallery is not None:
                self.digests["erasure"].add(erasure.proof_digest)
            case _:
                pass

    def _add_gallery(self, index: int, said: facts.Facts) -> None:
        match said:
            case facts.Gallery() as gallery if gallery.standing is facts.Standing.REMOVED:
                self.removed_galleries.setdefault(gallery.gallery, []).append(index)
                self.galleries.pop(gallery.gallery, None)
                self.states.get("retention_schedule", {}).pop(gallery.gallery, None)
            case facts.Gallery() as gallery:
                self.galleries.setdefault(gallery.gallery, PromisedGallery())
            case facts.GalleryContent() as content:
                self.galleries[content.gallery] = PromisedGallery(content.version, content.faces)
            case facts.GalleryDeclaration() as declaration:
                self._expect("gallery", declaration.gallery, "active")
            case facts.Retention() as retention:
                self._expect("retention_schedule", retention.gallery, "in_force")
            case facts.Erasure() as erasure if erasure.scope is facts.ErasureScope.GALLERY and erasure.gallery:
                self.erased_galleries[erasure.gallery] += 1
            case _:
                pass
