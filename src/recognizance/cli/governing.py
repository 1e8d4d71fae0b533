"""`recognizance init`, `agency`, `person`, `training`, `gallery`: who an installation belongs to, and who takes part.

At the machine, whoever can open the data folder acts for whom they say (`--as`): they hold the master key, so nothing
here could keep them from it. What they do is on the record under that name, and duties stay apart by role.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Expires, Json, one_of
from recognizance.cli.output import print_json, print_table, results, speaking_plainly
from recognizance.governance.parties import AgencyKind, Role
from recognizance.governance.purposes import LawfulBasis, Source

if TYPE_CHECKING:
    from pathlib import Path

    from recognizance.documents import Standing

agency_app = typer.Typer(help="Register agencies, suspend them and let them resume.", no_args_is_help=True)
person_app = typer.Typer(help="Register people and programs, and draw keys for them.", no_args_is_help=True)
training_app = typer.Typer(help="Record who passed which course.", no_args_is_help=True)
gallery_app = typer.Typer(help="Declare whose a gallery is and where its images come from.", no_args_is_help=True)

Agency = Annotated[str, typer.Argument(help="The agency's id.")]
PersonId = Annotated[str, typer.Argument(help="The person's pseudonym, as `person list` shows it.")]


@speaking_plainly
def init(
    profile: Annotated[
        str, typer.Option("--profile", help="How strict it is: private, organisation or law-enforcement.")
    ],
    data: Data = DEFAULT_DATA,
    owner: Annotated[
        str, typer.Option("--owner", help="Name of whoever runs the machine; kept sealed, never published.")
    ] = "whoever runs the machine",
    json: Json = False,
) -> None:
    """Set an installation up with a profile, which stays. Without this, the first start makes a private one."""
    import contextlib

    from recognizance.config import read_settings
    from recognizance.errors import InputError
    from recognizance.governance.profiles import ProfileName
    from recognizance.governing.registration import establish
    from recognizance.storage import new_id, now, open_recorder, open_records

    try:
        name = ProfileName(profile)
    except ValueError as error:
        raise InputError(f"there is no profile {profile!r}; choose from {', '.join(ProfileName)}") from error
    settings = read_settings(data)
    with (
        contextlib.closing(open_records(data, settings)) as records,
        contextlib.closing(open_recorder(data, settings, records)) as recorder,
    ):
        made = establish(records, recorder, name, owner_name=owner, clock=now, new_id=new_id)
    if name is ProfileName.LAW_ENFORCEMENT:
        keep_images(data)
    if json:
        print_json({"profile": made.profile.value, "owner": made.owner, "agency": made.agency})
    else:
        results.print(f"profile {made.profile.value}; its owner is {made.owner}, with the role administrator")


def keep_images(data: "Path") -> None:
    """Have photographs kept where reviewers compare them, unless somebody has set it already; encrypted, as always."""
    from recognizance.config import FILE_NAME
    from recognizance.errors import UnavailableError

    place = data / FILE_NAME
    try:
        written = place.read_text(encoding="utf-8") if place.exists() else ""
        if "keep_images" not in written:
            # Ahead of everything else, because a line behind a table's head would belong to that table.
            note = "# Reviewers compare the probe with enrolled photographs, so these are kept, encrypted.\n"
            place.write_text(f"{note}keep_images = true\n{written}", encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"can't write {place}: {error.strerror}") from error


@agency_app.command("add")
@speaking_plainly
def add_agency(
    agency: Agency,
    kind: Annotated[AgencyKind, typer.Option(metavar="KIND", help=f"What it is: {one_of(AgencyKind)}.")],
    name: Annotated[str, typer.Option(help="Its name; public.")],
    accountable_person: Annotated[str, typer.Option(help="Who answers for it: name and office; public.")],
    contact: Annotated[str, typer.Option(help="Where the public reaches it about this; public.")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Register an agency. All of it is public, in the ledger."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance import parties

    made = parties.Agency(parties.AgencyId(agency), kind, name, accountable_person, contact)
    with government_of(data) as governing:
        governing.registration.add_agency(made, by=actor(acting_as))
    _say(json, {"agency": agency, "standing": "active"})


@agency_app.command("suspend")
@speaking_plainly
def suspend_agency(
    agency: Agency,
    reason: Annotated[str, typer.Option(help="Why; public.")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Stop an agency and all its people, from the next request on."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.documents import Standing
    from recognizance.governance import parties

    with government_of(data) as governing:
        governing.registration.set_agency_standing(
            parties.AgencyId(agency), Standing.SUSPENDED, reason=reason, by=actor(acting_as)
        )
    _say(json, {"agency": agency, "standing": "suspended"})


@agency_app.command("resume")
@speaking_plainly
def resume_agency(
    agency: Agency,
    reason: Annotated[str, typer.Option(help="Why; public.")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Let a suspended agency go on."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.documents import Standing
    from recognizance.governance import parties

    with government_of(data) as governing:
        governing.registration.set_agency_standing(
            parties.AgencyId(agency), Standing.ACTIVE, reason=reason, by=actor(acting_as)
        )
    _say(json, {"agency": agency, "standing": "active"})


@agency_app.command("list")
@speaking_plainly
def list_agencies(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the agencies."""
    from recognizance.cli.opening import government_of

    with government_of(data) as governing:
        known = governing.registration.agencies()
    if json:
        print_json(
            {
                "agencies": [
                    {
                        "agency": agency.id,
                        "kind": agency.kind.value,
                        "name": agency.name,
                        "accountable_person": agency.accountable_person,
                        "contact": agency.contact,
                        "standing": standing.value,
                    }
                    for agency, standing in known
                ]
            }
        )
        return
    rows = [(each.id, each.kind.value, each.name, each.accountable_person, standing.value) for each, standing in known]
    print_table(("agency", "kind", "name", "accountable", "standing"), rows, whole=("agency",))


@person_app.command("add")
@speaking_plainly
def add_person(
    name: Annotated[str, typer.Argument(help="Their name; kept sealed, never published.")],
    role: Annotated[
        list[Role],
        typer.Option(metavar="ROLE", help=f"A role: {one_of(Role)}; give the option again for another."),
    ],
    agency: Annotated[str | None, typer.Option(help="Their agency; overseers have none.")] = None,
    interest: Annotated[
        list[str] | None, typer.Option(help="An agency that an overseer is too close to; may be given again.")
    ] = None,
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Register somebody. Prints the pseudonym that the record knows them by."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import AgencyId

    with government_of(data) as governing:
        person = governing.registration.add_person(
            name,
            agency=None if agency is None else AgencyId(agency),
            roles=frozenset(role),
            interests=frozenset(AgencyId(each) for each in interest or ()),
            by=actor(acting_as),
        )
    _say(json, {"person": person.id})


@person_app.command("add-program")
@speaking_plainly
def add_program(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    agency: Annotated[str, typer.Option(help="Whose it is.")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Register a program, which searches and enrols and judges nothing."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import AgencyId

    with government_of(data) as governing:
        program = governing.registration.add_program(name, agency=AgencyId(agency), by=actor(acting_as))
    _say(json, {"program": program.id})


@person_app.command("suspend")
@speaking_plainly
def suspend_person(person: PersonId, data: Data = DEFAULT_DATA, acting_as: As = None, json: Json = False) -> None:
    """Stop somebody, from the next request on."""
    from recognizance.documents import Standing

    _set_person(data, person, Standing.SUSPENDED, acting_as, json=json)


@person_app.command("resume")
@speaking_plainly
def resume_person(person: PersonId, data: Data = DEFAULT_DATA, acting_as: As = None, json: Json = False) -> None:
    """Let somebody who was suspended go on."""
    from recognizance.documents import Standing

    _set_person(data, person, Standing.ACTIVE, acting_as, json=json)


@person_app.command("key")
@speaking_plainly
def issue_key(
    person: PersonId,
    use: Annotated[str | None, typer.Option(help="The only use that the key works for.")] = None,
    expires: Expires = None,
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Draw an access key for a person or a program. Its secret is printed now and never again."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import UseId
    from recognizance.identifiers import PrincipalId

    with government_of(data) as governing:
        issued = governing.registration.issue_key(
            PrincipalId(person),
            use=None if use is None else UseId(use),
            expires=None if expires is None else expires.replace(tzinfo=UTC),
            by=actor(acting_as),
        )
    _say(json, {"access_key_id": issued.id, "secret_access_key": issued.secret})


@person_app.command("list")
@speaking_plainly
def list_people(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List people with their names, for whoever runs the machine, and programs."""
    from recognizance.cli.opening import government_of

    with government_of(data) as governing:
        people, programs = governing.registration.people(), governing.registration.programs()
    if json:
        print_json(
            {
                "people": [
                    {
                        "person": record.person.id,
                        "name": record.name,
                        "agency": record.person.agency,
                        "roles": sorted(record.person.roles),
                        "trainings": [
                            {"course": each.course, "expires": each.expires.isoformat()}
                            for each in record.person.trainings
                        ],
                        "standing": standing.value,
                    }
                    for record, standing in people
                ],
                "programs": [
                    {"program": program.id, "name": program.name, "agency": program.agency, "standing": standing.value}
                    for program, standing in programs
                ],
            }
        )
        return
    rows: list[tuple[str, ...]] = [
        (each.person.id, each.name, each.person.agency or "", ", ".join(sorted(each.person.roles)), standing.value)
        for each, standing in people
    ]
    rows += [(each.id, each.name, each.agency, "program", standing.value) for each, standing in programs]
    print_table(("pseudonym", "name", "agency", "roles", "standing"), rows, whole=("pseudonym", "agency"))


@training_app.command("add")
@speaking_plainly
def add_training(
    person: PersonId,
    course: Annotated[str, typer.Option(help="The course, as uses name it.")],
    completed: Annotated[
        datetime, typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="Day on which it was passed, like 2026-01-31.")
    ],
    expires: Annotated[
        datetime,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="Last day on which it counts, like 2027-01-30."),
    ],
    certificate: Annotated[str, typer.Option(help="What proves it; committed to, not published.")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Record that somebody passed a course."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance import parties
    from recognizance.identifiers import PrincipalId

    training = parties.Training(parties.CourseId(course), completed.date(), expires.date())
    with government_of(data) as governing:
        governing.registration.add_training(
            parties.PersonId(PrincipalId(person)), training, certificate=certificate, by=actor(acting_as)
        )
    _say(json, {"person": person, "course": course, "expires": training.expires.isoformat()})


@gallery_app.command("declare")
@speaking_plainly
def declare_gallery(
    gallery: Annotated[str, typer.Argument(help="The gallery's name (a CollectionId at the API).")],
    source: Annotated[
        Source, typer.Option(metavar="SOURCE", help=f"Where all its images come from: {one_of(Source)}.")
    ],
    basis: Annotated[
        LawfulBasis, typer.Option(metavar="BASIS", help=f"What allows keeping them: {one_of(LawfulBasis)}.")
    ],
    agency: Annotated[
        str | None, typer.Option(help="Who answers for it; in a private installation, its owner.")
    ] = None,
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Say whose a gallery is, and where its images come from, before a face is in it."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.documents import GalleryDeclaration
    from recognizance.errors import InputError
    from recognizance.governance.parties import AgencyId
    from recognizance.identifiers import GalleryId

    with government_of(data) as governing:
        owner = governing.installation.agency if agency is None else AgencyId(agency)
        if owner is None:
            raise InputError("say with --agency who answers for the gallery")
        declared = GalleryDeclaration(GalleryId(gallery), owner, source, basis)
        governing.registration.declare_gallery(declared, by=actor(acting_as))
    _say(json, {"gallery": gallery, "agency": owner, "source": source.value, "basis": basis.value})


def _set_person(data: Data, person: str, standing: "Standing", acting_as: str | None, *, json: bool) -> None:
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance import parties
    from recognizance.identifiers import PrincipalId

    with government_of(data) as governing:
        governing.registration.set_person_standing(parties.PersonId(PrincipalId(person)), standing, by=actor(acting_as))
    _say(json, {"person": person, "standing": standing.value})


def _say(json: bool, said: dict[str, object]) -> None:
    if json:
        print_json(said)
    else:
        results.print("\n".join(f"{name.replace('_', ' ')}  {value}" for name, value in said.items()))
