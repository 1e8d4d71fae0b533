"""What the administrators' pages call codes. Marked for the catalogue, one word per idea."""

from collections.abc import Mapping

from recognizance.documents import Standing
from recognizance.enrolling.jobs import JobState
from recognizance.faces import FileState
from recognizance.governance.parties import AgencyKind
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governing.account_documents import AccountState
from recognizance.web.language import N_

AGENCY_KINDS: Mapping[AgencyKind, str] = {
    AgencyKind.LAW_ENFORCEMENT: N_("law enforcement"),
    AgencyKind.SERVING_LAW_ENFORCEMENT: N_("a company that serves law enforcement"),
    AgencyKind.BUSINESS: N_("a business"),
    AgencyKind.RESEARCH: N_("a research institution"),
    AgencyKind.PRIVATE: N_("one private person"),
}

STANDINGS: Mapping[Standing, str] = {
    Standing.ACTIVE: N_("takes part"),
    Standing.SUSPENDED: N_("suspended"),
    Standing.REMOVED: N_("removed"),
}

SOURCES: Mapping[Source, str] = {
    Source.SUBJECT: N_("the person gave it, for this gallery"),
    Source.OWN_PHOTOGRAPH: N_("the owner's own photographs"),
    Source.ARREST_RECORD: N_("arrest records"),
    Source.IDENTITY_DOCUMENT: N_("identity documents"),
    Source.COURT_ORDER: N_("a court order"),
    Source.MISSING_PERSON_REPORT: N_("reports of missing people"),
    Source.RESEARCH_DATA: N_("research data whose people agreed"),
    Source.SCRAPED: N_("collected from the internet or from cameras: always refused"),
}

BASES: Mapping[LawfulBasis, str] = {
    LawfulBasis.EXPLICIT_CONSENT: N_("explicit consent"),
    LawfulBasis.WRITTEN_RELEASE: N_("a written release"),
    LawfulBasis.STATUTE: N_("a statute"),
    LawfulBasis.COURT_ORDER: N_("a court order"),
    LawfulBasis.VITAL_INTERESTS: N_("somebody's vital interests"),
    LawfulBasis.PERSONAL_ACTIVITY: N_("personal or household activity"),
    LawfulBasis.RESEARCH: N_("research"),
}

ACCOUNT_STATES: Mapping[AccountState, str] = {
    AccountState.INVITED: N_("invited"),
    AccountState.ACTIVE: N_("in use"),
    AccountState.DISABLED: N_("disabled"),
}

FILE_STATES: Mapping[FileState, str] = {
    FileState.READY: N_("there, and the file that its manifest states"),
    FileState.ABSENT: N_("not here"),
    FileState.DAMAGED: N_("another file than its manifest states"),
}

JOB_STATES: Mapping[JobState, str] = {
    JobState.RUNNING: N_("under way"),
    JobState.OVER: N_("over"),
    JobState.FAILED: N_("ended early"),
    JobState.INTERRUPTED: N_("interrupted"),
}
