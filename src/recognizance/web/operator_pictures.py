"""Pictures on pages: always our own encoding of decoded pixels, never the bytes that somebody sent.

A file that is a picture and something else besides (a script, a page, an archive) loses the rest when its pixels are
written anew. What is served is marked so that a browser runs nothing of it and guesses no other type, even when
somebody opens it by its own address.
"""

import io
from collections.abc import Mapping

from PIL import Image
from starlette.responses import Response

from recognizance.faces import Photograph, RgbPixels
from recognizance.web.security import HEADERS

PREVIEW_PX = 1_600
"""The longer side of what is shown of a photograph; a limit of ours."""

_QUALITY = 88
_HEADERS: Mapping[str, str] = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
    "Content-Disposition": "inline",
}
"""A sandbox without any permission runs nothing, whatever the file turned out to be."""


def preview_of(photograph: Photograph) -> bytes:
    """A photograph as a JPEG file of our own, upright, and at most `PREVIEW_PX` on its longer side.

    Raises:
        ImageError: If its pixels can't be decoded.
    """
    return jpeg_of(photograph.pixels(long_side_px=PREVIEW_PX))


def jpeg_of(pixels: RgbPixels) -> bytes:
    """Pixels as a JPEG file without a word about where they come from, reduced to `PREVIEW_PX`."""
    picture = Image.fromarray(pixels)
    # Only ever smaller: `thumbnail` leaves a small picture as it is.
    picture.thumbnail((PREVIEW_PX, PREVIEW_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def picture_response(data: bytes, media_type: str = "image/png") -> Response:
    """Serve a picture that this service encoded."""
    return Response(data, media_type=media_type, headers=dict(_HEADERS))
