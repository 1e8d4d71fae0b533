"""What the overseers' pages call the codes of governance. Marked for the catalogue, one word per idea."""

from collections.abc import Mapping

from recognizance.governance.deadlines import DeadlineKind
from recognizance.governance.gate import Fitness
from recognizance.governance.oversight import ChangeKind, ChangeState, Choice
from recognizance.governance.purposes import AuthorityKind, Capture, Purpose, SearchClass
from recognizance.governance.unusual import Signal
from recognizance.governance.uses import UseState
from recognizance.ledger.facts import Occurrence, Verdict
from recognizance.web.differences import LineKind
from recognizance.web.language import N_

STATES: Mapping[UseState, str] = {
    UseState.PROPOSED: N_("proposed, open for comments"),
    UseState.COMMENTED: N_("waiting for votes"),
    UseState.APPROVED: N_("approved, not begun"),
    UseState.REJECTED: N_("rejected"),
    UseState.ACTIVE: N_("active"),
    UseState.SUSPENDED: N_("suspended"),
    UseState.EXPIRED: N_("ended"),
    UseState.REVOKED: N_("revoked"),
    UseState.WITHDRAWN: N_("withdrawn"),
    UseState.EMERGENCY: N_("emergency, not yet authorised"),
    UseState.EMERGENCY_AUTHORISED: N_("emergency, authorised"),
    UseState.EMERGENCY_SUSPENDED: N_("emergency, suspended"),
    UseState.LAPSED: N_("lapsed, never authorised"),
}

PURPOSES: Mapping[Purpose, str] = {
    Purpose.INVESTIGATE_OFFENCE: N_("investigate an offence"),
    Purpose.PREVENT_IMMINENT_HARM: N_("prevent imminent harm to somebody's life"),
    Purpose.FIND_MISSING_PERSON: N_("find a missing person"),
    Purpose.IDENTIFY_VICTIM: N_("identify a victim who can't say who they are"),
    Purpose.IDENTIFY_DECEASED: N_("identify somebody who died"),
    Purpose.VERIFY_IDENTITY: N_("check who somebody says they are"),
    Purpose.PREVENT_DUPLICATES: N_("find people who are enrolled twice"),
    Purpose.CONTROL_ACCESS: N_("open a door for people who enrolled for that"),
    Purpose.ORGANISE_PHOTOGRAPHS: N_("sort photographs"),
    Purpose.RESEARCH: N_("research with people who agreed"),
}

CLASSES: Mapping[SearchClass, str] = {
    SearchClass.INITIAL_IDENTIFICATION: N_("an unknown person, linked to an offence by evidence"),
    SearchClass.TARGETED: N_("somebody already named"),
    SearchClass.MISSING_PERSON: N_("a missing person"),
    SearchClass.VERIFICATION: N_("verification"),
    SearchClass.DEDUPLICATION: N_("duplicates"),
    SearchClass.ARCHIVE: N_("an archive"),
    SearchClass.EVALUATION: N_("evaluation"),
}

CAPTURES: Mapping[Capture, str] = {
    Capture.STILL: N_("photographs and recordings that exist"),
    Capture.LIVE: N_("live cameras"),
}

AUTHORITIES: Mapping[AuthorityKind, str] = {
    AuthorityKind.STATUTE: N_("a statute"),
    AuthorityKind.COURT_ORDER: N_("a court order"),
    AuthorityKind.WARRANT: N_("a warrant"),
    AuthorityKind.ADMINISTRATIVE_DECISION: N_("a decision of an independent authority"),
    AuthorityKind.CONSENT: N_("the consent of everybody in view"),
}

VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASSED: N_("passed"),
    Verdict.FAILED: N_("failed"),
    Verdict.INSUFFICIENT_EVIDENCE: N_("too little evidence, which counts as not passed"),
}

FITNESS: Mapping[Fitness, str] = {
    Fitness.NONE: N_("The proposal names none."),
    Fitness.PASSED: N_("It allows this use now: every group is within its limits."),
    Fitness.FAILED: N_("It doesn't allow this use: a group is beyond its limit."),
    Fitness.INSUFFICIENT_EVIDENCE: N_("It doesn't allow this use: a group was measured too little."),
    Fitness.UNPUBLISHED: N_("It doesn't allow this use: nobody has published it."),
    Fitness.EXPIRED: N_("It doesn't allow this use: it has expired."),
    Fitness.OTHER_MODEL: N_("It doesn't allow this use: it measured another model than the one in use."),
    Fitness.OTHER_THRESHOLD: N_("It doesn't allow this use: it measured another threshold than the one in use."),
    Fitness.OUTGROWN: N_("It doesn't allow this use: the gallery is larger now than the one that was measured."),
}

CHOICES: Mapping[Choice, str] = {
    Choice.APPROVE: N_("Approve"),
    Choice.REJECT: N_("Reject"),
    Choice.ABSTAIN: N_("Abstain"),
}

DEADLINES: Mapping[DeadlineKind, str] = {
    DeadlineKind.COMMENTS_END: N_("Comments end, voting begins"),
    DeadlineKind.USE_STARTS: N_("The use begins"),
    DeadlineKind.USE_ENDS: N_("The use ends"),
    DeadlineKind.EMERGENCY_LAPSES: N_("The emergency lapses"),
    DeadlineKind.REPORT_EXPIRES: N_("The accountability report expires"),
    DeadlineKind.EVALUATION_EXPIRES: N_("The evaluation expires"),
    DeadlineKind.AUTHORITY_ENDS: N_("The authority ends"),
}

SIGNALS: Mapping[Signal, tuple[str, str]] = {
    Signal.SAME_PERSON: (
        N_("One person was searched for often"),
        N_("The same picture was searched with, or the same enrolled person came first. Ask whether it was one case."),
    ),
    Signal.NIGHT: (
        N_("Searches in the night"),
        N_("One person searched at night, by this installation's clocks. Ask whether it was their shift."),
    ),
    Signal.MANY_PROBES: (
        N_("One case with many searches"),
        N_("Trying picture after picture until something comes up makes false candidates likely."),
    ),
    Signal.REFUSED_OFTEN: (
        N_("Refused often"),
        N_("Much of what one person tried was refused. Ask what they wanted to do, and whether they need help."),
    ),
    Signal.CLOCK: (
        N_("The clock was set back"),
        N_("Uses end and searches are counted by the machine's clock. Ask whoever runs it who changed it, and why."),
    ),
}

OCCURRENCES: Mapping[Occurrence, str] = {
    Occurrence.VIOLATION: N_("violation of the rules"),
    Occurrence.BREACH: N_("breach of security"),
    Occurrence.OUTAGE: N_("outage"),
    Occurrence.ERROR: N_("error"),
}

CHANGE_STATES: Mapping[ChangeState, str] = {
    ChangeState.PROPOSED: N_("being voted on"),
    ChangeState.APPROVED: N_("approved; in effect from the next start with it"),
    ChangeState.REJECTED: N_("rejected"),
    ChangeState.WITHDRAWN: N_("withdrawn"),
    ChangeState.IN_EFFECT: N_("took effect"),
}
CHANGE_KINDS: Mapping[ChangeKind, str] = {
    ChangeKind.THRESHOLD: N_("Another threshold"),
    ChangeKind.POLICY: N_("Another policy"),
    ChangeKind.MODEL: N_("Another model"),
    ChangeKind.QUORUM: N_("Another number of votes"),
    ChangeKind.RETENTION: N_("Another retention schedule"),
}


LINES: Mapping[LineKind, str] = {
    LineKind.SAME: "",
    LineKind.ADDED: N_("added:"),
    LineKind.REMOVED: N_("removed:"),
    LineKind.SKIPPED: "",
}
