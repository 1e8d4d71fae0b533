"""How long a command takes to begin, beside what it would take if it loaded all that a server needs.

    python benchmarks/startup.py [--rounds N]

Each command is started as a process of its own on an installation that is there, by turns as it is and with the whole
service's modules loaded first, as every command did once. Printed are the shortest processor times of both (waiting for
others is no part of them), the ratio of these, and the same for the modules alone. Byte code is kept in a folder of the
run's own: an installation has it, and a machine that is told to write none would spend most of the time on compiling.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

OWNER = "(whoever set the installation up)"
COMMANDS = {
    "agency list": ["agency", "list"],
    "person list": ["person", "list"],
    "use list": ["use", "list"],
    "keys list": ["keys", "list"],
    "review list": ["review", "list", "--as", OWNER],
    "lead list": ["lead", "list", "--as", OWNER],
    "ledger key": ["ledger", "key"],
}
RUN = "import sys; from recognizance.cli import app; app(sys.argv[1:], prog_name='recognizance')"
AFTER_ALL = "import recognizance.app; "
MODULES = {
    "what every command loads": "import recognizance.cli",
    "what governing loads": "import recognizance.cli, recognizance.cli.opening",
    "what reviewing and the desk load": "import recognizance.cli, recognizance.office",
}
ALL = "import recognizance.cli, recognizance.app"


def processor_s(program: str, arguments: list[str], environment: dict[str, str]) -> float:
    """Seconds of processor time that a process takes from its start to its end, which has to be a good one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program, *arguments], env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name: str, ways: tuple[str, str], arguments: list[str], environment: dict[str, str], rounds: int) -> None:
    """Print the shortest of each way, measured in turns, and their ratio."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for way, times in zip(ways, took, strict=True):
            times.append(processor_s(way, arguments, environment))
    alone, after_all = min(took[0]), min(took[1])
    print(f"{name:34} {alone:5.2f} s, with everything {after_all:5.2f} s: ratio {alone / after_all:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        processor_s(ALL, [], environment)
        for name, program in MODULES.items():
            compare(name, (program, ALL), [], environment, given.rounds)
        data = ["--data", str(Path(folder) / "data")]
        init = [sys.executable, "-c", RUN, "init", "--profile", "organisation", "--json", *data]
        owner = json.loads(subprocess.run(init, capture_output=True, check=True).stdout)["owner"]
        for name, words in COMMANDS.items():
            typed = [owner if word == OWNER else word for word in words]
            compare(name, (RUN, AFTER_ALL + RUN), [*typed, *data], environment, given.rounds)


if __name__ == "__main__":
    main()
