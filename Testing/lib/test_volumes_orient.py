"""Turning, flattening and resampling keep every voxel where it is in the patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.dimensions import flatten, flatten_geometry, lift
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.labels import default_labels, with_background
from SegClassifyLib.volumes.orient import align_axes, from_orientation, to_orientation
from SegClassifyLib.volumes.resample import resample_image

CODES = ("LPS", "RAS", "SLP", "AIR")


def rotation(seed: int, angle: float = 3.0) -> np.ndarray:
    """A rotation by up to ``angle`` radians about each axis."""
    a, b, c = np.random.default_rng(seed).uniform(-angle, angle, 3)
    x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return np.array(x) @ np.array(y) @ np.array(z)


def volume(matrix: np.ndarray | None = None) -> tuple[np.ndarray, Geometry]:
    """A volume in which every voxel has its own value."""
    direction = tuple(np.eye(3).ravel() if matrix is None else matrix.ravel())
    geometry = Geometry((5, 4, 3), (0.7, 1.5, 2.5), (11.0, -7.0, 3.0), direction)
    return np.random.default_rng(0).permutation(60).reshape(geometry.shape), geometry


def stored_otherwise(
    array: np.ndarray, geometry: Geometry, order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> tuple[np.ndarray, Geometry]:
    """The same anatomy with axes in another order and direction, written here without the code under test."""
    size = [geometry.size[a] for a in order]
    result = np.empty(size[::-1], array.dtype)
    for index in product(*(range(n) for n in size)):
        old = [0, 0, 0]
        for axis, i, n, flip in zip(order, index, size, flips, strict=True):
            old[axis] = n - 1 - i if flip else i
        result[index[::-1]] = array[tuple(old[::-1])]
    corner = [0, 0, 0]
    for axis, flip in zip(order, flips, strict=True):
        corner[axis] = geometry.size[axis] - 1 if flip else 0
    signs = np.where(flips, -1.0, 1.0)
    turned = Geometry(
        tuple(size),
        tuple(geometry.spacing[a] for a in order),
        tuple(geometry.world(tuple(corner))),
        tuple((geometry.matrix[:, order] * signs).ravel()),
    )
    return result, turned


def positions(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    """World position of the voxels with value 0, 1, 2, …"""
    places = np.empty((array.size, geometry.ndim))
    for index in np.ndindex(*array.shape):
        places[array[index]] = geometry.world(tuple(index[::-1]))
    return places


ALL_STORAGES = list(product(permutations(range(3)), product((False, True), repeat=3)))


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_every_storage_of_the_same_anatomy_turns_into_the_same_array(seed: int | None) -> None:
    array, geometry = volume(None if seed is None else rotation(seed, 0.5))
    wanted, wanted_geometry = to_orientation(array, geometry, "LPS")
    for order, flips in ALL_STORAGES:
        stored, stored_geometry = stored_otherwise(array, geometry, order, flips)
        turned, turned_geometry = to_orientation(stored, stored_geometry, "LPS")
        np.testing.assert_array_equal(turned, wanted)
        assert turned_geometry.is_close(wanted_geometry, 1e-6)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_every_voxel_keeps_its_place_in_the_world(code: str, seed: int | None) -> None:
    array, geometry = volume(None if seed is None else rotation(seed))
    turned, turned_geometry = to_orientation(array, geometry, code)
    np.testing.assert_allclose(positions(turned, turned_geometry), positions(array, geometry), atol=1e-9)


def test_indices_increase_in_the_directions_of_the_code() -> None:
    towards = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
    array, geometry = volume(rotation(4, 0.3))
    for code in CODES:
        _, turned = to_orientation(array, geometry, code)
        for axis, letter in enumerate(code):
            world, sign = towards[letter]
            assert turned.matrix[world, axis] * sign > 0.8


def test_halfway_between_two_axes_the_storage_does_not_decide() -> None:
    c = np.sqrt(0.5)
    array, geometry = volume(np.array([[c, -c, 0], [c, c, 0], [0, 0, 1]]))
    results = [
        to_orientation(*stored_otherwise(array, geometry, order, flips), "LPS")
        for order, flips in ALL_STORAGES
    ]
    for turned, turned_geometry in results:
        np.testing.assert_array_equal(turned, results[0][0])
        assert turned_geometry.is_close(results[0][1], 1e-6)


def test_turning_copies_nothing_and_leaves_leading_axes_alone() -> None:
    array, geometry = volume(rotation(5))
    channels = np.stack([array, array + 100])
    turned, _ = to_orientation(channels, geometry, "RAS")
    assert np.shares_memory(turned, channels)
    np.testing.assert_array_equal(turned[1], turned[0] + 100)


@pytest.mark.parametrize("order,flips", ALL_STORAGES)
def test_turning_back_is_the_exact_inverse(
    order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    array, geometry = stored_otherwise(*volume(rotation(6)), order, flips)
    for code in CODES:
        turned, turned_geometry = to_orientation(array[None], geometry, code)
        np.testing.assert_array_equal(from_orientation(turned, turned_geometry, geometry), array[None])


def test_turning_back_refuses_a_grid_that_is_another() -> None:
    array, geometry = volume()
    turned, turned_geometry = to_orientation(array, geometry, "RAS")
    other = Geometry((5, 4, 2), geometry.spacing, geometry.origin, geometry.direction)
    with pytest.raises(ValueError, match="differ"):
        from_orientation(turned, turned_geometry, other)


@pytest.mark.parametrize("code", ["LP", "LLS", "XYZ", "LPSS"])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="three letters"):
        to_orientation(*volume(), code)


def test_2d_images_are_turned_along_their_own_world_axes_whatever_the_code() -> None:
    array = np.arange(6).reshape(2, 3)
    geometry = Geometry((3, 2), (1.0, 2.0), (5.0, 5.0), (0.0, -1.0, -1.0, 0.0))
    turned, turned_geometry = to_orientation(array, geometry, "RAS")
    np.testing.assert_allclose(turned_geometry.matrix, np.eye(2))
    np.testing.assert_allclose(positions(turned, turned_geometry), positions(array, geometry))


def test_aligning_brings_a_storage_onto_another() -> None:
    array, geometry = volume(rotation(7))
    stored, stored_geometry = stored_otherwise(array, geometry, (2, 0, 1), (True, False, True))
    aligned, aligned_geometry = align_axes(stored, stored_geometry, geometry)
    np.testing.assert_array_equal(aligned, array)
    assert aligned_geometry.is_close(geometry, 1e-6)


@pytest.mark.parametrize("size", [(5, 4, 1), (5, 1, 4), (1, 5, 4)])
def test_a_single_slice_becomes_2d_and_its_labels_go_back(size: tuple[int, int, int]) -> None:
    geometry = Geometry(size, (0.5, 0.6, 0.7), (1.0, 2.0, 3.0), tuple(rotation(8, 0.2).ravel()))
    array = np.random.default_rng(0).random((2, *geometry.shape))
    flat = flatten(Image(array, geometry))
    assert flat.geometry.size == tuple(n for n in size if n > 1)
    assert flat.geometry.spacing == tuple(s for s, n in zip(geometry.spacing, size, strict=True) if n > 1)
    np.testing.assert_array_equal(flat.array.ravel(), array.ravel())
    np.testing.assert_allclose(flat.geometry.matrix.T @ flat.geometry.matrix, np.eye(2), atol=1e-12)
    labels = LabelMap((flat.array[0] > 0.5).astype(np.uint8), flat.geometry)
    lifted = lift(labels, geometry)
    assert lifted.geometry == geometry
    np.testing.assert_array_equal(lifted.array, array[0] > 0.5)


def test_mirrored_storage_of_a_slice_shows_in_its_2d_direction() -> None:
    ras = Geometry((5, 4, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.diag([-1.0, -1.0, 1.0]).ravel()))
    np.testing.assert_allclose(flatten_geometry(ras).matrix, -np.eye(2))
    # A coronal DICOM slice: columns to the left, rows downwards to the feet.
    coronal = Geometry((5, 4, 1), (1.0,) * 3, (0.0,) * 3, (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0))
    np.testing.assert_allclose(flatten_geometry(coronal).matrix, np.eye(2))


def test_a_volume_is_no_single_slice() -> None:
    array, geometry = volume()
    with pytest.raises(ImageError, match="volume of 5 x 4 x 3"):
        flatten(Image(array[None], geometry))
    with pytest.raises(ValueError):
        lift(LabelMap(np.zeros((4, 5), np.uint8), Geometry.plain((5, 4))), geometry)


def test_a_linear_ramp_survives_resampling_to_an_oblique_grid() -> None:
    """Linear interpolation reproduces world coordinates exactly, so any slip in the grid shows."""
    geometry = Geometry((20, 20, 20), (1.0, 1.2, 1.4), (-8.0, -9.0, -10.0), tuple(rotation(9).ravel()))
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"))[::-1]
    world = np.einsum("ij,jzyx->izyx", geometry.matrix * geometry.spacing, indices.astype(float))
    image = Image((world + np.reshape(geometry.origin, (3, 1, 1, 1))).astype(np.float32), geometry)
    centre = geometry.world((9.5, 9.5, 9.5))
    matrix = rotation(10)
    start = centre - matrix @ np.array([2.0, 2.0, 2.0])
    target = Geometry((5, 5, 5), (1.0, 1.0, 1.0), tuple(start), tuple(matrix.ravel()))
    result = resample_image(image, target)
    for index in ((0, 0, 0), (4, 1, 2), (3, 4, 0)):
        np.testing.assert_allclose(result.array[(slice(None), *index[::-1])], target.world(index), atol=1e-4)


def test_outside_an_image_is_its_own_least_value_or_what_is_asked() -> None:
    image = Image(np.array([[[5, 7], [9, 11]], [[-3, 4], [5, 6]]], np.int16), Geometry.plain((2, 2)))
    far = Geometry((3, 2), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))
    np.testing.assert_array_equal(resample_image(image, far).array[:, 0, 2], [5, -3])
    np.testing.assert_array_equal(resample_image(image, far, background=-1000).array[:, 0, 2], [-1000, -1000])
    assert resample_image(image, far).array.dtype == np.float32
    with pytest.raises(ValueError, match="a 2D image cannot be resampled to a 3D grid"):
        resample_image(image, Geometry.plain((2, 2, 2)))


def test_default_labels_have_distinct_colours() -> None:
    labels = default_labels(117)
    assert [x.value for x in labels] == list(range(1, 118))
    assert len({x.colour for x in labels}) == 117
    assert all(0 <= c <= 1 for x in labels for c in x.colour)
    assert [x.name for x in with_background(default_labels(["oedema", "core"]))] == [
        "background",
        "oedema",
        "core",
    ]
    assert with_background(with_background(labels)) == with_background(labels)


def test_equal_images_hash_alike_whatever_the_sign_of_zero() -> None:
    array = np.arange(4, dtype=np.int16).reshape(1, 2, 2)
    plain = Geometry.plain((2, 2))
    minus = Geometry((2, 2), (1.0, 1.0), (-0.0, 0.0), (1.0, -0.0, -0.0, 1.0))
    moved = Geometry((2, 2), (1.0, 1.0), (0.1, 0.0), plain.direction)
    assert Image(array, plain).content_hash() == Image(array, minus).content_hash()
    assert Image(array, plain).content_hash() != Image(array, moved).content_hash()
    assert Image(array, plain).content_hash() != Image(array.swapaxes(1, 2), plain).content_hash()
