"""The database's form, step by step. Steps go forward only, and never import `schema`, which changes after them.

Each step is a file of `versions/`. All that are missing run at opening, in one transaction that either takes the
database to the newest form or leaves it as it was.
"""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection

from recognizance.errors import CorruptionError, InputError

_FOLDER = Path(__file__).parent


def migrate(connection: Connection) -> None:
    """Bring the database to the newest form. Has to run in a transaction that nobody else writes beside.

    Raises:
        InputError: If a later version of this program has written the database.
    """
    scripts = ScriptDirectory(str(_FOLDER))
    context = MigrationContext.configure(connection)
    current = context.get_current_revision()
    newest = scripts.get_current_head()
    if current == newest:
        return
    try:
        missing = list(scripts.iterate_revisions(newest, current or "base"))
    except (CommandError, ResolutionError) as error:
        raise InputError(
            f"the records have the form {current!r}, which this version doesn't know: a later one has written them."
            f" Use that version, or put back the copy from before (`recognizance backup`); forms never go back"
        ) from error
    if newest is None:
        raise CorruptionError("this installation lacks the steps that make a database")
    with Operations.context(context):
        for step in reversed(missing):
            step.module.upgrade()
    context.stamp(scripts, newest)


def newest_form() -> str | None:
    """The form that this program writes."""
    return ScriptDirectory(str(_FOLDER)).get_current_head()
