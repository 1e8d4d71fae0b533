"""The first form: galleries, faces, subjects, access keys, request tokens, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite makes row numbers only for INTEGER.
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_keys",
        sa.Column("access_key_id", sa.String(length=32), nullable=False),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("access_key_id"),
    )
    op.create_table(
        "galleries",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("gallery_id", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("dimension", sa.Integer()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("face_count", sa.BigInteger(), nullable=False),
        sa.Column("subject_count", sa.BigInteger(), nullable=False),
        sa.Column("removed_count", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("horizon", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gallery_key"),
        sa.UniqueConstraint("gallery_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "installation",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("version_floor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("only = 1", name="only_one"),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "request_tokens",
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operation", "token"),
    )
    op.create_index("request_tokens_by_expiry", "request_tokens", ["expires"])
    op.create_table(
        "gallery_tags",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("value", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "tag"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "images",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("image_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32)),
        sa.Column("external_image_id", sa.String(length=255)),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "image_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("images_by_content", "images", ["gallery_key", "sha256"])
    op.create_table(
        "import_items",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("job", sa.String(length=255), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("face_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "job", "path"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "packs",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("pack_key", sa.BigInteger(), nullable=False),
        sa.Column("face_ids", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "pack_key"),
    )
    op.create_table(
        "removed_faces",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("face_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "version", "face_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "removed_subjects",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("subject_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "version", "subject_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subjects",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("subject_id", sa.String(length=128), nullable=False),
        sa.Column("subject_key", sa.String(length=64), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("face_count", sa.Integer(), nullable=False),
        sa.Column("changed_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "subject_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("subjects_by_change", "subjects", ["gallery_key", "changed_version"])
    op.create_index("subjects_by_key", "subjects", ["gallery_key", "subject_key"], unique=True)
    op.create_table(
        "faces",
        sa.Column("gallery_key", _ROW_NUMBER, nullable=False),
        sa.Column("face_id", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=128)),
        sa.Column("pack_key", sa.BigInteger(), nullable=False),
        sa.Column("added_version", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("box_left", sa.Float(), nullable=False),
        sa.Column("box_top", sa.Float(), nullable=False),
        sa.Column("box_width", sa.Float(), nullable=False),
        sa.Column("box_height", sa.Float(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("landmarks", sa.LargeBinary()),
        sa.Column("yaw_deg", sa.Float()),
        sa.Column("pitch_deg", sa.Float()),
        sa.Column("roll_deg", sa.Float()),
        sa.Column("brightness", sa.Float()),
        sa.Column("sharpness", sa.Float()),
        sa.ForeignKeyConstraint(["gallery_key", "image_id"], ["images.gallery_key", "images.image_id"]),
        sa.ForeignKeyConstraint(["gallery_key", "subject_id"], ["subjects.gallery_key", "subjects.subject_id"]),
        sa.ForeignKeyConstraint(["gallery_key"], ["galleries.gallery_key"]),
        sa.PrimaryKeyConstraint("gallery_key", "face_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("faces_by_change", "faces", ["gallery_key", "added_version"])
    op.create_index("faces_by_image", "faces", ["gallery_key", "image_id"])
    op.create_index("faces_by_subject", "faces", ["gallery_key", "subject_id", "face_id"])
    op.create_table(
        "kept_images",
        sa.Column("gallery_key", sa.BigInteger(), nullable=False),
        sa.Column("image_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["gallery_key", "image_id"], ["images.gallery_key", "images.image_id"]),
        sa.PrimaryKeyConstraint("gallery_key", "image_id"),
    )
    _tell_planner()


# Without statistics SQLite takes ten rows for what a gallery holds, and reads all of it rather than look one row up.
# Its documentation allows to write them by hand: rows in all, then in one gallery, then for each longer key.
# https://sqlite.org/fileformat2.html#the_sqlite_stat1_table
_STATISTICS = (
    ("faces", "faces", "1000000 500000 1"),
    ("faces", "faces_by_image", "1000000 500000 2 1"),
    ("faces", "faces_by_subject", "1000000 500000 10 1"),
    ("faces", "faces_by_change", "1000000 500000 10 1"),
    ("images", "images", "1000000 500000 1"),
    ("images", "images_by_content", "1000000 500000 2 1"),
    ("subjects", "subjects", "500000 250000 1"),
    ("subjects", "subjects_by_key", "500000 250000 1"),
    ("subjects", "subjects_by_change", "500000 250000 2 1"),
    ("packs", "sqlite_autoindex_packs_1", "20000 10000 1"),
    ("kept_images", "sqlite_autoindex_kept_images_1", "100000 50000 1"),
    ("removed_faces", "removed_faces", "100000 50000 10 1"),
    ("removed_subjects", "removed_subjects", "100000 50000 10 1"),
    ("import_items", "import_items", "1000000 500000 100000 1"),
)


def _tell_planner() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("ANALYZE")  # makes the table
    statistics = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    op.execute(sa.delete(statistics))
    op.bulk_insert(statistics, [{"tbl": table, "idx": index, "stat": stat} for table, index, stat in _STATISTICS])
    op.execute("ANALYZE sqlite_schema")  # has this connection read them
