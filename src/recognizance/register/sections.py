"""From a state to the register: what the entries that were kept say, as rows.

Nothing is added that an entry doesn't say, and where a thing has several entries, the last one has it.
Pure.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from recognizance.governance.incidents import reaches_oversight_by
from recognizance.ledger import Entry, EntryId, Facts, facts
from recognizance.register import rows
from recognizance.register.figures import WITHHELD_CATEGORY, people_figures, response_times, use_figures
from recognizance.register.proof import proof_section
from recognizance.register.rates import FEW_ERRORS, largest_to_smallest, wilson_interval
from recognizance.register.saved import Reading
from recognizance.register.state import State, uses_by_proposal
from recognizance.register.suppression import WITHHELD, Cell, published

FactsT = TypeVar("FactsT", bound=Facts)

_RATES = (
    ("FMR", "false_matches", "impostor_comparisons"),
    ("FNMR", "false_non_matches", "mated_comparisons"),
    ("FPIR", "false_positive_identifications", "non_mated_searches"),
    ("FNIR", "false_negative_identifications", "mated_searches"),
)


def build_register(reading: Reading) -> rows.Register:
    """Return the register. The same entries, checkpoint and keys give the same register, on any machine."""
    state = reading.state
    return rows.Register(
        rows.FORMAT_VERSION,
        state.newest,
        state.size,
        _deployment(state),
        _oversight(state),
        _system(state),
        rows.GalleriesSection(tuple(_galleries(state))),
        _evaluations(state),
        rows.UseSection(use_figures(state), tuple(_leads_by_group(state))),
        rows.PeopleSection(people_figures(state), response_times(state)),
        _incidents(state),
        proof_section(reading),
    )


def _of(state: State, kind: type[FactsT]) -> Iterator[tuple[Entry, FactsT]]:
    for entry in state.kept:
        if isinstance(entry.facts, kind):
            yield entry, entry.facts


def _deployment(state: State) -> rows.DeploymentSection:
    statements = tuple(
        rows.Statement(
            entry.time,
            said.operator,
            said.accountable_person,
            said.contact,
            said.profile,
            said.legal_basis,
            said.purposes,
            said.prohibited_uses,
        )
        for entry, said in _of(state, facts.Deployment)
    )
    agencies = {
        said.agency: rows.AgencyRow(
            said.agency,
            said.agency_kind.value,
            said.name,
            said.accountable_person,
            said.contact,
            said.standing.value,
            entry.time,
            said.reason,
        )
        for entry, said in _of(state, facts.Agency)
    }
    return rows.DeploymentSection(
        statements, _by_name(agencies), tuple(_uses(state)), tuple(_reports(state)), tuple(_rights_impact(state))
    )


def _rights_impact(state: State) -> Iterator[rows.RightsImpactRow]:
    for entry, said in _of(state, facts.RightsImpact):
        yield rows.RightsImpactRow(
            said.report,
            said.agency,
            said.use,
            said.processes,
            said.period_and_frequency,
            said.people_affected,
            said.risks,
            said.oversight,
            said.measures,
            entry.time,
            said.expires,
        )


def _uses(state: State) -> Iterator[rows.UseRow]:
    states = {said.use: said.to_state.value for _, said in _of(state, facts.UseTransition)}
    last = {said.use: (entry, said) for entry, said in _of(state, facts.UseProposal)}
    for use, (entry, said) in sorted(last.items()):
        yield rows.UseRow(
            use,
            said.agency,
            said.gallery,
            said.purpose,
            tuple(each.value for each in said.search_classes),
            said.offences,
            said.is_live,
            said.needs_review,
            said.threshold_floor_pct,
            said.max_candidates,
            said.max_searches_per_day,
            states.get(use, facts.UseState.PROPOSED.value),
            entry.time,
            said.comments_until,
            said.approvals_needed,
            said.starts,
            said.expires,
            said.evaluation,
            said.authority_digest,
            said.terms_digest,
        )


def _reports(state: State) -> Iterator[rows.ReportRow]:
    for entry, said in _of(state, facts.Report):
        yield rows.ReportRow(
            said.report, said.report_kind.value, said.agency, said.use, said.digest, entry.time, said.expires
        )


def _oversight(state: State) -> rows.OversightSection:
    uses, hidden = uses_by_proposal(state), _hidden_comments(state)
    return rows.OversightSection(
        tuple(
            rows.BodyRow(
                entry.time,
                said.name,
                len(said.members),
                said.votes_needed,
                said.emergency_votes_needed,
                said.comment_period_days,
            )
            for entry, said in _of(state, facts.OversightBody)
        ),
        tuple(_members(state)),
        tuple(
            rows.DecisionRow(
                said.use,
                entry.time,
                said.from_state.value,
                said.to_state.value,
                said.cause,
                said.decided_by,
                said.conditions,
            )
            for entry, said in _of(state, facts.UseTransition)
        ),
        tuple(
            rows.VoteRow(
                said.about,
                uses.get(said.about),
                said.question.value,
                entry.time,
                said.voter,
                said.choice.value,
                said.conditions,
                said.statement,
            )
            for entry, said in _of(state, facts.Vote)
        ),
        tuple(
            _comment(entry, said, uses.get(said.about), hidden.get(entry.id))
            for entry, said in _of(state, facts.Comment)
        ),
        tuple(_suspensions(state)),
    )


def _comment(entry: Entry, said: facts.Comment, use: str | None, hidden: str | None) -> rows.CommentRow:
    return rows.CommentRow(said.about, use, entry.time, "" if hidden else said.statement, entry.id, hidden)


def _hidden_comments(state: State) -> dict[EntryId, str]:
    """Return why comments are hidden, by their entries; the last word on each holds."""
    last = {said.comment: said for _, said in _of(state, facts.CommentModeration)}
    return {comment: said.reason for comment, said in last.items() if said.visibility is facts.Visibility.HIDDEN}


def _members(state: State) -> Iterator[rows.MemberRow]:
    last = {said.person: (entry, said) for entry, said in _of(state, facts.OversightMember)}
    for person, (entry, said) in sorted(last.items()):
        if said.name is not None:
            yield rows.MemberRow(person, said.name, said.office, entry.time)


def _suspensions(state: State) -> Iterator[rows.SuspensionRow]:
    transitions = list(_of(state, facts.UseTransition))
    for place, (entry, said) in enumerate(transitions):
        if said.to_state.value.endswith("suspended"):
            end = next((later for later in transitions[place + 1 :] if later[1].use == said.use), None)
            yield rows.SuspensionRow(
                said.use,
                entry.time,
                said.cause,
                end[0].time if end else None,
                end[1].to_state.value if end else None,
            )


def _system(state: State) -> rows.SystemSection:
    return rows.SystemSection(
        tuple(
            rows.ModelRow(
                entry.time,
                said.model,
                said.standing.value,
                said.role.value,
                said.file_digest,
                said.source,
                said.licence,
            )
            for entry, said in _of(state, facts.Model)
        ),
        tuple(
            rows.ThresholdRow(
                entry.time,
                said.model,
                said.gallery,
                said.former,
                said.new,
                said.false_match_rate,
                said.reason,
                said.changed_by,
            )
            for entry, said in _of(state, facts.ThresholdChange)
        ),
        tuple(
            rows.PolicyRow(entry.time, said.version, said.digest, said.names, said.changed_by)
            for entry, said in _of(state, facts.PolicyChange)
        ),
        tuple(
            rows.SoftwareRow(entry.time, said.name, said.version, said.digest, said.dependencies_digest)
            for entry, said in _of(state, facts.Software)
        ),
    )


def _galleries(state: State) -> Iterator[rows.GalleryRow]:
    last = {said.gallery: said for _, said in _of(state, facts.Gallery)}
    declared = {said.gallery: said for _, said in _of(state, facts.GalleryDeclaration)}
    for name, said in sorted(last.items()):
        changed, purged = state.contents.get(name), state.purges.get(name)
        content = changed.facts if changed else None
        purge = purged.facts if purged else None
        yield rows.GalleryRow(
            name,
            declared[name].agency if name in declared else said.agency,
            said.standing.value,
            said.model,
            declared[name].source if name in declared else said.source,
            declared[name].lawful_basis if name in declared else said.lawful_basis,
            said.categories,
            said.retention_days,
            published(content.faces if isinstance(content, facts.GalleryContent) else 0),
            content.version if isinstance(content, facts.GalleryContent) else 0,
            changed.time if changed else None,
            purged.time if purged else None,
            purge.rule if isinstance(purge, facts.RetentionRun) else None,
            published(purge.faces_destroyed) if isinstance(purge, facts.RetentionRun) else None,
        )


def _evaluations(state: State) -> rows.EvaluationsSection:
    # What was measured here is on the record at once, and again when it is published: the later entry says more.
    latest = {(said.evaluation, said.report_digest): (entry, said) for entry, said in _of(state, facts.Evaluation)}
    found = list(latest.values())
    relying = _uses_by_evaluation(state)
    groups = tuple(row for _, said in found for group in said.groups for row in _group(said.evaluation, group))
    return rows.EvaluationsSection(
        tuple(
            rows.EvaluationRow(
                said.evaluation,
                entry.time,
                said.model,
                said.tester,
                said.is_independent,
                said.protocol,
                said.data_digest,
                said.report_digest,
                said.seed,
                said.threshold,
                said.verdict.value,
                said.gallery_faces,
                said.expires,
                # As of the newest entry, so that the same ledger gives the same register at any time.
                None if said.expires is None else said.expires <= (state.newest or entry.time),
                () if said.expires is None else tuple(sorted(relying.get(said.evaluation, ()))),
                *(
                    largest_to_smallest([(getattr(each, errors), getattr(each, trials)) for each in said.groups])
                    for _, errors, trials in _RATES
                ),
            )
            for entry, said in found
        ),
        groups,
        tuple(_findings(state)),
    )


def _uses_by_evaluation(state: State) -> dict[str, set[str]]:
    relying: dict[str, set[str]] = {}
    for _, said in _of(state, facts.UseProposal):
        if said.evaluation is not None:
            relying.setdefault(said.evaluation, set()).add(said.use)
    return relying


def _findings(state: State) -> Iterator[rows.FindingRow]:
    answers: dict[str, tuple[Entry, facts.Finding]] = {}
    for entry, said in _of(state, facts.Finding):
        if said.step is facts.FindingStep.MITIGATED:
            answers.setdefault(said.finding, (entry, said))
    for entry, said in _of(state, facts.Finding):
        if said.step is facts.FindingStep.SUBMITTED:
            answered, answer = answers.get(said.finding, (None, None))
            until = answered.time if answered else state.newest or entry.time
            yield rows.FindingRow(
                said.finding,
                entry.time,
                said.statement,
                said.result_digest,
                said.stated_by,
                said.due,
                answered.time if answered else None,
                answer.statement if answer else None,
                until > said.due,
            )


def _group(evaluation: str, group: facts.GroupResult) -> Iterator[rows.GroupRow]:
    for measure, errors_name, trials_name in _RATES:
        errors, trials = getattr(group, errors_name), getattr(group, trials_name)
        # A result with more errors than trials is shown, and no rate is made of it.
        low, high = wilson_interval(errors, trials) if 0 < trials >= errors else (None, None)
        rate = errors / trials if low is not None else None
        yield rows.GroupRow(
            evaluation, group.group, measure, errors, trials, rate, low, high, few_errors=errors < FEW_ERRORS
        )


def _leads_by_group(state: State) -> Iterator[rows.LeadGroupRow]:
    for entry, said in _of(state, facts.LeadFigures):
        whole = rows.LeadGroupRow(said.agency, said.year, said.dimension, None, _cell(said.total), entry.time)
        yield whole
        for each in said.groups:
            yield dataclasses.replace(whole, group=each.group, count=_cell(each.count))
        if said.are_groups_withheld:
            yield dataclasses.replace(whole, group=WITHHELD_CATEGORY, count=WITHHELD)


def _cell(count: facts.PublishedCount) -> Cell:
    return Cell(count.least, count.most)


def _incident(state: State, received: Mapping[str, datetime], entry: Entry, said: facts.Incident) -> rows.IncidentRow:
    due, known = reaches_oversight_by(said.occurrence, said.discovered), received.get(entry.id)
    # As of the newest entry, so that the same ledger gives the same register at any time.
    until = known or state.newest or entry.time
    return rows.IncidentRow(
        said.occurrence.value,
        said.discovered,
        entry.time,
        said.agency,
        said.about,
        said.statement,
        None if said.people_affected is None else published(said.people_affected),
        due,
        known,
        None if due is None else until <= due,
    )


def _incidents(state: State) -> rows.IncidentsSection:
    received: dict[str, datetime] = {}
    for entry, said in _of(state, facts.IncidentNotice):
        received.setdefault(said.incident, entry.time)
    reports = list(_of(state, facts.Report))
    audit = facts.ReportKind.AUDIT.value
    return rows.IncidentsSection(
        tuple(_incident(state, received, entry, said) for entry, said in _of(state, facts.Incident)),
        tuple(row for row in _reports(state) if row.kind == audit),
        tuple(
            rows.SharingRow(entry.time, said.agency, said.recipient, said.data, said.standard, said.use)
            for entry, said in _of(state, facts.Sharing)
        ),
        tuple(
            rows.CostRow(said.report, said.report_kind.value, said.agency, said.use, entry.time, said.cost_cents)
            for entry, said in reports
            if said.cost_cents is not None
        ),
    )


RowT = TypeVar("RowT")


def _by_name(found: dict[str, RowT]) -> tuple[RowT, ...]:
    return tuple(row for _, row in sorted(found.items()))
