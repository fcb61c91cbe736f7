"""Made-up MR images of heads, with and without tumours of three types, and their true label maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from SegClassifyLib.phantoms.anatomy import Anatomy, Tissue, make_anatomy
from SegClassifyLib.phantoms.texture import rotation, smooth_noise
from SegClassifyLib.phantoms.tumours import TUMOURS, Tumour, grow_tumour
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap

LABELS = (
    Label(1, "scalp and skull", (0.87, 0.72, 0.53)),
    Label(2, "CSF", (0.33, 0.60, 0.90)),
    Label(3, "grey matter", (0.56, 0.56, 0.60)),
    Label(4, "white matter", (0.95, 0.94, 0.84)),
    Label(5, "tumour", (0.90, 0.25, 0.20)),
)
"""What a head's label map holds; 0 is air."""

FIELD_OF_VIEW = (184.0, 222.0, 186.0)
"""mm along x, y, z that the grid covers on average when no spacing is asked for."""

_TUMOUR_LABEL = LABELS[-1].value
_LABEL_OF_TISSUE = np.array([0, 1, 1, 2, 3, 4, 1], dtype=np.uint8)

# brightness of air, soft tissue, bone, CSF, grey, white, fat, in units of white matter; and what oedema adds to white
_CONTRASTS = {
    "T1c": (np.array([0.0, 0.72, 0.14, 0.24, 0.70, 1.0, 2.0]), -0.28),
    "FLAIR": (np.array([0.0, 0.6, 0.12, 0.16, 1.22, 1.0, 1.9]), 0.55),
}
CHANNELS = tuple(_CONTRASTS)
"""The channels a head can be drawn in: contrast-enhanced T1 and FLAIR."""


@dataclass(frozen=True)
class HeadPhantom:
    """A made-up patient.

    Args:
        image: int16 ``(C, D, H, W)``.
        labels: uint8 ``(D, H, W)`` on the same grid; see :data:`LABELS`.
        tumour: one of :data:`~SegClassifyLib.phantoms.tumours.TUMOURS`, or ``None``.
    """

    image: Image
    labels: LabelMap
    tumour: str | None


def make_head(
    seed: int,
    tumour: str | None,
    shape: tuple[int, int, int] = (48, 56, 48),
    spacing: tuple[float, float, float] | None = None,
    channels: tuple[str, ...] = ("T1c",),
) -> HeadPhantom:
    """Draw one head. The same seed gives the same person, pose and scanner whatever the tumour.

    Args:
        seed: 0 or more.
        tumour: one of :data:`~SegClassifyLib.phantoms.tumours.TUMOURS`, or ``None`` for a healthy head.
        shape: (D, H, W) of the image.
        spacing: mm along x, y, z; ``None`` draws an anisotropic one that shows the whole head.
        channels: any of :data:`CHANNELS`, in the order wanted.

    Raises:
        ValueError: an unknown tumour or channel.
    """
    if tumour is not None and tumour not in TUMOURS:
        raise ValueError(f"tumour {tumour!r} is none of {', '.join(TUMOURS)}")
    if unknown := [c for c in channels if c not in _CONTRASTS]:
        raise ValueError(f"channel {unknown[0]!r} is none of {', '.join(CHANNELS)}")
    pose, person, growth, scanner = (np.random.default_rng((seed, stream)) for stream in range(4))
    geometry, points = _place(pose, shape, spacing)
    steps = geometry.spacing
    array_spacing = (steps[2], steps[1], steps[0])
    anatomy = make_anatomy(person, points, array_spacing, size=float(pose.uniform(0.92, 1.04)))
    grown = None if tumour is None else grow_tumour(tumour, growth, anatomy, points, array_spacing)
    image = np.stack([_scan(scanner, anatomy, grown, name, array_spacing) for name in channels])
    return HeadPhantom(Image(image, geometry), LabelMap(_label(anatomy, grown), geometry, LABELS), tumour)


def _place(
    rng: np.random.Generator, shape: tuple[int, int, int], spacing: tuple[float, float, float] | None
) -> tuple[Geometry, np.ndarray]:
    """The grid in the world, and where each of its voxels lies in the head: ``(3, D, H, W)`` mm."""
    size = (shape[2], shape[1], shape[0])
    drawn = [extent / n * rng.uniform(0.95, 1.07) for extent, n in zip(FIELD_OF_VIEW, size, strict=True)]
    step = np.asarray(spacing or [round(s, 3) for s in drawn], dtype=float)
    oblique = rotation(*rng.uniform(-12, 12, 3))
    middle = oblique @ (step * (np.array(size) - 1) / 2)
    origin = rng.uniform(-25, 25, 3) - middle
    geometry = Geometry(size, tuple(step.tolist()), tuple(origin.tolist()), tuple(oblique.ravel().tolist()))

    tilt, shift = rotation(*rng.uniform(-7, 7, 3)), rng.uniform((-5, -5, 3), (5, 5, 13))
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(size, step, strict=True)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    centred = np.stack([x, y, z]).astype(np.float32) - shift.reshape(3, 1, 1, 1).astype(np.float32)
    return geometry, np.tensordot(tilt.T.astype(np.float32), centred, axes=1)


def _label(anatomy: Anatomy, tumour: Tumour | None) -> np.ndarray:
    labels = _LABEL_OF_TISSUE[anatomy.fractions.argmax(axis=0)]
    if tumour is not None:
        labels[tumour.mask] = _TUMOUR_LABEL
    return labels


def _scan(
    rng: np.random.Generator,
    anatomy: Anatomy,
    tumour: Tumour | None,
    channel: str,
    spacing: tuple[float, float, float],
) -> np.ndarray:
    """One channel as a scanner with its own contrast, shading, blur, noise and gain would show it: int16."""
    shape = anatomy.depth.shape
    contrast, oedema_change = _CONTRASTS[channel]
    # scanners and people differ: each tissue's brightness moves; fat, the brightest of all, moves most, so that
    # no tumour shows in the bright end of the histogram
    brightness = contrast * rng.uniform(0.9, 1.1, len(Tissue))
    brightness[Tissue.WHITE] = contrast[Tissue.WHITE]
    brightness[Tissue.FAT] = contrast[Tissue.FAT] * rng.uniform(0.85, 1.3)
    picture = np.tensordot(brightness.astype(np.float32), anatomy.fractions, axes=1)
    picture *= 1 + 0.03 * smooth_noise(rng, shape, spacing, 4)
    if tumour is not None:
        picture += np.float32(oedema_change) * tumour.oedema
        picture = _with_tumour(picture, tumour, brightness[Tissue.WHITE], channel)
    picture = ndimage.gaussian_filter(np.maximum(picture, 0), rng.uniform(0.25, 0.5))
    picture *= np.exp(rng.uniform(0.05, 0.16) * smooth_noise(rng, shape, spacing, 70))
    noise = np.float32(rng.uniform(0.02, 0.055)) * rng.standard_normal((2, *shape), dtype=np.float32)
    picture = np.hypot(picture + noise[0], noise[1])  # magnitude images: Rician
    return np.asarray(np.rint(picture * rng.uniform(250, 1200)), dtype=np.int16)


def _with_tumour(picture: np.ndarray, tumour: Tumour, white: float, channel: str) -> np.ndarray:
    """The picture with the tumour in it, its mean over the mask set to the drawn contrast."""
    lift, depth_of_pattern = (0.0, 1.0) if channel == "T1c" else (0.25, 0.6)
    cover, mask = tumour.cover, tumour.mask
    picture = picture * (1 - cover) + cover * (white + np.float32(depth_of_pattern) * tumour.pattern)
    wanted = white * (1 + tumour.contrast + lift)
    picture += cover * np.float32((wanted - picture[mask].mean()) / cover[mask].mean())
    return np.asarray(picture, dtype=np.float32)
