"""Writes the generated documentation again: commands and settings."""

from pathlib import Path

from recognizance.cli import app
from recognizance.cli.reference import commands_reference

if __name__ == "__main__":
    docs = Path(__file__).parents[2] / "docs"
    (docs / "commands.md").write_text(commands_reference(app), encoding="utf-8")
