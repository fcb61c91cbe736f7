"""Which files of a case a classifier takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from package_data import small_segmenter
from volume_files import save

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.errors import ImageError
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model

THREE = NetworkSpec(
    name="VNetDS", ndim=2, in_channels=3, out_channels=2, arguments={"base_filters": 2, "num_blocks": [1, 1]}
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(Model("Skin", "", small_segmenter(THREE)), "cpu")


def test_one_colour_picture_is_three_channels(classifier: Classifier, tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    path = save(tmp_path / "colour.png", rgb, vector=True)
    np.testing.assert_array_equal(classifier.read([path]).array, np.moveaxis(rgb, -1, 0))
    assert classifier.classify([path]).label_map.array.shape == (24, 32)


def test_files_that_are_not_the_model_s_channels_are_refused_in_words(
    classifier: Classifier, tmp_path: Path
) -> None:
    grey = save(tmp_path / "grey.png", np.arange(48, dtype=np.uint8).reshape(6, 8))
    with pytest.raises(
        ImageError, match=r"2 image\(s\) given where Skin needs 3: T1, FLAIR, T2, in this order"
    ):
        classifier.read([grey, grey])
    with pytest.raises(
        ImageError, match=r"3 channel\(s\) are wanted \(T1, FLAIR, T2\) and 1 given \(.*grey\.png\)"
    ):
        classifier.read([grey])
    assert classifier.read([grey] * 3).array.shape == (3, 6, 8)
