"""How commands speak: people on a terminal, programs through `--json`, errors with an exit status.

Results go to standard output, everything else (progress, logs, errors) to standard error: a pipe holds only results.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from recognizance.errors import AuthenticationError, CorruptionError, DeniedError, Error, InputError

EXIT_REFUSED = 2
"""The request has to change: a bad argument, a missing file, a refusal of the policy."""

EXIT_FAILED = 1
"""The service or its data failed."""

_LONG_WORD = 24
"""Characters beyond which a word may be broken to make a table fit."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

results = Console(highlight=False, soft_wrap=True)
notices = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Mapping[str, object]) -> None:
    """Write `value` as one line of JSON, and flush: a program may be waiting for it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number and its noun.

    >>> counted(1, "gallery", "galleries"), counted(0, "face")
    ('1 gallery', '0 faces')
    """
    return f"{number} {one if number == 1 else several or one + 's'}"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, whole: Collection[str] = ()) -> None:
    """Print rows under headings. What is wider than the terminal is wrapped, and nothing is ever cut.

    Args:
        whole: Columns that stay in one piece, such as ids, which are there to be copied. If they alone are wider than
            the terminal, so is the table.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    lines = list(rows)
    needed = len(columns) + 1
    for place, name in enumerate(columns):
        cells = [line[place] for line in lines]
        words = (len(word) for cell in cells for word in cell.split())
        least = max(map(len, cells), default=0) if name in whole else min(max(words, default=0), _LONG_WORD)
        table.add_column(name, no_wrap=name in whole, overflow="fold", min_width=max(least, len(name)))
        needed += max(least, len(name))
    for line in lines:
        # Plain text: a name may have brackets, which markup would read.
        table.add_row(*map(Text, line))
    if needed > results.width:
        table.width = needed
    results.print(table)


def speaking_plainly(command: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Turn our errors into one line on standard error and an exit status; other mistakes keep a traceback."""

    @wraps(command)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            return command(*args, **kwargs)
        except DeniedError as error:
            _tell_refusal(error)
            raise typer.Exit(EXIT_REFUSED) from error
        except (InputError, AuthenticationError) as error:
            notices.print(f"[bold red]error:[/] {_escaped(error)}")
            raise typer.Exit(EXIT_REFUSED) from error
        except CorruptionError as error:
            notices.print(f"[bold red]corrupt:[/] {_escaped(error)}\nRun `recognizance doctor`; nothing was changed.")
            raise typer.Exit(EXIT_FAILED) from error
        except Error as error:
            notices.print(f"[bold red]failed:[/] {_escaped(error)}")
            raise typer.Exit(EXIT_FAILED) from error
        except OSError as error:
            # Of a file that a command opens for itself, or a disk that is full; what it was about is in the error.
            where = "" if error.filename is None else f"{error.filename}: "
            notices.print(f"failed: {where}{error.strerror or error}", style="bold red", markup=False)
            raise typer.Exit(EXIT_FAILED) from error

    return run


def _tell_refusal(error: DeniedError) -> None:
    """Say what is missing line by line, because a refusal may have several reasons, and what to quote."""
    if not error.missing:
        notices.print(f"[bold red]error:[/] {_escaped(error)}")
        return
    said, _, _ = str(error).partition(" Missing: ")
    notices.print("error:", style="bold red", end=" ")
    notices.print(f"{said} Missing:", markup=False)
    for each in error.missing:
        what, _, who = each.partition("; ask ")
        notices.print(f"  - {what}" + (f"\n    (ask {who})" if who else ""), markup=False)
    if error.decision_id:
        notices.print(f"To an overseer, quote the decision {error.decision_id}.", markup=False)


def _escaped(error: Error) -> str:
    """Keep brackets of a message from being read as markup."""
    return str(error).replace("[", r"\[")


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Say on a terminal's standard error what is being waited for, until the block is done."""
    if not notices.is_terminal:
        yield
        return
    with notices.status(title):
        yield


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while the block runs; yields a function that takes the steps just done.

    On anything but a terminal nothing is drawn, so that logs stay readable.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=notices,
        transient=True,
        disable=not notices.is_terminal,
    )
    with bar:
        task = bar.add_task(title, total=total)

        def advance(steps: int) -> None:
            bar.advance(task, steps)

        yield advance


def steps(advance: Callable[[int], None]) -> Callable[[int, int], None]:
    """From how many of how many are done to how many more are."""
    told = 0

    def tell(done: int, _total: int) -> None:
        nonlocal told
        advance(done - told)
        told = done

    return tell
