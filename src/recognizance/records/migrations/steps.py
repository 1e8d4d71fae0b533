"""Taking the steps that a database lacks. Imported only when one is missing: Alembic takes long to load."""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection

from recognizance.errors import CorruptionError, InputError


def take_missing_steps(connection: Connection, folder: Path) -> None:
    """Bring the database to the form of the last step in `folder`. Raises as `migrate` does."""
    scripts = ScriptDirectory(str(folder))
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
