"""Changes of the rule for thresholds: proposed by upload, read by everybody as a difference, voted on by overseers.

A change's page has both rules side by side, at the same similarities, every vote with its reasons, and the proposed
table to download; nothing of it needs an account. A vote is bound to the rule that the overseer was shown. Who may
propose and vote is for the policy and `governing.thresholds`. Implements docs/oversight.md, "Changes of the rules".
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.governance.oversight import ChangeState, Choice, sha256_hex, tally
from recognizance.governance.parties import PersonId, Role
from recognizance.governing.running import StatedRule
from recognizance.governing.stated_rules import RuleDifference, asked_rule, rule_difference
from recognizance.governing.thresholds import ProposedRule, Thresholds
from recognizance.register import LiveRegister
from recognizance.web.differences import Line, difference
from recognizance.web.forms import Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.overseer_rules import policy_steps, threshold_steps
from recognizance.web.overseer_words import CHANGE_KINDS, CHANGE_STATES, CHOICES, LINES
from recognizance.web.visits import Visit

_OVERSEERS = only(Role.OVERSEER)
_PROPOSERS = only(Role.ADMINISTRATOR, Role.SUPERVISOR)


class RuleChangesPages:
    def __init__(self, thresholds: Thresholds, register: LiveRegister) -> None:
        self._thresholds = thresholds
        self._register = register

    def table(self) -> list[Page]:
        return [
            Page("/changes", self.all),
            Page("/changes/propose", self.propose, _PROPOSERS, has_form=True, most_files=1),
            Page("/changes/rules/{rule}", self.download),
            Page("/changes/{change}", self.one),
            Page("/changes/{change}/vote", self.vote, _OVERSEERS, has_form=True),
        ]

    def all(self, visit: Visit) -> Response:
        kept = self._register.reading().state.kept
        return visit.page(
            "public/changes.html",
            changes=self._thresholds.list()[::-1],
            in_force=self._thresholds.in_force(),
            policies=list(policy_steps(kept))[::-1],
            thresholds=list(threshold_steps(kept))[::-1],
            may_propose=visit.has_role(Role.ADMINISTRATOR, Role.SUPERVISOR),
            line_names=LINES,
            **_WORDS,
        )

    def download(self, visit: Visit) -> Response:
        """The table of a rule, as the file that `threshold adopt` takes."""
        known = self._stated(visit.path["rule"])
        if known is None:
            raise NotFoundError("no such rule is kept here")
        name = f"table-{known.rule.table_sha256[:16]}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(known.table, media_type="application/json", headers=headers)

    def one(self, visit: Visit) -> Response:
        known = self._thresholds.get(visit.path["change"])
        return visit.page(
            "public/change.html",
            names={row.member: row.name for row in self._register.register().oversight.members},
            may_vote=_may_vote(visit, known),
            **self._shown(known),
        )

    def propose(self, visit: Visit) -> Response:
        known = self._thresholds.in_force()
        present = None if known is None else self._thresholds.stated(known.rule.sha256)
        if present is None:
            raise ConflictError("no rule is in force before the service has started once")
        if visit.is_post:
            summary = visit.form.text("summary", most=4000)
            asked = _asked(visit.form, present)
            if asked is not None and visit.form.is_sound:
                proposed = self._thresholds.propose(asked, summary, by=visit.actor())
                visit.say(visit.gettext("Proposed, and public. The overseers vote on exactly this."))
                return visit.redirect(f"/changes/{proposed.change.id}")
        return visit.page("public/change_propose.html", status=422 if visit.form.errors else 200, present=present.rule)

    def vote(self, visit: Visit) -> Response:
        known = self._thresholds.get(visit.path["change"])
        if not _may_vote(visit, known):
            raise ConflictError(f"there is no vote of yours on the change {known.change.id!r} now")
        form = visit.form
        if visit.is_post:
            choice, reasons = form.choice("choice", Choice), form.text("reasons", most=4000)
            if form.raw("matter") != known.rule.sha256:
                form.fail("", N_("The rule is another one than you were shown. Read it again."))
            if choice is not None and form.is_sound:
                after = self._thresholds.vote(
                    known.change.id, choice, reasons, after_sha256=known.rule.sha256, by=visit.actor()
                )
                state = visit.gettext(CHANGE_STATES[after.change.state])
                visit.say(visit.gettext("Your vote is on the record. The change is now: %(state)s.") % {"state": state})
                return visit.redirect(f"/changes/{known.change.id}")
        return visit.page("public/change_vote.html", status=422 if form.errors else 200, **self._shown(known))

    def _shown(self, known: ProposedRule) -> dict[str, Any]:
        """A change as templates show it, with its difference where both rules are kept."""
        before, after = self._stated(known.change.before_sha256), self._stated(known.change.after_sha256)
        found: RuleDifference | None = None
        lines: list[Line] = []
        if before is not None and after is not None:
            found, lines = rule_difference(before, after), difference(before.table, after.table)
        change = known.change
        return {
            "change": change,
            "rule": known.rule,
            "entry": known.entry,
            "count": tally(change.votes, change.quorum, change.after_sha256),
            "difference": found,
            "lines": lines,
            "line_names": LINES,
            "one_in": one_in,
            **_WORDS,
        }

    def _stated(self, rule_sha256: str) -> StatedRule | None:
        try:
            return self._thresholds.stated(sha256_hex(rule_sha256))
        except InputError:
            return None


_WORDS: Mapping[str, Any] = {"change_states": CHANGE_STATES, "kinds": CHANGE_KINDS, "choices": CHOICES}


def one_in(rate: float) -> int:
    """A rate as one in so many, to three digits, which is more than any count of pairs says.

    >>> one_in(2.002e-9)
    500000000
    """
    return int(float(f"{1 / rate:.3g}"))


def waits_for(known: ProposedRule, person: PersonId) -> bool:
    """Whether this overseer is still asked about a change. Only for showing: the service counts."""
    change = known.change
    count = tally(change.votes, change.quorum, change.after_sha256)
    return change.state is ChangeState.PROPOSED and person in count.pending


def _may_vote(visit: Visit, known: ProposedRule) -> bool:
    return visit.has_role(Role.OVERSEER) and waits_for(known, visit.who.person)


def _asked(form: Form, present: StatedRule) -> StatedRule | None:
    """The rule that a form asks for; `None` where something in it is wrong, which the form then says."""
    bound = _bound(form)
    files = form.files.get("table", ())
    try:
        table = files[0].data.decode() if files else None
    except UnicodeDecodeError:
        form.fail("table", _NO_TABLE)
        return None
    try:
        asked = asked_rule(present, table=table, max_fpir=bound)
    except InputError:
        form.fail("table", _NO_TABLE)
        return None
    if asked.rule == present.rule:
        form.fail("", N_("This is the rule in force. Choose another table, another bound, or both."))
    return asked


def _bound(form: Form) -> float | None:
    """The bound on searches with a false candidate, from a percentage; `None` keeps the one in force."""
    text = form.optional("max_fpir_pct", most=12)
    if not text:
        return None
    value = form.share("max_fpir_pct")
    if value == 0.0:
        form.fail("max_fpir_pct", N_("No search can promise that. Write a number above 0."))
    return value or None


_NO_TABLE = N_("This is no table of the model in use, as `recognizance evaluate calibrate` writes it.")
