"""The overseers' calendar: what is ahead, soonest first, of uses that aren't over."""

from datetime import timedelta

from recognizance.governance.deadlines import DeadlineKind, deadlines
from recognizance.governance.uses import FINAL, UseState

from ..uses_in_states import EXPIRES, NOW, PROPOSED, STARTS, use_in


def test_dates_are_those_ahead_and_the_soonest_comes_first() -> None:
    """Of an active use: its end and its report's; not its start, which is past."""
    found = deadlines([use_in(UseState.ACTIVE)], NOW)
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert {each.kind for each in found} >= {DeadlineKind.USE_ENDS, DeadlineKind.REPORT_EXPIRES}
    assert DeadlineKind.USE_STARTS not in {each.kind for each in found}
    assert all(each.at > NOW for each in found)


def test_a_proposal_has_its_comment_period_and_its_start() -> None:
    kinds = {each.kind for each in deadlines([use_in(UseState.PROPOSED)], PROPOSED + timedelta(hours=1))}
    assert {DeadlineKind.COMMENTS_END, DeadlineKind.USE_STARTS} <= kinds


def test_an_evaluations_end_is_a_date_of_the_use_that_relies_on_it() -> None:
    """Found by the commitment to its result; without one there is no date to show."""
    use = use_in(UseState.ACTIVE)
    reference = use.terms.evaluation
    assert reference is not None
    end = NOW + timedelta(days=3)
    found = deadlines([use], NOW, evaluations={reference.report_sha256: end})
    assert (found[0].kind, found[0].at) == (DeadlineKind.EVALUATION_EXPIRES, end)
    assert DeadlineKind.EVALUATION_EXPIRES not in {each.kind for each in deadlines([use], NOW)}


def test_what_is_over_has_no_dates() -> None:
    assert deadlines([use_in(state) for state in sorted(FINAL)], STARTS) == ()
    assert deadlines([use_in(UseState.ACTIVE)], EXPIRES) == ()
