"""How strict an installation is, chosen at its first start instead of by `recognizance init`.

The first start of the server makes a private installation when nobody has set one up, so that a developer can begin at
once. As long as nobody has begun anything in it (no gallery, no account, nobody registered), whoever runs the machine
may still choose another profile; after that it stays, as after `init`. What became of the first choice is on the
record. Never loosens anything: only what was assumed can be changed, and it was assumed once.

Works on records and ledger alone, while no server does: a search under the old rules can't come in between.
"""

from recognizance.documents import INSTALLATION_ID, Installation, Kind, PersonRecord, found, inserted, replaced
from recognizance.errors import ConflictError
from recognizance.galleries import Clock
from recognizance.governance import Role
from recognizance.governance.parties import Person
from recognizance.governance.profiles import ProfileName
from recognizance.governing.account_documents import ACCOUNT_KIND
from recognizance.governing.registration import ASSUMED, person_facts, private_agency_facts
from recognizance.ledger import facts
from recognizance.recording import Recorder
from recognizance.records import Reader

_BEGUN_BY = (Kind.PERSON.value, Kind.AGENCY.value, Kind.PROGRAM.value, Kind.USE.value, ACCOUNT_KIND)


def is_open_to_choice(reader: Reader) -> bool:
    """Whether the profile was only assumed, and nobody has begun anything under it."""
    known = found(reader, Kind.INSTALLATION, INSTALLATION_ID, Installation)
    return (
        known is not None
        and known.document.state == ASSUMED
        and not reader.galleries(limit=1)
        and not any(reader.documents(kind, limit=1) for kind in _BEGUN_BY)
    )


def choose_profile(
    recorder: Recorder,
    profile: ProfileName,
    *,
    owner_name: str,
    clock: Clock,
) -> Installation:
    """Set an installation up with another profile than was assumed; its owner and its keys stay who they are.

    Raises:
        ConflictError: If the profile was chosen before, or something has begun under it.
    """
    with recorder.changing() as change:
        known = found(change.transaction, Kind.INSTALLATION, INSTALLATION_ID, Installation)
        if known is None or not is_open_to_choice(change.transaction):
            raise ConflictError("the profile of this installation was chosen, or something has begun under it")
        before = known.value
        if profile is ProfileName.PRIVATE:
            chosen = before
        else:
            chosen = Installation(profile, None, before.owner, clock())
            person = Person(before.owner, None, frozenset({Role.ADMINISTRATOR}))
            inserted(change.transaction, Kind.PERSON, before.owner, PersonRecord(person, owner_name))
            if (agency := before.agency) is not None:
                change.enter(lambda _: private_agency_facts(agency, facts.Standing.REMOVED))
            change.enter(lambda entry: person_facts(entry, person, owner_name, facts.Standing.ADDED))
        replaced(change.transaction, known, chosen, state="chosen")
    return chosen
