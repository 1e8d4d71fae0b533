"""The order in which documents changed, so that an erasure looks in its transaction at what is new alone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# SQLite makes row numbers only for INTEGER.
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "document_changes",
        sa.Column("position", _ROW_NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("kind", "document_id"),
        sqlite_autoincrement=True,
    )
    op.execute("INSERT INTO document_changes (kind, document_id) SELECT kind, document_id FROM documents")
