"""Agencies and their uses: who may search for what, how that was decided, and what the public says about it.

A use's page has its terms and limits, its accountability report, every vote with its reasons, every step of its life,
and every comment. While a proposal is open for comments, anybody may add one here; it is published as it is, with its
entry on the record. An overseer can hide an abusive one, with a reason that stands in its place.
"""

from dataclasses import fields

from starlette.responses import Response

from recognizance.documents import UseRecord
from recognizance.errors import NotFoundError
from recognizance.governance.parties import AgencyId, Role, UseId
from recognizance.governance.terms import AccountabilityReport
from recognizance.governance.uses import SEARCHABLE, UseState
from recognizance.governing.moderation import Moderation
from recognizance.governing.pace import Writers
from recognizance.governing.registration import Registration
from recognizance.governing.uses import Uses
from recognizance.ledger import EntryId
from recognizance.register import LiveRegister
from recognizance.web.administrator_words import AGENCY_KINDS
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.overseer_words import AUTHORITIES, CAPTURES, CHOICES, CLASSES, PURPOSES, STATES
from recognizance.web.visits import Visit

LONGEST_COMMENT = 4_000
"""What the ledger takes as one statement."""

NOT_A_TEXT = N_("This has characters that can't be published. Type it anew, as plain text.")

REPORT_PARTS: dict[str, str] = {
    "vendor": N_("Vendor"),
    "version": N_("Version"),
    "capabilities_and_limits": N_("What it can do, and what it can't"),
    "inputs": N_("What goes in"),
    "purpose": N_("Purpose"),
    "decision_supported": N_("Which decision it supports"),
    "who_when_where": N_("Who uses it, when and where"),
    "retention": N_("How long data is kept"),
    "sharing": N_("With whom data is shared"),
    "error_rates_and_plan": N_("Errors, and what is done about them"),
    "rights_impact": N_("What it means for people's rights"),
    "feedback_channel": N_("Where to complain"),
}


class UsesPages:
    def __init__(
        self,
        uses: Uses,
        registration: Registration,
        moderation: Moderation,
        register: LiveRegister,
        writers: Writers,
    ) -> None:
        self._uses = uses
        self._registration = registration
        self._moderation = moderation
        self._register = register
        self._pace = writers.comments

    def table(self) -> list[Page]:
        return [
            Page("/agencies", self.agencies, navigation=N_("Agencies and uses")),
            Page("/agencies/{agency}", self.agency),
            Page("/consultations", self.consultations, navigation=N_("Have your say")),
            Page("/uses/{use:path}/comments/{entry}", self.moderate, only(Role.OVERSEER), has_form=True),
            Page("/uses/{use:path}/comment", self.comment, has_form=True),
            Page("/uses/{use:path}", self.use),
        ]

    def agencies(self, visit: Visit) -> Response:
        uses = self._uses.list()
        return visit.page(
            "public/agencies.html",
            agencies=[
                (agency, standing.value, [each.use for each in uses if each.use.terms.agency == agency.id])
                for agency, standing in self._registration.agencies()
            ],
            searchable=SEARCHABLE,
            states=STATES,
            purposes=PURPOSES,
        )

    def agency(self, visit: Visit) -> Response:
        wanted = AgencyId(visit.path["agency"])
        for agency, standing in self._registration.agencies():
            if agency.id == wanted:
                months = sorted(
                    {row.month for row in self._register.register().use.figures if row.agency == wanted}, reverse=True
                )
                return visit.page(
                    "public/agency.html",
                    agency=agency,
                    standing=standing.value,
                    kinds=AGENCY_KINDS,
                    uses=[each.use for each in self._uses.list() if each.use.terms.agency == wanted],
                    states=STATES,
                    purposes=PURPOSES,
                    months=months[:12],
                    years=sorted({month[:4] for month in months}, reverse=True),
                )
        raise NotFoundError(f"there is no agency {wanted!r}")

    def consultations(self, visit: Visit) -> Response:
        records = self._uses.list()
        opened = [each for each in records if each.use.state is UseState.PROPOSED]
        voting = [each for each in records if each.use.state is UseState.COMMENTED]
        return visit.page(
            "public/consultations.html",
            opened=sorted(opened, key=lambda each: each.use.comments_until),
            voting=voting,
            agencies={agency.id: agency.name for agency, _ in self._registration.agencies()},
            purposes=PURPOSES,
        )

    def use(self, visit: Visit) -> Response:
        return self._shown(visit, self._uses.get(UseId(visit.path["use"])))

    def comment(self, visit: Visit) -> Response:
        use = UseId(visit.path["use"])
        record = self._uses.get(use)
        if not visit.is_post:
            return visit.redirect(f"/uses/{use}")
        # Browsers send line ends as they are sent over a network; the ledger has one kind.
        statement = visit.form.text("statement", most=LONGEST_COMMENT).replace("\r\n", "\n").replace("\r", "\n")
        if any(not _is_publishable(character) for character in statement):
            visit.form.fail("statement", NOT_A_TEXT)
        if not visit.form.ticked("agreed"):
            visit.form.fail("agreed", N_("A comment can only be published if you agree to that."))
        if not visit.form.is_sound:
            return self._shown(visit, record)
        self._pace.take(visit.address)
        self._uses.comment(use, statement)
        visit.say(visit.gettext("Thank you. Your comment is published, and on the record."))
        return visit.redirect(f"/uses/{use}")

    def moderate(self, visit: Visit) -> Response:
        """Hide one comment, or show it again."""
        use, entry = UseId(visit.path["use"]), EntryId(visit.path["entry"])
        record = self._uses.get(use)
        comment = next((each for each in record.comments if each.entry == entry), None)
        if comment is None:
            raise NotFoundError("the use has no such comment")
        if visit.is_post:
            reason = visit.form.text("reason", most=LONGEST_COMMENT)
            if visit.form.is_sound:
                act = self._moderation.hide if comment.hidden is None else self._moderation.show
                act(use, entry, reason, by=visit.actor())
                visit.say(visit.gettext("Your decision is on the record, with its reason."))
                return visit.redirect(f"/uses/{use}")
            return visit.again("public/moderate.html", use=use, comment=comment)
        return visit.page("public/moderate.html", use=use, comment=comment)

    def _shown(self, visit: Visit, record: UseRecord) -> Response:
        use = record.use
        register = self._register.register()
        decisions = [row for row in register.oversight.decisions if row.use == use.id]
        report = use.terms.report
        return visit.page(
            "public/use.html",
            status=422 if visit.form.errors else 200,
            record=record,
            use=use,
            terms=use.terms,
            agencies={agency.id: agency for agency, _ in self._registration.agencies()},
            names={row.member: row.name for row in register.oversight.members},
            decisions=decisions,
            report=[(REPORT_PARTS[name], getattr(report, name)) for name in _texts_of(AccountabilityReport)],
            is_open=use.state is UseState.PROPOSED,
            may_moderate=visit.has_role(Role.OVERSEER),
            states={state.value: words for state, words in STATES.items()},
            purposes=PURPOSES,
            classes=CLASSES,
            captures=CAPTURES,
            choices=CHOICES,
            authorities=AUTHORITIES,
            longest=LONGEST_COMMENT,
        )


def _texts_of(kind: type[AccountabilityReport]) -> list[str]:
    return [field.name for field in fields(kind) if field.name in REPORT_PARTS]


def _is_publishable(character: str) -> bool:
    return character == "\n" or (character >= " " and character != "\x7f" and not "\ud800" <= character <= "\udfff")
