"""`recognizance evaluate clean`: what evaluations keep is removed."""

from recognizance.cli.evaluating.options import CacheFolder
from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import print_json, results, speaking_plainly


@speaking_plainly
def clean(
    cache: CacheFolder = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Remove what evaluations keep: templates of the pictures and answers about them, which are personal data."""
    from recognizance.cli.measuring import cache_folder
    from recognizance.evaluation.cache import remove_cache

    folder = cache or cache_folder(data)
    size = remove_cache(folder)
    if json:
        print_json({"cache": str(folder), "removed_bytes": size})
    else:
        results.print(f"{folder}: {size / 1e6:.1f} MB removed", markup=False)
