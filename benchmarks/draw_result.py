"""Draw a result document's pictures as SVG files, as they stand in the README and in docs/.

    python benchmarks/draw_result.py benchmarks/results/aclu/result.json docs/pictures

writes one file for each drawing of the report, named by its title, and prints for each the words that say what it
shows: they belong beside the picture wherever it stands. The same document gives the same files.
"""

import argparse
import re
from pathlib import Path

from recognizance.evaluation.reports import evaluation_report
from recognizance.evaluation.results import read_evaluation
from recognizance.register.reports.blocks import Picture


def draw(result: Path, folder: Path) -> None:
    """Write the drawings of a result into a folder, which may exist."""
    pictures = [block for block in evaluation_report(read_evaluation(result.read_bytes())).blocks
                if isinstance(block, Picture)]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    for picture in pictures:
        slug = re.sub(r"[^a-z0-9]+", "-", picture.title.lower()).strip("-")
        name = slug if slug not in names else f"{slug}-{len(names)}"
        names.add(name)
        (folder / f"{name}.svg").write_bytes(picture.svg)
        print(f"{name}.svg: {picture.text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("result", type=Path, help="A result.json.")
    parser.add_argument("folder", type=Path, help="Where the pictures go.")
    arguments = parser.parse_args()
    draw(arguments.result, arguments.folder)
