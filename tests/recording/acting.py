"""A process that acts on the record without end, and says of each promise what it was given. To be killed.

python -m tests.recording.acting DATA NAME [COUNT]
"""

import base64
import sys
from pathlib import Path

from tests.recording.world import GALLERY, World, key_entry, search_entry


def main() -> None:
    data, name = Path(sys.argv[1]), sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    with World(data).opened() as (_, recorder):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for number in range(count):
            with recorder.following() as promised:
                if number % 3 == 2:
                    with recorder.changing() as change:
                        change.transaction.tag_gallery(GALLERY, {name: str(number)})
                        change.enter(key_entry(f"{name}{number}"))
                else:
                    recorder.record(search_entry(), gallery=GALLERY)
            for each in promised:
                line = f"{base64.b64encode(each.data).decode()} {base64.b64encode(each.receipt.data).decode()}\n"
                sys.stdout.write(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
