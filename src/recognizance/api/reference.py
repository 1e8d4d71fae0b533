"""Writes the table of routes in docs/api.md; run as `python -m recognizance.api.reference`."""

from pathlib import Path

from recognizance.api.routes import Repeat, Route, RouteTable, Who
from recognizance.api.table import whole_table

BEGIN, END = "<!-- routes: generated -->", "<!-- end of routes -->"


def routes_reference(table: RouteTable) -> str:
    """The table: one row a route, in the order in which they are declared."""
    rows = ["| | path | what | who |", "|---|---|---|---|"]
    rows += [f"| {each.method} | `{each.path}` | {_what(each)} | {_who(each)} |" for each in table.routes]
    return "\n".join(rows) + "\n"


def with_reference(page: str, table: RouteTable) -> str:
    """A page with its table replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{routes_reference(table)}{END}{after}"


def _what(route: Route) -> str:
    return route.summary.removesuffix(".") + (" ⟳" if route.repeat is Repeat.KEYED else "")


def _who(route: Route) -> str:
    if route.act is not None:
        return f"`{route.act.value}`"
    return "anybody" if route.who is Who.ANYBODY else "signed in"


if __name__ == "__main__":
    file = Path("docs/api.md")
    file.write_text(with_reference(file.read_text(encoding="utf-8"), whole_table()), encoding="utf-8")
