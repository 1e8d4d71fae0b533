"""What the register's pages cost while the ledger grows: beside 1,000 searches, and beside 100,000, by turns.

    python benchmarks/register_page.py [--few N] [--many N] [--turns N]

As `register.py`, but the pages are asked for as a browser would, over the pages' own frame: the register's first page,
and the section with all counts, which is the longest. Before each round a search is added to each log, so that every
answer has something new to read. Printed are medians and the ratio of medians.
"""

import argparse
import asyncio
import statistics
import time
from typing import cast

import httpx
from rich.progress import Progress

from recognizance.governing.signing_in import SignIn
from recognizance.web.frame import Frame, frame_app, in_order
from recognizance.web.public_register import RegisterPages
from recognizance.web.rendering import Templates
from recognizance.web.static_files import StaticFiles
from register import Growing

PATHS = ("/register", "/register/use")


def client_of(log: Growing) -> httpx.AsyncClient:
    """A browser whose pages are the register's alone."""
    frame = Frame(
        # Nobody has a session here, so nobody is ever asked about one.
        sign_in=cast("SignIn", None),
        key=bytes(32),
        pages=in_order(RegisterPages(log.register).table()),
        templates=Templates(),
        static=StaticFiles(),
        service_name="benchmark",
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(frame_app(frame)), base_url="http://127.0.0.1")


async def ask_s(client: httpx.AsyncClient, path: str) -> float:
    began = time.perf_counter()
    answer = await client.get(path)
    took_s = time.perf_counter() - began
    answer.raise_for_status()
    return took_s


async def measure(logs: list[Growing], turns: int, progress: Progress) -> dict[str, tuple[list[float], list[float]]]:
    clients = [client_of(log) for log in logs]
    for client in clients:
        for path in PATHS:
            await ask_s(client, path)
    task = progress.add_task("asking by turns", total=turns)
    took: dict[str, tuple[list[float], list[float]]] = {path: ([], []) for path in PATHS}
    for _ in range(turns):
        for path in PATHS:
            for place, (log, client) in enumerate(zip(logs, clients, strict=True)):
                log.add()
                took[path][place].append(await ask_s(client, path))
        progress.advance(task)
    for client in clients:
        await client.aclose()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=30)
    given = parser.parse_args()
    with Progress() as progress:
        logs = [Growing(count, progress) for count in (given.few, given.many)]
        took = asyncio.run(measure(logs, given.turns, progress))
    for path, (few, many) in took.items():
        few_ms, many_ms = 1000 * statistics.median(few), 1000 * statistics.median(many)
        print(f"{path}: {few_ms:.1f} ms beside {given.few:,}, {many_ms:.1f} ms beside {given.many:,}:", end=" ")
        print(f"ratio {many_ms / few_ms:.2f}")


if __name__ == "__main__":
    main()
