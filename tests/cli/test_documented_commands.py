"""Every command that a page shows is one: it exists, has those options, and takes those words; settings likewise.

Nothing runs here. What the first hour and the API's page show is run elsewhere (`tests/contract/test_tutorial.py`,
`tests/api/test_docs.py`); this keeps every other page from showing what the parser would refuse.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from recognizance.cli import app
from recognizance.config import read_settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = {"sh", "console", ""}
PROGRAM: Any = get_command(app)


def shown_in_blocks(page: str) -> Iterator[str]:
    """The commands of a page's examples, each as one line without its prompt, its comment and what it is piped into."""
    indented = re.findall(r"^    (\S.*)$", page, re.MULTILINE)
    fenced = [body for language, body in BLOCK.findall(page) if language in SHELLS]
    for line in "\n".join([*fenced, *indented]).replace("\\\n", " ").splitlines():
        if found := re.search(r"(?:^|[ /(])recognizance ([^#|]+?)(?: &&| &|\))?(?: +[#|].*)?$", line):
            yield found[1]


def named_in_text(page: str) -> Iterator[str]:
    """What a page names between backquotes and a command begins, with or without the program's name."""
    for span in re.findall(r"`([^`\n]+)`", BLOCK.sub("", page)):
        words = span.removeprefix("recognizance ")
        if words != span or (" -" in span and words.split()[0] in commands_of(PROGRAM)):
            yield words


def commands_of(command: Any) -> dict[str, Any]:
    return getattr(command, "commands", {})


def meant(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the words that are left for it."""
    command = PROGRAM
    while words and words[0] in commands_of(command):
        command, words = commands_of(command)[words[0]], words[1:]
    return command, words


def refusal(words: list[str]) -> str | None:
    """Why the parser wouldn't take these words; files that they name exist."""
    command, left = meant(words)
    if commands_of(command):
        return None if not left or left[0] in {"--help", "--version"} else f"there is no command {left[0]}"
    for word in left:
        if re.search(r"\.(jpg|csv|json|zip|txt)$", word) or word == "FILE":
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
        elif word == "FOLDER" or (word.endswith("/") and "//" not in word):
            Path(word).mkdir(parents=True, exist_ok=True)
    try:
        command.make_context("recognizance", left)
    except Exception as error:  # noqa: BLE001  # the parser's own exceptions have no public name
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_parser_takes_every_command_that_a_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its options, its choices and all that it asks for."""
    monkeypatch.chdir(tmp_path)
    shown = list(shown_in_blocks(page.read_text(encoding="utf-8")))

    assert {line: why for line in shown if (why := refusal(shlex.split(line))) is not None} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_sentence_names_has_the_options_that_it_names(page: Path) -> None:
    """A sentence may leave arguments out, and has to spell what it names."""
    unknown = []
    for words in map(str.split, named_in_text(page.read_text(encoding="utf-8"))):
        command, left = meant(words)
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        named = {word.partition("=")[0].rstrip(",.") for word in left if word.startswith("--")}
        unknown += [(" ".join(words), option) for option in sorted(named - known - {"--help"})]

    assert unknown == []


def test_the_settings_of_every_example_are_settings(tmp_path: Path) -> None:
    """Each example of a settings file is read as one."""
    examples = [
        body
        for page in PAGES
        for language, body in BLOCK.findall(page.read_text(encoding="utf-8"))
        if language == "toml" and "recognizance.toml" in body
    ]
    for example in examples:
        (tmp_path / "recognizance.toml").write_text(example, encoding="utf-8")
        read_settings(tmp_path)

    assert examples


def test_a_command_that_is_none_would_be_found() -> None:
    """The examples are there, and a wrong word among them is seen."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert len(list(shown_in_blocks(text))) > 50
    assert refusal(["ledger", "verfy"]) == "there is no command verfy"
    assert "--kee" in str(refusal(["ledger", "verify", "--kee", "x"]))
