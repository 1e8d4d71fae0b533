"""The database's form, step by step. Steps go forward only, and never import `schema`, which changes after them.

Each step is a file `vNNNN_name.py` of `versions/`, and NNNN its revision. All that are missing run at opening, in one
transaction that either takes the database to the newest form or leaves it as it was.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

_FOLDER = Path(__file__).parent
_CURRENT = text("SELECT version_num FROM alembic_version")


def migrate(connection: Connection) -> None:
    """Bring the database to the newest form. Has to run in a transaction that nobody else writes beside.

    Raises:
        InputError: If a later version of this program has written the database.
    """
    if inspect(connection).has_table("alembic_version") and connection.scalars(_CURRENT).all() == [newest_form()]:
        return
    from recognizance.records.migrations.steps import take_missing_steps

    take_missing_steps(connection, _FOLDER)


def newest_form() -> str:
    """The form that this program writes: the number of its last step."""
    return max(path.name[1:5] for path in (_FOLDER / "versions").glob("v[0-9][0-9][0-9][0-9]_*.py"))
