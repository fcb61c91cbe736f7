"""Overlays show the right slice the right way up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.labels import default_labels
from SegClassifyLib.volumes.overlay import save_overlay
from SegClassifyLib.volumes.slices import telling_panels

LPS = Geometry((40, 30, 20), (1.0, 1.0, 1.5), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
RAS = Geometry(LPS.size, LPS.spacing, (39.0, 29.0, 0.0), tuple(np.diag([-1.0, -1.0, 1.0]).ravel()))


def case() -> tuple[np.ndarray, np.ndarray]:
    """A volume on LPS with one bright labelled box on the left, at the back and low."""
    volume = np.random.default_rng(0).normal(0, 1, LPS.shape).astype(np.float32)
    labels = np.zeros(LPS.shape, np.uint8)
    labels[3:6, 20:26, 28:36] = 1
    labels[4, 20:26, 26:38] = 1
    return volume + 20 * labels, labels


def test_the_fullest_slice_of_each_plane_is_taken_and_turned() -> None:
    volume, labels = case()
    panels = telling_panels(Image(volume[None], LPS), LabelMap(labels, LPS), 3)
    assert [p.title for p in panels] == ["axial 5/20", "coronal 21/30", "sagittal 29/40"]
    assert [p.extent for p in panels] == [(40.0, 30.0), (40.0, 30.0), (30.0, 30.0)]
    assert [p.sides for p in panels] == [tuple("RLAP"), tuple("RLSI"), tuple("APSI")]
    np.testing.assert_array_equal(panels[0].labels, labels[4])
    np.testing.assert_array_equal(panels[1].grey, volume[:, 20])


def test_storage_does_not_change_the_picture() -> None:
    volume, labels = case()
    wanted = telling_panels(Image(volume[None], LPS), LabelMap(labels, LPS), 3)
    turned = Image(np.ascontiguousarray(volume[None, :, ::-1, ::-1]), RAS)
    for a, b in zip(wanted, telling_panels(turned, LabelMap(labels[:, ::-1, ::-1], RAS), 3), strict=True):
        np.testing.assert_array_equal(a.grey, b.grey)
        np.testing.assert_array_equal(a.labels, b.labels)
        assert (a.title, a.sides, a.upward) == (b.title, b.sides, b.upward)


def test_a_thin_volume_shows_more_slices_instead_of_strips() -> None:
    geometry = Geometry((40, 40, 5), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), LPS.direction)
    labels = np.zeros(geometry.shape, np.uint8)
    labels[1:4, 5:9, 5:9] = 1
    panels = telling_panels(Image(labels[None] + 1.0, geometry), LabelMap(labels, geometry), 3)
    assert [p.title for p in panels] == ["axial 2/5", "axial 3/5", "axial 4/5"]


def test_without_labels_the_middle_is_shown() -> None:
    volume, labels = case()
    panels = telling_panels(Image(volume[None], LPS), LabelMap(labels * 0, LPS), 3)
    assert [p.title for p in panels] == ["axial 11/20", "coronal 16/30", "sagittal 21/40"]


def pixels(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return imread(path)[..., :3]


def test_the_picture_has_the_labels_colour_where_the_label_is(tmp_path: Path) -> None:
    volume, labels = case()
    colour = Label(1, "nodule", (0.0, 1.0, 0.0))
    path = save_overlay(
        Image(volume[None], LPS), LabelMap(labels, LPS, (colour,)), tmp_path / "o.png", "T $1$", 1
    )
    assert path == tmp_path / "o.png" and [p.name for p in tmp_path.iterdir()] == ["o.png"]
    image = pixels(path)
    green = (image[..., 1] > 0.7) & (image[..., 0] < 0.3)
    picture = np.argwhere(green[: int(0.9 * len(green))])  # without the legend
    height, width = image.shape[:2]
    down, right = picture.mean(axis=0) / (height, width)
    assert right > 0.6 and down > 0.6  # the patient's left is on the right, the back is below
    empty = save_overlay(Image(volume[None], LPS), LabelMap(labels * 0, LPS), tmp_path / "e.png", slices=1)
    assert not ((pixels(empty)[..., 1] > 0.7) & (pixels(empty)[..., 0] < 0.3)).any()


def test_pictures_many_labels_and_colours_are_drawn(tmp_path: Path) -> None:
    grid = Geometry.plain((40, 30))
    picture = np.random.default_rng(0).integers(0, 255, (3, 30, 40)).astype(np.uint8)
    many = (np.arange(1200).reshape(30, 40) // 20).astype(np.uint8)
    save_overlay(
        Image(picture, grid),
        LabelMap(many, grid, default_labels(["a name too long " * 9])),
        tmp_path / "a.png",
    )
    save_overlay(
        Image(picture[:1], grid), LabelMap(many, grid, default_labels(60)), tmp_path / "b.png", "title " * 60
    )
    assert pixels(tmp_path / "a.png").shape[1] == pixels(tmp_path / "b.png").shape[1]
    with pytest.raises(ValueError, match="grid"):
        save_overlay(Image(picture, grid), LabelMap(many.T, Geometry.plain((30, 40))), tmp_path / "c.png")
    with pytest.raises(ImageError, match="does not exist"):
        save_overlay(Image(picture, grid), LabelMap(many, grid), tmp_path / "no" / "c.png")
