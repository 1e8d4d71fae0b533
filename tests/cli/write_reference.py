"""Writes the generated documentation again: commands and settings."""

import re
from pathlib import Path

from recognizance.cli import app
from recognizance.cli.reference import commands_reference
from recognizance.config import settings_reference

if __name__ == "__main__":
    docs = Path(__file__).parents[2] / "docs"
    (docs / "commands.md").write_text(commands_reference(app), encoding="utf-8")
    settings = (docs / "settings.md").read_text(encoding="utf-8")
    table = re.compile(r"\| setting \| type .*", re.DOTALL)
    (docs / "settings.md").write_text(table.sub(lambda _: settings_reference(), settings), encoding="utf-8")
