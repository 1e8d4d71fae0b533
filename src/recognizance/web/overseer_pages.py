"""Pages for overseers: uses to decide on with everything they are decided by, votes, suspension, conditions, dates.

They show what is on the record and pass on what an overseer says; who may vote, when, and what a vote brings about is
for `governance` and `governing.uses`. A suspension is asked for once and confirmed once, because stopping has to be
quick. Implements docs/oversight.md.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from recognizance.documents import UseRecord
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance.deadlines import deadlines
from recognizance.governance.oversight import Choice, Outcome, tally
from recognizance.governance.parties import PersonId, Role, UseId
from recognizance.governance.uses import (
    FINAL,
    SEARCHABLE,
    USE_TABLE,
    VOTING,
    Use,
    UseEvent,
    UseState,
)
from recognizance.governing.incidents import Incidents
from recognizance.governing.thresholds import Thresholds
from recognizance.governing.uses import Question, Uses
from recognizance.ledger import facts
from recognizance.register import LiveRegister
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.overseer_words import (
    AUTHORITIES,
    CAPTURES,
    CHANGE_KINDS,
    CHANGE_STATES,
    CHOICES,
    CLASSES,
    DEADLINES,
    FITNESS,
    OCCURRENCES,
    PURPOSES,
    STATES,
    VERDICTS,
)
from recognizance.web.rule_change_pages import waits_for
from recognizance.web.visits import Tone, Visit

MAX_CONDITIONS = 20
_READERS = only(Role.OVERSEER, Role.AUDITOR)
_OVERSEERS = only(Role.OVERSEER)
_EVENTS = {Question.REINSTATE: UseEvent.REINSTATE, Question.REVOKE: UseEvent.REVOKE}


class OverseerPages:
    """Args: clock: Only for what pages show; services have their own."""

    def __init__(
        self, uses: Uses, thresholds: Thresholds, incidents: Incidents, register: LiveRegister, *, clock: Clock
    ) -> None:
        self._uses = uses
        self._thresholds = thresholds
        self._incidents = incidents
        self._register = register
        self._clock = clock

    def table(self) -> list[Page]:
        return [
            Page("/oversight", self.overview, _READERS, navigation=N_("Oversight")),
            Page("/oversight/calendar", self.calendar, _READERS),
            Page("/oversight/incidents", self.incidents, _READERS),
            Page("/oversight/incidents/{incident}", self.receive, _OVERSEERS, has_form=True),
            # The id of a use may have slashes in it, so what hangs from one comes before the use itself.
            Page("/oversight/uses/{use:path}/vote", self.vote, _OVERSEERS, has_form=True),
            Page("/oversight/uses/{use:path}/suspend", self.suspend, _OVERSEERS, has_form=True),
            Page("/oversight/uses/{use:path}", self.use, _READERS),
        ]

    def overview(self, visit: Visit) -> Response:
        now, known = self._clock(), self._uses.list()
        mine = visit.who.person
        return visit.page(
            "overseer/overview.html",
            waiting=self._waiting(known, mine, now),
            question_names=_QUESTIONS,
            open_comments=[each for each in known if each.use.state is UseState.PROPOSED],
            running=[each for each in known if each.use.state in SEARCHABLE],
            halted=[each for each in known if each.use.state in {UseState.SUSPENDED, UseState.EMERGENCY_SUSPENDED}],
            over=[each for each in known if each.use.state in FINAL],
            changes=[each for each in self._thresholds.list() if waits_for(each, mine)],
            change_states=CHANGE_STATES,
            kinds=CHANGE_KINDS,
            incidents=self._incidents.list(waiting=True, by=visit.actor()),
            findings=[each for each in self._register.register().evaluations.findings if each.mitigated is None],
            upcoming=self._calendar(known, now)[:5],
            now=now,
            deadline_names=DEADLINES,
            states=STATES,
            purposes=PURPOSES,
            occurrences=OCCURRENCES,
        )

    def calendar(self, visit: Visit) -> Response:
        now = self._clock()
        return visit.page(
            "overseer/calendar.html", upcoming=self._calendar(self._uses.list(), now), deadline_names=DEADLINES, now=now
        )

    def incidents(self, visit: Visit) -> Response:
        return visit.page(
            "overseer/incidents.html",
            incidents=self._incidents.list(by=visit.actor()),
            now=self._clock(),
            occurrences=OCCURRENCES,
        )

    def receive(self, visit: Visit) -> Response:
        wanted = visit.path["incident"]
        incident = next((each for each in self._incidents.list(by=visit.actor()) if each.id == wanted), None)
        if incident is None:
            raise NotFoundError("there is no such incident")
        given: dict[str, Any] = {"reported": incident, "occurrences": OCCURRENCES, "now": self._clock()}
        if visit.is_post:
            statement = visit.form.text("statement", most=4000)
            if visit.form.is_sound:
                self._incidents.receive(wanted, statement, by=visit.actor())
                visit.say(visit.gettext("On the record: the incident has reached you."))
                return visit.redirect("/oversight/incidents")
            return visit.again("overseer/incident.html", **given)
        return visit.page("overseer/incident.html", **given)

    def use(self, visit: Visit) -> Response:
        now, record = self._clock(), self._uses.get(UseId(visit.path["use"]))
        use = record.use
        evaluations = self._evaluations()
        named = use.terms.evaluation
        return visit.page(
            "overseer/use.html",
            record=record,
            use=use,
            terms=use.terms,
            questions=self._questions_for(use, visit.who.person, now) if visit.has_role(Role.OVERSEER) else [],
            names=self._names(),
            may_suspend=visit.has_role(Role.OVERSEER) and (use.state, UseEvent.SUSPEND) in USE_TABLE,
            evaluation=None if named is None else evaluations.get(named.report_sha256),
            evidence=self._uses.evidence(use.id),
            fitness_names=FITNESS,
            report=_report(use),
            report_is_published=use.terms.report.is_published_at(now),
            report_in_force=use.terms.report.is_in_force_at(now),
            upcoming=list(deadlines([use], now, evaluations=_expiries(evaluations))),
            now=now,
            **_WORDS,
        )

    def vote(self, visit: Visit) -> Response:
        now, record = self._clock(), self._uses.get(UseId(visit.path["use"]))
        use = record.use
        questions = self._questions_for(use, visit.who.person, now)
        if not questions:
            raise ConflictError(f"there is no vote of yours on the use {use.id!r} now")
        if visit.is_post:
            return self._cast(visit, record, questions)
        return self._ballot(visit, record, questions)

    def suspend(self, visit: Visit) -> Response:
        """One page, one confirmed action: from the next request on, nothing is answered under the use."""
        use = self._uses.get(UseId(visit.path["use"])).use
        if visit.is_post:
            reasons = visit.form.text("reasons", most=4000)
            if not visit.form.ticked("confirmed"):
                visit.form.fail("confirmed", N_("Tick the box to say that this is what you want."))
            if visit.form.is_sound:
                self._uses.suspend(use.id, reasons, by=visit.actor())
                visit.say(visit.gettext("Suspended. From the next request on nothing is answered under this use."))
                return visit.redirect(f"/oversight/uses/{use.id}")
            return visit.again("overseer/suspend.html", use=use, purposes=PURPOSES)
        if (use.state, UseEvent.SUSPEND) not in USE_TABLE:
            raise ConflictError(f"the use {use.id!r} is {use.state.value!r}; there is nothing to suspend")
        return visit.page("overseer/suspend.html", use=use, purposes=PURPOSES)

    def _cast(self, visit: Visit, record: UseRecord, questions: list[Question]) -> Response:
        form, use = visit.form, record.use
        question = form.one_of("question", [each.value for each in questions])
        choice, reasons = form.choice("choice", Choice), form.text("reasons", most=4000)
        conditions = tuple(line for line in map(str.strip, form.optional("conditions").splitlines()) if line)
        if len(conditions) > MAX_CONDITIONS:
            form.fail("conditions", N_("These are too many conditions."))
        if conditions and choice is not None and choice is not Choice.APPROVE:
            form.fail("conditions", N_("Conditions go with an approval, and with nothing else."))
        # A vote is bound to the text that the overseer had before them.
        if form.raw("matter") != use.terms_sha256:
            form.fail("", N_("The terms are other ones than you were shown. Read them again."))
        if choice is None or not form.is_sound:
            return self._ballot(visit, record, questions)
        try:
            after = self._uses.vote(
                use.id,
                choice,
                reasons,
                matter_sha256=use.terms_sha256,
                conditions=conditions,
                question=Question(question),
                by=visit.actor(),
            )
        except InputError as error:
            visit.say(visit.in_words(error), Tone.WARNING)
            return self._ballot(visit, record, questions)
        visit.say(
            visit.gettext("Your vote is on the record. The use is now: %(state)s.")
            % {"state": visit.gettext(STATES[after.state])}
        )
        return visit.redirect(f"/oversight/uses/{use.id}")

    @staticmethod
    def _ballot(visit: Visit, record: UseRecord, questions: list[Question]) -> Response:
        given: dict[str, Any] = {"record": record, "use": record.use, "questions": questions, **_WORDS}
        if visit.is_post:
            return visit.again("overseer/vote.html", **given)
        return visit.page("overseer/vote.html", **given)

    def _waiting(self, known: list[UseRecord], person: PersonId, now: datetime) -> list[tuple[UseRecord, Question]]:
        """What somebody has asked about a use and this overseer hasn't answered, what ends first before the rest.

        Any active use may be revoked, and that is no question before an overseer has asked for it by a vote.
        """
        waiting = [
            (record, question)
            for record in known
            for question in self._questions_for(record.use, person, now)
            if question is not Question.REVOKE or record.use.revocation_votes
        ]
        # An emergency lapses within two days, so it comes first.
        return sorted(waiting, key=lambda each: each[0].use.ends_at)

    @staticmethod
    def _questions_for(use: Use, person: PersonId, now: datetime) -> list[Question]:
        """What this overseer is still asked about a use. Only for showing: the service counts."""
        if person not in use.quorum.overseers:
            return []
        state = use.state_at(now)
        questions: list[Question] = []
        if state in VOTING and person in use.count.pending:
            questions.append(Question.TERMS)
        for question, event in _EVENTS.items():
            votes = use.revocation_votes if question is Question.REVOKE else use.reinstatement_votes
            counted = tally(votes, use.quorum, use.terms_sha256)
            if (state, event) in USE_TABLE and person in counted.pending and counted.outcome is Outcome.OPEN:
                questions.append(question)
        return questions

    def _names(self) -> dict[str, str]:
        """The overseers who have published who they are, by their pseudonyms."""
        return {row.member: row.name for row in self._register.register().oversight.members}

    def _evaluations(self) -> Mapping[str, facts.Evaluation]:
        """Published evaluations by the commitment to their result; of several with one, the last."""
        kept = self._register.reading().state.kept
        return {entry.facts.report_digest: entry.facts for entry in kept if isinstance(entry.facts, facts.Evaluation)}

    def _calendar(self, known: list[UseRecord], now: datetime) -> tuple[object, ...]:
        return deadlines([each.use for each in known], now, evaluations=_expiries(self._evaluations()))


_QUESTIONS: Mapping[Question, str] = {
    Question.TERMS: N_("Should this use be allowed, on exactly these terms?"),
    Question.REINSTATE: N_("Should the suspension be lifted?"),
    Question.REVOKE: N_("Should the use be revoked for good?"),
}

_WORDS: Mapping[str, Any] = {
    "states": STATES,
    "purposes": PURPOSES,
    "classes": CLASSES,
    "captures": CAPTURES,
    "authorities": AUTHORITIES,
    "verdicts": VERDICTS,
    "choice_names": CHOICES,
    "deadline_names": DEADLINES,
    "question_names": _QUESTIONS,
}

_REPORT_FIELDS = (
    ("vendor", N_("Whose product")),
    ("version", N_("Version")),
    ("capabilities_and_limits", N_("What it can and can't do")),
    ("inputs", N_("What goes in")),
    ("purpose", N_("What for")),
    ("decision_supported", N_("Which decision it supports")),
    ("who_when_where", N_("Who uses it, when and where")),
    ("retention", N_("How long data is kept")),
    ("sharing", N_("With whom data is shared")),
    ("error_rates_and_plan", N_("Error rates, and what is done about them")),
    ("rights_impact", N_("What it means for people's rights")),
    ("feedback_channel", N_("Where people say what they think of it")),
)


def _report(use: Use) -> list[tuple[str, str]]:
    return [(title, getattr(use.terms.report, name)) for name, title in _REPORT_FIELDS]


def _expiries(evaluations: Mapping[str, facts.Evaluation]) -> dict[str, datetime | None]:
    return {name: each.expires for name, each in evaluations.items()}
