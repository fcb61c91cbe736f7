"""What a set has and lacks: counts, what keeps training from starting, cases far from the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from cases_data import small_set, write_mask, write_volume

from SegClassifyLib.cases.findings import Finding
from SegClassifyLib.cases.guide import guide
from SegClassifyLib.cases.odd import odd_intensities
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.volumes.observation import Observation


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    """Three patients of each class, two images of the first; all with a segmentation."""
    made = small_set(tmp_path / "set")
    for number in range(6):
        add(made, tmp_path, f"c{number}", ("ring", "solid")[number % 2], f"g{number}")
    add(made, tmp_path, "again", "ring", "g0")
    return made


def add(made: TrainingSet, folder: Path, name: str, label_class: str | None, group: str, **more: str) -> None:
    mask = write_mask(folder / f"m_{name}.nii.gz")
    made.add(name, [write_volume(folder / f"{name}.nii.gz")], mask, label_class, group, **more)  # type: ignore[arg-type]


def kinds(found: tuple[Finding, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(f.kind, f.cases) for f in found]


def test_counts_are_those_of_cases_that_train(training_set: TrainingSet, tmp_path: Path) -> None:
    add(training_set, tmp_path, "late", "ring", "g9", split="test")
    add(training_set, tmp_path, "drawn", "solid", "g8", role="segmenter")
    add(training_set, tmp_path, "open", None, "g7", role="classifier")
    training_set.change("c1", segmentation_is_prediction=True)
    counts = guide(training_set).counts
    assert [(c.name, c.cases, c.groups, c.test_cases) for c in counts.classes] == [
        ("ring", 4, 3, 1),
        ("solid", 3, 3, 0),
    ]
    assert (counts.cases, counts.groups, counts.unlabelled, counts.test_cases) == (10, 9, 1, 1)
    assert (counts.segmented, counts.predicted) == (7, 1), (
        "the test and the classifier's own case do not count"
    )


def test_few_groups_are_a_warning_and_no_obstacle(training_set: TrainingSet, tmp_path: Path) -> None:
    found = guide(training_set)
    assert found.segmenter_lacks == found.classifier_lacks == ()
    ring, _solid = found.findings
    assert (ring.kind, ring.cases) == ("few groups", ("c0", "c2", "c4", "again"))
    assert "'ring' has 4 cases of 3 patients" in ring.sentence and "2 or more other patients" in ring.remedy
    for number in range(2):
        add(training_set, tmp_path, f"more{number}", "solid", f"h{number}")
    assert kinds(guide(training_set).findings) == [("few groups", ring.cases)], "five are enough"


def test_what_keeps_a_classifier_from_being_trained(training_set: TrainingSet) -> None:
    for name in ("c3", "c5"):
        training_set.remove(name)
    assert kinds(guide(training_set).classifier_lacks) == [("classifier cannot be trained", ("c1",))]
    training_set.remove("c1")
    assert "'solid' has no training case; add two" in guide(training_set).classifier_lacks[0].sentence
    training_set.remove_class("solid")
    lacks = guide(training_set).classifier_lacks
    assert len(lacks) == 1 and "two or more classes apart and the training set has ring" in lacks[0].what
    for name in ("c2", "c4"):
        training_set.change(name, group="g0")
    assert (
        "All 4 cases of the class 'ring' are of one patient" in guide(training_set).classifier_lacks[1].what
    )


def test_what_keeps_a_segmenter_from_being_trained(training_set: TrainingSet, tmp_path: Path) -> None:
    for case in training_set.cases:
        training_set.change(case.name, segmentation_is_prediction=True)
    lacks = guide(training_set).segmenter_lacks
    assert len(lacks) == 1 and "7 segmentation(s) are predictions" in lacks[0].what
    assert set(lacks[0].cases) == {c.name for c in training_set.cases}
    for case in training_set.cases:
        training_set.change(case.name, role="classifier")
    assert "No case has a segmentation" in guide(training_set).segmenter_lacks[0].what
    bare = TrainingSet.create(tmp_path / "bare", "Bare", ["T1"], [], ["a", "b"])
    assert "no label but background" in guide(bare).segmenter_lacks[0].what


def test_duplicates_name_their_cases_and_say_when_their_classes_differ(
    training_set: TrainingSet, tmp_path: Path
) -> None:
    training_set.add("twin", [tmp_path / "c0.nii.gz"], None, "solid", "g0", duplicates="allow")
    (twins,) = [f for f in guide(training_set).findings if f.kind == "duplicate"]
    assert (twins.severity, twins.cases) == ("warning", ("c0", "twin"))
    assert "under different classes (ring, solid)" in twins.what and "class is right" in twins.remedy
    training_set.change("twin", group="other", label_class="ring")
    (twins,) = [f for f in guide(training_set).findings if f.kind == "duplicate"]
    assert twins.severity == "error" and "classes" not in twins.sentence


def test_a_case_in_other_units_is_found_among_the_files(training_set: TrainingSet, tmp_path: Path) -> None:
    image = sitk.ReadImage(str(tmp_path / "c0.nii.gz"))
    sitk.WriteImage(image * 20 + 7, str(tmp_path / "loud.nii.gz"))
    training_set.add("loud", [tmp_path / "loud.nii.gz"], None, "ring", "loud", role="classifier")
    assert "odd intensities" not in [f.kind for f in guide(training_set).findings], "headers do not tell"
    odd = [f for f in guide(training_set, "pixels").findings if f.kind == "odd intensities"]
    assert [f.cases for f in odd] == [("loud",)]
    assert "'loud': the grey values of T1 run from" in odd[0].what


def observed(low: float, middle: float, high: float) -> Observation:
    return Observation(
        (1.0,) * 3, (9.0,) * 3, ((low, (low + middle) / 2, middle, (middle + high) / 2, high),), {}
    )


def odd_ones(observations: dict[str, Observation]) -> list[str]:
    return [f.case for f in odd_intensities(observations, ["CT"])]


def test_shifted_widened_and_empty_images_are_odd_and_the_usual_spread_is_not() -> None:
    rng = np.random.default_rng(0)
    usual = {f"u{n}": observed(-1000, -200 + 60 * rng.normal(), 500 + 60 * rng.normal()) for n in range(30)}
    assert odd_ones(usual) == []
    shifted = observed(24, 824, 1524)
    wide, flat = observed(-8000, -200, 6000), observed(-200, -200, -200)
    assert odd_ones({**usual, "s": shifted, "w": wide, "f": flat}) == ["s", "w", "f"]
    second = {f"s{n}": replace(shifted) for n in range(4)}
    (scanner,) = odd_intensities({**usual, **second}, ["CT"])
    assert (scanner.severity, scanner.cases) == ("info", tuple(second)), "a second scanner is no mistake"
    assert "4 cases (s0, s1, s2 …)" in scanner.what
    scanners = {f"m{n}": observed(0, 100 * 1.6**n, 300 * 1.6**n) for n in range(12)}
    assert odd_ones(scanners) == [], "where all differ none is odd"
    assert odd_ones({"a": shifted, "b": wide, "c": flat, "d": usual["u1"]}) == [], "too few to say"
