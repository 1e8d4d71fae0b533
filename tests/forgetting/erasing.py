"""Processes that erase a gallery in small turns and say how far they are, until they are killed.

`python -m tests.forgetting.erasing FOLDER` forks a process for each line that it reads: it goes on with what is under
way, or closes the gallery if it is still there. It says its `pid`, a `piece` after each turn and `over` at the end;
once it is gone, the program says `ended`.
"""

import os
import sys
from pathlib import Path

import numpy as np

from recognizance.errors import NotFoundError
from recognizance.forgetting.closing import Turns
from recognizance.permits import Action
from tests.records.adding import announce
from tests.records.world import World

from .conftest import GALLERY, open_installation, permit_for

SMALL = Turns(first=3, least=3, most=3)


def erase(folder: Path, seed: int) -> None:
    installation = open_installation(folder, World(np.random.default_rng(seed)))
    erasure = installation.erasure(turns=SMALL)

    def progress(gone: int, total: int) -> None:
        announce("piece", [str(gone), str(total)])

    try:
        erasure.gallery(GALLERY, permit=permit_for(Action.MANAGE_GALLERY), progress=progress)
    except NotFoundError:
        erasure.finish(progress=progress)
    announce("over", [])
    installation.close()


def main(folder: Path) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            announce("pid", [str(os.getpid())])
            erase(folder, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        announce("ended", [str(os.waitstatus_to_exitcode(status))])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
