"""The steps that make the database, and the tables that the statements see, are the same."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from recognizance.errors import Error, InputError
from recognizance.records import MasterKey, Records, check_records, migrations, schema
from recognizance.records.migrations import migrate, newest_form


def test_the_steps_make_the_tables_that_the_statements_see(records: Records) -> None:
    """Column by column, key by key."""
    with records._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})

        assert compare_metadata(context, schema.metadata) == []


def test_the_steps_and_the_tables_spell_the_same_statements(records: Records) -> None:
    """Also what the comparison above passes over: checks, row numbers, tables without them."""
    plain = create_engine("sqlite://")
    schema.metadata.create_all(plain)
    query = text(
        "SELECT name, sql FROM sqlite_master"
        " WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' AND name != 'sqlite_stat1'"
    )

    def spelled(rows: list[tuple[str, str]]) -> dict[str, list[str]]:
        return {name: sorted(line.strip(" ,\t") for line in sql.splitlines() if line.strip()) for name, sql in rows}

    with records._database.reading() as connection, plain.connect() as other:
        ours = spelled([(row.name, row.sql) for row in connection.execute(query)])
        theirs = spelled([(row.name, row.sql) for row in other.execute(query)])
    plain.dispose()

    assert ours == theirs


def test_the_tables_can_be_made_by_postgresql() -> None:
    """Nothing in them is SQLite's alone but what it ignores."""
    for table in schema.metadata.sorted_tables:
        statement = str(
            CreateTable(table).compile(
                dialect=postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it bare
            )
        )
        assert statement.strip().startswith("CREATE TABLE")
        assert "ROWID" not in statement


def test_a_database_of_a_later_version_is_refused(tmp_path: Path, master_key: MasterKey) -> None:
    """With the way out, and without a change."""
    records = Records.open(tmp_path, master_key=master_key)
    with records._database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    records.close()
    before = (tmp_path / "records.sqlite3").read_bytes()

    with pytest.raises(InputError, match=r"'9999'.*later.*backup"):
        Records.open(tmp_path, master_key=master_key)
    assert (tmp_path / "records.sqlite3").read_bytes() == before


def test_the_last_step_is_the_one_that_the_others_lead_to() -> None:
    """Its number is told from its file's name, and by the chain of steps."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))

    assert newest_form() == scripts.get_current_head()


def test_migrating_twice_changes_nothing(records: Records) -> None:
    """The newest form stays what it is."""
    with records._database.writing() as connection:
        migrate(connection)
        form = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()

    assert form == newest_form()
    assert check_records(records) == ()


def test_many_may_open_a_new_database_at_once(tmp_path: Path, master_key: MasterKey) -> None:
    """One of them makes it; the others wait and find it made, and all of them have the same key."""
    opened: list[Records] = []
    errors: list[Error] = []

    def start() -> None:
        try:
            opened.append(Records.open(tmp_path, master_key=master_key))
        except Error as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problems = [check_records(records) for records in opened]
    for records in opened:
        records.close()

    assert errors == []
    assert problems == [()] * 6
