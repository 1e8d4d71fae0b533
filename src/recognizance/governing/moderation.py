"""Moderation: what becomes of a public comment that abuses the right to comment.

Anybody may comment on a proposal, and what they say is on the record before they are answered. Where a comment names
somebody who has no part in it, threatens, or floods, an overseer hides it from pages and tables, says why, and answers
for that: the ledger has the comment's own entry, and a second one that says who hid it and why. Nothing is deleted, and
another overseer may show it again. The agency that asks for a use has no say in what is said about it.

Implements docs/governance.md, "Comments".
"""

from dataclasses import replace

from recognizance.documents import Comment, Kind, UseRecord, replaced, stored
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.governance import Act
from recognizance.governance.parties import UseId
from recognizance.governing.registration import Actor, Gate
from recognizance.ledger import EntryId, facts
from recognizance.recording import Recorder


class Moderation:
    """Hides comments and shows them again. Safe to share between threads."""

    def __init__(self, recorder: Recorder, gate: Gate) -> None:
        self._recorder = recorder
        self._gate = gate

    def hide(self, use: UseId, comment: EntryId, reason: str, *, by: Actor) -> None:
        """Show a comment's reason instead of its text from now on.

        Args:
            comment: The comment's entry.

        Raises:
            DeniedError: If whoever asks is no overseer.
            NotFoundError: If the use has no such comment.
            ConflictError: If it is hidden already.
            InputError: If there is no reason.
        """
        self._moderate(use, comment, facts.Visibility.HIDDEN, reason, by)

    def show(self, use: UseId, comment: EntryId, reason: str, *, by: Actor) -> None:
        """Show a comment again. Raises as `hide` does."""
        self._moderate(use, comment, facts.Visibility.SHOWN, reason, by)

    def _moderate(self, use: UseId, comment: EntryId, visibility: facts.Visibility, reason: str, by: Actor) -> None:
        overseer, _ = self._gate.require(by, Act.PUBLISH_OVERSIGHT)
        if not reason.strip():
            raise InputError("hiding or showing a comment needs a reason; it is public")
        hidden = reason if visibility is facts.Visibility.HIDDEN else None
        with self._recorder.changing() as change:
            known = stored(change.transaction, Kind.USE, use, UseRecord)
            before = _found(known.value, comment)
            if (before.hidden is None) == (hidden is None):
                raise ConflictError(f"the comment {comment!r} is {visibility.value} already")
            after = tuple(replace(each, hidden=hidden) if each is before else each for each in known.value.comments)
            replaced(change.transaction, known, replace(known.value, comments=after), due=known.document.due)
            change.enter(
                lambda entry: facts.CommentModeration(
                    comment=comment, visibility=visibility, reason=reason, moderated_by=entry.pseudonym(overseer)
                )
            )


def _found(record: UseRecord, comment: EntryId) -> Comment:
    for each in record.comments:
        if each.entry == comment:
            return each
    raise NotFoundError(f"use {record.use.id!r} has no comment {comment!r}")
