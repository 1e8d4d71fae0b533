"""Templates: Jinja with every value escaped, and every name that isn't given an error.

One environment for each language, so that a text is translated when its template is rendered and nothing is translated
for the wrong reader. Templates are of this package alone; nothing that a reader sends is ever one.
"""

from collections.abc import Mapping
from functools import lru_cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from recognizance.register.document import plain_text
from recognizance.web.language import Language, wording
from recognizance.web.refusals import said


class Templates:
    """Renders the files of `templates/`. Safe to share between threads."""

    def render(self, name: str, language: Language, given: Mapping[str, object]) -> str:
        return _environment(language).get_template(name).render(given)


@lru_cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("recognizance.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    spoken = wording(language)
    # Values are put into a text after it was translated, and escaped then.
    environment.install_gettext_callables(spoken.gettext, spoken.ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.filters |= {
        "day": spoken.day,
        "month": spoken.month,
        "moment": spoken.moment,
        "number": spoken.number,
        "percent": spoken.percent,
        # For what people wrote: what can't be seen, or turns the line round, is spelled out.
        "plain": plain_text,
        # For texts marked with `N_`, which come as values and may hold a percent sign.
        "translated": spoken.gettext,
    }
    # For what services say: a text, and whether it is in the reader's language.
    refusals: dict[str, object] = {"refusal": partial(said, wording=spoken)}
    environment.filters.update(refusals)  # pyright: ignore[reportCallIssue, reportArgumentType]
    # Jinja declares no type for either; pyright takes what its defaults happen to be for one.
    given: dict[str, object] = {"language": language, "languages": tuple(Language)}
    environment.globals.update(given)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return environment
