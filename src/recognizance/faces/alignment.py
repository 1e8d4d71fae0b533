"""Brings a face into the frame that recognisers were trained on: 112×112, five points in fixed places.

The transform is the similarity (scale, turn, shift; no reflection) that is nearest to the five points in the sense of
least squares: Umeyama, Least-squares estimation of transformation parameters between two point patterns, IEEE PAMI 13
(1991), in the closed form that the plane allows. Pure: no I/O, no state.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Landmarks = NDArray[np.float32]
"""(5, 2), x before y, pixels: image-left eye, image-right eye, nose tip, image-left and image-right mouth corner.

Left and right are the image's: the image-left eye is the subject's right eye, unless the picture is a mirror image.
"""

AlignedFace = NDArray[np.uint8]
"""(112, 112, 3) uint8 RGB, C-contiguous."""

ALIGNED_PX = 112
"""Side of an aligned face."""

TEMPLATE_PX: NDArray[np.float64] = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""Where the five points go, as in ArcFace (Deng et al. 2019) and SFace. A constant; never written to."""
TEMPLATE_PX.setflags(write=False)

Transform = NDArray[np.float64]
"""(2, 3): maps points of the source to points of the aligned face. The centre of the first pixel is (0, 0) in both."""


def similarity_transform(landmarks_px: Landmarks) -> Transform:
    """Return the similarity that brings `landmarks_px` nearest to `TEMPLATE_PX`.

    Raises:
        ValueError: If the points are not (5, 2), not finite, or all in one place.
    """
    if landmarks_px.shape != (5, 2) or not np.isfinite(landmarks_px).all():
        raise ValueError("landmarks have to be (5, 2) and finite")
    # A similarity without reflection is z -> a·z + b in complex numbers, and least squares are then one division.
    source = landmarks_px[:, 0].astype(np.float64) + 1j * landmarks_px[:, 1]
    target = TEMPLATE_PX[:, 0] + 1j * TEMPLATE_PX[:, 1]
    centred = source - source.mean()
    spread = np.vdot(centred, centred).real
    if spread <= 1e-6:
        raise ValueError("landmarks lie in one place")
    a = np.vdot(centred, target - target.mean()) / spread
    b = target.mean() - a * source.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def source_px_per_aligned_px(landmarks_px: Landmarks) -> float:
    """How many pixels of the source, along a line, go into one of the aligned face: below 1 it is magnified."""
    transform = similarity_transform(landmarks_px)
    return 1.0 / max(math.hypot(transform[0, 0], transform[1, 0]), 1e-12)


def align(pixels: NDArray[np.uint8], landmarks_px: Landmarks) -> AlignedFace:
    """Cut a face out of `pixels` and bring it upright to 112×112. What lies outside the picture is black.

    A face more than twice as large as the result is averaged down first, because bilinear sampling would skip pixels
    and so turn texture into noise. Below that it is what `cv2.FaceRecognizerSF.alignCrop` gives.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        landmarks_px: In the frame of `pixels`.
    """
    transform = similarity_transform(landmarks_px)
    reduction = int(source_px_per_aligned_px(landmarks_px))
    if reduction >= 2:
        pixels, transform = _reduced(pixels, transform, reduction)
    warped = cv2.warpAffine(pixels, transform, (ALIGNED_PX, ALIGNED_PX), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(warped, dtype=np.uint8)


def mirrored(face: AlignedFace) -> AlignedFace:
    """Return the mirror image. The template is symmetric to half a pixel, so it is aligned as well."""
    return np.ascontiguousarray(face[:, ::-1])


def _reduced(pixels: NDArray[np.uint8], transform: Transform, reduction: int) -> tuple[NDArray[np.uint8], Transform]:
    """Average blocks of `reduction`×`reduction` pixels around the face into one, and adapt the transform."""
    inverse = cv2.invertAffineTransform(transform)
    corners = np.array([(0, 0, 1), (ALIGNED_PX, 0, 1), (0, ALIGNED_PX, 1), (ALIGNED_PX, ALIGNED_PX, 1)]) @ inverse.T
    height, width = pixels.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2 * reduction, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2 * reduction, low + 1, [width, height])
    region = pixels[low[1] : high[1], low[0] : high[0]]
    # Sides that are no multiple of the reduction would shift its grid; the last incomplete block is left black, except
    # where the region is smaller than one block.
    rows, columns = max(region.shape[0] // reduction, 1), max(region.shape[1] // reduction, 1)
    region = region[: rows * reduction, : columns * reduction]
    small = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
    # Full resolution x = low + (reduced + 1/2)·reduction - 1/2, put into the transform.
    adapted = transform.copy()
    adapted[:, :2] *= reduction
    adapted[:, 2] += transform[:, :2] @ (low + (reduction - 1) / 2)
    return np.asarray(small, dtype=np.uint8), adapted
