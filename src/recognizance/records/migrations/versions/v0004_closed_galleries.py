"""Galleries that are being erased, a bounded transaction at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# SQLite makes row numbers only for INTEGER.
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "closed_galleries",
        sa.Column("gallery_key", _ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("erasure", sa.String(length=64), nullable=False),
        sa.Column("face_count", sa.BigInteger(), nullable=False),
        sa.Column("image_count", sa.BigInteger(), nullable=False),
        sa.Column("opening_count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key"),
        sa.UniqueConstraint("erasure"),
    )
