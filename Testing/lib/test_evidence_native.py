"""Evidence on the image's own grid: it adds up to the logit too, and lies where it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import evidence_data as data
import numpy as np
import pytest
from worker_data import oblique

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.layers import Layer, add_exactly
from SegClassifyLib.evidence.native import add_on_native
from SegClassifyLib.preprocessing.grid import GridPath, plan_grid
from SegClassifyLib.preprocessing.spec import GridSpec
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image

_CASES: dict[str, tuple[Literal[2, 3], tuple[int, ...], tuple[float, ...], dict[str, object]]] = {
    "2D, finer": (2, (75, 91), (0.5, 0.8), {"spacing": (1.5, 1.5)}),
    "2D, coarser": (2, (30, 26), (3.0, 4.0), {"spacing": (1.5, 1.5)}),
    "2D, padded": (2, (50, 91), (0.5, 0.8), {"size": (48, 48), "fit": True}),
    "3D, finer": (3, (25, 47, 41), (0.6, 0.7, 1.5), {"spacing": (1.7, 1.7, 2.0)}),
    "3D, coarser": (3, (7, 15, 13), (3.1, 2.9, 5.0), {"spacing": (1.7, 1.7, 2.0)}),
    "3D, cropped": (3, (22, 41, 37), (1.0, 1.0, 2.0), {"size": (32, 32, 16)}),
}


@pytest.mark.parametrize("ndim, shape, spacing, grid", _CASES.values(), ids=_CASES)
def test_the_saved_map_adds_up_to_the_logit(
    ndim: Literal[2, 3], shape: tuple[int, ...], spacing: tuple[float, ...], grid: dict[str, object]
) -> None:
    model = data.linear_model(ndim, "whole", (40, 48) if ndim == 2 else (16, 20, 18))
    spec = model.segmenter.preprocessing
    spec = spec.model_copy(update={"grid": GridSpec.model_validate({"multiple_of": 8, **grid})})
    model = replace(model, segmenter=replace(model.segmenter, preprocessing=spec))
    case = data.image(shape)
    case = Image(case.array, Geometry.plain(shape[::-1], spacing))
    classifier = Classifier(model, "cpu")
    for label in (None, "tumour"):
        found = explain(classifier, case, ("ring",), label=label).maps[0]
        volume = float(np.prod(spacing)) / (1000 if ndim == 3 else 100)  # ml, cm²
        assert found.voxel == pytest.approx(volume) and found.unit == ("ml" if ndim == 3 else "cm2")
        total = float(found.shown.sum(dtype=np.float64)) * volume + found.listed + found.base
        sizes = np.abs(found.array).sum() + sum(abs(p.value) for p in found.parts)
        assert abs(total - found.logit) < 3e-6 * sizes


def test_pictures_have_no_centimetres(tmp_path: Path) -> None:
    """A PNG's grid of 1 mm is made up: a density is told by the pixel, and the numbers are those of 1 mm."""
    case, classifier = data.image((40, 48)), Classifier(data.linear_model(2, "whole", (40, 48)), "cpu")
    array, plain = case.array, Geometry.plain((48, 40))
    units = {}
    for name in ("case.png", "case.nrrd"):
        image = Image(array, plain, (tmp_path / name,))
        found = explain(classifier, image, ("ring",)).maps[0]
        units[name] = found.unit
        assert found.voxel == 0.01
    assert units == {"case.png": "100 pixels", "case.nrrd": "cm2"}


def test_a_slice_in_a_volume_is_an_area() -> None:
    case = data.image((40, 48))
    grid = Geometry.plain((48, 40, 1), (0.5, 0.7, 9.0))
    classifier = Classifier(data.linear_model(2, "whole", (40, 48)), "cpu")
    found = explain(classifier, Image(case.array[:, None], grid), ("ring",)).maps[0]
    assert found.shown.shape == (1, 40, 48) and found.unit == "cm2" and found.voxel == pytest.approx(0.0035)
    total = float(found.shown.sum(dtype=np.float64)) * 0.0035 + found.listed + found.base
    assert total == pytest.approx(found.logit, abs=1e-4)


def _path(native: Geometry, **grid: object) -> GridPath:
    return plan_grid(native, GridSpec.model_validate({"orientation": "LPS", **grid}))


_GRIDS: dict[str, tuple[Geometry, dict[str, object]]] = {
    "2D": (Geometry.plain((30, 25), (0.7, 1.1)), {"spacing": (1.0, 1.0)}),
    "image finer": (Geometry.plain((37, 26, 23), (0.4, 0.6, 1.0)), {"spacing": (1.5, 1.5, 2.0)}),
    "image coarser": (Geometry.plain((9, 8, 5), (3.1, 4.0, 5.0)), {"spacing": (1.0, 1.0, 1.0)}),
    "thin": (Geometry.plain((40, 30, 1), (0.7, 0.7, 3.0)), {"spacing": (1.0, 1.0, 1.5)}),
    "turned": (oblique((26, 30, 9)), {"spacing": (1.3, 1.3, 1.3)}),
}


@pytest.mark.parametrize("native, grid", _GRIDS.values(), ids=_GRIDS)
def test_nothing_is_lost_on_the_way_to_the_image(native: Geometry, grid: dict[str, object]) -> None:
    """Positive and negative contributions each keep their sum, and what is even stays even."""
    path, rng = _path(native, **grid), np.random.default_rng(0)
    whole = tuple(slice(0, n) for n in path.shape)
    for counts in (path.shape, [max(1, n // 2) for n in path.shape], [1] * native.ndim):
        drawn = rng.normal(size=counts).astype(np.float32)
        for cells in (drawn.clip(min=0), drawn.clip(max=0), drawn):
            placed = add_on_native([Layer("tap", cells, whole)], path)
            assert placed.shape == native.shape
            assert placed.sum(dtype=np.float64) == pytest.approx(
                cells.sum(dtype=np.float64), abs=3e-6 * float(np.abs(cells).sum())
            )
        even = add_on_native([Layer("tap", np.ones_like(drawn), whole)], path)
        np.testing.assert_allclose(even, drawn.size / even.size, rtol=1e-5)


@pytest.mark.parametrize("step", [1, 2, 16])
def test_padding_has_nothing(step: int) -> None:
    """What a cell half in the padding has comes to the image's border, not nowhere."""
    path = _path(Geometry.plain((30, 20)), size=(16, 16), fit=True, multiple_of=16)
    assert path.inside == (slice(3, 14), slice(0, 16))
    whole = (slice(0, 16), slice(0, 16))
    covered = np.zeros((16, 16), np.float32)
    covered[path.inside] = 1
    cells = covered.reshape(16 // step, step, 16 // step, step).sum((1, 3))
    placed = add_on_native([Layer("tap", cells, whole)], path)
    assert placed.sum(dtype=np.float64) == pytest.approx(cells.sum(), rel=1e-6)
    np.testing.assert_allclose(placed, cells.sum() / placed.size, rtol=0.3)
    cells[0] += 5.0  # even what lies in padding alone
    placed = add_on_native([Layer("tap", cells, whole)], path)
    assert placed.sum(dtype=np.float64) == pytest.approx(cells.sum(), rel=1e-6)


def test_what_the_model_does_not_see_has_nothing() -> None:
    path = _path(Geometry.plain((30, 25)), size=(12, 12))
    placed = add_on_native([Layer("tap", np.ones((6, 6), np.float32), (slice(0, 12), slice(0, 12)))], path)
    rows, columns = np.nonzero(placed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (6, 17, 9, 20)
    np.testing.assert_allclose(placed[6:18, 9:21], 0.25, rtol=1e-5)


def test_a_cell_lies_where_it_was() -> None:
    path = _path(Geometry.plain((60, 32)), spacing=(2.0, 2.0))
    cells = np.zeros((4, 5), np.float32)
    cells[2, 3] = 1.0
    layer = Layer("tap", cells, (slice(0, 16), slice(5, 25)))
    exact, placed = add_exactly([layer], (16, 30)), add_on_native([layer], path)
    assert exact[8:12, 17:21].sum() == pytest.approx(1.0) and placed.sum() == pytest.approx(1.0)
    assert placed.max() < 1.3 / 64 and placed[16:24, 34:42].sum() > 0.5
    np.testing.assert_allclose(np.argwhere(placed > 0.9 * placed.max()).mean(0), [19.5, 37.5])


def test_the_map_lies_on_the_image() -> None:
    model = data.linear_model(3, "whole", (16, 20, 18))
    case = data.image((9, 30, 26))
    turned = Image(case.array, oblique((26, 30, 9)))
    found = explain(Classifier(model, "cpu"), turned, ("ring",)).maps[0]
    assert found.shown.shape == turned.geometry.shape and found.native == turned.geometry
    # The strongest voxel of the shown map lies where the model grid's own density is strong.
    place = np.unravel_index(np.abs(found.shown).argmax(), found.shown.shape)
    world = found.native.world(tuple(float(i) for i in place[::-1]))
    back = found.geometry.matrix.T @ (world - np.asarray(found.geometry.origin)) / found.geometry.spacing
    index = tuple(int(i) for i in np.clip(np.round(back[::-1]), 0, np.asarray(found.array.shape) - 1))
    near = tuple(slice(max(0, i - 2), i + 3) for i in index)
    assert np.abs(found.array[near]).max() > 0.5 * np.abs(found.array).max()
    assert np.sign(found.array[near].sum()) == np.sign(found.shown[place])
