"""Governing an installation: its profile, its policies, and the services through which people govern it.

Opened once, before anything that touches a face: an installation without a profile gets the profile `private`, and one
whose policies don't validate isn't opened at all. Each ruling that refuses is on the record before the caller hears it.

Implements docs/policy.md, "Files and profiles", and docs/governance.md, "Profiles".
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognizance.docket import docket_of
from recognizance.documents import Installation, installation_of
from recognizance.errors import InputError, UnavailableError
from recognizance.galleries import Clock
from recognizance.governance import RuledPolicy
from recognizance.governance.authority import Authority, Ruling
from recognizance.governance.cedar import Rulebook
from recognizance.governance.gate import Running
from recognizance.governance.profiles import PROFILES, Profile, ProfileName, rulebook
from recognizance.governance.rules import PolicyFile
from recognizance.governance.unusual import Thresholds as UnusualThresholds
from recognizance.governing.account_documents import AccountIndex
from recognizance.governing.account_news import AccountNews
from recognizance.governing.evaluations import Evaluations
from recognizance.governing.findings import Findings
from recognizance.governing.incidents import Incidents
from recognizance.governing.moderation import Moderation
from recognizance.governing.pace import Writers
from recognizance.governing.published_results import FOLDER as RESULTS_FOLDER
from recognizance.governing.published_results import PublishedResults
from recognizance.governing.publishing import ActedOn, Publishing
from recognizance.governing.registration import Gate, Registration, establish
from recognizance.governing.sessions import SessionTokens
from recognizance.governing.thresholds import Thresholds
from recognizance.governing.uses import EndsUse, Uses
from recognizance.governing.watching import Watching
from recognizance.recording import Recorder, Refused, Statement, acts, policy_statement
from recognizance.records import Records

POLICIES_FOLDER = "policies"
MAX_POLICY_BYTES = 20_000
"""All the operator's own files together: the policy in force is an entry of the ledger, whole."""

SWEEP_EVERY_S = 60.0

_ROLE = "role"


@dataclass(frozen=True, slots=True)
class Governing:
    """The governing parts of a service."""

    installation: Installation
    profile: Profile
    rulebook: Rulebook
    policy: RuledPolicy
    gate: Gate
    registration: Registration
    uses: Uses
    moderation: Moderation
    evaluations: Evaluations
    findings: Findings
    thresholds: Thresholds
    publishing: Publishing
    incidents: Incidents
    watching: Watching
    tokens: SessionTokens
    writers: Writers

    def statement(self) -> Statement:
        """The policy in force, whole, for the ledger."""
        document = "\n".join(f"// {file.name}\n{file.text}" for file in self.rulebook.files)
        return policy_statement(self.profile.name, (rule.name for rule in self.rulebook.rules), document)


def open_governing(
    data: Path,
    records: Records,
    recorder: Recorder,
    *,
    clock: Clock,
    new_id: Callable[[], str],
    random_bytes: Callable[[int], bytes],
    ends_use: EndsUse,
    acted_on: ActedOn,
    running: Running,
    unusual: UnusualThresholds = UnusualThresholds(),  # noqa: B008 - a value that never changes
    sends: bool = False,
) -> Governing:
    """Open the governing parts of the installation in `data`; one that nobody set up becomes a private one.

    Args:
        ends_use: Ends what the searches of a use led to, when it is revoked or its emergency lapses.
        acted_on: Counts the leads that an agency acted on.
        running: What this installation searches with, which evaluations of uses are held against.
        unusual: From when on use is out of the ordinary, and where the night is.
        sends: Whether there is a mail server, so that mails are queued for it.

    Raises:
        InputError: If a policy doesn't validate, or an operator's own one permits something.
    """
    with records.reading() as reader:
        installation = installation_of(reader)
        sealing_key = reader.derived_key("session tokens").reveal()
        secrets_key = reader.derived_key("secrets of sessions").reveal()
        index = AccountIndex(reader.derived_key("labels of accounts"))
    name = ProfileName.PRIVATE if installation is None else installation.profile
    # Before anything is written: what doesn't validate leaves no trace.
    own = own_policies(data)
    rules = rulebook(PROFILES[name], own)
    for_oversight = rulebook(PROFILES[name]) if own else rules
    if installation is None:
        installation = establish(records, recorder, name, owner_name="", clock=clock, new_id=new_id, is_assumed=True)
    profile = PROFILES[name]

    def record(ruling: Ruling) -> None:
        if not ruling.decision.allowed:
            recorder.record(acts.refusal(refused(ruling)))

    docket = docket_of(records, installation, clock=clock, running=running)
    authority = Authority(profile, rules, docket, for_oversight=for_oversight)
    policy = RuledPolicy(authority, clock=clock, record=record)
    news = AccountNews(records, docket, index, sends=sends, clock=clock, random_bytes=random_bytes)
    gate = Gate(policy, new_id=new_id)
    uses = Uses(records, recorder, gate, profile, clock=clock, ends_use=ends_use, running=running)
    return Governing(
        installation=installation,
        profile=profile,
        rulebook=rules,
        policy=policy,
        gate=gate,
        registration=Registration(
            records, recorder, gate, profile, news, clock=clock, new_id=new_id, random_bytes=random_bytes
        ),
        publishing=Publishing(records, recorder, gate, profile, clock=clock, acted_on=acted_on),
        incidents=Incidents(records, recorder, gate, clock=clock),
        watching=Watching(records, recorder, gate, clock=clock, random_bytes=random_bytes, thresholds=unusual),
        uses=uses,
        moderation=Moderation(recorder, gate),
        evaluations=Evaluations(
            records,
            recorder,
            gate,
            uses,
            PublishedResults(data / RESULTS_FOLDER),
            clock=clock,
            running=running,
        ),
        thresholds=Thresholds(records, recorder, gate, profile, clock=clock, new_id=new_id),
        findings=Findings(records, recorder, gate, clock=clock, new_id=new_id),
        tokens=SessionTokens(sealing_key=sealing_key, secrets_key=secrets_key, clock=clock, random_bytes=random_bytes),
        writers=Writers(clock=clock),
    )


def own_policies(data: Path) -> list[PolicyFile]:
    """The operator's own policy files, `DATA/policies/*.cedar`, in alphabetical order; they may only forbid.

    Raises:
        InputError: If they are too large to be published whole, or no UTF-8.
        UnavailableError: If one can't be read.
    """
    files: list[PolicyFile] = []
    size = 0
    for path in sorted((data / POLICIES_FOLDER).glob("*.cedar")):
        try:
            raw = path.read_bytes()
            text = raw.decode()
        except OSError as error:
            raise UnavailableError(f"can't read {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is no UTF-8") from error
        size += len(raw)
        if size > MAX_POLICY_BYTES:
            raise InputError(
                f"the policies in {path.parent} have {size} bytes together; the limit is {MAX_POLICY_BYTES}"
            )
        # With the folder, so that a file can't pass for one of the profile's.
        files.append(PolicyFile(f"{POLICIES_FOLDER}/{path.name}", text))
    return files


def refused(ruling: Ruling) -> Refused:
    """What the ledger says of a refusal: the policies that refused, by name; their texts are in the ledger already."""
    request = ruling.request
    use = request.use
    return Refused(
        decision=ruling.decision_id,
        action=request.act.value,
        principal=request.caller.principal,
        gallery=None if request.gallery is None else request.gallery.id,
        use=None if use is None else use.id,
        agency=request.caller.agency,
        purpose=None if use is None else use.terms.purpose.value,
        policies=ruling.decision.policies,
        missing=ruling.decision.policies or (_ROLE,),
        case=request.grounds.case,
    )
