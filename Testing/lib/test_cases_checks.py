"""What validate finds, and that it finds nothing in a set that is in order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases_data import small_set, write_mask, write_volume

from SegClassifyLib.cases.training_set import TrainingSet


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    made = small_set(tmp_path / "set")
    for number in range(4):
        made.add(
            f"c{number}",
            [write_volume(tmp_path / f"c{number}.nii.gz")],
            write_mask(tmp_path / f"m{number}.nii.gz"),
            ("ring", "solid")[number % 2],
            group=f"g{number}",
        )
    return made


def found(training_set: TrainingSet, deep: str = "headers") -> list[tuple[str, str, str]]:
    return [(p.severity, p.case, p.sentence) for p in training_set.validate(deep)]  # type: ignore[arg-type]


def edit(training_set: TrainingSet, **entry: object) -> None:
    """Change the first case's entry by hand."""
    path = training_set.folder / "dataset.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["training"][0].update(entry)
    path.write_text(json.dumps(content), encoding="utf-8")
    training_set.reload()


def test_nothing_is_wrong_with_a_good_set(training_set: TrainingSet) -> None:
    assert found(training_set) == found(training_set, "pixels") == []


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"image": "images/gone.nii.gz"}, "gone.nii.gz is gone"),
        ({"label": "labels/gone.nii.gz"}, "gone.nii.gz is gone"),
        ({"image": ["images/c0.nii.gz", "images/c1.nii.gz"]}, "2 image(s) for 1 channel(s)"),
        ({"class": "odd"}, "class 'odd', which the training set does not have"),
        ({"image": "../c0.nii.gz"}, "leads out of the training set"),
        ({"group": "g1", "image_hash": None, "image": "dataset.json"}, "dataset.json is no image file"),
    ],
)
def test_broken_entries_are_errors_of_their_case(
    training_set: TrainingSet, entry: dict[str, object], sentence: str
) -> None:
    edit(training_set, **entry)
    problems = [p for p in found(training_set) if p[0] == "error"]
    assert len(problems) == 1
    assert problems[0][1] == "c0" and "'c0'" in problems[0][2] and sentence in problems[0][2]


def test_files_changed_behind_our_back(training_set: TrainingSet) -> None:
    write_volume(training_set.folder / "images" / "c0.nii.gz", "other pixels")
    write_mask(training_set.folder / "labels" / "c1.nii.gz", shape=(3, 5, 7))
    write_mask(training_set.folder / "labels" / "c2.nii.gz", value=9)
    (training_set.folder / "images" / "c3.nii.gz").write_bytes(b"")
    headers = {case: sentence for severity, case, sentence in found(training_set) if severity == "error"}
    assert set(headers) == {"c1", "c3"}
    assert "does not lie on the image's grid" in headers["c1"] and "7 x 5 x 3" in headers["c1"]
    assert "is empty" in headers["c3"]
    pixels = {
        case: (severity, sentence) for severity, case, sentence in found(training_set, "pixels") if case
    }
    assert pixels["c0"][0] == "warning" and "has changed since it was added" in pixels["c0"][1]
    assert pixels["c2"][0] == "error" and "value 9" in pixels["c2"][1]


def test_leaks_between_groups_and_splits(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add("twin", [tmp_path / "c0.nii.gz"], group="other", duplicates="allow")
    training_set.add("late", [write_volume(tmp_path / "late.nii.gz")], group="g2", split="test")
    problems = found(training_set)
    assert ("error", "c0") in [p[:2] for p in problems if "'c0', 'twin' hold the same image" in p[2]]
    assert [p[0] for p in problems if "group 'g2' has cases for training and for testing" in p[2]] == [
        "error"
    ]
    training_set.change("twin", group="g0")
    assert [p[0] for p in found(training_set) if "hold the same image" in p[2]] == ["warning"]
    assert problems == sorted(problems, key=lambda p: ["error", "warning", "info"].index(p[0]))


def test_gaps_oddities_and_orphans(training_set: TrainingSet, tmp_path: Path) -> None:
    training_set.add(
        "far", [write_volume(tmp_path / "far.nii.gz", spacing=(5.0, 5.0, 2.0))], role="segmenter"
    )
    training_set.add("bare", [write_volume(tmp_path / "bare.nii.gz")], role="classifier")
    training_set.change("c0", segmentation_is_prediction=True)
    training_set.change("c1", segmentation=write_mask(tmp_path / "empty.nii.gz", value=0))
    write_volume(training_set.folder / "images" / "orphan.nii.gz")
    sentences = {p[2]: p[0] for p in found(training_set, "pixels")}
    expected = {
        "'far' has voxels of 5 x 5 x 2 mm, far from the usual 1 x 1 x 2": "warning",
        "'far' has no segmentation": "info",
        "'bare' has no class yet": "info",
        "'c0' has a predicted segmentation": "info",
        "'c1' has an empty segmentation": "info",
        "orphan.nii.gz belongs to no case": "warning",
    }
    for text, severity in expected.items():
        assert [s for sentence, s in sentences.items() if text in sentence] == [severity], text
    assert len(sentences) == len(expected)


def test_a_second_common_spacing_is_not_odd(training_set: TrainingSet, tmp_path: Path) -> None:
    for name in ("thick1", "thick2"):
        training_set.add(name, [write_volume(tmp_path / f"{name}.nii.gz", spacing=(1.0, 1.0, 5.0))])
    assert not [p for p in found(training_set) if "voxels of" in p[2]]
