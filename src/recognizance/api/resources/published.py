"""What anybody may read: the register, reports, the policies in force, and what problems mean."""

from dataclasses import dataclass

from recognizance.api.problems import INTERNAL, KINDS
from recognizance.api.routes import Call, File, Media, Method, Nothing, Route, Who
from recognizance.api.services import Services
from recognizance.errors import NotFoundError
from recognizance.governance.profiles import ProfileName
from recognizance.governance.rules import Effect, Rule

JSON, SCHEMA, CSV, HTML, PDF = (
    "application/json",
    "application/schema+json",
    "text/csv; charset=utf-8; header=present",
    "text/html; charset=utf-8",
    "application/pdf",
)
CEDAR = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class RuleView:
    """One policy.

    Attributes:
        acts: What it is about; empty for every act.
        role: Whom a permission is for; null for a prohibition.
        missing: What a refused caller lacks, and `ask` who can grant it; empty for a permission.
    """

    name: str
    title: str
    effect: Effect
    file: str
    line: int
    acts: tuple[str, ...]
    role: str | None
    missing: str
    ask: str


@dataclass(frozen=True, slots=True)
class PoliciesView:
    """The policies in force, in the order in which decisions cite them."""

    profile: ProfileName
    files: tuple[str, ...]
    rules: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True)
class KindView:
    """A kind of problem; docs/api.md explains it."""

    name: str
    status: int
    title: str


def show_register(services: Services, _: Call[Nothing, Nothing]) -> File:
    return File(*services.register.file("register.json"))


def show_register_schema(services: Services, _: Call[Nothing, Nothing]) -> File:
    return File(*services.register.file("register.schema.json"))


def show_register_section(services: Services, call: Call[Nothing, Nothing]) -> File:
    name = call.path["file"]
    return File(*services.register.file(f"register/{name}"), name=name)


def show_report(services: Services, call: Call[Nothing, Nothing]) -> File:
    # What draws is loaded when something is drawn: it takes seconds, and no other route needs it.
    from recognizance.register.reports import Period, agency_report, write_html, write_pdf

    period, _, form = call.path["file"].rpartition(".")
    if form not in {"html", "pdf"}:
        raise NotFoundError("a report is named after its period and its form, as in 2026-01.pdf or 2026.html")
    report = agency_report(services.register.reading(), call.path["agency"], Period.parse(period))
    return File(HTML, write_html(report)) if form == "html" else File(PDF, write_pdf(report))


def list_policies(services: Services, _: Call[Nothing, Nothing]) -> PoliciesView:
    book = services.governing.rulebook
    return PoliciesView(
        services.governing.profile.name,
        tuple(file.name for file in book.files),
        tuple(_rule(rule) for rule in book.rules),
    )


def show_policy(services: Services, call: Call[Nothing, Nothing]) -> File:
    texts = {file.name: file.text for file in services.governing.rulebook.files}
    if call.path["file"] not in texts:
        raise NotFoundError(f"there is no policy file {call.path['file']!r}")
    return File(CEDAR, texts[call.path["file"]].encode())


def explain_problem(_: Services, call: Call[Nothing, Nothing]) -> KindView:
    for kind in (*(kind for _, kind in KINDS), INTERNAL):
        if kind.name == call.path["kind"]:
            return KindView(kind.name, kind.status, kind.title)
    raise NotFoundError(f"there is no problem of the kind {call.path['kind']!r}")


def _rule(rule: Rule) -> RuleView:
    return RuleView(
        name=rule.name,
        title=rule.title,
        effect=rule.effect,
        file=rule.statement.file,
        line=rule.statement.line,
        acts=tuple(sorted(rule.acts)),
        role=rule.role,
        missing=rule.missing,
        ask=rule.ask,
    )


ROUTES = (
    Route(
        "show_register",
        Method.GET,
        "/register.json",
        "The public register.",
        show_register,
        Media((JSON,)),
        Who.ANYBODY,
    ),
    Route(
        "show_register_schema",
        Method.GET,
        "/register.schema.json",
        "The register's JSON Schema.",
        show_register_schema,
        Media((SCHEMA,)),
        Who.ANYBODY,
    ),
    Route(
        "show_register_section",
        Method.GET,
        "/register/{file}",
        "One section of the register, as in deployment.csv.",
        show_register_section,
        Media((CSV,)),
        Who.ANYBODY,
    ),
    Route(
        "show_report",
        Method.GET,
        "/reports/{agency}/{file}",
        "An agency's report on a month or a year, as in 2026-01.pdf or 2026.html.",
        show_report,
        Media((HTML, PDF)),
        Who.ANYBODY,
    ),
    Route(
        "list_policies",
        Method.GET,
        "/policies",
        "The policies in force, one by one.",
        list_policies,
        PoliciesView,
        Who.ANYBODY,
    ),
    Route(
        "show_policy",
        Method.GET,
        "/policies/{file}",
        "The text of a file of policies.",
        show_policy,
        Media((CEDAR,)),
        Who.ANYBODY,
    ),
    Route(
        "explain_problem",
        Method.GET,
        "/problems/{kind}",
        "What a kind of problem is.",
        explain_problem,
        KindView,
        Who.ANYBODY,
    ),
)
