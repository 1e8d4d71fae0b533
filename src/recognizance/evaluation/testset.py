"""A manifest with its pictures: committed to by hash before anything is measured, and read again byte for byte.

Pictures come from the manifest's folder, or from a bucket through whatever store the caller hands in. A picture whose
bytes change between the commitment and the measurement is an error, because the result would be of another set. Nothing
here looks at a face.
"""

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from recognizance.errors import CorruptionError, InputError
from recognizance.evaluation.manifest import Manifest, Sample, commitment, parse_manifest

MAX_PICTURE_BYTES = 15 << 20
"""What Rekognition accepts from a bucket."""
GALLERY, PROBES = "gallery", "probes"
"""What the paths of a joined set begin with."""
_READERS = 8
_S3 = "s3://"

Progress = Callable[[int], None]
"""Called with the steps just done."""


def silent(_steps: int) -> None:
    """Report to nobody."""


class BucketReader(Protocol):
    """Where pictures at `s3://bucket/key` are read from."""

    def read(self, bucket: str, key: str, version: str | None, *, limit_bytes: int) -> bytes:
        """Read a whole object.

        Raises:
            InputError: If it can't be read or has more than `limit_bytes`.
            UnavailableError: If the store does not answer.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TestSet:
    """Pictures that have been committed to. Samples are named by their numbers in the manifest.

    Attributes:
        image_sha256: Of each sample's picture, lower-case hexadecimal.
        commitment: The set's own hash; see `manifest.commitment`.
        reader: Reads a picture by its path.
    """

    __test__ = False  # not a test, whatever pytest thinks of the name

    manifest: Manifest
    image_sha256: tuple[str, ...]
    commitment: str
    reader: Callable[[str], bytes]

    def __len__(self) -> int:
        return len(self.manifest)

    def picture(self, number: int) -> bytes:
        """The bytes that were committed to.

        Raises:
            CorruptionError: If they are others by now.
        """
        path = self.manifest.samples[number].path
        data = self.reader(path)
        if sha256(data).hexdigest() != self.image_sha256[number]:
            raise CorruptionError(f"{path} has changed since the set was committed to; begin again")
        return data


def open_test_set(file: Path, *, buckets: BucketReader | None = None, progress: Progress = silent) -> TestSet:
    """Read a manifest and hash its pictures, a few at a time.

    Raises:
        InputError: If the manifest is malformed, or a picture can't be read. Names it.
        UnavailableError: If a bucket does not answer.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    return commit_to(parse_manifest(data, name=str(file)), file.parent, buckets=buckets, progress=progress)


def commit_to(
    manifest: Manifest, folder: Path, *, buckets: BucketReader | None = None, progress: Progress = silent
) -> TestSet:
    """As `open_test_set`, for a manifest that was read already."""
    read = functools.partial(_read_picture, folder, buckets)

    def digest(number: int) -> str:
        try:
            found = sha256(read(manifest.samples[number].path)).hexdigest()
        except InputError as error:
            raise InputError(f"{manifest.place(number)}: {error}") from error
        progress(1)
        return found

    with ThreadPoolExecutor(_READERS) as pool:
        digests = tuple(pool.map(digest, range(len(manifest))))
    return TestSet(manifest, digests, commitment(manifest, digests), read)


def joined(gallery: TestSet, probes: TestSet) -> TestSet:
    """A set of people to enrol and a set of people who are certainly absent, as one: paths say which is which.

    Raises:
        InputError: If somebody, or a picture, is in both: then they aren't absent.
    """
    both = {sample.subject for sample in gallery.manifest.samples} & {
        sample.subject for sample in probes.manifest.samples
    }
    if both:
        raise InputError(f"{len(both)} people are in the gallery and among the probes, who have to be absent from it")
    if same := set(gallery.image_sha256) & set(probes.image_sha256):
        raise InputError(f"{len(same)} pictures are in the gallery and among the probes, byte for byte")
    parts = {GALLERY: gallery, PROBES: probes}
    columns = tuple(dict.fromkeys(column for part in parts.values() for column in part.manifest.group_columns))
    rows: list[tuple[Sample, str]] = []
    for prefix, part in parts.items():
        places = {column: place for place, column in enumerate(part.manifest.group_columns)}
        for sample, digest in zip(part.manifest.samples, part.image_sha256, strict=True):
            groups = tuple(sample.groups[places[column]] if column in places else "" for column in columns)
            rows.append((Sample(f"{prefix}/{sample.path}", sample.subject, sample.session, groups), digest))
    rows.sort(key=lambda row: row[0].path)
    session = gallery.manifest.session_column or probes.manifest.session_column
    manifest = Manifest(tuple(sample for sample, _ in rows), columns, session)
    digests = tuple(digest for _, digest in rows)
    readers = {prefix: part.reader for prefix, part in parts.items()}
    return TestSet(manifest, digests, commitment(manifest, digests), functools.partial(_read_joined, readers))


def repeated(test_set: TestSet) -> tuple[tuple[int, ...], ...]:
    """Samples that are the same picture, byte for byte, in groups of two and more."""
    found: dict[str, list[int]] = {}
    for number, digest in enumerate(test_set.image_sha256):
        found.setdefault(digest, []).append(number)
    return tuple(tuple(numbers) for numbers in found.values() if len(numbers) > 1)


def _read_joined(readers: Mapping[str, Callable[[str], bytes]], path: str) -> bytes:
    prefix, _, rest = path.partition("/")
    return readers[prefix](rest)


def _read_picture(folder: Path, buckets: BucketReader | None, path: str) -> bytes:
    if path.startswith(_S3):
        if buckets is None:
            raise InputError(f"{path} can't be read: there is no S3 here; see the settings s3_* in docs/settings.md")
        bucket, _, key = path.removeprefix(_S3).partition("/")
        try:
            return buckets.read(bucket, key, None, limit_bytes=MAX_PICTURE_BYTES)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    place = folder / path
    try:
        if place.stat().st_size > MAX_PICTURE_BYTES:
            raise InputError(f"{place} is larger than {MAX_PICTURE_BYTES >> 20} MiB")
        return place.read_bytes()
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}") from error
