"""Permits: built in one place, for what was asked and nothing else, and never before the ruling is on record."""

import ast
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import recognizance
from recognizance.errors import DeniedError, UnavailableError
from recognizance.governance.authority import Authority, OwnerDocket, Party, Ruling
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, OwnerKind, PersonId
from recognizance.governance.policy import Policy, Principal, Role, RuledPolicy
from recognizance.governance.profiles import PROFILES, ProfileName, rulebook
from recognizance.governance.purposes import Capture
from recognizance.governance.requests import Asking, Credential, SearchFacts
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SOURCES = Path(recognizance.__file__).parent
ADMINISTRATOR = Principal(PrincipalId("root"), frozenset({Role.ADMINISTRATOR}))
FAMILY = GalleryId("family")
SEARCHING = Asking(Credential.PERSON_KEY, search=SearchFacts(None, Capture.STILL, threshold_pct=80.0, candidates=10))


def none_today(use: str, day: date) -> int:
    return 0


def no_hash(terms: object) -> Sha256Hex:
    return Sha256Hex("00" * 32)


def forget(ruling: Ruling) -> None:
    """A record that nobody reads."""


class OutsideAdministrator(OwnerDocket):
    """A docket whose one party is an administrator from outside every agency."""

    def party(self, principal: PrincipalId) -> Party | None:
        return Party(OwnerKind.PERSON, frozenset({Role.ADMINISTRATOR}), None)


def ruled(profile: ProfileName, docket: type[OwnerDocket], record: Callable[[Ruling], None]) -> RuledPolicy:
    authority = Authority(
        PROFILES[profile],
        rulebook(PROFILES[profile]),
        docket(
            agency=AgencyId("home"),
            owner=PersonId(PrincipalId("owner")),
            started=NOW - timedelta(days=1),
            commit=no_hash,
            searches_on=none_today,
        ),
    )
    return RuledPolicy(authority, clock=lambda: NOW, record=record)


def decide(policy: RuledPolicy, action: Action = Action.SEARCH, asking: Asking = SEARCHING) -> tuple[str, ...]:
    gallery = None if action in {Action.DETECT, Action.COMPARE, Action.MEASURE} else FAMILY
    permit = policy.decide(ADMINISTRATOR, action, gallery=gallery, decision_id=DecisionId("d-1"), asking=asking)
    permit.require(action, gallery)
    return permit.policies


def test_only_the_policy_builds_a_permit() -> None:
    """No other file of the package calls `Permit`, under its name or another, nor copies a permit with changes."""
    builders = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py") if builds_a_permit(path)}

    assert builders == {"governance/policy.py"}


def builds_a_permit(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    names = {alias.asname or alias.name for alias in imported if alias.name == "Permit"} | {"Permit"}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == "Permit":
            return True
        if isinstance(function, ast.Name):
            copies = function.id == "replace" and call.args and "permit" in ast.dump(call.args[0]).lower()
            if function.id in names or copies:
                return True
    return False


def test_a_permit_covers_the_one_act_that_was_asked_for() -> None:
    """At home a search is permitted by the permission for operators, and the permit covers nothing but that search."""
    policy = ruled(ProfileName.PRIVATE, OwnerDocket, forget)
    permit = policy.decide(
        ADMINISTRATOR, Action.SEARCH, gallery=FAMILY, decision_id=DecisionId("d-1"), asking=SEARCHING
    )

    assert permit.policies == ("operators-search",)
    assert permit.actions == {Action.SEARCH}
    with pytest.raises(DeniedError):
        permit.require(Action.SEARCH, GalleryId("another"))


def test_every_ruling_is_recorded_refusals_too() -> None:
    """A refusal leaves the same trace as a permission."""
    rulings: list[Ruling] = []
    home = ruled(ProfileName.PRIVATE, OwnerDocket, rulings.append)
    decide(home)
    with pytest.raises(DeniedError, match="the search's class, capture, threshold and number of candidates"):
        decide(home, asking=Asking(Credential.PERSON_KEY))

    assert [ruling.decision.allowed for ruling in rulings] == [True, False]


def test_what_cannot_be_recorded_is_not_permitted() -> None:
    """Nothing off the record: if the record fails, there is no permit."""

    def failing(ruling: Ruling) -> None:
        raise UnavailableError("the disk is full")

    with pytest.raises(UnavailableError):
        decide(ruled(ProfileName.PRIVATE, OwnerDocket, failing))


@pytest.mark.parametrize("action", Action)
def test_an_administrators_key_opens_no_face_under_law_enforcement(action: Action) -> None:
    """The role that the caller claims counts for nothing, and the one on record allows running the machine."""
    rulings: list[Ruling] = []
    policy = ruled(ProfileName.LAW_ENFORCEMENT, OutsideAdministrator, rulings.append)
    asking = SEARCHING if action in {Action.SEARCH, Action.COMPARE} else Asking(Credential.PERSON_KEY)

    if action in {Action.MANAGE_GALLERY, Action.MEASURE}:
        assert decide(policy, action, asking) == ("administrators-run-the-service",)
    else:
        with pytest.raises(DeniedError, match="Missing: the role "):
            decide(policy, action, asking)


def test_both_policies_are_asked_in_the_same_way() -> None:
    """Whoever holds a `Policy` can be given a `RuledPolicy`."""
    policy: Policy = ruled(ProfileName.PRIVATE, OwnerDocket, forget)

    permit = policy.decide(ADMINISTRATOR, Action.DETECT, gallery=None, decision_id=DecisionId("d-1"))

    assert permit.policies == ("operators-detect", "examiners-review")


def test_a_command_that_asks_no_policy_does_not_load_cedar() -> None:
    """Importing governance costs no more than it did."""
    program = "import sys, recognizance.governance; sys.exit('cedarpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
