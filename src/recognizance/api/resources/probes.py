"""Probes: edits on the way to a search, each made by the service, kept, and on the record."""

import base64
from dataclasses import dataclass, replace
from datetime import datetime

from recognizance.api.forms import MAX_PICTURE_BYTES, Name, PictureBase64, form, picture_of
from recognizance.api.routes import MAX_JSON_BYTES, Call, File, Media, Method, Nothing, Route
from recognizance.api.services import Services
from recognizance.errors import NotFoundError
from recognizance.faces import open_photograph
from recognizance.governance import Act, Grounds
from recognizance.governance.leads import EditKind
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import OffenceCode
from recognizance.permits import Action
from recognizance.reviewing.probe_edits import Edit

MAX_BODY_BYTES = 4 * ((MAX_PICTURE_BYTES + 2) // 3) + MAX_JSON_BYTES
"""Of a body with one picture."""

_KEPT = ("image/jpeg", "image/png", "image/webp")
_SIGNATURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


@form
class EditForm:
    """An edit of a picture that is to be searched with.

    Attributes:
        use: The use that it is to be searched for under; null where the key or the session names one.
        parameters: As the kind takes them: 10,20,300,400 or 90 or +20 or 150.
    """

    picture: PictureBase64
    kind: EditKind
    parameters: Name
    use: Name | None = None
    case: Name | None = None
    justification: Name | None = None
    offence: Name | None = None


@dataclass(frozen=True, slots=True)
class EditView:
    """The picture after an edit, to be searched with as it is.

    Attributes:
        png: In base64.
        edit: The ledger's entry of the edit, under which both versions are kept.
    """

    png: str
    edit: str
    kind: EditKind
    parameters: str
    before_sha256: str
    after_sha256: str
    edited_by: str
    edited_at: datetime


def edit_probe(services: Services, call: Call[EditForm, Nothing]) -> EditView:
    form, brought = call.body, call.actor.asking
    stated = brought.grounds
    asking = replace(
        brought,
        use=brought.use if form.use is None else UseId(form.use),
        grounds=Grounds(
            case=form.case or stated.case,
            justification=form.justification or stated.justification,
            offence=OffenceCode(form.offence) if form.offence else stated.offence,
            declared=stated.declared,
        ),
    )
    data, wanted = picture_of(form.picture), Edit(form.kind, form.parameters)
    permit = services.permit(call.actor, Action.DETECT, asking=asking)
    edited = services.probes.edit(open_photograph(data, permit), wanted, permit=permit)
    made = edited.edit
    return EditView(
        png=base64.b64encode(edited.png).decode(),
        edit=edited.entry,
        kind=made.kind,
        parameters=made.parameters,
        before_sha256=made.before_sha256,
        after_sha256=made.after_sha256,
        edited_by=made.edited_by,
        edited_at=made.edited_at,
    )


def show_version(services: Services, call: Call[Nothing, Nothing]) -> File:
    services.require(call.actor, Act.READ_RECORD)
    before, after = services.probes.versions(call.path["edit"])
    version = call.path["version"]
    if version not in {"before", "after"}:
        raise NotFoundError("an edit has the versions before and after")
    data = before if version == "before" else after
    return File(next((kind for start, kind in _SIGNATURES if data.startswith(start)), "application/octet-stream"), data)


ROUTES = (
    Route(
        "edit_probe",
        Method.POST,
        "/probe-edits",
        "Crop, turn, scale, brighten or contrast a probe.",
        edit_probe,
        EditView,
        act=Act.DETECT,
        body=EditForm,
        max_body_bytes=MAX_BODY_BYTES,
    ),
    Route(
        "show_version",
        Method.GET,
        "/probe-edits/{edit}/{version}",
        "Show a probe before or after an edit, by the edit's ledger entry.",
        show_version,
        Media(_KEPT),
        act=Act.READ_RECORD,
    ),
)
