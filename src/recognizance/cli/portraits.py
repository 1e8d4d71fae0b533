"""Two public-domain portraits that installed packages ship, for `demo` and `doctor`."""

from matplotlib import cbook
from PIL import Image
from skimage import data


def collins_portrait() -> Image.Image:
    """Eileen Collins, astronaut: NASA's portrait, shipped by scikit-image."""
    return Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]  # scikit-image types only some functions


def hopper_portrait() -> Image.Image:
    """Grace Hopper, computer scientist: the US Navy's portrait, shipped by matplotlib."""
    path = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    with Image.open(str(path)) as portrait:
        return portrait.convert("RGB")
