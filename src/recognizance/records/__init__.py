"""What we know: galleries, faces, subjects, access keys, in SQLite, with templates encrypted. See docs/records.md.

The only folder that imports SQLAlchemy and Alembic, and that holds SQL. Everything happens in a transaction:

    records = Records.open(folder, master_key=MasterKey.from_file(folder / "master.key"))
    with records.transaction() as transaction:
        transaction.create_gallery(gallery, model=model, created=now)
        transaction.add_faces(gallery, faces)
    with records.reading() as reader:
        for block in reader.templates(gallery):
            ...
"""

from recognizance.records.closed import ClosedGallery
from recognizance.records.documents import Document
from recognizance.records.keys import MasterKey, Secret, replace_key_file
from recognizance.records.outbox import OpeningRow, OutboxRow
from recognizance.records.records import Reader, Records, Transaction, check_records
from recognizance.records.rows import (
    HORIZON_ROWS,
    MAX_FACES_IN_GALLERY,
    MAX_FACES_OF_SUBJECT,
    MAX_TAGS,
    RELOAD,
    AccessKey,
    AccessKeyPair,
    Association,
    Box,
    Changes,
    Disassociation,
    FaceRow,
    GalleryRow,
    ImportItem,
    ImportState,
    Landmarks,
    NewFace,
    Pose,
    Quality,
    Reload,
    RemovedFaces,
    SubjectBlock,
    SubjectChanges,
    SubjectKey,
    SubjectRow,
    SubjectStatus,
    TemplateBlock,
    TokenUse,
)
from recognizance.records.traces import DocumentPlace, Needles, OpeningPlace, Trace, file_traces

__all__ = [
    "HORIZON_ROWS",
    "MAX_FACES_IN_GALLERY",
    "MAX_FACES_OF_SUBJECT",
    "MAX_TAGS",
    "RELOAD",
    "AccessKey",
    "AccessKeyPair",
    "Association",
    "Box",
    "Changes",
    "ClosedGallery",
    "Disassociation",
    "Document",
    "DocumentPlace",
    "FaceRow",
    "GalleryRow",
    "ImportItem",
    "ImportState",
    "Landmarks",
    "MasterKey",
    "Needles",
    "NewFace",
    "OpeningPlace",
    "OpeningRow",
    "OutboxRow",
    "Pose",
    "Quality",
    "Reader",
    "Records",
    "Reload",
    "RemovedFaces",
    "Secret",
    "SubjectBlock",
    "SubjectChanges",
    "SubjectKey",
    "SubjectRow",
    "SubjectStatus",
    "TemplateBlock",
    "TokenUse",
    "Trace",
    "Transaction",
    "check_records",
    "file_traces",
    "replace_key_file",
]
