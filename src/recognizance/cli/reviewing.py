"""`recognizance review`, `lead`, `disclose`, `verify-disclosure`: what people decide about candidates, and its record.

At the machine, whoever can open the data folder acts for whom they say (`--as`), as with all commands of governing.
What a reviewer is shown is written into a folder that has to be new, under names that say nothing: `probe.png`,
`candidate-1.png` and so on, in the reviewer's own order.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Image, Json, one_of
from recognizance.cli.output import EXIT_FAILED, notices, print_json, print_table, results, speaking_plainly
from recognizance.governance.leads import EditKind, EvidenceKind, OutcomeKind
from recognizance.governance.review import Observation, Outcome

if TYPE_CHECKING:
    from recognizance.governance.review import Finding
    from recognizance.reviewing.askers import Asker
    from recognizance.reviewing.leads import NamedLead

review_app = typer.Typer(
    help="Compare candidates with the probe, blind, as one of two reviewers.", no_args_is_help=True
)
lead_app = typer.Typer(help="What reviewers confirmed: leads, never identifications.", no_args_is_help=True)


def _observations(*, of_the_face: bool) -> str:
    return ", ".join(each for each in Observation if each.is_about_the_face is of_the_face)


Person = Annotated[str, typer.Option("--as", help="Pseudonym of whoever acts.")]
Review = Annotated[str, typer.Argument(help="The review's id.")]
Lead = Annotated[str, typer.Argument(help="The lead's id.")]
NewFolder = Annotated[Path, typer.Option("--out", help="A new folder for the pictures.")]


@review_app.command("list")
@speaking_plainly
def list_reviews(person: Person, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the reviews that somebody has taken on, or could take on."""
    from recognizance.cli.opening import installed_office_of

    with installed_office_of(data) as office:
        waiting = office.reviewing.waiting_for(_asker(person))
        taken_on = [each for each in waiting if office.reviewing.has_taken_on(each, _asker(person))]
    if json:
        print_json({"reviews": list(waiting), "taken_on": list(taken_on)})
    elif waiting:
        rows = [(each, "taken on: show it, then answer" if each in taken_on else "can be claimed") for each in waiting]
        print_table(("review", "for this person"), rows, whole=("review",))
    else:
        results.print("no review waits for this person")


@review_app.command("claim")
@speaking_plainly
def claim(review: Review, person: Person, data: Data = DEFAULT_DATA) -> None:
    """Take a review on. There are two seats, and a third once two reviewers differ."""
    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.review import ReviewId

    with installed_office_of(data) as office:
        office.reviewing.claim(ReviewId(review), _asker(person))
    results.print("taken on; `review show` writes the pictures")


@review_app.command("release")
@speaking_plainly
def release(review: Review, person: Person, data: Data = DEFAULT_DATA) -> None:
    """Give a review back unanswered."""
    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.review import ReviewId

    with installed_office_of(data) as office:
        office.reviewing.release(ReviewId(review), _asker(person))
    results.print("given back")


@review_app.command("show")
@speaking_plainly
def show(review: Review, person: Person, out: NewFolder, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Write the probe and the candidates into a folder, in this reviewer's own order."""
    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.review import ReviewId

    with installed_office_of(data) as office:
        shown = office.reviewing.show(ReviewId(review), _asker(person))
    names = [None if each.png is None else f"candidate-{number}.png" for number, each in enumerate(shown.faces, 1)]
    pictures = {name: each.png for name, each in zip(names, shown.faces, strict=True) if name and each.png}
    _write_folder(out, {"probe.png": shown.probe_png, **pictures})
    if json:
        faces = [{"face": each.face, "picture": name} for name, each in zip(names, shown.faces, strict=True)]
        print_json({"review": review, "probe": "probe.png", "candidates": faces})
        return
    for name, each in zip(names, shown.faces, strict=True):
        results.print(f"{each.face}  {name or 'no picture'}")


@review_app.command("answer")
@speaking_plainly
def answer(
    review: Review,
    person: Person,
    finding: Annotated[
        list[str],
        typer.Option(
            help="FACE=OUTCOME:OBSERVATIONS[:remarks], once for each candidate, with FACE as `review show` prints it"
            f" and commas between observations. Outcomes: {', '.join(Outcome)}. Observations of the face:"
            f" {_observations(of_the_face=True)}; of the image: {_observations(of_the_face=False)}."
        ),
    ],
    data: Data = DEFAULT_DATA,
) -> None:
    """Give one's findings on all candidates at once; final."""
    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.review import ReviewId

    findings = [_finding(each) for each in finding]
    with installed_office_of(data) as office:
        office.reviewing.answer(ReviewId(review), _asker(person), findings)
    results.print("answered, for good; `review progress` says how the review stands")


@review_app.command("progress")
@speaking_plainly
def progress(review: Review, person: Person, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Say what whoever searched may know: under review, lead, no lead or withdrawn."""
    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.review import ReviewId

    with installed_office_of(data) as office:
        stands = office.reviewing.progress(ReviewId(review), _asker(person))
    if json:
        print_json({"review": review, "progress": stands.value})
    else:
        results.print(stands.value)


@review_app.command("edit")
@speaking_plainly
def edit(
    image: Image,
    person: Person,
    use: Annotated[str, typer.Option("--use", help="The use that the picture is to be searched for under.")],
    case: Annotated[str, typer.Option("--case", help="The case that it belongs to.")],
    kind: Annotated[EditKind, typer.Option(metavar="KIND", help=f"What is done to it: {one_of(EditKind)}.")],
    parameters: Annotated[str, typer.Option(help="As the kind takes them: 10,20,300,400 or 90 or +20 or 150.")],
    out: Annotated[Path, typer.Option("--out", help="A new PNG file, to be searched with as it is.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Crop, turn, scale, brighten or contrast a probe; both versions are kept, and the edit is on the record."""
    from recognizance.cli.opening import installed_office_of, photograph_at
    from recognizance.governance import Asking, Credential, Grounds, Principal
    from recognizance.governance.parties import UseId
    from recognizance.identifiers import PrincipalId
    from recognizance.permits import Action
    from recognizance.reviewing.probe_edits import Edit
    from recognizance.storage import new_decision_id

    wanted = Edit(kind, parameters)
    _require_new(out)
    with installed_office_of(data) as office:
        permit = office.policy.decide(
            Principal(PrincipalId(person), frozenset()),
            Action.DETECT,
            gallery=None,
            decision_id=new_decision_id(),
            asking=Asking(Credential.COMMAND_LINE, use=UseId(use), grounds=Grounds(case=case)),
        )
        edited = office.probes.edit(photograph_at(image, permit), wanted, permit=permit)
    out.write_bytes(edited.png)
    results.print(f"{edited.edit.before_sha256} -> {edited.edit.after_sha256}")


@lead_app.command("list")
@speaking_plainly
def list_leads(person: Person, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the leads that somebody may see: of their own searches, or of their agency for a supervisor."""
    from recognizance.cli.opening import installed_office_of

    with installed_office_of(data) as office:
        known = office.leads.list(_asker(person))
    if json:
        print_json({"leads": [_described(each) for each in known]})
        return
    for each in known:
        results.print(f"{each.lead.id}  {each.lead.state.value}  case {each.case}  face {each.face or 'forgotten'}")
    if known:
        results.print(f"each an {known[0].stamp}")
    else:
        notices.print("none")


@lead_app.command("show")
@speaking_plainly
def show_lead(lead: Lead, person: Person, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Show one lead, and whose face it is."""
    import json as json_writer

    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.leads import LeadId

    with installed_office_of(data) as office:
        described = _described(office.leads.show(LeadId(lead), _asker(person)))
    if json:
        print_json(described)
    else:
        results.print(json_writer.dumps(described, indent=2, ensure_ascii=False), markup=False)


@lead_app.command("attest")
@speaking_plainly
def attest(
    lead: Lead,
    person: Person,
    kind: Annotated[
        EvidenceKind, typer.Option(metavar="KIND", help=f"What kind of evidence it is: {one_of(EvidenceKind)}.")
    ],
    description: Annotated[str, typer.Option(help="What it is, and why it has nothing to do with the face.")],
    document: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The document; only its SHA-256 is kept.")
    ],
    data: Data = DEFAULT_DATA,
) -> None:
    """State that independent evidence exists, which unlocks the lead's export."""
    import hashlib

    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.leads import LeadId

    digest = hashlib.sha256(document.read_bytes()).hexdigest()
    with installed_office_of(data) as office:
        office.leads.attest(LeadId(lead), _asker(person), kind=kind, description=description, document_sha256=digest)
    results.print(f"attested, with the document {digest} (SHA-256); the lead can be exported now")


@lead_app.command("export")
@speaking_plainly
def export(lead: Lead, person: Person, out: NewFolder, data: Data = DEFAULT_DATA) -> None:
    """Take a lead out of the service, with its stamp; locked until independent evidence is attested."""
    import json

    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.leads import LeadId

    _require_new(out)
    with installed_office_of(data) as office:
        exported = office.leads.export(LeadId(lead), _asker(person))
    files = {"lead.json": json.dumps(_described(exported.named), indent=2, ensure_ascii=False).encode()}
    pictures = {"probe.png": exported.probe_png, "candidate.png": exported.candidate_png}
    written = files | {name: png for name, png in pictures.items() if png is not None}
    _write_folder(out, written)
    results.print(f"wrote {', '.join(written)} to {out}", markup=False)


@lead_app.command("outcome")
@speaking_plainly
def outcome(
    lead: Lead,
    person: Person,
    kind: Annotated[OutcomeKind, typer.Argument(metavar="OUTCOME", help="What became of it.")],
    statement: Annotated[str, typer.Option(help="What was done, or why nothing was. Sealed.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Say what became of a lead: acted_on, arrest, not_used or false. Final, and counted in the register."""
    from recognizance.cli.opening import installed_office_of
    from recognizance.governance.leads import LeadId

    with installed_office_of(data) as office:
        office.leads.conclude(LeadId(lead), _asker(person), kind=kind, statement=statement)
    results.print(f"on the record: {kind.value}")


@speaking_plainly
def disclose(
    case: Annotated[str, typer.Option("--case", help="The case.")],
    person: Person,
    recipient_kind: Annotated[str, typer.Option(help="Who gets it, in public: defence, court, prosecution.")],
    recipient: Annotated[str, typer.Option(help="Who that is; only committed to.")],
    out: Annotated[Path, typer.Option("--out", help="A new ZIP file.")],
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Put everything on record about a case into one file that proves itself offline."""
    import hashlib

    from recognizance.cli.opening import installed_office_of

    _require_new(out)

    with installed_office_of(data) as office:
        bundle = office.disclosing.disclose(case, _asker(person), recipient_kind=recipient_kind, recipient=recipient)
    out.write_bytes(bundle)
    if json:
        print_json({"case": case, "out": str(out), "sha256": hashlib.sha256(bundle).hexdigest()})
        return
    results.print(f"wrote the record of case {case} to {out}; that it was handed out is on the ledger", markup=False)
    notices.print(
        "Whoever gets it can check it offline, with the key as you publish it:"
        f"\nrecognizance verify-disclosure {out} --key KEY   # `recognizance ledger key` prints KEY",
        markup=False,
    )


@speaking_plainly
def verify_disclosure(
    bundle: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The ZIP file.")],
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A key of the ledger, name+hash+base64, as it is published.")
    ] = None,
    json: Json = False,
) -> None:
    """Check a disclosure bundle, offline, from its bytes alone."""
    from recognizance.disclosing.bundle import verify_bundle
    from recognizance.errors import CorruptionError
    from recognizance.ledger import VerifierKey

    keys = tuple(VerifierKey.parse(each) for each in key or ())
    try:
        checked = verify_bundle(bundle.read_bytes(), log_keys=keys)
    except CorruptionError as error:
        # It is the file that is wrong, and whoever checks it may have no installation to look into.
        notices.print(f"{bundle.name} doesn't hold: {error}", style="bold red", markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    if json:
        held = {"case": checked.case, "entries": len(checked.entries), "keys": [str(each) for each in checked.log_keys]}
        print_json({**held, "pictures": checked.pictures, "key_was_given": bool(keys)})
        return
    results.print(f"case {checked.case}: {len(checked.entries)} entries, {checked.pictures} pictures; all of it holds")
    if not keys:
        results.print("held against the key in the bundle; compare it with the published one:")
        results.print("\n".join(str(each) for each in checked.log_keys))


def _asker(person: str) -> "Asker":
    from recognizance.governance import Credential
    from recognizance.governance.parties import PersonId
    from recognizance.identifiers import PrincipalId
    from recognizance.reviewing.askers import Asker

    return Asker(PersonId(PrincipalId(person)), Credential.COMMAND_LINE)


def _finding(text: str) -> "Finding":
    """Read FACE=OUTCOME:OBSERVATION,OBSERVATION[:remarks]."""
    from recognizance.errors import InputError
    from recognizance.governance.review import Finding
    from recognizance.identifiers import FaceId

    face, _, rest = text.partition("=")
    outcome, _, rest = rest.partition(":")
    observations, _, remarks = rest.partition(":")
    if foreign := sorted(set(observations.split(",")) - set(Observation)):
        known = ", ".join(each.value for each in Observation)
        raise InputError(f"{text!r} names the observation {foreign[0]!r}; choose from {known}")
    try:
        seen = frozenset(Observation(each) for each in observations.split(","))
        return Finding(FaceId(face), Outcome(outcome), seen, remarks)
    except ValueError as error:
        raise InputError(f"{text!r} is not FACE=OUTCOME:OBSERVATION,...: {error}") from error


def _described(named: "NamedLead") -> dict[str, object]:
    attestation = named.lead.attestation
    return {
        "lead": named.lead.id,
        "stamp": named.stamp,
        "state": named.lead.state.value,
        "case": named.case,
        "gallery": named.gallery,
        "face": named.face,
        "subject": named.subject,
        "external_image_id": named.external_image_id,
        "confirmed_by": list(named.lead.confirmation.confirmed_by),
        "dissent": named.lead.confirmation.dissent,
        "evidence": None if attestation is None else [attestation.kind.value, attestation.description],
        "outcomes": [[each.kind.value, each.statement] for each in named.lead.outcomes],
    }


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    _require_new(folder)
    folder.mkdir(mode=0o700, parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _require_new(path: Path) -> None:
    from recognizance.errors import ConflictError

    if path.exists():
        raise ConflictError(f"{path} exists")
