"""Comments on proposals: what the public says, as everybody is shown it, and what overseers hide of it.

Nothing is deleted: the entry of a hidden comment stays, and a second one says who hid it and why.
"""

from dataclasses import dataclass
from datetime import datetime

from recognizance.api.forms import Text, form
from recognizance.api.resources.uses import UseStands, stands_of
from recognizance.api.routes import Call, Method, Nothing, Route, Who
from recognizance.api.services import PageQuery, Services
from recognizance.governance import Act
from recognizance.governance.parties import UseId
from recognizance.ledger import EntryId


@form
class CommentForm:
    """What somebody of the public says about a proposal. It is published as it is; who says it is not asked."""

    statement: Text


@form
class ModerationForm:
    """Why a comment is hidden, or shown again; public."""

    reason: Text


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment as everybody is shown it.

    Attributes:
        comment: The ledger's entry of it, by which it is named.
        statement: Empty if it is hidden.
        hidden: Why an overseer hid it; null for one that is shown.
    """

    comment: str
    at: datetime
    statement: str
    hidden: str | None


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Comments by the ids of their entries."""

    comments: tuple[CommentView, ...]
    next_page: str | None


def list_comments(services: Services, call: Call[Nothing, PageQuery]) -> CommentPage:
    use = UseId(call.path["use"])
    known = [each.published for each in services.governing.uses.get(use).comments]
    page, token = services.page("list_comments", known, lambda each: each.entry, call.query, within=use)
    return CommentPage(tuple(CommentView(each.entry, each.at, each.statement, each.hidden) for each in page), token)


def comment_on_use(services: Services, call: Call[CommentForm, Nothing]) -> UseStands:
    use = UseId(call.path["use"])
    if call.asked_by is None:
        services.writers.comments.take(call.address)
    services.governing.uses.comment(use, call.body.statement)
    return stands_of(services.governing.uses.get(use).use)


def hide_comment(services: Services, call: Call[ModerationForm, Nothing]) -> Nothing:
    use, comment = UseId(call.path["use"]), EntryId(call.path["comment"])
    services.governing.moderation.hide(use, comment, call.body.reason, by=call.actor)
    return Nothing()


def show_comment(services: Services, call: Call[ModerationForm, Nothing]) -> Nothing:
    use, comment = UseId(call.path["use"]), EntryId(call.path["comment"])
    services.governing.moderation.show(use, comment, call.body.reason, by=call.actor)
    return Nothing()


ROUTES = (
    Route(
        "list_comments",
        Method.GET,
        "/uses/{use}/comments",
        "List what the public said about a proposal.",
        list_comments,
        CommentPage,
        Who.ANYBODY,
        query=PageQuery,
    ),
    Route(
        "comment_on_use",
        Method.POST,
        "/uses/{use}/comments",
        "Comment on a proposal, in its comment period; without an account at a pace.",
        comment_on_use,
        UseStands,
        Who.ANYBODY,
        body=CommentForm,
        status=201,
    ),
    Route(
        "hide_comment",
        Method.POST,
        "/uses/{use}/comments/{comment}/hiding",
        "Show a comment's reason instead of its text; its entry stays.",
        hide_comment,
        Nothing,
        act=Act.PUBLISH_OVERSIGHT,
        body=ModerationForm,
    ),
    Route(
        "show_comment",
        Method.POST,
        "/uses/{use}/comments/{comment}/showing",
        "Show a hidden comment again.",
        show_comment,
        Nothing,
        act=Act.PUBLISH_OVERSIGHT,
        body=ModerationForm,
    ),
)
