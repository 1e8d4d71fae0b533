"""Keeps the catalogues in step with the pages: `python -m recognizance.web.catalogue`.

Takes every text out of the pages' Python files and templates, adds those that a catalogue lacks with an empty
translation, and drops those that no page has any more. Translations come from whoever edits `locales/<language>.po`, or
from other catalogues named on the command line, whose texts are merged in. Prints what is still untranslated.

Catalogues have no line numbers and are sorted by their texts, so that two people who add pages change different lines.
"""

import io
import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

from recognizance.web.denials import policy_texts
from recognizance.web.language import FOLDER, REFUSALS, Language, catalogue_text, read_catalogue
from recognizance.web.refusal_texts import refusal_texts

_PACKAGE = Path(__file__).parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS: dict[str, dict[str, Any]] = {"templates/**.html": {"trimmed": "true"}}
_KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}


def texts() -> Catalog:
    """Every text of the pages, and every sentence with which our policies and services refuse."""
    catalogue = Catalog()
    found = extract_from_dir(str(_PACKAGE), _METHODS, _OPTIONS, keywords=_KEYWORDS)
    for _file, _line, text, _comments, _context in found:
        catalogue.add(text)
    for text in policy_texts():
        catalogue.add(text)
    for text in refusal_texts():
        catalogue.add(text, context=REFUSALS)
    return catalogue


def updated(catalogue: Catalog, texts: Catalog, *others: Catalog) -> Catalog:
    """A catalogue with exactly the given texts, translated as it says or else as the others say."""
    fresh = Catalog(locale=catalogue.locale, project="Recognizance", version="1", fuzzy=False)
    for message in texts:
        if message.id:
            fresh.add(message.id, _translation(message, [catalogue, *others]), context=message.context)
    return fresh


def untranslated(catalogue: Catalog) -> list[str]:
    """Texts that the catalogue has no translation of, or only an uncertain one."""
    return [_first(message) for message in catalogue if message.id and (not _is_whole(message) or message.fuzzy)]


def written(catalogue: Catalog) -> str:
    """A catalogue as its file has it: without places and dates, which would change with every edit elsewhere."""
    file = io.BytesIO()
    write_po(file, catalogue, width=120, no_location=True, omit_header=True, sort_output=True)
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {catalogue.locale}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    return header + file.getvalue().decode().strip() + "\n"


def _translation(message: Message, catalogues: list[Catalog]) -> Any:
    for catalogue in catalogues:
        known = catalogue.get(message.id, message.context)
        if known is not None and _is_whole(known):
            return known.string
    return ("", "") if message.pluralizable else ""


def _is_whole(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, list | tuple) else bool(message.string)


def _first(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, list | tuple) else message.id)


def main(arguments: list[str]) -> int:
    found = texts()
    missing: list[str] = []
    for language in set(Language) - {Language.ENGLISH}:
        others = [read_catalogue(Path(each).read_text(encoding="utf-8"), language) for each in arguments]
        catalogue = updated(read_catalogue(catalogue_text(language), language), found, *others)
        (_PACKAGE / FOLDER / f"{language.value}.po").write_text(written(catalogue), encoding="utf-8")
        missing += [f"{language.value}: {text}" for text in untranslated(catalogue)]
    sys.stdout.write("".join(f"{each}\n" for each in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
