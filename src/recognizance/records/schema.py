"""The tables, as the statements beside it see them. Migrations create them; a test proves that both agree.

Keys are written so that SQLite keeps the rows of one gallery together (`WITHOUT ROWID`), and so that PostgreSQL can
take the same statements. Instants are microseconds since 1970 in UTC. Sealed columns hold what `keys.DataKey.seal`
returned.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept exactly. SQLite has no type for it, and text would need a spelling to agree on."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData()

installation = Table(
    "installation",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    # Wraps the key that seals access keys, and proves at opening that the master key is the right one.
    Column("wrapped_key", LargeBinary, nullable=False),
    # No gallery that is created from now on may start at or below this version; see galleries.version.
    Column("version_floor", BigInteger, nullable=False),
    CheckConstraint("only = 1", name="only_one"),
)

galleries = Table(
    "galleries",
    metadata,
    # SQLite makes row numbers only for INTEGER, hence the variant.
    Column("gallery_key", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("gallery_id", String(255), nullable=False, unique=True),
    Column("model", String(255), nullable=False),
    Column("dimension", Integer),  # of its templates; unknown until the first
    Column("created", Instant, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("face_count", BigInteger, nullable=False),
    Column("subject_count", BigInteger, nullable=False),
    Column("removed_count", BigInteger, nullable=False),  # rows in removed_faces and removed_subjects
    # Rises with each change and, across a deletion, with each gallery of the same name.
    Column("version", BigInteger, nullable=False),
    # From a version before this one nobody can catch up: what was removed then is no longer known.
    Column("horizon", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# Galleries that are being erased: closed to everybody, without a key, and emptied a bounded transaction at a time.
closed_galleries = Table(
    "closed_galleries",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True, autoincrement=False),
    Column("erasure", String(64), nullable=False, unique=True),
    # What has been removed so far.
    Column("face_count", BigInteger, nullable=False),
    Column("image_count", BigInteger, nullable=False),
    Column("opening_count", BigInteger, nullable=False),
)

gallery_tags = Table(
    "gallery_tags",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("tag", String(128), primary_key=True),
    Column("value", String(256), nullable=False),
    sqlite_with_rowid=False,
)

images = Table(
    "images",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("image_id", String(64), primary_key=True),
    Column("sha256", LargeBinary(32)),
    Column("external_image_id", String(255)),
    Index("images_by_content", "gallery_key", "sha256"),
    sqlite_with_rowid=False,
)

kept_images = Table(
    "kept_images",
    metadata,
    Column("gallery_key", BigInteger, primary_key=True),
    Column("image_id", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    ForeignKeyConstraint(["gallery_key", "image_id"], ["images.gallery_key", "images.image_id"]),
)

subjects = Table(
    "subjects",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("subject_id", String(128), primary_key=True),
    Column("subject_key", String(64), nullable=False),
    Column("created", Instant, nullable=False),
    Column("face_count", Integer, nullable=False),
    Column("changed_version", BigInteger, nullable=False),
    Index("subjects_by_key", "gallery_key", "subject_key", unique=True),
    Index("subjects_by_change", "gallery_key", "changed_version"),
    sqlite_with_rowid=False,
)

faces = Table(
    "faces",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("face_id", String(64), primary_key=True),
    Column("image_id", String(64), nullable=False),
    Column("subject_id", String(128)),
    Column("pack_key", BigInteger, nullable=False),
    Column("added_version", BigInteger, nullable=False),
    Column("created", Instant, nullable=False),
    Column("box_left", Float, nullable=False),
    Column("box_top", Float, nullable=False),
    Column("box_width", Float, nullable=False),
    Column("box_height", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("landmarks", LargeBinary),  # five points, x then y, little-endian float32
    Column("yaw_deg", Float),
    Column("pitch_deg", Float),
    Column("roll_deg", Float),
    Column("brightness", Float),
    Column("sharpness", Float),
    ForeignKeyConstraint(["gallery_key", "image_id"], ["images.gallery_key", "images.image_id"]),
    ForeignKeyConstraint(["gallery_key", "subject_id"], ["subjects.gallery_key", "subjects.subject_id"]),
    Index("faces_by_image", "gallery_key", "image_id"),
    Index("faces_by_subject", "gallery_key", "subject_id", "face_id"),
    Index("faces_by_change", "gallery_key", "added_version"),
    Index("faces_by_age", "gallery_key", "created"),
    sqlite_with_rowid=False,
)

# Templates, sealed by the dozen: see packs.py.
packs = Table(
    "packs",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("pack_key", BigInteger, primary_key=True),
    Column("face_ids", String, nullable=False),  # separated by spaces, in the order of the templates
    Column("sealed", LargeBinary, nullable=False),
)

removed_faces = Table(
    "removed_faces",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("face_id", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

removed_subjects = Table(
    "removed_subjects",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("subject_key", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("access_key_id", String(32), primary_key=True),
    Column("principal", String(128), nullable=False),
    Column("created", Instant, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

request_tokens = Table(
    "request_tokens",
    metadata,
    Column("operation", String(64), primary_key=True),
    Column("token", String(64), primary_key=True),
    Column("request_hash", LargeBinary(32), nullable=False),
    Column("expires", Instant, nullable=False),
    Index("request_tokens_by_expiry", "expires"),
)

import_items = Table(
    "import_items",
    metadata,
    Column("gallery_key", ForeignKey("galleries.gallery_key"), primary_key=True),
    Column("job", String(255), primary_key=True),
    Column("path", String, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String, nullable=False),
    Column("face_count", Integer, nullable=False),
    Index("import_items_by_digest", "digest"),
    sqlite_with_rowid=False,
)

# Entries of the ledger, from the commit of what they speak of until they have their place in the log, and after.
outbox = Table(
    "outbox",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("entry_id", String(36), nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),  # empty once it's in the log
    Column("log_index", BigInteger, unique=True),
    Index(
        "outbox_unmarked",
        "position",
        sqlite_where=text("log_index IS NULL"),
        postgresql_where=text("log_index IS NULL"),
    ),
    sqlite_autoincrement=True,
)

openings = Table(
    "openings",
    metadata,
    Column("entry_id", ForeignKey("outbox.entry_id"), primary_key=True),
    Column("field", String(64), primary_key=True),
    # Whose key seals it; the installation's if none.
    Column("gallery_key", ForeignKey("galleries.gallery_key")),
    Column("sealed", LargeBinary, nullable=False),
    Index("openings_by_gallery", "gallery_key"),
)

documents = Table(
    "documents",
    metadata,
    Column("kind", String(64), primary_key=True),
    Column("document_id", String(255), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("state", String(64), nullable=False),
    Column("due", Instant),
    Column("sealed", LargeBinary, nullable=False),
    Index("documents_by_state", "kind", "state", "document_id"),
    Index("documents_by_due", "kind", "due", "document_id"),
)

document_labels = Table(
    "document_labels",
    metadata,
    Column("kind", String(64), primary_key=True),
    Column("label", String(64), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("document_id", String(255), primary_key=True),
    ForeignKeyConstraint(["kind", "document_id"], ["documents.kind", "documents.document_id"]),
    Index("document_labels_by_document", "kind", "document_id"),
    sqlite_with_rowid=False,
)

# One row for each document, which gets a new number whenever the document changes; no number is given twice.
document_changes = Table(
    "document_changes",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("document_id", String(255), nullable=False),
    UniqueConstraint("kind", "document_id"),
    sqlite_autoincrement=True,
)
