"""What the training images were like, and images unlike them."""

from __future__ import annotations

import numpy as np
import pytest

from SegClassifyLib.package.provenance import Provenance, Score, software_versions
from SegClassifyLib.package.reference import Range, TrainingReference, summarise
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.observation import observe

LABELS = (Label(0, "background"), Label(1, "tumour"), Label(2, "cyst"))


def _image(seed: int, spacing: tuple[float, ...] = (1.0, 1.0, 2.0), scale: float = 1.0) -> Image:
    array = np.random.default_rng(seed).normal(100 * scale, 10 * scale, (1, 10, 20, 30)).astype(np.float32)
    return Image(array, Geometry.plain((30, 20, 10), spacing))


def _label_map(image: Image, voxels: int) -> LabelMap:
    array = np.zeros(image.geometry.shape, np.uint8)
    array.flat[:voxels] = 1
    return LabelMap(array, image.geometry)


@pytest.fixture(scope="module")
def reference() -> TrainingReference:
    images = [_image(seed, (1.0 + 0.1 * seed, 1.0, 2.0)) for seed in range(5)]
    seen = [observe(i, _label_map(i, 100 * (1 + n)), LABELS) for n, i in enumerate(images)]
    return summarise(seen, ["T1"])


def test_the_reference_is_the_range_over_the_cases(reference: TrainingReference) -> None:
    assert reference.cases == 5
    assert [(r.low, r.high) for r in reference.spacing] == [(1.0, 1.4), (1.0, 1.0), (2.0, 2.0)]
    assert (
        reference.field_of_view[0] == Range(low=30.0, high=42.0) and reference.field_of_view[2].high == 20.0
    )
    (tumour,) = reference.labels  # no case has a cyst
    assert tumour.name == "tumour" and tumour.present_in == 5
    assert tumour.volume.low == pytest.approx(200.0) and tumour.volume.high == pytest.approx(500 * 1.4 * 2)
    (channel,) = reference.channels
    assert channel.name == "T1" and 99 < channel.quantiles[2].low <= channel.quantiles[2].high < 101
    assert TrainingReference.model_validate_json(reference.model_dump_json()) == reference


def test_an_image_like_the_others_is_not_remarked_on(reference: TrainingReference) -> None:
    assert reference.differences(observe(_image(99))) == ()


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (_image(9, (1.0, 1.0, 5.0)), "spacing along z is 5 mm; in training it was 2 mm"),
        (_image(9, (0.5, 1.0, 2.0)), "spacing along x is 0.5 mm; in training it was 1 to 1.4 mm"),
        (_image(9, scale=10), "grey values of T1 run from"),
        (_image(9, scale=0.001), "grey values of T1 run from"),
        (Image(np.full((1, 10, 20, 90), 100.0), Geometry.plain((90, 20, 10))), "covers 90 mm along x"),
    ],
)
def test_an_image_unlike_the_others_is_described(
    reference: TrainingReference, image: Image, says: str
) -> None:
    assert any(says in sentence for sentence in reference.differences(observe(image)))


def test_nothing_known_says_nothing() -> None:
    assert summarise([], ["T1"]) == TrainingReference()
    assert TrainingReference().differences(observe(_image(1))) == ()


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Score(metric="AUC", value=float("nan"))
    with pytest.raises(ValueError, match="low must not exceed high"):
        Range(low=2, high=1)


def test_versions_name_everything_that_decides_the_numbers() -> None:
    versions = software_versions()
    assert {
        "segclassify",
        "python",
        "torch",
        "monai",
        "numpy",
        "scikit-learn",
        "SimpleITK",
    } == versions.keys()
    assert versions["numpy"] == np.__version__
    assert Provenance().created.endswith("+00:00")


def _ct(level: float, seed: int = 0) -> Image:
    """A thorax in Hounsfield units, plus ``level``: half air, half soft tissue and some bone."""
    rng = np.random.default_rng(seed)
    array = rng.normal(40, 30, (1, 12, 20, 20))
    array[:, :, :10] = rng.normal(-950, 20, (1, 12, 10, 20))
    array[:, :2] = rng.normal(600, 60, (1, 2, 20, 20))
    return Image((array + level).astype(np.float32), Geometry.plain((20, 20, 12)))


def test_ct_without_the_offset_of_hounsfield_units_is_recognised() -> None:
    reference = summarise([observe(_ct(0, seed)) for seed in range(4)], ["CT"])
    assert reference.differences(observe(_ct(0, 9))) == ()
    (sentence,) = reference.differences(observe(_ct(1024, 9)))
    assert "CT without the offset of Hounsfield units: subtract 1024" in sentence
    grey = Image(_ct(0, 9).array * 0.001 + 1, Geometry.plain((20, 20, 12)))
    (sentence,) = reference.differences(observe(grey))
    assert "Training images are CT in Hounsfield units, and this image does not look so" in sentence
    magnetic = summarise([observe(_image(seed)) for seed in range(4)], ["T1"])
    said = " ".join(magnetic.differences(observe(_ct(1024))))
    assert "grey values of T1" in said and "Hounsfield" not in said


def test_left_and_right_exchanged_in_the_header_are_remarked_on(reference: TrainingReference) -> None:
    image = _image(3)
    turned = (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    mirrored = Image(image.array, Geometry((30, 20, 10), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), turned))
    (sentence,) = reference.differences(observe(mirrored))
    assert "make sure that its left is left" in sentence
    # RAS instead of LPS turns two axes: the same hand.
    ras = (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)
    other = Image(image.array, Geometry((30, 20, 10), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), ras))
    assert reference.differences(observe(other)) == ()
    both = summarise([observe(image), observe(mirrored)], ["T1"])
    assert both.right_handed is None and both.differences(observe(mirrored)) == ()


def test_a_label_far_larger_or_smaller_than_in_training_is_remarked_on(reference: TrainingReference) -> None:
    image = _image(1)
    assert reference.odd_volumes(LabelMap(np.zeros((10, 20, 30), np.uint8), image.geometry, LABELS)) == ()
    usual, large, small = (_label_map(image, n).array for n in (300, 5000, 10))
    assert reference.odd_volumes(LabelMap(usual, image.geometry, LABELS)) == ()
    (sentence,) = reference.odd_volumes(LabelMap(large, image.geometry, LABELS))
    assert sentence == "tumour measures 10000 mm³; in training it was 200 to 1400 mm³."
    assert len(reference.odd_volumes(LabelMap(small, image.geometry, LABELS))) == 1
