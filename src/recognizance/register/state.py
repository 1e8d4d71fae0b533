"""What the register remembers of the entries that it has read: a fold, so that a log is read once and then continued.

`fold(fold(state, a), b) == fold(state, a + b)`. Kinds of entry that are rare (parties, rules, models, incidents) are
kept as they are. Frequent ones (searches, reviews, requests) are counted, by month, agency and use, and let go of: the
state grows with the months and the reviews, not with the searches.

Months are those of the entries' own times, in UTC. Nothing is hidden yet; `suppression.py` does that when a register is
written. No commitment is looked at: everything here comes from public fields.

Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from recognizance.ledger import Entry, EntryId, Facts, facts

_KEPT: tuple[type[Facts], ...] = (
    facts.Agency,
    facts.Comment,
    facts.CommentModeration,
    facts.Deployment,
    facts.ChangeProposal,
    facts.Evaluation,
    facts.Finding,
    facts.Gallery,
    facts.GalleryDeclaration,
    facts.Incident,
    facts.IncidentNotice,
    facts.LeadFigures,
    facts.LedgerKey,
    facts.Model,
    facts.OversightBody,
    facts.OversightMember,
    facts.PolicyChange,
    facts.Report,
    facts.Restoration,
    facts.RightsImpact,
    facts.Sharing,
    facts.Software,
    facts.ThresholdChange,
    facts.UseProposal,
    facts.UseTransition,
    facts.Vote,
    facts.Witness,
)

_EMERGENCIES = {
    "emergency": "emergencies_declared",
    "emergency_authorised": "emergencies_authorised",
    "lapsed": "emergencies_lapsed",
}
"""What is counted when a use comes into one of these states."""

_STEPS = {"received": "requests_received", "extended": "requests_extended", "appealed": "requests_appealed"}
_APPEAL_DECISIONS = frozenset({"overturned", "upheld"})

UNSTATED = "unstated"
"""The category of what has none."""


class Figure(NamedTuple):
    """What is counted. Where `agency` is empty, the use says which one it is; where both are, it is the service's.

    `dimension` and `category` are empty for a count that isn't broken down.
    """

    month: str
    agency: str
    use: str
    measure: str
    dimension: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """Who has answered a review so far."""

    use: str
    reviewers_needed: int
    reviewers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the register knows after the first `size` entries of a log.

    Attributes:
        newest: The latest time that an entry gave.
        unread: Entries of a newer schema than this software's, whose content is in no figure.
        kept: Entries of the rare kinds, in the log's order.
        contents: The last change of each gallery's content, and `purges` its last retention run.
        requests: When each request that is still open was received.
    """

    size: int = 0
    newest: datetime | None = None
    unread: int = 0
    kept: tuple[Entry, ...] = ()
    contents: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    purges: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    counts: Mapping[Figure, int] = field(default_factory=dict[Figure, int])
    reviews: Mapping[str, Review] = field(default_factory=dict[str, Review])
    requests: Mapping[str, datetime] = field(default_factory=dict[str, datetime])


def fold(state: State, entries: Iterable[Entry | None]) -> State:
    """Return the state after further entries of the log, in its order; `None` stands for one of a newer schema.

    Costs as much as the state is large, once, and a few microseconds an entry. `state` stays as it is.
    """
    folding = _Folding(state)
    for entry in entries:
        folding.add(entry)
    return folding.state()


def month_of(moment: datetime) -> str:
    """Return the month of a moment in UTC, like `2026-01`."""
    return f"{moment.year:04d}-{moment.month:02d}"


class _Folding:
    """One run over entries, on copies of what a state holds."""

    def __init__(self, state: State) -> None:
        self._size = state.size
        self._newest = state.newest
        self._unread = state.unread
        self._kept = list(state.kept)
        self._contents = dict(state.contents)
        self._purges = dict(state.purges)
        self._counts = Counter(state.counts)
        self._reviews = dict(state.reviews)
        self._requests = dict(state.requests)

    def state(self) -> State:
        return State(
            self._size,
            self._newest,
            self._unread,
            tuple(self._kept),
            self._contents,
            self._purges,
            # A Counter equals a dict only without zeros, and no count is one.
            {figure: count for figure, count in self._counts.items() if count},
            self._reviews,
            self._requests,
        )

    def add(self, entry: Entry | None) -> None:
        self._size += 1
        if entry is None:
            self._unread += 1
            return
        self._newest = entry.time if self._newest is None else max(self._newest, entry.time)
        if isinstance(entry.facts, _KEPT):
            self._kept.append(entry)
        self._count(entry)

    def _count(self, entry: Entry) -> None:
        month = month_of(entry.time)
        match entry.facts:
            case facts.Search() as search:
                self._add_search(month, search)
            case facts.Refusal() as refusal:
                self._add_refusal(month, refusal)
            case facts.Comparison() | facts.Detection() | facts.Failure() as act:
                self._plus(Figure(month, act.agency, act.use, f"{act.kind}s"))
            case facts.UseTransition() as transition if transition.to_state.value in _EMERGENCIES:
                self._plus(Figure(month, "", transition.use, _EMERGENCIES[transition.to_state.value]))
            case facts.Lead() as lead:
                self._plus(Figure(month, "", lead.use, f"leads_{lead.event.value}"))
            case facts.Alert() as alert:
                self._plus(Figure(month, "", alert.use, f"alerts_{alert.event.value}"))
            case facts.Disclosure() | facts.ProbeEdit() as act:
                self._plus(Figure(month, "", act.use, f"{act.kind}s"))
            case facts.ReviewOpened() as opened:
                self._reviews[opened.review] = Review(opened.use, opened.reviewers_needed)
                self._plus(Figure(month, "", opened.use, "reviews_opened"))
            case facts.ReviewAnswer() as answer:
                self._add_answer(month, answer)
            case _:
                self._count_about_people(month, entry)

    def _count_about_people(self, month: str, entry: Entry) -> None:
        match entry.facts:
            case facts.GalleryContent() as content:
                self._contents[content.gallery] = entry
            case facts.RetentionRun() as run:
                self._purges[run.gallery] = entry
            case facts.SubjectRequest() as request:
                self._add_request(month, entry.time, request)
            case facts.Erasure() as erasure:
                figure = Figure(month, "", "", "erasures")
                self._plus(figure._replace(dimension="scope", category=erasure.scope.value))
                self._plus(figure._replace(dimension="cause", category=erasure.cause))
                self._plus(figure._replace(measure="faces_erased"), erasure.faces)
                self._plus(figure._replace(measure="images_erased"), erasure.images)
            case _:
                pass

    def _add_search(self, month: str, search: facts.Search) -> None:
        figure = Figure(month, search.agency, search.use, "searches")
        for dimension, category in (
            ("purpose", search.purpose),
            ("offence", search.offence or UNSTATED),
            ("search_class", search.search_class.value),
            ("outcome", search.outcome.value),
        ):
            self._plus(figure._replace(dimension=dimension, category=category))
        self._plus(figure._replace(measure="candidates_shown"), search.candidates)
        self._plus(figure._replace(measure="late_authorisations"), int(search.is_late_authorisation))

    def _add_refusal(self, month: str, refusal: facts.Refusal) -> None:
        figure = Figure(month, refusal.agency or "", refusal.use or "", "refusals")
        why = " + ".join(sorted(set(refusal.missing or refusal.policies))) or UNSTATED
        self._plus(figure._replace(dimension="reason", category=why))
        self._plus(figure._replace(dimension="act", category=refusal.action))

    def _add_answer(self, month: str, answer: facts.ReviewAnswer) -> None:
        review = self._reviews.get(answer.review, Review("", 2))
        reviewers = review.reviewers | {answer.reviewer}
        figure = Figure(month, "", review.use, "review_answers")
        self._plus(figure._replace(dimension="outcome", category=answer.outcome.value))
        # Nobody but a reviewer who decides between others comes after as many as were needed.
        if len(reviewers) > review.reviewers_needed >= len(review.reviewers):
            self._plus(figure._replace(measure="reviews_disputed"))
        self._reviews[answer.review] = Review(review.use, review.reviewers_needed, reviewers)

    def _add_request(self, month: str, moment: datetime, request: facts.SubjectRequest) -> None:
        figure = Figure(month, "", "", "requests_received", "kind", request.request_kind.value)
        event = request.event.value
        if event in _STEPS:
            self._plus(figure._replace(measure=_STEPS[event]))
            # The time of an appeal runs anew, like its deadline.
            if event != "extended":
                self._requests[request.request] = moment
        elif event in _APPEAL_DECISIONS:
            self._plus(figure._replace(measure="appeals_decided"))
            self._plus(figure._replace(measure="appeals_decided", dimension="answer", category=event))
            if event == "upheld":
                self._requests.pop(request.request, None)
        else:
            self._close_request(figure._replace(measure="requests_closed"), moment, request)

    def _close_request(self, closed: Figure, moment: datetime, request: facts.SubjectRequest) -> None:
        received = self._requests.pop(request.request, None)
        self._plus(closed)
        self._plus(closed._replace(dimension="answer", category=request.event.value))
        self._plus(closed._replace(dimension="time", category="late" if moment > request.due else "in_time"))
        if received is not None:
            days = str(max((moment - received).days, 0))
            self._plus(closed._replace(measure="response_days", dimension="days", category=days))

    def _plus(self, figure: Figure, count: int = 1) -> None:
        self._counts[figure] += count


def agencies_by_use(state: State) -> dict[str, str]:
    """Return which agency proposed each use."""
    return {entry.facts.use: entry.facts.agency for entry in state.kept if isinstance(entry.facts, facts.UseProposal)}


def uses_by_proposal(state: State) -> dict[EntryId, str]:
    """Return the use that each proposal is about, by the proposal's entry."""
    return {entry.id: entry.facts.use for entry in state.kept if isinstance(entry.facts, facts.UseProposal)}
