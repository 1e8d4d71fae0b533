"""What must stand nowhere in the program: read from its source, because no request can show that it never happens."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "recognizance"

EVALUATING = {"eval", "exec", "compile", "__import__"}
DANGEROUS = {"pickle", "marshal", "shelve", "dill", "yaml", "lxml", "xml.sax", "xml.dom", "xmlrpc", "ctypes"}


@cache
def trees() -> dict[str, ast.Module]:
    """Every file of the program by its path."""
    return {str(file.relative_to(SOURCE)): ast.parse(file.read_text()) for file in sorted(SOURCE.rglob("*.py"))}


def imported() -> Iterator[tuple[str, str]]:
    """Each file with each module that it imports, wherever it does."""
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((file, each.name) for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((file, f"{node.module}.{each.name}") for each in node.names)


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Each file with each call in it and what is called, as it is written."""
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield file, ast.unparse(node.func), node


def is_part_of(module: str, names: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def test_nothing_is_evaluated() -> None:
    """No `eval`, no unpickling, no parser of XML or YAML, no shell; the one command is the operator's own."""
    assert {(file, name) for file, name in imported() if is_part_of(name, DANGEROUS)} == set()
    assert {file for file, name in imported() if is_part_of(name, {"subprocess"})} == {"records/keys.py"}
    for file, called, call in calls():
        assert called not in EVALUATING, file
        assert called not in {"os.system", "os.popen"}, file
        assert not (called.startswith("ET.") and called.split(".")[1] in {"parse", "fromstring", "XML"}), file
        assert "shell" not in {keyword.arg for keyword in call.keywords}, file


def test_formats_are_constant() -> None:
    """What is formatted or logged is filled into a text that stands in the source."""
    for file, called, call in calls():
        if called.startswith("_log."):
            text = call.args[1 if called == "_log.log" else 0]
            assert isinstance(text, ast.Constant), f"{file}:{call.lineno}"
        if called.endswith(".format") and isinstance(call.func, ast.Attribute):
            assert isinstance(call.func.value, ast.Constant | ast.Name | ast.JoinedStr), f"{file}:{call.lineno}"


def test_every_statement_is_built_with_parameters() -> None:
    """SQL in words is constant and stands in `records/`, but for settings of the connection, which take no parameters;
    everything else is built by SQLAlchemy out of values."""
    for file, called, call in calls():
        if called in {"text", "sqlalchemy.text"} or called.endswith(".exec_driver_sql"):
            words = call.args[0]
            is_setting = isinstance(words, ast.JoinedStr) and ast.unparse(words).startswith(("f'PRAGMA ", 'f"PRAGMA '))
            assert file.startswith("records/"), file
            assert isinstance(words, ast.Constant | ast.Name) or is_setting, f"{file}:{call.lineno}"
    assert {file for file, name in imported() if is_part_of(name, {"sqlite3"})} <= {
        file for file in trees() if file.startswith("records/")
    }


def test_no_weak_cipher_is_named_in_the_source() -> None:
    """SHA-1 only where a protocol says so, which doesn't rest on collisions; no other weak algorithm at all."""
    weak = re.compile(r"\b(md5|rc4|arc4|triple_?des|blowfish|ecb|pkcs1v15)\b", re.IGNORECASE)
    named = {file for file in trees() if weak.search((SOURCE / file).read_text())}
    sha1 = {file for file in trees() if re.search(r"[\"'.]sha1\b", (SOURCE / file).read_text())}
    assert named == set()
    # RFC 4226 (codes of an authenticator app) and AWS's checksums of chunked bodies.
    assert sha1 == {"aws/chunked.py", "governing/one_time.py"}


def test_nothing_secret_is_drawn_from_a_weak_generator() -> None:
    """Python's predictable generator is used nowhere, and UUIDs that are drawn are of version 4."""
    for file, called, _ in calls():
        assert not called.startswith("random.") or called.startswith("random.SystemRandom"), file
        assert called not in {"uuid.uuid1", "uuid.uuid3", "uuid1", "uuid3"}, file
    assert {file for file, name in imported() if name == "random"} <= {"evaluation/endpoint.py"}


def test_a_photograph_is_worked_on_in_memory_alone() -> None:
    """Nothing that a server does writes a temporary file; the demonstration's own folder is a command's."""
    assert {file for file, name in imported() if is_part_of(name, {"tempfile"})} == {"cli/demo.py"}


@pytest.mark.parametrize("folder", ["src", "docs", "tests", "benchmarks"])
def test_no_secret_is_in_the_source(folder: str) -> None:
    """No private key and no access key of anybody's; AWS's own published example is not one."""
    secret = re.compile(
        rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|\bAKIA(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b"
    )
    found = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / folder).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and secret.search(file.read_bytes())
    ]
    assert found == []


def scripts() -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted((SOURCE / "web" / "static").glob("*.js"))}


def test_scripts_write_text_and_never_markup() -> None:
    """Nothing that a script reads becomes HTML or code, so that there is no script injected through the page's own."""
    sinks = re.compile(
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|srcdoc|createContextualFragment|DOMParser)\b"
        r"|new\s+Function|setTimeout\(\s*[\"'`]|javascript:"
    )
    assert len(scripts()) >= 2
    for name, text in scripts().items():
        assert not sinks.search(text), name


def test_scripts_keep_only_checkpoints() -> None:
    """A browser's storage holds the checkpoint of the public ledger that it saw last, and nothing of anybody's."""
    keeping = {name for name, text in scripts().items() if re.search(r"localStorage|sessionStorage|indexedDB", text)}
    assert keeping <= {"verifier-page.js"}
    assert not [name for name, text in scripts().items() if "document.cookie" in text]


def test_scripts_ask_only_this_server() -> None:
    for name, text in scripts().items():
        assert not re.search(r"[\"'`](?:https?:|wss?:)?//(?!www\.w3\.org/)", text), name
