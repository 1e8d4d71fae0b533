"""Changing the key that signs the ledger: announced under the old one, in force under the new one.

1. The new key is drawn into a file beside the one in use.
2. An entry names both; its checkpoint is signed with the former key. It says which key comes next to whoever trusts
   this one.
3. The former key's public half is put with the other former ones, and the new key in its place.
4. The log is opened with the new key, which signs that same checkpoint as well.

A crash leaves it before, between or after these steps: the service starts in each case, and doing it again finishes
what was begun. A secret that nobody uses any more is gone with step 3; a former key vouches for older checkpoints only.
Nobody else may have the log open: a process that knew the former key alone would be refused by the log's own files, and
is refused here first.

Implements `docs/ledger.md`, "Changing the key".
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from recognizance.errors import ConflictError
from recognizance.ledger import VerifierKey
from recognizance.recording.ledger_key import NEXT_KEY_FILE, draw_key, install_next_key, read_key
from recognizance.recording.recorder import Recorder
from recognizance.recording.statements import rotation_statement, state_once


def rotate_key(data: Path, open_recorder: Callable[[], Recorder], *, reason: str) -> VerifierKey:
    """Change the ledger's key, or finish a change that was interrupted; answers the new public key.

    Args:
        open_recorder: Opens the ledger in `data` with the key that is in use there.
        reason: Why; public.

    Raises:
        ConflictError: If another process has the ledger open: stop the server first.
        UnavailableError: If a file can't be written. Doing it again finishes it.
    """
    with closing(open_recorder()) as recorder:
        if not recorder.holds_the_log:
            raise ConflictError("another process has the ledger open: stop the server before the key is changed")
        former = recorder.verifier
        beside = data / NEXT_KEY_FILE
        draw = read_key if beside.exists() else draw_key
        following = draw(beside, origin=former.name)
        state_once(recorder, rotation_statement(former, following.verifier, reason))
    install_next_key(data, former)
    with closing(open_recorder()) as recorder:
        return recorder.verifier
