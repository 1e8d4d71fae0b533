"""The outbox of the ledger, the openings of its commitments, and governance's documents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# SQLite makes row numbers only for INTEGER.
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNMARKED = sa.text("log_index IS NULL")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", _ROW_NUMBER, nullable=False),
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger()),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("entry_id"),
        sa.UniqueConstraint("log_index"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_unmarked", "outbox", ["position"], sqlite_where=_UNMARKED, postgresql_where=_UNMARKED)
    op.create_table(
        "openings",
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("gallery_key", _ROW_NUMBER),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["outbox.entry_id"]),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("entry_id", "field"),
    )
    op.create_index("openings_by_gallery", "openings", ["gallery_key"])
    op.create_table(
        "documents",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=255), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "document_id"),
    )
    op.create_index("documents_by_state", "documents", ["kind", "state", "document_id"])
    op.create_index("documents_by_due", "documents", ["kind", "due", "document_id"])
    op.create_table(
        "document_labels",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("document_id", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["kind", "document_id"], ["documents.kind", "documents.document_id"]),
        sa.PrimaryKeyConstraint("kind", "label", "value", "document_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("document_labels_by_document", "document_labels", ["kind", "document_id"])
    _tell_planner()


# As in the first form: rows in all, then for each longer key. The tables start empty, and grow.
_STATISTICS = (
    ("outbox", "sqlite_autoindex_outbox_1", "1000000 1"),
    ("outbox", "sqlite_autoindex_outbox_2", "1000000 1"),
    ("outbox", "outbox_unmarked", "10 1"),
    ("openings", "sqlite_autoindex_openings_1", "4000000 4 1"),
    ("openings", "openings_by_gallery", "4000000 200000"),
    ("documents", "sqlite_autoindex_documents_1", "1000000 100000 1"),
    ("documents", "documents_by_state", "1000000 100000 10000 1"),
    ("documents", "documents_by_due", "1000000 100000 10 1"),
    ("document_labels", "document_labels", "2000000 200000 100000 10 1"),
    ("document_labels", "document_labels_by_document", "2000000 200000 2"),
)


def _tell_planner() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    statistics = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    op.bulk_insert(statistics, [{"tbl": table, "idx": index, "stat": stat} for table, index, stat in _STATISTICS])
    op.execute("ANALYZE sqlite_schema")  # has this connection read them
