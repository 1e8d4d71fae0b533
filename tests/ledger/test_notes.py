"""Signed notes and checkpoints: read strictly, written in one way, believed only when signed."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.ledger.checkpoints import Checkpoint, open_checkpoint
from recognizance.ledger.notes import (
    Algorithm,
    NoteKey,
    Signature,
    SignatureError,
    SignedNote,
    VerifierKey,
    open_note,
    parse_decimal,
    parse_signatures,
)
from tests.ledger.world import KEY

# The examples in the package documentation of Go's sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
GO_SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

WITNESS = NoteKey("witness.example/w1", bytes(32))
names = st.text(min_size=1, max_size=20).filter(
    lambda name: "+" not in name and not any(c.isspace() or c < " " for c in name) and name.isprintable()
)
seeds = st.binary(min_size=32, max_size=32)
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=80).map(
    lambda text: text + "\n"
)


def test_a_note_that_go_signed_is_opened() -> None:
    """Go's own example, with its key."""
    data = f"{GO_TEXT}\n{GO_SIGNATURE}".encode()

    opened = open_note(data, [VerifierKey.parse(GO_KEY)])

    assert opened.text == GO_TEXT
    assert opened.note.data == data


def test_our_signature_is_the_one_that_go_makes() -> None:
    """Ed25519 is deterministic, so the whole line is."""
    secret = NoteKey.parse_secret(GO_SECRET)

    assert secret.sign(GO_TEXT).line == GO_SIGNATURE
    assert str(secret.verifier) == GO_KEY
    assert secret.secret_text() == GO_SECRET


def test_a_secret_key_never_shows_itself() -> None:
    """Not in what a traceback would print of it; and two of the same seed are the same key."""
    key = NoteKey("log.example", bytes(range(32)))

    assert "seed" not in repr(key)
    assert "_signing" not in repr(key)
    assert key == NoteKey("log.example", bytes(range(32)))
    assert key.verifier.public_key == key.cosigner.public_key


@given(names, seeds, texts)
def test_a_signed_note_reads_back_and_opens(name: str, seed: bytes, text: str) -> None:
    """Whatever its text, with blank lines and all."""
    key = NoteKey(name, seed)
    note = SignedNote(text, (key.sign(text), WITNESS.cosign(text, time_s=1_700_000_000)))

    assert SignedNote.parse(note.data) == note
    opened = open_note(note.data, [key.verifier, WITNESS.cosigner])
    assert dict(opened.verified) == {key.verifier: None, WITNESS.cosigner: 1_700_000_000}


@given(names, seeds, st.sampled_from(Algorithm))
def test_keys_read_back(name: str, seed: bytes, algorithm: Algorithm) -> None:
    """Public keys of both types, and secret ones."""
    key = NoteKey(name, seed)
    public = key.verifier if algorithm is Algorithm.ED25519 else key.cosigner

    assert VerifierKey.parse(str(public)) == public
    assert NoteKey.parse_secret(key.secret_text()) == key


near_notes = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.tuples(st.integers(0, 400), st.binary(max_size=3)).map(
        lambda edit: (
            (data := Checkpoint("a.example", 3, bytes(32)).signed(KEY).data)[: edit[0]] + edit[1] + data[edit[0] + 1 :]
        )
    ),
)


@given(near_notes)
def test_any_bytes_are_one_note_or_refused(data: bytes) -> None:
    """No bytes fail in another way, and those that are read are written back the same."""
    try:
        note = SignedNote.parse(data)
    except InputError:
        return
    assert note.data == data


near_texts = st.from_regex(r"(PRIVATE\+KEY\+)?— ?a[+ ][0-9a-f]{8}\+[A-Za-z0-9+/]{8}=*\n?")


@pytest.mark.parametrize(
    "parse",
    [VerifierKey.parse, NoteKey.parse_secret, Signature.parse, parse_signatures, Checkpoint.parse, parse_decimal],
)
@given(text=st.one_of(st.text(max_size=60), near_texts))
def test_any_text_is_a_value_or_refused(parse: Callable[[str], object], text: str) -> None:
    """Keys, signature lines, checkpoints and numbers fail with `InputError` only."""
    try:
        value = parse(text)
    except InputError:
        return
    assert value is not None


def signed(text: str) -> bytes:
    return SignedNote(text, (KEY.sign(text),)).data


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda data: data.replace(b"\n\n", b"\n"), "blank line"),
        (lambda data: data.replace(b"\n", b"\r\n"), "no blank line|control characters"),
        (lambda data: data[:-1], "canonical"),
        (lambda data: data + b"\n", "canonical|malformed|too short|blank|key name"),
        (lambda data: data.replace("— ".encode(), "—  ".encode()), "malformed"),
        (lambda data: data.replace("— ".encode(), b"- "), "canonical"),
        (lambda data: data.replace(b"=\n", b"\n"), "base64"),
        (lambda data: b"\xff" + data, "UTF-8"),
        (lambda data: b"\x00" + data, "control"),
        (lambda data: data + data.split(b"\n\n")[1] * 100, "more than 100"),
        (lambda data: data.split(b"\n\n")[0] + b"\n\n", "key name|malformed"),
        (lambda data: bytes(1_000_001), "1000001 bytes; the limit is 1000000"),
    ],
)
def test_other_spellings_of_a_note_are_refused(change: Callable[[bytes], bytes], match: str) -> None:
    """Each one is close to a note, and none is one."""
    with pytest.raises(InputError, match=match):
        SignedNote.parse(change(signed("text\n")))


def test_base64_with_stray_bits_is_refused() -> None:
    """Two spellings of one signature would be two notes."""
    line = KEY.sign("text\n").line
    assert line.endswith("=\n")
    other = line[:-3] + chr(ord(line[-3]) + 1) + "=\n"

    with pytest.raises(InputError):
        Signature.parse(other)


def test_a_false_signature_by_a_known_key_refuses_the_whole_note() -> None:
    """Even if another known key's is true."""
    note = SignedNote("text\n", (KEY.sign("text\n"), WITNESS.cosign("other\n", time_s=5)))

    assert open_note(note.data, [KEY.verifier]).text == "text\n"
    with pytest.raises(SignatureError, match=r"witness\.example/w1"):
        open_note(note.data, [KEY.verifier, WITNESS.cosigner])


def test_a_note_by_nobody_we_know_is_refused() -> None:
    """Same name and another key, same key and another name."""
    for stranger in (NoteKey(KEY.name, bytes(32)), NoteKey("other.example", KEY.seed)):
        with pytest.raises(SignatureError, match="no known key"):
            open_note(signed("text\n"), [stranger.verifier])


def test_a_cosignature_binds_its_time() -> None:
    """Another time in the line makes it false."""
    cosignature = WITNESS.cosign("text\n", time_s=1000)
    earlier = Signature(cosignature.name, cosignature.key_id, (999).to_bytes(8, "big") + cosignature.blob[8:])

    assert WITNESS.cosigner.verify("text\n", cosignature) == 1000
    with pytest.raises(SignatureError):
        WITNESS.cosigner.verify("text\n", earlier)


def test_a_newer_signature_replaces_that_of_the_same_key() -> None:
    """A checkpoint that is cosigned again has one line for each witness."""
    note = SignedNote("text\n", (KEY.sign("text\n"),))
    for time_s in (1, 2):
        note = note.signed_by(WITNESS.cosign("text\n", time_s=time_s))

    assert len(note.signatures) == 2
    assert dict(open_note(note.data, [WITNESS.cosigner]).verified) == {WITNESS.cosigner: 2}


def test_the_seed_is_not_shown() -> None:
    """Not even where a key is printed by mistake."""
    assert "seed" not in repr(KEY)


checkpoints = st.builds(
    Checkpoint,
    origin=names,
    size=st.integers(0, 2**63 - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(names, max_size=2).map(tuple),
)


@given(checkpoints)
def test_a_checkpoint_reads_back(checkpoint: Checkpoint) -> None:
    """With extension lines, as other logs write them."""
    assert Checkpoint.parse(checkpoint.text) == checkpoint


ROOT = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.mark.parametrize(
    "text",
    [
        f"a\n01\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n1_0\n{ROOT}\n",
        f"a\n١\n{ROOT}\n",
        f"a\n9223372036854775808\n{ROOT}\n",
        f"a\n{'9' * 5000}\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"a\n1\n{ROOT}",
        f"a\n1\n{ROOT}\n\nx\n",
        f"a\n1\n {ROOT}\n",
        "a\n1\nAAAA\n",
        "a\n1\n",
        f"a\n1\n{ROOT[:-2]}B=\n",
    ],
)
def test_other_spellings_of_a_checkpoint_are_refused(text: str) -> None:
    """Each one is close to a checkpoint, and none is one."""
    with pytest.raises(InputError):
        Checkpoint.parse(text)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    """A key signs for the origin that is its name, and for no other."""
    note = Checkpoint("another.example/log", 1, bytes(32)).signed(KEY)

    with pytest.raises(InputError, match=r"another\.example/log"):
        open_checkpoint(note.data, (KEY.verifier,))


def test_a_witness_alone_is_not_the_log() -> None:
    """A checkpoint with a cosignature and without the log's own signature is no checkpoint."""
    text = Checkpoint(KEY.name, 1, bytes(32)).text
    note = SignedNote(text, (WITNESS.cosign(text, time_s=1),))

    with pytest.raises(SignatureError):
        open_checkpoint(note.data, (KEY.verifier,), (WITNESS.cosigner,))
