"""Words for what the record says in codes: kinds of entries, names of their fields, and the values of those.

The record's own spelling stays in its JSON, which stands beside these words wherever they are shown. Tests hold them to
the ledger's kinds and to every value that a field can take, so that nothing which is published is left a code; a value
of newer software, or one that is somebody's own name for a thing, is shown as it is.

Pure.
"""

from collections.abc import Iterable, Mapping

from recognizance.forgetting.proofs import Cause
from recognizance.governance.policy import INDEPENDENT_TEST, NO_AGENCY, SUBJECT_REQUEST
from recognizance.governance.profiles import PROFILES, rulebook
from recognizance.governance.requests import Act
from recognizance.governance.uses import UseEvent
from recognizance.governing.publishing import Dimension
from recognizance.ledger import facts
from recognizance.recording.acts import UNSTATED_USE
from recognizance.reviewing.upkeep import CAUSE as REVIEW_RETENTION
from recognizance.web.administrator_words import BASES, SOURCES
from recognizance.web.language import N_
from recognizance.web.operator_words import AIM_WORDS, EDIT_WORDS, RECIPIENTS
from recognizance.web.overseer_words import CLASSES, OCCURRENCES, PURPOSES, STATES, VERDICTS
from recognizance.web.public_words import COLUMNS
from recognizance.web.wordings import PROFILE_NAMES, ROLE_NAMES

KIND_WORDS: Mapping[str, str] = {
    "access_key": N_("access key"),
    "account": N_("account"),
    "agency": N_("agency"),
    "alert": N_("alert"),
    "change_proposal": N_("proposed change"),
    "comment": N_("public comment"),
    "comment_moderation": N_("comment hidden or shown"),
    "comparison": N_("comparison"),
    "deployment": N_("statement of the operator"),
    "detection": N_("look for faces"),
    "disclosure": N_("record handed out"),
    "erasure": N_("erasure"),
    "evaluation": N_("test of a model"),
    "failure": N_("act without an answer"),
    "finding": N_("finding of a tester"),
    "gallery": N_("gallery"),
    "gallery_content": N_("change in a gallery"),
    "gallery_declaration": N_("origin of a gallery"),
    "hold": N_("order to keep"),
    "incident": N_("incident"),
    "incident_notice": N_("incident received"),
    "lead": N_("lead"),
    "lead_figures": N_("figures of leads"),
    "ledger_key": N_("key of the record"),
    "mark": N_("“not this person”"),
    "model": N_("model"),
    "oversight_body": N_("oversight body"),
    "oversight_member": N_("overseer"),
    "person": N_("person"),
    "policy": N_("policy"),
    "probe_edit": N_("edited picture"),
    "refusal": N_("refusal"),
    "report": N_("report"),
    "restoration": N_("restored records"),
    "retention": N_("retention schedule"),
    "retention_run": N_("retention"),
    "review_answer": N_("reviewer's answer"),
    "review_opened": N_("review opened"),
    "review_step": N_("step of a review"),
    "rights_impact": N_("rights impact"),
    "schema": N_("form of the entries"),
    "search": N_("search"),
    "sharing": N_("shared data"),
    "software": N_("software"),
    "subject_request": N_("request about oneself"),
    "suppression": N_("candidates left out"),
    "threshold": N_("threshold"),
    "training": N_("training"),
    "use_proposal": N_("proposed use"),
    "use_transition": N_("step of a use"),
    "vote": N_("vote"),
    "witness": N_("witness"),
}
"""By kind. A test holds it to the list of all kinds."""

FIELD_WORDS: Mapping[str, str] = {
    **COLUMNS,
    "access_key_id": N_("Access key"),
    "action": N_("Act"),
    "after": N_("After"),
    "agency_kind": N_("Kind of agency"),
    "alert": N_("Alert"),
    "answer": N_("Answer"),
    "are_groups_withheld": N_("Groups withheld"),
    "before": N_("Before"),
    "bundle_digest": N_("Bundle (SHA-256)"),
    "camera": N_("Camera"),
    "candidate": N_("Candidate"),
    "candidates": N_("Candidates"),
    "case": N_("Case"),
    "certificate": N_("Certificate"),
    "change": N_("Change"),
    "comment": N_("Comment (entry)"),
    "compared_by": N_("Compared by"),
    "completed": N_("Completed"),
    "content": N_("Content"),
    "counted_by": N_("Counted by"),
    "counts": N_("Counts"),
    "course": N_("Course"),
    "decision": N_("Decision of the policy"),
    "declared_by": N_("Declared by"),
    "detected_by": N_("Looked for by"),
    "disclosed_by": N_("Handed out by"),
    "document": N_("Text"),
    "done_by": N_("Done by"),
    "due_before": N_("What was due before"),
    "edited_by": N_("Edited by"),
    "erasures": N_("Erasures"),
    "erasures_to_repeat": N_("Erasures to repeat"),
    "event": N_("What happened"),
    "evidence": N_("Evidence"),
    "faces_added": N_("Faces added"),
    "faces_destroyed": N_("Faces destroyed"),
    "faces_removed": N_("Faces removed"),
    "failed": N_("Failed"),
    "former_key": N_("Key before"),
    "frame": N_("Picture"),
    "galleries_erased": N_("Galleries erased"),
    "gallery_version": N_("Version of the gallery"),
    "granted_by": N_("Who could grant it"),
    "groups": N_("Groups"),
    "handled_by": N_("Handled by"),
    "held_by": N_("Ordered by"),
    "holding": N_("What is kept"),
    "holds_lost": N_("Orders to keep that were lost"),
    "identity": N_("Who it is"),
    "images": N_("Pictures"),
    "incident": N_("Incident (entry)"),
    "is_late_authorisation": N_("Authorised afterwards"),
    "justification": N_("Why it was needed"),
    "known_entries": N_("Entries that the copy knew"),
    "lead": N_("Lead"),
    "ledger_entries": N_("Entries on the record"),
    "limits": N_("Limits"),
    "login": N_("Login"),
    "mark": N_("Finding that it is somebody else"),
    "marked_by": N_("Found by"),
    "marks": N_("Findings that they are others"),
    "matches": N_("Alike enough"),
    "missing": N_("Missing"),
    "moderated_by": N_("Moderated by"),
    "names": N_("Names"),
    "new_key": N_("Key from then on"),
    "offence": N_("Offence"),
    "operation": N_("Edit"),
    "order_digest": N_("Order (SHA-256)"),
    "outcome": N_("What came of it"),
    "overseers": N_("Overseers"),
    "owner": N_("Whose it is"),
    "person": N_("Person"),
    "photograph": N_("Photograph"),
    "probe": N_("Photograph that was searched with"),
    "proof_digest": N_("Proof (SHA-256)"),
    "proposal": N_("Proposal (entry)"),
    "proposed_by": N_("Proposed by"),
    "reasons": N_("Reasons"),
    "receipt_digest": N_("Receipt (SHA-256)"),
    "received_by": N_("Received by"),
    "recipient_kind": N_("Who got it"),
    "refused": N_("Refused to"),
    "report_kind": N_("Kind of report"),
    "request": N_("Request"),
    "request_kind": N_("What was asked for"),
    "restored_by": N_("Restored by"),
    "result": N_("Result"),
    "review": N_("Review"),
    "reviewer": N_("Reviewer"),
    "reviewers_needed": N_("Reviewers needed"),
    "rights_ended": N_("Rights that ended"),
    "roles": N_("Roles"),
    "round": N_("Round"),
    "rule": N_("Rule"),
    "salts": N_("Commitments emptied"),
    "scope": N_("What it covers"),
    "search": N_("Search (entry)"),
    "search_class": N_("Class of search"),
    "searched_by": N_("Searched by"),
    "searches": N_("Searches"),
    "stated_by": N_("Stated by"),
    "subject": N_("Person enrolled"),
    "summary": N_("Summary"),
    "terms": N_("Terms"),
    "things_destroyed": N_("Other things destroyed"),
    "things_held": N_("Other things kept by an order"),
    "things_kept": N_("Other things not yet due"),
    "total": N_("All together"),
    "tried_by": N_("Tried by"),
    "unknown_entries": N_("Entries that the copy didn't know"),
    "until": N_("Until"),
    "visibility": N_("Visibility"),
    "watchlist": N_("Watchlist"),
    "watchlist_version": N_("Version of the watchlist"),
    "years_after_last_interaction": N_("Years after the last interaction"),
}
"""By the name that a field has in any entry or row. A test holds it to all fields of all kinds."""

_STANDINGS = {
    facts.Standing.ADDED: N_("added"),
    facts.Standing.CHANGED: N_("changed"),
    facts.Standing.SUSPENDED: N_("suspended"),
    facts.Standing.RESUMED: N_("takes part again"),
    facts.Standing.REMOVED: N_("removed"),
}
_AGENCY_KINDS = {
    facts.AgencyKind.LAW_ENFORCEMENT: N_("law enforcement"),
    facts.AgencyKind.LAW_ENFORCEMENT_SUPPLIER: N_("a company that serves law enforcement"),
    facts.AgencyKind.BUSINESS: N_("a business"),
    facts.AgencyKind.RESEARCH: N_("a research institution"),
    facts.AgencyKind.PRIVATE: N_("one private person"),
}
_REPORT_KINDS = {
    facts.ReportKind.ACCOUNTABILITY: N_("accountability report"),
    facts.ReportKind.RIGHTS_IMPACT: N_("rights impact assessment"),
    facts.ReportKind.MONTHLY: N_("report of a month"),
    facts.ReportKind.YEARLY: N_("report of a year"),
    facts.ReportKind.AUDIT: N_("audit"),
}
_REQUEST_KINDS = {
    facts.RequestKind.ACCESS: N_("whether they are enrolled"),
    facts.RequestKind.ERASURE: N_("to be erased"),
    facts.RequestKind.CORRECTION: N_("to have something corrected"),
    facts.RequestKind.COMPLAINT: N_("a complaint"),
}
_EVENTS = {
    facts.AlertEvent.RAISED: N_("raised"),
    facts.AlertEvent.CONFIRMED: N_("confirmed"),
    facts.AlertEvent.DISMISSED: N_("dismissed"),
    facts.AlertEvent.DELETED: N_("deleted"),
    facts.LeadEvent.CONFIRMED: N_("confirmed"),
    facts.LeadEvent.EVIDENCE_ATTESTED: N_("independent evidence is attested"),
    facts.LeadEvent.EXPORTED: N_("exported"),
    facts.LeadEvent.ACTED_ON: N_("acted on"),
    facts.LeadEvent.ARREST: N_("led to an arrest"),
    facts.LeadEvent.NOT_USED: N_("not used"),
    facts.LeadEvent.FALSE: N_("false: it was somebody else"),
    facts.LeadEvent.CLOSED: N_("closed"),
    facts.RequestEvent.RECEIVED: N_("received"),
    facts.RequestEvent.EXTENDED: N_("extended"),
    facts.RequestEvent.ANSWERED: N_("answered"),
    facts.RequestEvent.REFUSED: N_("refused"),
    facts.RequestEvent.WITHDRAWN: N_("withdrawn"),
    facts.RequestEvent.APPEALED: N_("appealed"),
    facts.RequestEvent.OVERTURNED: N_("the appeal was granted"),
    facts.RequestEvent.UPHELD: N_("the appeal was rejected"),
}
_OUTCOMES = {
    facts.SearchOutcome.CANDIDATES: N_("candidates"),
    facts.SearchOutcome.NO_CANDIDATE: N_("no candidate"),
    facts.SearchOutcome.NO_FACE: N_("no face that is good enough"),
    facts.ReviewOutcome.SAME_PERSON: N_("the same person"),
    facts.ReviewOutcome.DIFFERENT: N_("different people"),
    facts.ReviewOutcome.INCONCLUSIVE: N_("inconclusive"),
    facts.ReviewOutcome.IMAGE_UNSUITABLE: N_("a picture is unsuitable"),
}
_CONTENT_CHANGES = {
    facts.ContentChange.ENROLLED: N_("faces were enrolled"),
    facts.ContentChange.REMOVED: N_("faces were removed"),
    facts.ContentChange.ASSOCIATED: N_("faces were given to a person"),
    facts.ContentChange.DISASSOCIATED: N_("faces were taken from a person"),
    facts.ContentChange.SUBJECT_ADDED: N_("a person was added"),
    facts.ContentChange.SUBJECT_REMOVED: N_("a person was removed"),
    facts.ContentChange.CORRECTED: N_("something was corrected"),
}
_STEPS_OF_USES = {
    UseEvent.CLOSE_COMMENTS: N_("the time for comments was over"),
    UseEvent.APPROVE: N_("enough overseers approved"),
    UseEvent.REJECT: N_("too few could still approve"),
    UseEvent.ACTIVATE: N_("its time began"),
    UseEvent.SUSPEND: N_("an overseer suspended it"),
    UseEvent.REINSTATE: N_("the overseers lifted the suspension"),
    UseEvent.EXPIRE: N_("its time was over"),
    UseEvent.REVOKE: N_("the overseers revoked it"),
    UseEvent.WITHDRAW: N_("its agency gave it up"),
    UseEvent.DECLARE_EMERGENCY: N_("an emergency was declared"),
    UseEvent.LAPSE: N_("nobody authorised it in time"),
}
_ERASURES = {
    Cause.DELETION: N_("whoever keeps the gallery deleted it"),
    Cause.REQUEST: N_("the person asked for it"),
    Cause.RETENTION: N_("its time was over"),
    Cause.EMERGENCY_LAPSED: N_("an emergency was not authorised in time"),
    Cause.RESTORATION: N_("it had been erased before, and came back with older records"),
    REVIEW_RETENTION: N_("what a review needs was no longer needed"),
}
_ACTS = {
    Act.DETECT: N_("look for faces"),
    Act.COMPARE: N_("compare faces"),
    Act.SEARCH: N_("search"),
    Act.ENROL: N_("enrol faces"),
    Act.FORGET: N_("delete faces"),
    Act.READ_GALLERY: N_("read a gallery"),
    Act.MANAGE_GALLERY: N_("manage a gallery"),
    Act.MEASURE: N_("measure errors"),
    Act.SEARCH_FOR_ASKER: N_("search for somebody who asked"),
    Act.ASSUME_USE: N_("act under a use"),
    Act.REGISTER_AGENCY: N_("register an agency"),
    Act.MANAGE_PEOPLE: N_("manage people"),
    Act.ISSUE_KEY: N_("draw an access key"),
    Act.PROPOSE_USE: N_("propose a use"),
    Act.WITHDRAW_USE: N_("give up a use"),
    Act.DECLARE_EMERGENCY: N_("declare an emergency"),
    Act.VOTE: N_("vote"),
    Act.SUSPEND_USE: N_("suspend a use"),
    Act.PROPOSE_CHANGE: N_("propose a change of the rules"),
    Act.REVIEW: N_("review candidates"),
    Act.ATTEST_EVIDENCE: N_("attest evidence"),
    Act.EXPORT_LEAD: N_("export a lead"),
    Act.CONCLUDE_LEAD: N_("say what became of a lead"),
    Act.DISCLOSE: N_("hand out the record of a case"),
    Act.HANDLE_REQUEST: N_("handle a request"),
    Act.RUN_RETENTION: N_("destroy what is due"),
    Act.READ_RECORD: N_("read what is sealed"),
    Act.PUBLISH_DEPLOYMENT: N_("publish who operates the service"),
    Act.PUBLISH_OVERSIGHT: N_("publish who oversees the service"),
    Act.PUBLISH_REPORT: N_("publish a report"),
    Act.PUBLISH_AUDIT: N_("publish an audit"),
    Act.REPORT_INCIDENT: N_("report an incident"),
    Act.PUBLISH_EVALUATION: N_("publish a test"),
    Act.SUBMIT_FINDING: N_("submit a finding"),
    Act.TEST: N_("test the service"),
}
_PURPOSES = {
    SUBJECT_REQUEST: N_("answer somebody who asked about themselves"),
    INDEPENDENT_TEST: N_("test the service from outside"),
    UNSTATED_USE: N_("private"),
}
_CLASSES = {
    facts.SearchClass.ORGANISATION: N_("an organisation's own"),
    facts.SearchClass.PRIVATE: N_("private"),
    facts.SearchClass.SUBJECT_REQUEST: N_("for somebody who asked about themselves"),
}
_MODEL_ROLES = {
    facts.ModelRole.DETECTOR: N_("finds faces"),
    facts.ModelRole.RECOGNISER: N_("compares faces"),
    facts.ModelRole.QUALITY: N_("judges quality"),
    facts.ModelRole.LIVENESS: N_("tells a person from a picture"),
}


def _missing() -> Mapping[str, str]:
    """What each of our policies says is missing, by the policy's name; one that an operator wrote stays a name."""
    rules = (rule for profile in PROFILES.values() for rule in rulebook(profile, []).rules)
    return {"role": N_("a role that permits it"), **{rule.name: rule.missing for rule in rules if rule.missing}}


def _codes(*tables: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """One table of several, whichever enumeration their codes are of."""
    return {code: words for table in tables for code, words in table}


CODE_WORDS: Mapping[str, Mapping[str, str]] = {
    "action": _codes(_ACTS.items()),
    "agency": {NO_AGENCY: N_("no agency"), UNSTATED_USE: N_("a private installation")},
    "agency_kind": _codes(_AGENCY_KINDS.items()),
    "cause": _codes(_ERASURES.items(), _STEPS_OF_USES.items()),
    "change": _codes(_CONTENT_CHANGES.items()),
    "choice": {
        facts.Choice.APPROVE: N_("Approve"),
        facts.Choice.REJECT: N_("Reject"),
        facts.Choice.ABSTAIN: N_("Abstain"),
    },
    "dimension": {
        Dimension.AGE: N_("age"),
        Dimension.RACE: N_("race"),
        Dimension.SEX: N_("sex"),
    },
    "ended_as": _codes(STATES.items()),
    "event": _codes(_EVENTS.items()),
    "from_state": _codes(STATES.items()),
    "kind": _codes(_AGENCY_KINDS.items(), _REPORT_KINDS.items(), _REQUEST_KINDS.items()),
    "lawful_basis": _codes(BASES.items()),
    "missing": _missing(),
    "occurrence": _codes(OCCURRENCES.items()),
    "operation": _codes(EDIT_WORDS.items()),
    "outcome": _codes(_OUTCOMES.items()),
    "profile": _codes(PROFILE_NAMES.items()),
    "prohibited_uses": _codes(AIM_WORDS.items()),
    "purpose": _codes(PURPOSES.items(), _PURPOSES.items()),
    "purposes": _codes(PURPOSES.items(), _PURPOSES.items()),
    "question": {
        facts.VoteQuestion.TERMS: N_("whether it is allowed"),
        facts.VoteQuestion.REINSTATE: N_("whether its suspension is lifted"),
        facts.VoteQuestion.REVOKE: N_("whether it is revoked"),
    },
    "recipient_kind": _codes(RECIPIENTS.items()),
    "report_kind": _codes(_REPORT_KINDS.items()),
    "request_kind": _codes(_REQUEST_KINDS.items()),
    "role": _codes(_MODEL_ROLES.items()),
    "roles": {**_codes(ROLE_NAMES.items()), "program": N_("program")},
    "scope": {
        facts.ErasureScope.FACE: N_("one face"),
        facts.ErasureScope.SUBJECT: N_("one person"),
        facts.ErasureScope.GALLERY: N_("a whole gallery"),
        facts.ErasureScope.CASE: N_("one case"),
        facts.ErasureScope.RESULTS: N_("results of searches"),
        facts.MarkScope.PROBE: N_("one picture"),
    },
    "search_class": _codes(CLASSES.items(), _CLASSES.items()),
    "search_classes": _codes(CLASSES.items(), _CLASSES.items()),
    "source": _codes(SOURCES.items()),
    "standing": _codes(_STANDINGS.items()),
    "state": _codes(STATES.items()),
    "step": {
        facts.FindingStep.SUBMITTED: N_("submitted"),
        facts.FindingStep.MITIGATED: N_("settled"),
    },
    "to_state": _codes(STATES.items()),
    "use": {UNSTATED_USE: N_("a private installation's own")},
    "verdict": _codes(VERDICTS.items()),
    "visibility": {facts.Visibility.HIDDEN: N_("hidden"), facts.Visibility.SHOWN: N_("shown")},
}
"""By the name of a field and the code in it. Tests hold each to all the values that the field can take."""


def code_words(field: str, code: str) -> str | None:
    """The text of the catalogue for a code in a field; `None` where it is no code that we know.

    What brought a use forward is written `event.by`, and by what is seen from the event.

    >>> code_words("standing", "added"), code_words("cause", "approve.votes"), code_words("name", "added")
    ('added', 'enough overseers approved', None)
    """
    words = CODE_WORDS.get(field, {})
    return words.get(code) or (words.get(code.partition(".")[0]) if field == "cause" else None)
