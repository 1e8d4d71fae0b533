"""Options of `recognizance evaluate`; those that all measuring commands share are declared once, as one value."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Json

_Own = ParamSpec("_Own")

Manifest = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="CSV: path, subject, and any group columns (docs/evaluation.md)."),
]
Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for result, report and tables.")]
By = Annotated[
    list[str] | None, typer.Option("--by", help="A group column to report by; may be given again. Without it, all.")
]
Seed = Annotated[int, typer.Option(min=0, help="What every choice hangs on: the same seed and pictures, the same run.")]
Name = Annotated[str | None, typer.Option(help="The evaluation's name, as uses and the ledger quote it.")]
Tester = Annotated[str, typer.Option(help="Who runs it; public.")]
Independent = Annotated[
    bool, typer.Option("--independent", help="The tester neither operates nor supplies what is measured.")
]
Description = Annotated[str, typer.Option(help="The pictures in a few words; public.")]
Limits = Annotated[
    list[str] | None,
    typer.Option("--limit", help="A rate and what it may be at most, such as fnmr=0.05; may be given again."),
]
DecisionFile = Annotated[
    Path | None,
    typer.Option("--decision", exists=True, dir_okay=False, help="Labels to leave out of a second set of results."),
]
Resamples = Annotated[int, typer.Option(min=100, help="Resamples of the people, for intervals.")]
GallerySize = Annotated[
    int | None, typer.Option(min=1, help="Faces of the gallery that you have or plan; the report marks it.")
]
Operating = Annotated[
    str, typer.Option("--threshold", help="What people are searched with: a similarity, or a name such as default.")
]
CacheFolder = Annotated[
    Path | None,
    typer.Option("--cache", file_okay=False, help="Where templates and answers are kept; they are personal data."),
]
Engine = Annotated[
    str, typer.Option(help="local, local:RECOGNISER, rekognition (Amazon's), rekognition:URL, or scores:FILE.")
]
Similarity = Annotated[
    bool, typer.Option("--similarity", help="Report on Rekognition's 0 to 100 instead of the cosine; local only.")
]
Quality = Annotated[str, typer.Option(help="Quality filter of every picture: NONE, AUTO, LOW, MEDIUM or HIGH.")]
DefaultThreshold = Annotated[
    float | None, typer.Option(help="The threshold that the vendor of a list of scores sets where nobody chooses.")
]

Collections = Annotated[
    str | None,
    typer.Option(
        help="What the names of an endpoint's collections begin with; a tester's own is test.ID. (with dots)."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What every command that measures rates can be told."""

    by: By = None
    decision: DecisionFile = None
    resamples: Resamples = 1000
    name: Name = None
    tester: Tester = "the operator"
    independent: Independent = False
    description: Description = ""
    engine: Engine = "local"
    similarity: Similarity = False
    quality: Quality = "NONE"
    default_threshold: DefaultThreshold = None
    collections: Collections = None
    cache: CacheFolder = None
    data: Data = DEFAULT_DATA
    json: Json = False


def sharing_options(command: Callable[Concatenate[Shared, _Own], None]) -> Callable[..., None]:
    """Add the options of `Shared` to a command, which gets them as its first argument.

    Typer reads a command's signature: the one made here has the command's own options and then the shared ones.
    """
    options = [
        Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type)
        for each in fields(Shared)
    ]
    _shared, *own = signature(command).parameters.values()
    run_with: Callable[..., None] = command

    @wraps(command)
    def run(**given: Any) -> None:
        shared = Shared(**{option.name: given.pop(option.name) for option in options})
        run_with(shared, **given)

    vars(run)["__signature__"] = signature(command).replace(parameters=[*own, *options])
    return run
