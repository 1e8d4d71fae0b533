"""Indexes for forgetting: faces by age, so that what is due is counted at once; notes of imports by photograph."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("faces_by_age", "faces", ["gallery_key", "created"])
    op.create_index("import_items_by_digest", "import_items", ["digest"])
    if op.get_bind().dialect.name != "sqlite":
        return
    # As in the first form: rows in all, then in one gallery, then for each longer key.
    statistics = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    op.bulk_insert(
        statistics,
        [
            {"tbl": "faces", "idx": "faces_by_age", "stat": "1000000 500000 2 1"},
            {"tbl": "import_items", "idx": "import_items_by_digest", "stat": "1000000 2 1 1 1"},
        ],
    )
    op.execute("ANALYZE sqlite_schema")  # has this connection read them
