"""Leads of one's cases: stamp, attestation, printed sheet and what became of them; and the record of a case.

A lead's export is locked until somebody who neither searched nor reviewed attests evidence that has nothing to do with
the face. What leaves is a sheet for print that carries the stamp, made at the moment of an export that is on record.
What became of a lead is said here by a supervisor, and counted in the register.
"""

import hashlib
import re

from starlette.responses import Response

from recognizance.disclosing.disclosure import Disclosing
from recognizance.errors import DeniedError, NotFoundError
from recognizance.governance.leads import EvidenceKind, LeadId, LeadState, OutcomeKind, possible_outcomes
from recognizance.governance.parties import Role
from recognizance.governance.requests import MOST_STATED_CHARACTERS
from recognizance.reviewing.leads import ExportedLead, Leads
from recognizance.web.forms import Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.operator_pictures import picture_response
from recognizance.web.operator_shelf import Shelf
from recognizance.web.operator_words import EVIDENCE_WORDS, LEAD_OUTCOME_WORDS, LEAD_STATE_WORDS, RECIPIENTS, STAMP
from recognizance.web.visits import Visit

MOST_DOCUMENT_BYTES = 32 << 20
"""Of a document that is only hashed; a limit of ours. Larger ones are hashed by whoever has them."""

MOST_DESCRIPTION_CHARACTERS = 2_000
NEEDS_DOCUMENT = N_("Choose the document, or give its SHA-256.")
NO_DIGEST = N_("This is no SHA-256: 64 digits from 0 to 9 and letters from a to f.")

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class LeadPages:
    def __init__(self, leads: Leads, disclosing: Disclosing, sheets: Shelf[ExportedLead]) -> None:
        self._leads = leads
        self._disclosing = disclosing
        self._sheets = sheets

    def table(self) -> list[Page]:
        people = only(Role.OPERATOR, Role.SUPERVISOR)
        return [
            Page("/leads", self.all, people, navigation=N_("Leads")),
            Page("/leads/{lead}", self.lead, people),
            Page(
                "/leads/{lead}/attest",
                self.attest,
                only(Role.SUPERVISOR),
                has_form=True,
                most_bytes=MOST_DOCUMENT_BYTES,
                most_files=1,
            ),
            Page("/leads/{lead}/export", self.export, people, has_form=True),
            Page("/leads/{lead}/outcome", self.outcome, only(Role.SUPERVISOR), has_form=True),
            Page("/leads/{lead}/sheet/{sheet}", self.sheet, people),
            Page("/leads/{lead}/sheet/{sheet}/{which}", self.picture, people),
            Page(
                "/case-record",
                self.disclose,
                only(Role.SUPERVISOR, Role.AUDITOR),
                has_form=True,
                navigation=N_("Record of a case"),
            ),
        ]

    def all(self, visit: Visit) -> Response:
        leads = sorted(self._leads.list(visit.asker()), key=lambda each: each.lead.created_at, reverse=True)
        return visit.page("operator/leads.html", leads=leads, states=LEAD_STATE_WORDS, stamp=STAMP)

    def lead(self, visit: Visit) -> Response:
        named = self._leads.show(self._id(visit), visit.asker())
        is_supervisor = visit.has_role(Role.SUPERVISOR)
        has_part = visit.who.person in {named.lead.searcher, *named.lead.reviewers}
        return visit.page(
            "operator/lead.html",
            named=named,
            lead=named.lead,
            states=LEAD_STATE_WORDS,
            evidence=EVIDENCE_WORDS,
            outcomes=LEAD_OUTCOME_WORDS,
            stamp=STAMP,
            may_attest=is_supervisor and not has_part,
            may_export=is_supervisor,
            may_conclude=is_supervisor and bool(possible_outcomes(named.lead)),
        )

    def attest(self, visit: Visit) -> Response:
        named = self._leads.show(self._id(visit), visit.asker())
        if visit.is_post:
            kind = visit.form.choice("kind", EvidenceKind)
            description = visit.form.text("description", most=MOST_DESCRIPTION_CHARACTERS)
            digest = _digest(visit.form)
            if not visit.form.ticked("independent"):
                visit.form.fail("independent", N_("Confirm this, or don't attest."))
            if kind is not None and visit.form.is_sound:
                self._leads.attest(
                    named.lead.id, visit.asker(), kind=kind, description=description, document_sha256=digest
                )
                visit.say(visit.gettext("Your attestation is on record. The lead can be exported now."))
                return visit.redirect(f"/leads/{named.lead.id}")
        return visit.page(
            "operator/attest.html",
            status=422 if visit.form.errors else 200,
            named=named,
            evidence=EVIDENCE_WORDS,
            stamp=STAMP,
        )

    def outcome(self, visit: Visit) -> Response:
        """Say what became of a lead."""
        named = self._leads.show(self._id(visit), visit.asker())
        possible = possible_outcomes(named.lead)
        if visit.is_post:
            kind = visit.form.choice("kind", OutcomeKind)
            statement = visit.form.text("statement", most=MOST_DESCRIPTION_CHARACTERS)
            if kind is not None and visit.form.is_sound:
                self._leads.conclude(named.lead.id, visit.asker(), kind=kind, statement=statement)
                visit.say(visit.gettext("What became of the lead is on record."))
                return visit.redirect(f"/leads/{named.lead.id}")
        return visit.page(
            "operator/lead_outcome.html",
            status=422 if visit.form.errors else 200,
            named=named,
            is_locked=named.lead.state is LeadState.LOCKED,
            outcomes={kind: words for kind, words in LEAD_OUTCOME_WORDS.items() if kind in possible},
            stamp=STAMP,
        )

    def export(self, visit: Visit) -> Response:
        """Take a lead out of the service: on record each time, and then on a sheet for print."""
        lead = self._id(visit)
        if not visit.is_post:
            return visit.redirect(f"/leads/{lead}")
        exported = self._leads.export(lead, visit.asker())
        size = sum(len(png) for png in (exported.probe_png, exported.candidate_png) if png is not None)
        sheet = self._sheets.put(visit.who.person, exported, size_bytes=size)
        return visit.redirect(f"/leads/{lead}/sheet/{sheet}")

    def sheet(self, visit: Visit) -> Response:
        exported = self._sheet(visit)
        return visit.page(
            "operator/sheet.html",
            named=exported.named,
            lead=exported.named.lead,
            here=f"/leads/{exported.named.lead.id}/sheet/{visit.path['sheet']}",
            has_probe=exported.probe_png is not None,
            has_candidate=exported.candidate_png is not None,
            evidence=EVIDENCE_WORDS,
            outcomes=LEAD_OUTCOME_WORDS,
            stamp=STAMP,
        )

    def picture(self, visit: Visit) -> Response:
        exported = self._sheet(visit)
        png = {"probe": exported.probe_png, "candidate": exported.candidate_png}.get(visit.path["which"])
        if png is None:
            raise NotFoundError("there is no such picture, or it has been destroyed")
        return picture_response(png)

    def disclose(self, visit: Visit) -> Response:
        """Everything on record about a case, as one file that proves itself."""
        if visit.is_post:
            case = visit.form.text("case", most=MOST_STATED_CHARACTERS)
            kind = visit.form.one_of("recipient_kind", RECIPIENTS)
            recipient = visit.form.text("recipient", most=MOST_STATED_CHARACTERS)
            statement = visit.form.optional("statement", most=MOST_DESCRIPTION_CHARACTERS)
            if visit.form.is_sound and (answer := self._disclosed(visit, case, kind, recipient, statement)):
                return answer
        return visit.page(
            "operator/case_record.html", status=422 if visit.form.errors else 200, recipients=RECIPIENTS.items()
        )

    def _disclosed(self, visit: Visit, case: str, kind: str, recipient: str, statement: str) -> Response | None:
        try:
            bundle = self._disclosing.disclose(
                case, visit.asker(), recipient_kind=kind, recipient=recipient, statement=statement or None
            )
        except NotFoundError:
            visit.form.fail("case", N_("Nothing is on record about a case of this name."))
            return None
        except DeniedError as error:
            # Whose case it is stays untold: a refusal by the policy names what is missing, and any other reads as none.
            if error.decision_id:
                raise
            visit.form.fail("case", N_("Nothing is on record about a case of this name."))
            return None
        name = _NOT_IN_NAMES.sub("-", case).strip("-.") or "case"
        headers = {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "no-store"}
        return Response(bundle, media_type="application/zip", headers=headers)

    def _sheet(self, visit: Visit) -> ExportedLead:
        exported = self._sheets.get(visit.who.person, visit.path["sheet"])
        if exported.named.lead.id != visit.path["lead"]:
            raise NotFoundError("this sheet is another lead's")
        return exported

    @staticmethod
    def _id(visit: Visit) -> LeadId:
        return LeadId(visit.path["lead"])


def _digest(form: Form) -> str:
    """The SHA-256 of a document that was sent, of which nothing is kept, or the one that was typed."""
    documents = form.files.get("document", ())
    if documents:
        return hashlib.sha256(documents[0].data).hexdigest()
    typed = form.optional("digest").lower().replace(" ", "")
    if not typed:
        form.fail("document", NEEDS_DOCUMENT)
    elif _DIGEST.fullmatch(typed) is None:
        form.fail("digest", NO_DIGEST)
    return typed
