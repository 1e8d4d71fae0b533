"""Proposing a use: its terms as one form in parts, looked at as they will be published, then proposed.

A supervisor proposes for their own agency, from nothing or from an earlier use, whose terms fill the form and stand
beside the new ones. Nothing is kept before it is proposed: what was typed goes from page to page in the form itself,
and is read anew each time. Who may propose is for the policy. Implements docs/governance.md, "Setting up".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from recognizance.documents import GalleryDeclaration, Kind, UseRecord, every, terms_sha256
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance.parties import Role, UseId
from recognizance.governance.purposes import PURPOSE_CLASSES
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import USE_TABLE, UseEvent
from recognizance.governing.installation import Governing
from recognizance.governing.uses import Uses
from recognizance.ledger import facts
from recognizance.records import Records
from recognizance.register import LiveRegister
from recognizance.web.forms import REQUIRED
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.overseer_words import AUTHORITIES, CAPTURES, CLASSES, FITNESS, PURPOSES, STATES
from recognizance.web.proposal_form import (
    NO_AUTHORITY,
    NO_GALLERY,
    OTHER_EVALUATION,
    REPORT,
    REPORT_TEXTS,
    blank,
    filled,
    read_terms,
)
from recognizance.web.public_uses import REPORT_PARTS
from recognizance.web.visits import Message, Tone, Visit

_SUPERVISORS = only(Role.SUPERVISOR)
_USE = re.compile(r"[A-Za-z0-9_.:@-]{1,255}")


class ProposalPages:
    """Args: clock: Only for the days that a form begins with; services have their own."""

    def __init__(self, records: Records, governing: Governing, register: LiveRegister, *, clock: Clock) -> None:
        self._records = records
        self._uses: Uses = governing.uses
        self._register = register
        self._clock = clock

    def table(self) -> list[Page]:
        return [
            Page("/proposals", self.all, _SUPERVISORS, navigation=N_("Your agency's uses")),
            Page("/proposals/new", self.propose, _SUPERVISORS, has_form=True),
            Page("/proposals/{use:path}/withdraw", self.withdraw, _SUPERVISORS, has_form=True),
            Page("/proposals/{use:path}/emergency", self.emergency, _SUPERVISORS, has_form=True),
        ]

    def all(self, visit: Visit) -> Response:
        uses = [each.use for each in self._uses.list() if each.use.terms.agency == visit.who.agency]
        return visit.page(
            "proposals/all.html",
            uses=uses,
            can_end={each.id for each in uses if (each.state, UseEvent.WITHDRAW) in USE_TABLE},
            can_hurry={each.id for each in uses if (each.state, UseEvent.DECLARE_EMERGENCY) in USE_TABLE},
            states=STATES,
            purposes=PURPOSES,
        )

    def propose(self, visit: Visit) -> Response:
        """The form; what it will look like (`step=look`); and proposing it (`step=send`)."""
        former = self._former(visit)
        if not visit.is_post:
            if not visit.form.values:
                today = self._clock().date()
                visit.form = blank(today) if former is None else filled(former.use.terms, today)
            return self._form(visit, former)
        if visit.form.raw("step") == "edit":
            return self._form(visit, former)
        use, terms = self._read(visit, former)
        if terms is None:
            return self._form(visit, former)
        if visit.form.raw("step") != "send":
            return self._look(visit, use, terms, former)
        try:
            self._uses.propose(use, terms, by=visit.actor())
        except ConflictError:
            visit.form.fail("use", N_("There is a use of this name already."))
            return self._form(visit, former)
        except InputError as error:
            visit.messages.append(Message(Tone.WARNING, visit.in_words(error)))
            return self._look(visit, use, terms, former)
        visit.say(visit.gettext("Proposed, and public. Its votes and comments will stand here."))
        return visit.redirect(f"/uses/{use}")

    def withdraw(self, visit: Visit) -> Response:
        use = self._own(visit).use
        if visit.is_post:
            if not visit.form.ticked("confirmed"):
                visit.form.fail("confirmed", N_("Tick the box to say that this is what you want."))
            if visit.form.is_sound:
                self._uses.withdraw(use.id, by=visit.actor())
                visit.say(visit.gettext("Given up. From the next request on nothing is answered under it."))
                return visit.redirect("/proposals")
        status = 422 if visit.form.errors else 200
        return visit.page("proposals/withdraw.html", status=status, use=use, purposes=PURPOSES)

    def emergency(self, visit: Visit) -> Response:
        use = self._own(visit).use
        if visit.is_post:
            grounds = visit.form.text("grounds", most=4000)
            if visit.form.is_sound:
                self._uses.declare_emergency(use.id, grounds, by=visit.actor())
                visit.say(visit.gettext("Declared, and public. The overseers vote on it now."))
                return visit.redirect(f"/uses/{use.id}")
        status = 422 if visit.form.errors else 200
        return visit.page("proposals/emergency.html", status=status, use=use, purposes=PURPOSES)

    def _own(self, visit: Visit) -> UseRecord:
        return self._of_agency(visit, visit.path["use"])

    def _of_agency(self, visit: Visit, use: str) -> UseRecord:
        record = self._uses.get(UseId(use))
        if record.use.terms.agency != visit.who.agency:
            raise NotFoundError("your agency has no such use")
        return record

    def _former(self, visit: Visit) -> UseRecord | None:
        """The use whose terms the form begins with."""
        wanted = visit.form.raw("from") if visit.is_post else visit.query.get("from", "")
        return self._of_agency(visit, wanted) if wanted else None

    def _read(self, visit: Visit, former: UseRecord | None) -> tuple[UseId, UseTerms | None]:
        form, agency = visit.form, visit.who.agency
        name = form.text("use", most=255)
        if name and _USE.fullmatch(name) is None:
            form.fail("use", N_("The name has letters, digits, points, colons, hyphens, @ and _ only."))
        galleries = {value for value, _ in self._galleries(visit, former)}
        evaluations = {value: name for value, (name, _) in self._evaluations(former).items()}
        if not form.raw("gallery"):
            form.fail("gallery", REQUIRED)
        if agency is None:
            raise NotFoundError("a use is an agency's, and you belong to none")
        try:
            return UseId(name), read_terms(form, agency, galleries=galleries, evaluations=evaluations)
        except InputError as error:
            visit.messages.append(Message(Tone.WARNING, visit.in_words(error)))
            form.fail("", N_("These terms don't go together; what is wrong stands above."))
            return UseId(name), None

    def _form(self, visit: Visit, former: UseRecord | None) -> Response:
        first = ("", visit.gettext(N_("Choose one")))
        known = self._evaluations(former)
        return visit.page(
            "proposals/form.html",
            status=422 if visit.form.errors else 200,
            agency=visit.who.agency,
            former=former,
            gallery_choices=[first, *self._galleries(visit, former)],
            purpose_choices=[
                (each.value, visit.gettext(text), _searches(visit, each)) for each, text in PURPOSES.items()
            ],
            class_choices=[(each.value, visit.gettext(text), "") for each, text in CLASSES.items()],
            capture_choices=[(each.value, visit.gettext(text), "") for each, text in CAPTURES.items()],
            evaluation_choices=[
                first,
                *((value, _described(visit, name, expires)) for value, (name, expires) in known.items()),
                (OTHER_EVALUATION, visit.gettext(N_("another one, named below"))),
            ],
            authority_choices=[
                (NO_AUTHORITY, visit.gettext(N_("none is needed"))),
                *((each.value, visit.gettext(text)) for each, text in AUTHORITIES.items()),
            ],
            report_fields=[(REPORT + name, visit.gettext(REPORT_PARTS[name])) for name in REPORT_TEXTS],
        )

    def _look(self, visit: Visit, use: UseId, terms: UseTerms, former: UseRecord | None) -> Response:
        return visit.page(
            "proposals/look.html",
            use={"id": use, "ends_at": terms.expires, "terms_sha256": terms_sha256(terms)},
            terms=terms,
            report=[(REPORT_PARTS[name], getattr(terms.report, name)) for name in REPORT_TEXTS],
            former=former,
            changed=[] if former is None else list(changed(visit, former.use.terms, terms)),
            outlook=self._uses.outlook(terms),
            sent=[
                (name, value)
                for name, values in visit.form.values.items()
                if name not in {"csrf", "step"}
                for value in values
            ],
            fitness_names=FITNESS,
            **_WORDS,
        )

    def _galleries(self, visit: Visit, former: UseRecord | None) -> list[tuple[str, str]]:
        """Galleries that were declared for the agency, the one of the earlier use, and none."""
        with self._records.reading() as reader:
            declared = [each.value for each in every(reader, Kind.GALLERY, GalleryDeclaration)]
        names = {str(each.gallery) for each in declared if each.agency == visit.who.agency}
        if former is not None and former.use.terms.gallery is not None:
            names.add(former.use.terms.gallery)
        none = (NO_GALLERY, visit.gettext(N_("none: pictures are compared with each other")))
        return [*((name, name) for name in sorted(names)), none]

    def _evaluations(self, former: UseRecord | None) -> Mapping[str, tuple[str, datetime | None]]:
        """Published evaluations that uses may rely on, and the earlier use's own, by commitment."""
        kept = self._register.reading().state.kept
        published = [entry.facts for entry in kept if isinstance(entry.facts, facts.Evaluation)]
        known = {each.report_digest: (each.evaluation, each.expires) for each in published[::-1]}
        named = None if former is None else former.use.terms.evaluation
        if named is not None:
            known.setdefault(named.report_sha256, (named.evaluation, None))
        return known


_WORDS: Mapping[str, Any] = {
    "purposes": PURPOSES,
    "classes": CLASSES,
    "captures": CAPTURES,
    "authorities": AUTHORITIES,
}


def changed(visit: Visit, before: UseTerms, after: UseTerms) -> list[tuple[str, str, str]]:
    """What is other than in an earlier use's terms: the name of each, what it was, and what it would be."""
    old, new = _spelled(visit, before), _spelled(visit, after)
    return [(name, old[name], new[name]) for name in new if old[name] != new[name]]


def _spelled(visit: Visit, terms: UseTerms) -> dict[str, str]:
    """Each part of some terms in words."""
    said, wording, limits = visit.gettext, visit.wording, terms.limits
    evaluation, authority = terms.evaluation, terms.authority
    parts = {
        said("Agency"): terms.agency,
        said("Gallery"): terms.gallery or said("none: pictures are compared with each other"),
        said("Purpose"): said(PURPOSES[terms.purpose]),
        said("Who is searched for"): ", ".join(said(CLASSES[each]) for each in sorted(terms.search_classes)),
        said("In what"): ", ".join(said(CAPTURES[each]) for each in sorted(limits.captures)),
        said("Offences"): ", ".join(sorted(limits.offences)),
        said("Least similarity"): wording.percent(limits.threshold_floor_pct / 100, digits=2),
        said("Most candidates of a search"): wording.number(limits.candidates),
        said("Most searches a day"): wording.number(limits.searches_per_day),
        said("Two independent reviewers"): said("yes") if terms.review_required else said("no"),
        said("Training"): terms.course or said("none"),
        said("Evaluation"): said("none") if evaluation is None else evaluation.evaluation,
        said("From"): wording.moment(terms.starts),
        said("To"): wording.moment(terms.expires),
    }
    if evaluation is not None:
        found = evaluation.limits
        parts |= {
            said("Most false matches, in each group"): _share(visit, found.fmr),
            said("Most searches with a false candidate, in each group"): _share(visit, found.fpir),
            said("Least true positives, in each group"): _share(visit, found.least_true_positives),
        }
    parts[said("Authority")] = said("none") if authority is None else _authority(visit, terms)
    report = {said(REPORT_PARTS[name]): str(getattr(terms.report, name)) for name in REPORT_TEXTS}
    return {**parts, **{f"{said('Accountability report')}: {name}": text for name, text in report.items()}}


def _authority(visit: Visit, terms: UseTerms) -> str:
    authority = terms.authority
    if authority is None:
        return ""
    until = visit.gettext("until %(day)s") % {"day": visit.wording.day(authority.ends)}
    return f"{visit.gettext(AUTHORITIES[authority.kind])}, {authority.place}, {until}, {authority.document_sha256}"


def _share(visit: Visit, share: float | None) -> str:
    return visit.gettext("none") if share is None else visit.wording.percent(share, digits=4)


def _searches(visit: Visit, purpose: Any) -> str:
    return ", ".join(visit.gettext(CLASSES[each]) for each in sorted(PURPOSE_CLASSES[purpose]))


def _described(visit: Visit, name: str, expires: datetime | None) -> str:
    if expires is None:
        return name
    return f"{name}, {visit.gettext('until %(day)s') % {'day': visit.wording.day(expires)}}"
