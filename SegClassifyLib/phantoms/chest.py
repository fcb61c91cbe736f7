"""Made-up 2D slices of a chest at nine levels of the heart, and their true label maps.

A person's heart is bodies and tubes in 3D; a slice is cut through them. What tells the level is which of them are cut
and how they lie: build, breath, contrast agent and scanner differ so much between people that no global statistic of
grey values says it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from SegClassifyLib.phantoms.texture import ellipsoid_depth, rotation, smooth_noise, soft_step
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap

LEVELS = tuple(f"level {number}" for number in range(1, 10))
"""The classes, from the heart's lowest ninth to its highest."""

CHEST_LABELS = (
    Label(1, "left ventricle", (0.85, 0.25, 0.20)),
    Label(2, "right ventricle", (0.25, 0.45, 0.85)),
    Label(3, "left atrium", (0.95, 0.60, 0.45)),
    Label(4, "right atrium", (0.45, 0.70, 0.95)),
    Label(5, "myocardium", (0.70, 0.45, 0.30)),
    Label(6, "aorta", (0.95, 0.80, 0.25)),
    Label(7, "pulmonary trunk", (0.55, 0.35, 0.75)),
)
"""What a slice's label map holds."""

HEIGHT = 135.0
"""mm from the lowest point of the heart to the top of the arch of the aorta."""

FIELD_OF_VIEW = 270.0
"""mm that the longer side of the grid covers on average."""

_LV, _RV, _LA, _RA, _WALL, _AORTA, _TRUNK = range(1, 8)
_WALL_MM = 9.0


@dataclass(frozen=True)
class ChestPhantom:
    """A made-up slice.

    Args:
        image: int16 ``(1, H, W)``, brightness as in a CT after contrast agent, roughly in HU.
        labels: uint8 ``(H, W)``; see :data:`CHEST_LABELS`.
        level: one of :data:`LEVELS`.
    """

    image: Image
    labels: LabelMap
    level: str


def make_chest_slice(
    person: int, level: str, number: int = 0, shape: tuple[int, int] = (80, 96)
) -> ChestPhantom:
    """Draw one slice. The same person has the same heart, build and scanner at every level.

    Args:
        person: 0 or more.
        level: one of :data:`LEVELS`; where in that ninth the slice lies is drawn.
        number: tells slices of one person and level apart.
        shape: (H, W).

    Raises:
        ValueError: an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"level {level!r} is none of {', '.join(LEVELS)}")
    index = LEVELS.index(level)
    build, heart, scanner = (np.random.default_rng((person, stream)) for stream in range(3))
    cut = np.random.default_rng((person, 3, index, number))
    height = HEIGHT * (index + cut.uniform(0.1, 0.9)) / len(LEVELS)
    geometry, points = _place(build, cut, shape)
    organs = _Organs(heart, points, height)
    around = _Around(build, cut, points, height, organs)
    tissue, labels = around.tissue, organs.labels
    image = _scan(scanner, cut, tissue, organs, geometry.spacing[0])
    return ChestPhantom(Image(image[None], geometry), LabelMap(labels, geometry, CHEST_LABELS), level)


def _place(
    build: np.random.Generator, cut: np.random.Generator, shape: tuple[int, int]
) -> tuple[Geometry, np.ndarray]:
    """The grid, and where each pixel lies: ``(2, H, W)`` mm to the left and back from the middle of the heart."""
    step = round(float(FIELD_OF_VIEW / max(shape) * build.uniform(0.9, 1.1)), 3)
    middle = build.uniform((-14, -12), (14, 12)) + cut.uniform(-3, 3, 2)
    turn = np.radians(build.uniform(-8, 8))
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x, y = (x - (shape[1] - 1) / 2) * step, (y - (shape[0] - 1) / 2) * step
    turned = np.stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y])
    points = turned + middle.reshape(2, 1, 1)
    return Geometry.plain((shape[1], shape[0]), (step, step)), points.astype(np.float32)


class _Organs:
    """What a cut through one person's heart and great vessels shows.

    Args:
        rng: where this person's heart comes from; the same numbers are drawn for every cut.
        points: ``(2, H, W)`` mm.
        height: mm above the lowest point of the heart.

    Attributes:
        levels: mm inside (negative outside) of each label, ``(H, W)`` each.
        veins: mm inside the great veins, which have no label.
        outside: mm inside all of it together.
        labels: ``(H, W)`` uint8.
    """

    def __init__(self, rng: np.random.Generator, points: np.ndarray, height: float) -> None:
        size, turn = rng.uniform(0.86, 1.14, 2), float(rng.uniform(-16, 16))
        self._rng = rng
        self._points = np.tensordot(rotation(0, 0, turn)[:2, :2].astype(np.float32), points, axes=1)
        self._points /= size.reshape(2, 1, 1).astype(np.float32)
        # valves and branches lie a little higher or lower in everybody
        self._height = height + 5.0 * np.sin(np.pi * height / HEIGHT * rng.uniform(0.6, 2.2)) * rng.uniform(
            -1, 1
        )
        self.levels = self._draw()
        self.veins = np.maximum(
            self._tube((-32, -2, 92), (-34, 0, 145), 8), self._tube((-24, 18, -20), (-26, 12, 32), 10)
        )
        self.outside = np.max([*self.levels.values(), self.veins], axis=0)
        self.labels = np.zeros(points.shape[1:], np.uint8)
        for label, level in self.levels.items():
            self.labels[level > 0] = label

    def _draw(self) -> dict[int, np.ndarray]:
        """Later ones lie over earlier ones."""
        ventricle = self._body((38, -4, 38), (24, 26, 34))
        wall = ventricle + _WALL_MM
        right = np.maximum(
            self._body((2, -34, 42), (32, 20, 36)), self._tube((8, -38, 60), (22, -34, 84), 13)
        )
        aorta = np.max(
            [
                self._tube((6, 2, 70), (-10, -14, 122), 14),
                self._tube((-10, -14, 126), (22, 40, 128), 12),
                self._tube((26, 48, -20), (24, 46, 128), 11),
            ],
            axis=0,
        )
        trunk = np.max(
            [
                self._tube((22, -30, 84), (26, -4, 106), 13),
                self._tube((24, -4, 106), (-46, 14, 104), 9),
                self._tube((24, -4, 108), (60, 26, 112), 9),
            ],
            axis=0,
        )
        return {
            _RA: self._body((-36, -4, 62), (22, 24, 33)),
            _LA: self._body((8, 28, 82), (31, 17, 23)),
            _RV: right,
            _WALL: wall,
            _LV: ventricle,
            _TRUNK: trunk,
            _AORTA: aorta,
        }

    def _body(self, centre: tuple[float, ...], semi: tuple[float, ...]) -> np.ndarray:
        """A cut through an ellipsoid."""
        middle = np.asarray(centre) + self._rng.normal(0, 3, 3)
        axes = np.asarray(semi) * self._rng.uniform(0.88, 1.12, 3)
        space = np.concatenate([self._points, np.full_like(self._points[:1], self._height)])
        return ellipsoid_depth(space, middle.tolist(), axes.tolist())

    def _tube(self, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> np.ndarray:
        """A cut through a tube with round ends."""
        begin, finish = (np.asarray(p) + self._rng.normal(0, 2, 3) for p in (start, end))
        wide = radius * self._rng.uniform(0.85, 1.15)
        along = finish - begin
        space = np.concatenate([self._points, np.full_like(self._points[:1], self._height)])
        offset = space - begin.reshape(3, 1, 1)
        share = np.clip(np.tensordot(along, offset, axes=1) / float(along @ along), 0, 1)
        nearest = offset - share * along.reshape(3, 1, 1)
        return np.asarray(wide - np.sqrt((nearest * nearest).sum(0)), dtype=np.float32)


class _Around:
    """The rest of the chest: ``tissue`` is brightness in HU, ``(H, W)``, without what is in the heart."""

    def __init__(
        self,
        build: np.random.Generator,
        cut: np.random.Generator,
        points: np.ndarray,
        height: float,
        organs: _Organs,
    ) -> None:
        wide, deep = build.uniform(0.85, 1.2, 2)
        fat, mediastinum = build.uniform(6, 30), build.uniform(5, 18)
        air, breath = build.uniform(-880, -620), build.uniform(-22, 22) + cut.uniform(-4, 4)
        # the chest narrows upwards in most people
        narrow = 1 - build.uniform(-0.05, 0.22) * height / HEIGHT
        chest = ellipsoid_depth(points, (0, 0), (135 * wide * narrow, 96 * deep))
        self._pixel = float(np.abs(points[0, 0, 1] - points[0, 0, 0])) + 0.5
        self.tissue = np.full(points.shape[1:], -1000.0, np.float32)
        self._paint(chest + 14 + fat, -95)
        self._paint(chest + 14, 45)
        ribs = build.uniform(14, 24)
        angle = np.arctan2(points[1], points[0]) + build.uniform(0, 6) + height / 30
        self._paint(
            np.minimum(chest + 10, np.sin(angle * np.round(ribs / 2)) * 6 - np.abs(chest + 6) / 2), 320
        )
        self._paint(chest, air)
        self._lungs(build, points, chest, air)
        self._paint(np.minimum(organs.outside + mediastinum, chest), -90)
        for x, y, radius, value in ((0, 88 * deep, 24, 220), (0, -92 * deep, 9, 200)):
            self._paint(radius - np.hypot(points[0] - x, points[1] - y), value)
        self._below(build, points, chest, height - breath)
        self._airways(build, points, height)

    def _paint(self, level: np.ndarray, value: float) -> None:
        cover = soft_step(level, self._pixel)
        self.tissue += cover * (np.float32(value) - self.tissue)

    def _lungs(self, build: np.random.Generator, points: np.ndarray, chest: np.ndarray, air: float) -> None:
        """Vessels in the lungs: spots that are more in some people than in others."""
        spots = smooth_noise(build, chest.shape, (1, 1), 1.2)
        share = build.uniform(1.3, 2.3)
        self.tissue += np.where((spots > share) & (chest > 4), (20 - air) * 0.7, 0).astype(np.float32)

    def _below(
        self, build: np.random.Generator, points: np.ndarray, chest: np.ndarray, height: float
    ) -> None:
        """The domes of liver and stomach reach up between the lungs; how far is a matter of breath."""
        plane = np.full_like(points[:1], height)
        space = np.concatenate([points, plane])
        for centre, semi, value in (
            ((-66, -8, -32), (80, 78, 62), build.uniform(60, 130)),
            ((78, 22, -30), (52, 56, 52), build.uniform(-60, 90)),
        ):
            level = ellipsoid_depth(space, centre, semi)
            self._paint(np.minimum(level, chest), value)

    def _airways(self, build: np.random.Generator, points: np.ndarray, height: float) -> None:
        split = 112 + build.uniform(-6, 6)
        if height > split:
            self._paint(8 - np.hypot(points[0] + 2, points[1] - 32), -980)
        elif height > split - 20:
            apart = 6 + 1.6 * (split - height)
            for side in (-1, 1):
                self._paint(6.5 - np.hypot(points[0] - side * apart, points[1] - 32), -980)


def _scan(
    scanner: np.random.Generator, cut: np.random.Generator, tissue: np.ndarray, organs: _Organs, step: float
) -> np.ndarray:
    """The picture: contrast agent that came early or late, grain, blur, noise; int16."""
    left, right = scanner.uniform(70, 420), scanner.uniform(70, 420)
    muscle = scanner.uniform(70, 130)
    bright = {
        _RA: right, _RV: right, _TRUNK: 0.8 * right + 0.2 * left,
        _LA: left, _LV: left, _AORTA: left, _WALL: muscle,
    }  # fmt: skip
    picture = tissue.copy()
    for level, value in [(organs.veins, right), *((organs.levels[k], bright[k]) for k in organs.levels)]:
        # a thin wall keeps two chambers of one brightness apart
        for grown, painted in ((level + 1.5, muscle), (level, value * cut.uniform(0.92, 1.08))):
            cover = soft_step(grown, step)
            picture += cover * (np.float32(painted) - picture)
    picture += 12 * smooth_noise(cut, picture.shape, (1, 1), 2)
    picture = ndimage.gaussian_filter(picture, scanner.uniform(0.3, 0.8))
    picture += np.float32(scanner.uniform(8, 45)) * cut.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(picture), -1024, 3000), dtype=np.int16)
