"""The terms of a use as a form: every field of `UseTerms`, read with what is wrong beside the field, and filled again.

Percentages are typed as percentages and days as days, which begin at midnight UTC. What terms may hold together is for
`governance.terms`; the same rules are asked here first, so that each mistake stands beside the field that it concerns.
Pure but for the form.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, CourseId
from recognizance.governance.purposes import PURPOSE_CLASSES, AuthorityKind, Capture, OffenceCode, Purpose, SearchClass
from recognizance.governance.terms import (
    LEAST_TRUE_POSITIVES,
    MOST_CANDIDATES,
    AccountabilityReport,
    Authority,
    ErrorLimits,
    EvaluationId,
    EvaluationReference,
    Limits,
    UseTerms,
)
from recognizance.identifiers import GalleryId
from recognizance.web.forms import NO_CHOICE, REQUIRED, Form
from recognizance.web.language import N_

NO_GALLERY = "-"
"""Stands for a use that compares pictures and searches no gallery. No gallery can be called so."""
NO_AUTHORITY = "none"
OTHER_EVALUATION = "other"
REPORT = "report_"
REPORT_TEXTS = tuple(field.name for field in fields(AccountabilityReport) if field.name not in {"published", "expires"})
LONGEST_REPORT_TEXT = 3_000
"""Twelve of them are one entry of the ledger."""
MOST_SEARCHES_A_DAY = 1_000_000

NO_SHA256 = N_("This is no SHA-256: it has 64 digits and letters from a to f.")
NO_OFFENCES = N_("This purpose needs the list of offences that are searched for.")
NO_SUCH_CLASS = N_("The purpose that you chose has no such searches; beside each purpose stand those that it has.")
LIVE_NEEDS_AUTHORITY = N_("Live cameras need an authority that allows them.")
NEEDS_FPIR = N_("A use that searches limits how many searches may bring up a stranger.")
NEEDS_FMR = N_("A use that compares pictures limits how many people may be taken for another.")
NO_FPIR = N_("A use that searches no gallery has no such limit. Leave it empty.")
ENDS_EARLY = N_("This ends before it begins.")

_Choice = TypeVar("_Choice", bound=StrEnum)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_terms(form: Form, agency: AgencyId, *, galleries: set[str], evaluations: Mapping[str, str]) -> UseTerms | None:
    """The terms that a form asks for; `None` where something is wrong, which the form then says beside its field.

    Args:
        galleries: Those that can be chosen, `NO_GALLERY` among them.
        evaluations: Names of those that can be chosen, by the commitment to their result.
    """
    chosen = form.one_of("gallery", galleries)
    gallery = None if chosen == NO_GALLERY else GalleryId(chosen)
    purpose = form.choice("purpose", Purpose)
    classes = _several(form, "search_classes", SearchClass)
    if purpose is not None and classes - PURPOSE_CLASSES[purpose]:
        form.fail("search_classes", NO_SUCH_CLASS)
    limits = _limits(form, purpose)
    evaluation = _evaluation(form, evaluations, searches=gallery is not None)
    authority = _authority(form)
    if Capture.LIVE.value in form.every("captures") and authority is None:
        form.fail("authority", LIVE_NEEDS_AUTHORITY)
    report = _report(form)
    review, course = form.one_of("review_required", ("yes", "no")), form.optional("course", most=255)
    starts, expires = _period(form, "starts", "expires")
    if not form.is_sound or purpose is None or limits is None or report is None or starts is None or expires is None:
        return None
    return UseTerms(
        agency=agency,
        gallery=gallery,
        purpose=purpose,
        search_classes=classes,
        limits=limits,
        report=report,
        starts=starts,
        expires=expires,
        review_required=review == "yes",
        evaluation=evaluation,
        authority=authority,
        course=CourseId(course) if course else None,
    )


def filled(terms: UseTerms, today: date) -> Form:
    """A form with the terms of a use in it, to be changed and proposed again. Days that are over are left out.

    A day that begins before the document's own moment would say more than the document, so such a one begins later.
    """
    limits, authority, evaluation = terms.limits, terms.authority, terms.evaluation
    values: dict[str, tuple[str, ...]] = {
        "gallery": (terms.gallery or NO_GALLERY,),
        "purpose": (terms.purpose.value,),
        "search_classes": tuple(sorted(each.value for each in terms.search_classes)),
        "captures": tuple(sorted(each.value for each in limits.captures)),
        "offences": ("\n".join(sorted(limits.offences)),),
        "threshold_floor_pct": (_plain(Decimal(repr(limits.threshold_floor_pct))),),
        "candidates": (str(limits.candidates),),
        "searches_per_day": (str(limits.searches_per_day),),
        "review_required": ("yes" if terms.review_required else "no",),
        "course": (terms.course or "",),
        "authority": (NO_AUTHORITY if authority is None else authority.kind.value,),
        "starts": (_coming(_first_day(terms.starts), today),),
        "expires": (_coming(terms.expires.date(), today),),
        "report_published": (today.isoformat(),),
        "report_expires": (_coming(terms.report.expires.date(), today),),
        **{REPORT + name: (str(getattr(terms.report, name)),) for name in REPORT_TEXTS},
    }
    if evaluation is not None:
        found = evaluation.limits
        values |= {
            "evaluation": (evaluation.report_sha256,),
            "most_fmr_pct": (_percent(found.fmr),),
            "most_fpir_pct": (_percent(found.fpir),),
            "least_true_positives_pct": (_percent(found.least_true_positives),),
        }
    if authority is not None:
        values |= {
            "authority_sha256": (authority.document_sha256,),
            "authority_place": (authority.place,),
            "authority_starts": (_first_day(authority.starts).isoformat(),),
            "authority_ends": (_coming(authority.ends.date(), today),),
        }
    return Form(values)


def blank(today: date) -> Form:
    """A form for a first proposal, with what most of them say."""
    return Form(
        {
            "captures": (Capture.STILL.value,),
            "review_required": ("yes",),
            "authority": (NO_AUTHORITY,),
            "least_true_positives_pct": (_percent(LEAST_TRUE_POSITIVES),),
            "report_published": (today.isoformat(),),
        }
    )


def _limits(form: Form, purpose: Purpose | None) -> Limits | None:
    captures = _several(form, "captures", Capture)
    offences = frozenset(OffenceCode(line) for line in map(str.strip, form.optional("offences").splitlines()) if line)
    if purpose is Purpose.INVESTIGATE_OFFENCE and not offences:
        form.fail("offences", NO_OFFENCES)
    floor = form.share("threshold_floor_pct")
    candidates = form.whole_number("candidates", low=1, high=MOST_CANDIDATES)
    searches = form.whole_number("searches_per_day", low=1, high=MOST_SEARCHES_A_DAY)
    if floor is None or candidates is None or searches is None or not captures:
        return None
    pct = float(Decimal(form.raw("threshold_floor_pct").strip().replace(",", ".")))
    return Limits(pct, candidates, searches, captures, offences)


def _evaluation(form: Form, known: Mapping[str, str], *, searches: bool) -> EvaluationReference | None:
    commitment = form.one_of("evaluation", (*known, OTHER_EVALUATION))
    name = known.get(commitment, "")
    if commitment == OTHER_EVALUATION:
        name, commitment = form.text("evaluation_name", most=255), _sha256(form, "evaluation_sha256")
    fmr, fpir = (_optional_share(form, field) for field in ("most_fmr_pct", "most_fpir_pct"))
    least = form.share("least_true_positives_pct")
    if searches and not form.raw("most_fpir_pct").strip():
        form.fail("most_fpir_pct", NEEDS_FPIR)
    if not searches and not form.raw("most_fmr_pct").strip():
        form.fail("most_fmr_pct", NEEDS_FMR)
    if not searches and fpir is not None:
        form.fail("most_fpir_pct", NO_FPIR)
    if not form.is_sound or least is None:
        return None
    return EvaluationReference(EvaluationId(name), Sha256Hex(commitment), ErrorLimits(fmr, fpir, least))


def _authority(form: Form) -> Authority | None:
    kind = form.one_of("authority", (NO_AUTHORITY, *AuthorityKind))
    if kind in {"", NO_AUTHORITY}:
        return None
    document, place = _sha256(form, "authority_sha256"), form.text("authority_place", most=400)
    starts, ends = _period(form, "authority_starts", "authority_ends")
    if starts is None or ends is None or not form.is_sound:
        return None
    return Authority(AuthorityKind(kind), Sha256Hex(document), place, starts, ends)


def _report(form: Form) -> AccountabilityReport | None:
    texts = {name: _lines(form.text(REPORT + name, most=LONGEST_REPORT_TEXT)) for name in REPORT_TEXTS}
    published, expires = _period(form, "report_published", "report_expires")
    if not form.is_sound or expires is None:
        return None
    return AccountabilityReport(**texts, published=published, expires=expires)


def _period(form: Form, first: str, last: str) -> tuple[datetime | None, datetime | None]:
    """From the beginning of one day up to the beginning of another."""
    begins, ends = form.day(first), form.day(last)
    if begins is not None and ends is not None and ends <= begins:
        form.fail(last, ENDS_EARLY)
    return _midnight(begins), _midnight(ends)


def _several(form: Form, name: str, kind: type[_Choice]) -> frozenset[_Choice]:
    chosen = form.choices(name, kind)
    if not chosen:
        form.fail(name, NO_CHOICE)
    return chosen


def _optional_share(form: Form, name: str) -> float | None:
    return form.share(name) if form.raw(name).strip() else None


def _sha256(form: Form, name: str) -> str:
    text = form.raw(name).strip().lower()
    if _SHA256.fullmatch(text) is None:
        form.fail(name, NO_SHA256 if text else REQUIRED)
    return text


def _lines(text: str) -> str:
    """Browsers send line ends as they are sent over a network; the ledger has one kind."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _first_day(moment: datetime) -> date:
    """The first day that begins at or after a moment."""
    return moment.date() if moment.time() == time() else moment.date() + timedelta(days=1)


def _coming(day: date, today: date) -> str:
    return day.isoformat() if day > today else ""


def _percent(share: float | None) -> str:
    return "" if share is None else _plain(Decimal(repr(share)) * 100)


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
