"""What the denial matrix expects, written by hand from the sentences of docs/policy.md: it knows nothing of the files.

`governance/test_denials.py` asks the policies themselves, `contract/test_denials_over_http.py` a served installation.
"""

from recognizance.governance.profiles import ProfileName

# Rows are acts, columns are roles:
#                      operator examiner supervisor overseer desk_officer administrator auditor
WHO_MAY = """
    detect             yes      yes      -          -        -            -             -
    compare            yes      -        -          -        -            -             -
    search             yes      -        -          -        -            -             -
    enrol              yes      -        -          -        -            -             -
    forget             yes      -        yes        -        yes          -             -
    read_gallery       yes      -        yes        -        yes          -             -
    manage_gallery     -        -        yes        -        -            yes           -
    measure            -        -        -          -        -            yes           yes
    search_for_asker   -        -        -          -        yes          -             -
    assume_use         yes      -        -          -        -            -             -
    register_agency    -        -        -          -        -            yes           -
    manage_people      -        -        -          -        -            yes           -
    issue_key          -        -        -          -        -            yes           -
    propose_use        -        -        yes        -        -            -             -
    withdraw_use       -        -        yes        -        -            -             -
    declare_emergency  -        -        yes        -        -            -             -
    vote               -        -        -          yes      -            -             -
    suspend_use        -        -        -          yes      -            -             -
    propose_change     -        -        yes        -        -            yes           -
    review             -        yes      -          -        -            -             -
    attest_evidence    -        -        yes        -        -            -             -
    export_lead        -        -        yes        -        -            -             -
    conclude_lead      -        -        yes        -        -            -             -
    disclose           -        -        yes        -        -            -             yes
    handle_request     -        -        -          -        yes          -             -
    run_retention      -        -        -          -        -            yes           -
    read_record        -        -        -          yes      -            -             yes
    publish_deployment -        -        -          -        -            yes           -
    publish_oversight  -        -        -          yes      -            -             -
    publish_report     -        -        yes        -        -            -             -
    publish_audit      -        -        -          -        -            -             yes
    report_incident    yes      yes      yes        yes      yes          yes           yes
    publish_evaluation -        -        -          -        -            -             yes
    submit_finding     -        -        -          -        -            -             yes
"""
COLUMNS = ("operator", "examiner", "supervisor", "overseer", "desk_officer", "administrator", "auditor")
PERMITTED = {
    (row.split()[0], role)
    for row in WHO_MAY.strip().splitlines()
    for role, cell in zip(COLUMNS, row.split()[1:], strict=True)
    if cell == "yes"
} | {("submit_finding", "tester"), ("test", "tester")}

UNDER_A_USE = {"search", "compare", "enrol", "assume_use"}
LIVE_STATES = {"active", "emergency", "emergency_authorised"}
POLICE_ONLY = {"investigate_offence", "prevent_imminent_harm"}
JUDGEMENT = {act for act, _ in PERMITTED} - UNDER_A_USE - {
    "detect", "forget", "read_gallery", "manage_gallery", "measure", "run_retention", "read_record",
}  # fmt: skip
ON_A_GALLERY = {"search", "enrol", "forget", "read_gallery", "manage_gallery", "search_for_asker"}

# Purposes reach policy as a use's only. For acts that no sentence ties to a use, one purpose stands for all.
DEPENDS_ON_PURPOSE = UNDER_A_USE | {"review"}


def expected(profile: ProfileName, credential: str, role: str, state: str | None, purpose: str, act: str) -> bool:
    """The sentences of docs/policy.md, one after the other."""
    police = profile is ProfileName.LAW_ENFORCEMENT
    if (act, role) not in PERMITTED:
        return False
    if act in JUDGEMENT and credential in {"program_key", "session"}:
        return False
    if act in UNDER_A_USE and state not in LIVE_STATES:
        return False
    if act in UNDER_A_USE and purpose in POLICE_ONLY and not police:
        return False
    # A program searches for no still picture on police business; a session here belongs to a person.
    return not (police and act in {"search", "compare"} and credential == "program_key")
