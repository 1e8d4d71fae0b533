"""What faces are searched for: purposes, classes of search, sources of images, and what is never a purpose.

These are the words that laws use, made into closed sets, so that a use, a policy, a search and the public register mean
the same by them. Prohibited aims are words here too: a caller who states one truthfully is refused, on the record,
which is better than having no word for it. No rule is enforced here; policies do that.

Implements `docs/governance.md`, "Purposes".
"""

from enum import StrEnum
from typing import NewType

OffenceCode = NewType("OffenceCode", str)
"""An offence as the operator's own list spells it: `robbery`, `homicide`."""


class Purpose(StrEnum):
    INVESTIGATE_OFFENCE = "investigate_offence"
    """Find out who the unknown person in a recording of an offence is."""
    PREVENT_IMMINENT_HARM = "prevent_imminent_harm"
    """A specific, substantial and imminent threat to somebody's life."""
    FIND_MISSING_PERSON = "find_missing_person"
    IDENTIFY_VICTIM = "identify_victim"
    """Somebody harmed, trafficked or abducted who can't say who they are."""
    IDENTIFY_DECEASED = "identify_deceased"
    VERIFY_IDENTITY = "verify_identity"
    """Somebody says who they are, and asks to be checked."""
    PREVENT_DUPLICATES = "prevent_duplicates"
    """One person, one document: find those who are enrolled twice."""
    CONTROL_ACCESS = "control_access"
    """Open a door for people who enrolled for that."""
    ORGANISE_PHOTOGRAPHS = "organise_photographs"
    """Sort a private or an editorial archive."""
    RESEARCH = "research"
    """Measure or improve the technology, with people who agreed."""


class SearchClass(StrEnum):
    """How wide a search is meant to be, as the AI Act's Article 26(10) and its draft guidelines tell them apart."""

    INITIAL_IDENTIFICATION = "initial_identification"
    """An unknown person linked to an offence by evidence, against a gallery."""
    TARGETED = "targeted"
    """Somebody already named, looked for."""
    MISSING_PERSON = "missing_person"
    VERIFICATION = "verification"
    DEDUPLICATION = "deduplication"
    ARCHIVE = "archive"
    EVALUATION = "evaluation"


PURPOSE_CLASSES = {
    Purpose.INVESTIGATE_OFFENCE: frozenset({SearchClass.INITIAL_IDENTIFICATION, SearchClass.TARGETED}),
    Purpose.PREVENT_IMMINENT_HARM: frozenset({SearchClass.INITIAL_IDENTIFICATION, SearchClass.TARGETED}),
    Purpose.FIND_MISSING_PERSON: frozenset({SearchClass.MISSING_PERSON}),
    Purpose.IDENTIFY_VICTIM: frozenset({SearchClass.INITIAL_IDENTIFICATION, SearchClass.MISSING_PERSON}),
    Purpose.IDENTIFY_DECEASED: frozenset({SearchClass.INITIAL_IDENTIFICATION, SearchClass.MISSING_PERSON}),
    Purpose.VERIFY_IDENTITY: frozenset({SearchClass.VERIFICATION}),
    Purpose.PREVENT_DUPLICATES: frozenset({SearchClass.DEDUPLICATION}),
    Purpose.CONTROL_ACCESS: frozenset({SearchClass.VERIFICATION}),
    Purpose.ORGANISE_PHOTOGRAPHS: frozenset({SearchClass.ARCHIVE, SearchClass.VERIFICATION}),
    Purpose.RESEARCH: frozenset({SearchClass.EVALUATION}),
}
"""Which classes of search a purpose can need. A use names one purpose, and classes of its row only."""


class Capture(StrEnum):
    STILL = "still"
    """A photograph or a recording that exists already."""
    LIVE = "live"
    """A camera as it happens, or following a person over time."""


class Declaration(StrEnum):
    """Aims that a caller may state, and that no use can ever allow."""

    PROTECTED_TRAIT = "protected_trait"
    """Race, sex, faith, disability, orientation and the like as the reason to search."""
    LAWFUL_PROTEST = "lawful_protest"
    """Speech, assembly, worship, or anything else that is somebody's right, as the reason to search."""
    IMMIGRATION_STATUS = "immigration_status"
    PREDICTION = "prediction"
    """To guess at an offence that nobody has committed, at character, emotion or intent."""


class Source(StrEnum):
    """Where an enrolled image came from. There is no word for 'unknown': enrolment without a source is refused."""

    SUBJECT = "subject"
    """The person gave it, for this gallery."""
    OWN_PHOTOGRAPH = "own_photograph"
    """The owner of a private or editorial archive took it or was given it."""
    ARREST_RECORD = "arrest_record"
    IDENTITY_DOCUMENT = "identity_document"
    COURT_ORDER = "court_order"
    MISSING_PERSON_REPORT = "missing_person_report"
    RESEARCH_DATA = "research_data"
    """A data set whose people agreed to it."""
    SCRAPED = "scraped"
    """Collected from the internet or from cameras without the person. Named so that it can be refused."""


class LawfulBasis(StrEnum):
    """Why the operator may keep this face. GDPR Articles 6 and 9, and their equivalents elsewhere."""

    EXPLICIT_CONSENT = "explicit_consent"
    WRITTEN_RELEASE = "written_release"
    """Illinois BIPA 15(b): the release is kept as a hash."""
    STATUTE = "statute"
    COURT_ORDER = "court_order"
    VITAL_INTERESTS = "vital_interests"
    PERSONAL_ACTIVITY = "personal_activity"
    """Purely personal or household activity, outside the GDPR by its Article 2(2)(c)."""
    RESEARCH = "research"


class AuthorityKind(StrEnum):
    """What allows a use that law reserves: live or tracking use, and use against one person."""

    STATUTE = "statute"
    COURT_ORDER = "court_order"
    WARRANT = "warrant"
    ADMINISTRATIVE_DECISION = "administrative_decision"
    """A binding decision of an independent administrative authority."""
    CONSENT = "consent"
    """Everybody in view agreed: a gate that people enrolled for."""
