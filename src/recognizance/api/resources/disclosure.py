"""Disclosure: everything on record about a case, as one file that proves itself, or as its summary."""

import io
import zipfile
from enum import StrEnum

from recognizance.api.forms import Name, Text, form
from recognizance.api.routes import Call, File, Media, Method, Nothing, Repeat, Route
from recognizance.api.services import Services, asker_of
from recognizance.governance import Act

ZIP, PDF = "application/zip", "application/pdf"
SUMMARY_FILE = "summary.pdf"


class DisclosureForm(StrEnum):
    """What is handed out."""

    BUNDLE = "bundle"
    """A ZIP file with entries, proofs, openings, pictures and the summary; it verifies offline."""
    SUMMARY = "summary"
    """The summary alone, as PDF; it proves nothing by itself."""


@form
class DisclosingForm:
    """What to hand out, and to whom.

    Attributes:
        recipient_kind: Public: defence, court, prosecution.
        recipient: Who that is; only committed to.
        statement: Public.
    """

    case: Name
    recipient_kind: Name
    recipient: Name
    statement: Text | None = None
    form: DisclosureForm = DisclosureForm.BUNDLE


def disclose(services: Services, call: Call[DisclosingForm, Nothing]) -> File:
    form = call.body
    bundle = services.disclosing.disclose(
        form.case,
        asker_of(services, call.actor),
        recipient_kind=form.recipient_kind,
        recipient=form.recipient,
        statement=form.statement,
    )
    if form.form is DisclosureForm.BUNDLE:
        return File(ZIP, bundle, "disclosure.zip")
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return File(PDF, archive.read(SUMMARY_FILE), SUMMARY_FILE)


ROUTES = (
    Route(
        "disclose",
        Method.POST,
        "/disclosures",
        "Hand out everything on record about a case; on record each time.",
        disclose,
        Media((ZIP, PDF)),
        act=Act.DISCLOSE,
        hides=True,
        body=DisclosingForm,
        repeat=Repeat.KEYED,
    ),
)
