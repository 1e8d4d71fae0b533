"""Section 9: which log the register was read from, which keys sign it, who cosigns, and how anybody can check. Pure."""

import base64

from recognizance.ledger import facts
from recognizance.register.rows import KeyRow, LogRow, ProofSection, StepRow, WitnessRow
from recognizance.register.saved import Reading

_STEPS = (
    "Get the log's public files (checkpoint and the folder tile) from its operator, a mirror, or an export.",
    "Get the log's public key from somewhere else than this register, and compare it with the one listed here.",
    "Verify: recognizance ledger verify. Other tools for C2SP tlog-tiles do it too: Go's golang.org/x/mod/sumdb/tlog.",
    "Build this register again: recognizance register. At the same checkpoint, register.json is the same bytes.",
    "Keep the checkpoint. Whoever shows you a later one has to prove that it continues yours.",
)


def proof_section(reading: Reading) -> ProofSection:
    """Return the section."""
    checkpoint = reading.checkpoint.decode()
    log = LogRow(
        reading.origin,
        reading.state.size,
        reading.state.unread,
        base64.b64encode(reading.root).decode(),
        checkpoint,
    )
    return ProofSection(
        (log,),
        _keys(reading),
        _witnesses(reading),
        tuple(StepRow(number, text) for number, text in enumerate(_STEPS, start=1)),
    )


def _keys(reading: Reading) -> tuple[KeyRow, ...]:
    """List the keys that the log names, and the one that it was read with."""
    keys: dict[str, KeyRow] = {}
    for entry in reading.state.kept:
        if isinstance(entry.facts, facts.LedgerKey):
            if entry.facts.former_key is not None:
                former = keys.get(entry.facts.former_key)
                keys[entry.facts.former_key] = KeyRow(
                    entry.facts.former_key, former.since if former else None, in_use=False
                )
            keys[entry.facts.new_key] = KeyRow(entry.facts.new_key, entry.time, in_use=True)
    for key in reading.log_keys:
        keys.setdefault(key, KeyRow(key, None, in_use=not any(row.in_use for row in keys.values())))
    return tuple(keys.values())


def _witnesses(reading: Reading) -> tuple[WitnessRow, ...]:
    found = {
        entry.facts.key: WitnessRow(
            entry.facts.key,
            entry.facts.operator,
            entry.facts.standing.value,
            entry.time,
            cosigned=entry.facts.key in reading.witnesses,
        )
        for entry in reading.state.kept
        if isinstance(entry.facts, facts.Witness)
    }
    return tuple(row for _, row in sorted(found.items()))
