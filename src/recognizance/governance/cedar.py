"""Cedar: the only module that imports `cedarpy`.

Policies are read once, checked against the schema and against our own demands (each has a name, a title, and if it
refuses, what is missing and who can grant it), and kept parsed. A service with a policy that does not validate refuses
to start. A decision is default deny, and any prohibition outweighs every permission. Where Cedar would skip a policy
that fails while it is evaluated, we refuse: a prohibition that can't be computed must not become a permission.

Never reads a clock, a file or the database. Implements `docs/policy.md`; Cedar's own semantics are at
https://docs.cedarpolicy.com/auth/authorization.html.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Literal

import cedarpy
from cedarpy import pst

from recognizance.errors import InputError
from recognizance.governance.gate import Evidence, in_words
from recognizance.governance.parties import AgencyKind, OwnerKind, Role
from recognizance.governance.requests import Act, Caller, GalleryFacts, Request
from recognizance.governance.rules import Effect, PolicyFile, Rule, Statement, split_statements
from recognizance.governance.uses import Use

_NAMESPACE = "Recognizance"
_SERVICE = {"type": f"{_NAMESPACE}::Service", "id": "this"}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_POSITIONAL_ID = re.compile(r"policy(\d+)")
_FOUR_PLACES = Decimal("0.0001")
_KNOWN_ENTITIES = 1000
"""Pairs of a caller and a gallery that are kept parsed; a pair is some kilobytes."""

_Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request.

    Attributes:
        policies: Names of the policies that decided, in the order of the files: the permissions that allowed, or the
            prohibitions that refused. Empty if nothing permits the act.
        missing: For each reason of a refusal, what is missing and who can grant it. Empty if allowed.
    """

    allowed: bool
    policies: tuple[str, ...]
    missing: tuple[str, ...]


class Rulebook:
    """Validated policies, ready to decide. Immutable; safe to share between threads.

    Raises:
        InputError: If the schema or a policy is no valid Cedar, doesn't fit the schema or lacks what people must be
            told. Names the file, the line and the policy.
    """

    def __init__(self, schema: PolicyFile, files: Iterable[PolicyFile]) -> None:
        self.files: tuple[PolicyFile, ...] = (schema, *files)
        try:
            self._schema = cedarpy.Schema.from_str(schema.text)
        except ValueError as error:
            raise InputError(f"{schema.name} is no valid schema: {error}") from error
        self.rules: tuple[Rule, ...] = tuple(rule for file in self.files[1:] for rule in _read(file, self._schema))
        self._by_name: Mapping[str, Rule] = _index(self.rules)
        self._about = lru_cache(maxsize=len(Act))(self._read_about)
        self._known = lru_cache(maxsize=_KNOWN_ENTITIES)(self._read_entities)

    def decide(self, request: Request) -> Decision:
        """Answer one request. Costs one evaluation of every policy about the act, a fraction of a millisecond.

        What Cedar parses is parsed once and kept: policies by the act that they are about, callers and galleries by
        what is said of them. The answer itself is computed each time.

        Raises:
            ValueError: If the request doesn't fit the schema, which no value of our types should bring about.
        """
        entities = self._known(json.dumps(_entities(request)))
        answer = cedarpy.is_authorized(_question(request), self._about(request.act), entities, self._schema)
        if answer.decision is cedarpy.Decision.NoDecision:
            raise ValueError(f"the request doesn't fit the policies' schema: {'; '.join(answer.diagnostics.errors)}")
        if answer.diagnostics.errors:
            return Decision(
                allowed=False,
                policies=(),
                missing=(
                    "policies that can be evaluated: one failed, so the request is refused; ask an administrator",
                ),
            )
        named = set(answer.diagnostics.id_annotations_by_reason.values())
        deciding = tuple(rule for rule in self.rules if rule.name in named)
        names = tuple(rule.name for rule in deciding)
        if answer.allowed:
            return Decision(allowed=True, policies=names, missing=())
        return Decision(allowed=False, policies=names, missing=self._explain(request, deciding))

    def rule(self, name: str) -> Rule:
        """The policy called `name`. Raises KeyError if there is none."""
        return self._by_name[name]

    def roles_permitted(self, act: Act) -> frozenset[Role]:
        """Roles that some policy permits `act`, conditions aside."""
        return frozenset(rule.role for rule in self.rules if rule.role is not None and act in rule.acts)

    def _read_about(self, act: Act) -> cedarpy.PolicySet:
        """The policies that can match an act: those that name it in their head, or no act at all."""
        about = (rule for rule in self.rules if not rule.acts or act in rule.acts)
        return cedarpy.PolicySet.from_str("\n".join(rule.statement.text for rule in about))

    def _read_entities(self, entities: str) -> cedarpy.Entities:
        return cedarpy.Entities.from_json_str(entities, self._schema)

    def _explain(self, request: Request, deciding: tuple[Rule, ...]) -> tuple[str, ...]:
        """Say what is missing: a role first, because without one the rest is of no use."""
        reasons = [f"{_missing(rule, request)}; ask {rule.ask}" for rule in deciding]
        permitted = self.roles_permitted(request.act)
        if permitted.isdisjoint(request.caller.roles):
            wanted = " or ".join(sorted(role.value for role in permitted)) or "that no policy permits anybody"
            reasons.insert(0, f"the role {wanted}; ask an administrator, who assigns roles")
        return tuple(reasons)


def _missing(rule: Rule, request: Request) -> str:
    """What a refused caller lacks; where it is about the evaluation or a limit, by how much. Terms are public."""
    if rule.shows_evidence and request.evidence.shortfalls:
        return f"{rule.missing} ({in_words(request.evidence)})"
    if request.use is None or request.search is None:
        return rule.missing
    limits, search = request.use.terms.limits, request.search
    match rule.name:
        case "limit-threshold":
            floor = _four_places(limits.threshold_floor_pct, ROUND_CEILING)
            asked = _four_places(search.threshold_pct, ROUND_FLOOR)
            return f"{rule.missing} (the floor is {_plainly(floor)} %, asked for was {_plainly(asked)} %)"
        case "limit-candidates":
            return f"{rule.missing} (the limit is {limits.candidates}, asked for were {search.candidates})"
        case _:
            return rule.missing


def _index(rules: Iterable[Rule]) -> dict[str, Rule]:
    by_name: dict[str, Rule] = {}
    for rule in rules:
        earlier = by_name.setdefault(rule.name, rule)
        if earlier is not rule:
            raise InputError(
                f"{rule.statement.place}: the name {rule.name!r} is taken by the policy at {earlier.statement.place}"
            )
    return by_name


def _read(file: PolicyFile, schema: cedarpy.Schema) -> list[Rule]:
    """Every policy of a file, validated."""
    statements = list(split_statements(file))
    rules = [_read_statement(statement) for statement in statements]
    result = cedarpy.validate_policies(file.text, schema)
    for error in result.errors:
        position = _POSITIONAL_ID.fullmatch(error.policy_id)
        if position is None or int(position[1]) >= len(rules):
            raise InputError(f"{file.name}: {error.error}")
        rule = rules[int(position[1])]
        raise InputError(f"{rule.statement.place}: policy {rule.name!r} doesn't fit the schema: {error.error}")
    return rules


def _read_statement(statement: Statement) -> Rule:
    try:
        parsed = cedarpy.policies_to_pst(statement.text)
    except ValueError as error:
        raise InputError(f"{statement.place}: no valid policy: {error}") from error
    policies = list(parsed.static_policies.values())
    if len(policies) != 1 or parsed.templates:
        raise InputError(
            f"{statement.place}: not one complete policy; a policy has no ?slots and ends with one semicolon"
        )
    policy = policies[0]
    effect = Effect(policy.effect)
    name = _annotation(statement, policy, "id")
    if _NAME.fullmatch(name) is None:
        raise InputError(f"{statement.place}: the name {name!r} isn't lower-case words joined by hyphens")
    refuses = effect is Effect.FORBID
    return Rule(
        name=name,
        title=_annotation(statement, policy, "title"),
        effect=effect,
        statement=statement,
        acts=_acts(statement, policy.action),
        role=None if refuses else _role(statement, policy.principal),
        missing=_annotation(statement, policy, "missing") if refuses else "",
        ask=_annotation(statement, policy, "ask") if refuses else "",
        shows_evidence="shows_evidence" in policy.annotations,
    )


def _annotation(statement: Statement, policy: pst.Template, key: str) -> str:
    value = policy.annotations.get(key) or ""
    if not value.strip():
        raise InputError(f"{statement.place}: the policy needs the annotation @{key}")
    return value


def _acts(statement: Statement, scope: pst.ActionConstraint) -> frozenset[Act]:
    match scope:
        case pst.ActionEq(entity=entity):
            named = [entity.id]
        case pst.ActionIn(entities=entities):
            named = [entity.id for entity in entities]
        case _:
            named = []
    try:
        return frozenset(Act(name) for name in named)
    except ValueError as error:
        raise InputError(f"{statement.place}: {error}") from error


def _role(statement: Statement, scope: object) -> Role:
    """A permission says in its head whom it is for, so that a refused caller can be told which role is missing."""
    match scope:
        case pst.ScopeIn(entity=pst.EntityUid(type=pst.EntityType(basename="Role"), id=name)) if name in set(Role):
            return Role(name)
        case _:
            raise InputError(f'{statement.place}: a permission is for a role: principal in {_NAMESPACE}::Role::"…"')


def _uid(kind: str, name: str) -> _Json:
    return {"type": f"{_NAMESPACE}::{kind}", "id": name}


# Moments, percentages and entities are written as the schema has them: spelled out, each would name its type again,
# and Cedar would parse that name.


def _moment(at: datetime) -> str:
    """A moment in Cedar's form, to the millisecond, downwards."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _percentage(value_pct: float, rounding: Literal["ROUND_FLOOR", "ROUND_CEILING"]) -> str:
    """A percentage in Cedar's form, which has four decimals."""
    return str(_four_places(value_pct, rounding))


def _four_places(value_pct: float, rounding: Literal["ROUND_FLOOR", "ROUND_CEILING"]) -> Decimal:
    """A percentage as policies compare it, which is how a refused caller is told it."""
    return Decimal(value_pct).quantize(_FOUR_PLACES, rounding=rounding)


def _plainly(value_pct: Decimal) -> str:
    return f"{value_pct:f}".rstrip("0").rstrip(".")


def _principal(caller: Caller) -> _Json:
    return _uid("Person" if caller.kind is OwnerKind.PERSON else "Program", caller.principal)


def _question(request: Request) -> _Json:
    return {
        "principal": _principal(request.caller),
        "action": _uid("Action", request.act.value),
        "resource": _SERVICE if request.gallery is None else _uid("Gallery", request.gallery.id),
        "context": _context(request),
    }


def _entities(request: Request) -> list[_Json]:
    caller, gallery = request.caller, request.gallery
    parents = [_uid("Role", role.value) for role in sorted(caller.roles)]
    if caller.agency is not None:
        parents.append(_uid("Agency", caller.agency))
    entities: list[_Json] = [{"uid": _principal(caller), "attrs": {}, "parents": parents}]
    if gallery is not None:
        entities.append({"uid": _uid("Gallery", gallery.id), "attrs": _gallery_attributes(gallery), "parents": []})
    return entities


def _gallery_attributes(gallery: GalleryFacts) -> _Json:
    attributes: _Json = {
        "sources": sorted(source.value for source in gallery.sources),
        "facesWithoutSource": gallery.faces_without_source,
        "joinedWithOtherData": gallery.joined_with_other_data,
    }
    if gallery.agency is not None:
        attributes["agency"] = _uid("Agency", gallery.agency)
    if gallery.tester is not None:
        attributes["tester"] = _uid("Person", gallery.tester)
    return attributes


def _context(request: Request) -> _Json:
    caller, grounds, search, enrolment = request.caller, request.grounds, request.search, request.enrolment
    context: dict[str, object | None] = {
        "now": _moment(request.now),
        "credential": caller.credential.value,
        "boundUse": caller.bound_use,
        "searchesToday": request.searches_today,
        "case": _stated(grounds.case),
        "justification": _stated(grounds.justification),
        "offence": _stated(grounds.offence),
        "declared": sorted(aim.value for aim in grounds.declared),
        "trainedUntil": None if caller.trained_until is None else _moment(caller.trained_until),
    }
    if request.use is not None and request.use_agency_kind is not None:
        context["use"] = _use(request.use, request.use_agency_kind, request.now, request.evidence)
    if search is not None:
        context["search"] = _present(
            {
                "class": search.search_class,
                "capture": search.capture.value,
                # Downwards here and upwards for the floor: rounding can refuse a search, it can't let one through.
                "thresholdPct": _percentage(search.threshold_pct, ROUND_FLOOR),
                "candidates": search.candidates,
                "probes": search.probes,
            }
        )
    if request.asker is not None:
        context["asker"] = {"request": request.asker.request, "state": request.asker.state.value}
    if enrolment is not None:
        context["enrolment"] = _present({"source": enrolment.source, "basis": enrolment.basis})
    return _present(context)


def _use(use: Use, kind: AgencyKind, now: datetime, evidence: Evidence) -> _Json:
    terms = use.terms
    limits, authority = terms.limits, terms.authority
    return _present(
        {
            "id": use.id,
            "state": use.state_at(now).value,
            "agency": _uid("Agency", terms.agency),
            "agencyKind": kind.value,
            "gallery": None if terms.gallery is None else _uid("Gallery", terms.gallery),
            "purpose": terms.purpose.value,
            "searchClasses": sorted(item.value for item in terms.search_classes),
            "captures": sorted(item.value for item in limits.captures),
            "offences": sorted(limits.offences),
            "thresholdFloorPct": _percentage(limits.threshold_floor_pct, ROUND_CEILING),
            "candidates": limits.candidates,
            "searchesPerDay": limits.searches_per_day,
            "starts": _moment(terms.starts),
            "endsAt": _moment(use.ends_at),
            "reviewRequired": terms.review_required,
            "reportInForce": terms.report.is_in_force_at(now),
            "evaluation": evidence.fitness.value,
            "course": terms.course,
            "authority": None
            if authority is None
            else {
                "kind": authority.kind.value,
                "starts": _moment(authority.starts),
                "ends": _moment(authority.ends),
            },
        }
    )


def _stated(text: str | None) -> str | None:
    """A blank is nothing stated: a space is no case."""
    return None if text is None else text.strip() or None


def _present(record: Mapping[str, object | None]) -> _Json:
    """Leave out what isn't stated: an absent attribute and an empty one mean different things to a policy."""
    return {key: value for key, value in record.items() if value is not None}
