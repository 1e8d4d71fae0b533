"""The disclosure bundle: a ZIP file that proves what it says, with nothing but the log's public key.

    README.txt                      how to check it
    summary.pdf                     the same for people to read
    log.vkey                        the log's public keys, one a line (c2sp.org/signed-note)
    entries/000000012.json          an entry of the ledger, byte for byte
    receipts/000000012.tlog-proof   the proof that it is entry 12 (c2sp.org/tlog-proof)
    openings.json                   salts and values of what those entries only commit to
    pictures/SHA256.png             what the examiners saw, and versions of the probe, as far as they are still kept
    manifest.json                   the case, and the SHA-256 of every file above
    disclosure/entry.json           the entry about this bundle, which holds the SHA-256 of the manifest
    disclosure/openings.json, disclosure/receipt.tlog-proof

So the ledger vouches for the manifest and the manifest for the files: whoever leaves an entry out, or changes one byte
of one file, needs the log's private key. The ZIP itself has one spelling (stored, sorted, dated 1980), which is checked
as well, so that there is no byte that nothing speaks of. Pure. Implements `docs/review.md`, "Disclosure".
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from recognizance.errors import CorruptionError, InputError
from recognizance.ledger import (
    Entry,
    EntryId,
    JsonValue,
    Opening,
    PrivateValue,
    Receipt,
    VerifierKey,
    facts,
    read_canonical,
    write_canonical,
)

FORMAT = "recognizance-disclosure@1"
MANIFEST = "manifest.json"
LOG_KEYS = "log.vkey"
OPENINGS = "openings.json"
README = "README.txt"
SUMMARY = "summary.pdf"
ABOUT_ENTRY = "disclosure/entry.json"
ABOUT_OPENINGS = "disclosure/openings.json"
ABOUT_RECEIPT = "disclosure/receipt.tlog-proof"
_ABOUT = frozenset({ABOUT_ENTRY, ABOUT_OPENINGS, ABOUT_RECEIPT})
_FIXED = frozenset({LOG_KEYS, OPENINGS, README, SUMMARY})

MAX_BUNDLE_BYTES = 1 << 30
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class DisclosedEntry:
    """An entry of the ledger with its proof."""

    data: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle says about a case.

    Attributes:
        entries: In the order of the log.
        pictures: Files as they were kept.
    """

    case: str
    log_keys: tuple[VerifierKey, ...]
    entries: tuple[DisclosedEntry, ...]
    openings: tuple[Opening, ...]
    pictures: tuple[bytes, ...]
    summary_pdf: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verified bundle holds.

    Attributes:
        log_keys: Those in the bundle. If none was given to `verify_bundle`, compare them with the published ones.
        about: The ledger's entry on the disclosure itself.
    """

    case: str
    log_keys: tuple[VerifierKey, ...]
    entries: tuple[tuple[int, Entry], ...]
    openings: tuple[Opening, ...]
    pictures: int
    about: Entry


def files_of(contents: Contents) -> dict[str, bytes]:
    """The files of a bundle, without the manifest and what is about it."""
    files = {
        README: _README.encode(),
        SUMMARY: contents.summary_pdf,
        LOG_KEYS: "".join(f"{key}\n" for key in contents.log_keys).encode(),
        OPENINGS: write_openings(contents.openings),
    }
    for each in contents.entries:
        files[_entry_path(each.receipt.index)] = each.data
        files[_receipt_path(each.receipt.index)] = each.receipt.data
    for picture in contents.pictures:
        files[_picture_path(picture)] = picture
    return files


def manifest_of(case: str, files: Mapping[str, bytes]) -> bytes:
    """The manifest: what the ledger's entry about the bundle holds the SHA-256 of."""
    digests: dict[str, JsonValue] = {path: sha256(data).hexdigest() for path, data in files.items()}
    return write_canonical({"case": case, "files": digests, "format": FORMAT})


def write_bundle(
    files: Mapping[str, bytes], manifest: bytes, about: DisclosedEntry, about_openings: Sequence[Opening]
) -> bytes:
    """The ZIP file. The same files give the same bytes, on every machine."""
    return _zipped(
        {
            **files,
            MANIFEST: manifest,
            ABOUT_ENTRY: about.data,
            ABOUT_OPENINGS: write_openings(about_openings),
            ABOUT_RECEIPT: about.receipt.data,
        }
    )


def verify_bundle(data: bytes, *, log_keys: tuple[VerifierKey, ...] = ()) -> Checked:
    """Check a bundle, offline, from its bytes alone.

    Args:
        log_keys: The log's keys as known from elsewhere. Without them the bundle is only held against the key in it,
            which whoever forged the whole of it could have put there.

    Raises:
        CorruptionError: Says which file doesn't hold, and why.
    """
    files = _unzipped(data)
    try:
        case, manifest = _check_manifest(files)
        keys = _keys_of(files, log_keys)
        openings = read_openings(files[OPENINGS])
        entries = _check_entries(files, keys)
        _check_openings(entries, openings, case)
        about = _check_about(files, keys, manifest, case, len(entries))
    except CorruptionError:
        raise
    except (InputError, KeyError) as error:
        raise CorruptionError(f"the bundle doesn't hold: {error}") from error
    pictures = sum(path.startswith("pictures/") for path in files)
    return Checked(case, keys, tuple(sorted(entries.items())), openings, pictures, about)


def write_openings(openings: Sequence[Opening]) -> bytes:
    """Openings as canonical JSON, sorted by entry and field."""
    rows: list[JsonValue] = [
        {
            "entry": opening.entry_id,
            "field": opening.field,
            "salt": opening.salt.hex(),
            "value": _to_json(opening.value),
        }
        for opening in sorted(openings, key=lambda each: (each.entry_id, each.field))
    ]
    return write_canonical(rows)


def read_openings(data: bytes) -> tuple[Opening, ...]:
    """Read what `write_openings` wrote.

    Raises:
        InputError: If it is anything else.
    """
    rows = read_canonical(data)
    if not isinstance(rows, list):
        raise InputError("the openings are no list")
    openings: list[Opening] = []
    for row in rows:
        match row:
            case {"entry": str(entry), "field": str(field), "salt": str(salt), "value": value}:
                openings.append(Opening(EntryId(entry), field, private_value(value), _salt(salt)))
            case _:
                raise InputError("an opening has an entry, a field, a salt and a value")
    # Written out again, they are the same: no other field, order or spelling gets through.
    if write_openings(openings) != data:
        raise InputError("the openings aren't written as this service writes them")
    return tuple(openings)


def private_value(value: JsonValue) -> PrivateValue:
    """A committed value out of its JSON.

    Raises:
        InputError: If nothing of this form is ever committed to.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list):
        return tuple(private_value(item) for item in value)
    raise InputError("is not a value that can be committed to")


def _to_json(value: PrivateValue) -> JsonValue:
    return [_to_json(item) for item in value] if isinstance(value, tuple) else value


def _salt(text: str) -> bytes:
    try:
        salt = bytes.fromhex(text)
    except ValueError as error:
        raise InputError("a salt isn't hexadecimal") from error
    if salt.hex() != text:
        raise InputError("a salt isn't in lower case")
    return salt


def _check_manifest(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    manifest = files[MANIFEST]
    match read_canonical(manifest):
        case {"case": str(case), "files": dict(digests), "format": str(form)} if form == FORMAT:
            pass
        case _:
            raise InputError(f"the manifest isn't one of the format {FORMAT}")
    held = files.keys() - _ABOUT - {MANIFEST}
    if different := sorted(held ^ digests.keys()):
        raise CorruptionError(f"{different[0]!r} is in the bundle or in its manifest, and not in both")
    for path in sorted(held):
        if digests[path] != sha256(files[path]).hexdigest():
            raise CorruptionError(f"{path} isn't the file that the manifest names")
    if manifest != manifest_of(case, {path: files[path] for path in held}):
        raise CorruptionError("the manifest says more than it should")
    return case, manifest


def _keys_of(files: Mapping[str, bytes], expected: tuple[VerifierKey, ...]) -> tuple[VerifierKey, ...]:
    try:
        keys = tuple(VerifierKey.parse(line) for line in files[LOG_KEYS].decode().splitlines())
    except UnicodeDecodeError as error:
        raise InputError(f"{LOG_KEYS} isn't text") from error
    if not keys:
        raise InputError(f"{LOG_KEYS} names no key")
    if expected and not set(keys) <= set(expected):
        raise CorruptionError("the bundle is held against another log's key than the one that was given")
    return keys


def _check_entries(files: Mapping[str, bytes], keys: tuple[VerifierKey, ...]) -> dict[int, Entry]:
    entries: dict[int, Entry] = {}
    rest = set(files) - _ABOUT - _FIXED - {MANIFEST}
    for path in sorted(path for path in rest if path.startswith("receipts/")):
        receipt = Receipt.parse(files[path])
        if path != _receipt_path(receipt.index):
            raise CorruptionError(f"{path} is the receipt of entry {receipt.index}")
        entry_path = _entry_path(receipt.index)
        receipt.verify(files[entry_path], keys)
        entries[receipt.index] = Entry.parse(files[entry_path])
        rest -= {path, entry_path}
    for path in sorted(rest):
        if path != _picture_path(files[path]):
            raise CorruptionError(f"{path} has no place in a bundle")
    return entries


def _check_openings(entries: Mapping[int, Entry], openings: Sequence[Opening], case: str) -> None:
    by_id = {entry.id: (index, entry) for index, entry in entries.items()}
    if len(by_id) != len(entries):
        raise CorruptionError("two entries of the bundle have one id")
    for opening in openings:
        index, entry = by_id.get(opening.entry_id, (-1, None))
        if entry is None or not entry.opens(opening):
            raise CorruptionError(f"the opening of {opening.field!r} isn't what entry {index} committed to")
        if opening.field == "case" and opening.value != case:
            raise CorruptionError(f"entry {index} is about another case")


def _check_about(
    files: Mapping[str, bytes], keys: tuple[VerifierKey, ...], manifest: bytes, case: str, entries: int
) -> Entry:
    about = Entry.parse(files[ABOUT_ENTRY])
    Receipt.parse(files[ABOUT_RECEIPT]).verify(files[ABOUT_ENTRY], keys)
    if not isinstance(about.facts, facts.Disclosure):
        raise CorruptionError(f"{ABOUT_ENTRY} is not about a disclosure")
    if about.facts.bundle_digest != sha256(manifest).hexdigest() or about.facts.entries != entries:
        raise CorruptionError("the ledger speaks of another manifest than this bundle's")
    openings = read_openings(files[ABOUT_OPENINGS])
    for opening in openings:
        if not about.opens(opening) or (opening.field == "case" and opening.value != case):
            raise CorruptionError(f"{ABOUT_OPENINGS} isn't what the entry about this bundle committed to")
    return about


def _zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(files):
            member = zipfile.ZipInfo(path, _ZIP_TIME)
            # Compressed forms differ between versions of zlib; stored ones don't.
            member.compress_type = zipfile.ZIP_STORED
            member.external_attr, member.create_system = _READABLE, _UNIX
            archive.writestr(member, files[path])
    return target.getvalue()


def _unzipped(data: bytes) -> dict[str, bytes]:
    if len(data) > MAX_BUNDLE_BYTES:
        raise CorruptionError(f"the bundle has {len(data)} bytes; the limit is {MAX_BUNDLE_BYTES}")
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                # Stored files can't be larger than the archive, so nothing has to be bounded further.
                if member.compress_type != zipfile.ZIP_STORED or member.filename in files:
                    raise CorruptionError("the ZIP file is not one that this service writes")
                files[member.filename] = archive.read(member)
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise CorruptionError("the ZIP file is damaged") from error
    # Written out again, it is the same: a byte that no file holds has nowhere to be.
    if _zipped(files) != data:
        raise CorruptionError("the ZIP file has been changed between its files")
    return files


def _entry_path(index: int) -> str:
    return f"entries/{index:09d}.json"


def _receipt_path(index: int) -> str:
    return f"receipts/{index:09d}.tlog-proof"


def _picture_path(data: bytes) -> str:
    suffix = next((suffix for suffix, signature in _SIGNATURES.items() if data.startswith(signature)), "bin")
    return f"pictures/{sha256(data).hexdigest()}.{suffix}"


_SIGNATURES = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "webp": b"RIFF"}

_README = """\
This file is everything on record about one case, taken from an append-only ledger that anybody can check.

To check it, without a network and without trusting whoever gave it to you:

    recognizance verify-disclosure BUNDLE.zip --key KEY

where KEY is the ledger's public key as its operator publishes it. The same can be done with other tools:

1. `disclosure/entry.json` is an entry of the ledger; `disclosure/receipt.tlog-proof` proves it (c2sp.org/tlog-proof).
   Its field `bundle_digest` is the SHA-256 of `manifest.json`, which names every other file with its SHA-256.
2. Every `entries/N.json` is entry N of the ledger, and `receipts/N.tlog-proof` proves that.
3. Entries hold personal data only as commitments. `openings.json` gives salt and value of each. A commitment is
   HMAC-SHA256, keyed with the salt, over the canonical JSON (RFC 8785) of
   ["recognizance.commitment.v1", entry id, field, value].

A commitment without an opening was erased, as the law may require. A candidate is a machine's suggestion; a lead is an
investigative lead, not the sole basis for any action.
"""
