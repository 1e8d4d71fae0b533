"""An index by which faces are found by their age, so that what retention is due for is counted without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("faces_by_age", "faces", ["gallery_key", "created"])
    if op.get_bind().dialect.name != "sqlite":
        return
    # As in the first form: rows in all, then in one gallery, then for each longer key.
    statistics = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    op.bulk_insert(statistics, [{"tbl": "faces", "idx": "faces_by_age", "stat": "1000000 500000 2 1"}])
    op.execute("ANALYZE sqlite_schema")  # has this connection read them
