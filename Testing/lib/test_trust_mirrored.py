"""Mirrored images are named where left and right differ alike in all training images, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from trust_data import cases_of, observed

from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.phantoms.chest import LEVELS, make_chest_slice
from SegClassifyLib.phantoms.slices import LESIONS, make_slice
from SegClassifyLib.trust.mirrored import Sides, learn_sides
from SegClassifyLib.trust.novelty import learn_novelty
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.observation import Observation, observe
from SegClassifyLib.volumes.sides import sides


def chest(person: int, mirror: bool = False) -> Observation:
    """A slice through a heart, which lies on the left."""
    image = make_chest_slice(person, LEVELS[3 + person % 3]).image
    return observe(Image(image.array[..., ::-1].copy(), image.geometry) if mirror else image)


@pytest.fixture(scope="module")
def learned() -> Sides:
    found = learn_sides([chest(p) for p in range(40)], np.arange(40))
    assert found is not None
    return found


def test_mirrored_chests_are_told_and_others_are_not(learned: Sides) -> None:
    new = range(100, 160)
    assert np.mean([learned.mirrored(chest(p, mirror=True)) for p in new]) > 0.6
    assert np.mean([learned.mirrored(chest(p)) for p in new]) < 0.04


def test_images_without_a_side_of_their_own_have_none() -> None:
    """Lesions lie anywhere, left and right of these slices are alike."""
    shown = [observe(make_slice(seed, LESIONS[seed % 2], (48, 48)).image) for seed in range(40)]
    assert learn_sides(shown, np.arange(40)) is None


def test_few_patients_with_many_images_are_few() -> None:
    shown = [chest(p) for p in range(40)]
    assert learn_sides(shown, np.arange(40)) is not None
    assert learn_sides(shown, np.arange(40) % 9) is None


@pytest.mark.parametrize("size", [9, 64, 65, 96, 190, 513])
def test_a_mirrored_image_has_exactly_the_opposite_and_a_symmetric_one_nothing(size: int) -> None:
    rng = np.random.default_rng(size)
    array = rng.normal(size=(20, size)).astype(np.float32)
    geometry = Geometry.plain((size, 20), (1.0, 1.0))
    here, both = np.reshape(sides(array, geometry, -2, 2), (2, 32))
    assert np.abs(here).max() > 0.01
    np.testing.assert_array_equal(sides(array[:, ::-1], geometry, -2, 2), np.r_[-here, both])
    assert not np.any(sides(array + array[:, ::-1], geometry, -2, 2)[:32])


def test_parts_are_means_whatever_their_size() -> None:
    """Of 12 columns each part has one and a half: the mean of the first is that of column 0 and half of column 1."""
    array = np.zeros((8, 12), np.float32)
    array[:, 0], array[:, 1] = 0.3, 0.9
    found = np.reshape(sides(array, Geometry.plain((12, 8), (1.0, 1.0)), 0, 1), (2, 8, 4))
    np.testing.assert_allclose(found, np.tile([0.5 / 2, 0.3 / 2, 0, 0], (2, 8, 1)), atol=1e-6)


def test_a_volume_is_turned_as_its_header_says() -> None:
    """The patient's left, not the array's: a volume stored the other way round, and said to be, is no mirrored one."""
    rng = np.random.default_rng(0)
    array = rng.normal(size=(16, 24, 32)).astype(np.float32)
    array[:, :, 20:] += 5
    plain = Geometry((32, 24, 16), (1.0, 1.0, 2.0), (0.0,) * 3, (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    other = Geometry((32, 24, 16), (1.0, 1.0, 2.0), (31.0, 0, 0), (-1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    here, both = np.reshape(sides(array, plain, -1, 6), (2, 8 * 8 * 4))
    assert here.mean() < -0.1
    np.testing.assert_array_equal(sides(array[:, :, ::-1], other, -1, 6), np.r_[here, both])
    np.testing.assert_array_equal(sides(array[:, :, ::-1], plain, -1, 6), np.r_[-here, both])


def test_a_single_slice_is_an_image_and_a_thin_volume_a_volume() -> None:
    array = np.random.default_rng(0).normal(size=(24, 24)).astype(np.float32)
    alone = sides(array, Geometry.plain((24, 24), (1.0, 1.0)), -2, 2)
    assert sides(array[None], Geometry.plain((24, 24, 1), (1.0, 1.0, 5.0)), -2, 2) == alone
    thin = sides(np.stack([array] * 4), Geometry.plain((24, 24, 4), (1.0, 1.0, 5.0)), -2, 2)
    expected = np.tile(np.reshape(alone, (2, 1, 32)), (1, 8, 1))
    np.testing.assert_allclose(np.reshape(thin, (2, 8, 32)), expected, atol=1e-6)


def test_another_contrast_is_not_called_mirrored(learned: Sides) -> None:
    """Inverted grey values turn the differences between the sides round as well, and what both have too."""
    inverted = []
    for person in range(200, 240):
        image = make_chest_slice(person, LEVELS[3 + person % 3]).image
        inverted.append(observe(Image(image.array.max() + image.array.min() - image.array, image.geometry)))
    assert not any(learned.mirrored(o) for o in inverted)
    by_differences_alone = replace(learned, alike=-1.0)
    assert np.mean([by_differences_alone.mirrored(o) for o in inverted]) > 0.5


def test_the_warning_is_said() -> None:
    rng = np.random.default_rng(0)
    names = tuple(FeatureName("decoder0", "all", "mean", c) for c in range(12))
    X = rng.normal(size=(40, 12)).astype(np.float32)
    cases = [
        replace(case, observation=replace(observed(rng), sides=chest(p).sides))
        for p, case in enumerate(cases_of(X, names, rng))
    ]
    novelty = learn_novelty(FeatureTable(names, X, {}), cases, np.arange(40))
    assert novelty is not None and novelty.sides is not None
    straight, turned = (
        replace(cases[0], observation=replace(cases[0].observation, sides=chest(200, mirror=m).sides))
        for m in (False, True)
    )
    assert not novelty.ask(straight, ["CT"]).mirrored
    answer = novelty.ask(turned, ["CT"])
    assert answer.mirrored and "Left and right look exchanged" in answer.sentences[0]
    unmeasured = replace(cases[0], observation=replace(cases[0].observation, sides=()))
    assert not novelty.ask(unmeasured, ["CT"]).mirrored
