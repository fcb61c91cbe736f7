"""Evidence in words and files, and the command that writes them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import evidence_data as data
import numpy as np
import pytest
from typer.testing import CliRunner

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.cli.main import app
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.picture import draw_picture, strongest_slice
from SegClassifyLib.evidence.spec import EvidenceMap, Part
from SegClassifyLib.evidence.words import describe, part_words, reasons
from SegClassifyLib.features.descriptors import INTENSITY, SHAPE
from SegClassifyLib.features.spec import MARGIN
from SegClassifyLib.package.store import save_package
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.read import read_image
from SegClassifyLib.volumes.write import write_image

CHANNELS = ("T1", "FLAIR")


def found(*parts: Part, logit: float = 1.0, against: str | None = None) -> EvidenceMap:
    """A map of nothing with these parts."""
    empty, grid = np.zeros((2, 2), np.float32), Geometry.plain((2, 2))
    return EvidenceMap(
        "glioma", against, "exact", logit, "training", 0.25, empty, grid, empty, grid, "cm2", 0.01, (), parts
    )


def part(source: str, region: str, statistic: str, value: float, channel: int = -1) -> Part:
    """One part."""
    return Part(source, region, statistic, channel, value, True)


@pytest.mark.parametrize(
    "asked, words",
    [
        (part("decoder2", "tumour", "mean", 1), "inside tumour, decoder scale 2"),
        (part("bottleneck", "margin of tumour", "mean", 1), "the margin of tumour, bottleneck"),
        (part("image", "all", "spread", 1), "the whole image, grey values"),
        (part("layer4", "all", "mean", 1), "the whole image, layer 4"),
        (part("shape", "tumour", "volume", 1), "tumour volume"),
        (part("intensity", "tumour", "median", 1, 1), "the median of the FLAIR grey values in tumour"),
        (part("probability", "tumour", "share", 1), "how much of the image is tumour"),
        (part("labels", "tumour", "map", 1), "inside tumour, the segmentation itself"),
    ],
)
def test_parts_have_names_for_people(asked: Part, words: str) -> None:
    assert part_words(asked, CHANNELS) == words


def test_every_feature_of_a_model_has_words() -> None:
    explanation = explain(Classifier(data.linear_model(2, "whole", (40, 48)), "cpu"), data.image((40, 48)))
    for asked in explanation.maps[0].parts:
        words = part_words(asked, explanation.channels)
        assert "{" not in words and "_" not in words.replace("largest_part", "") and asked.statistic != words


def test_mean_and_spread_of_one_place_are_one_reason() -> None:
    parts = (
        part("decoder2", "tumour", "mean", 2.0),
        part("decoder2", "tumour", "spread", -0.5),
        part("shape", "tumour", "volume", 0.5),
    )
    first, second = reasons(parts, CHANNELS)
    assert (first.text, first.value, first.share) == ("inside tumour, decoder scale 2", 1.5, 0.75)
    assert (second.text, second.share) == ("tumour volume", 0.25)


def test_one_strong_place_is_what_it_mostly_comes_from() -> None:
    strong = found(
        part("decoder2", "tumour", "mean", 2.0),
        part("bottleneck", "margin of tumour", "mean", 1.0),
        part("shape", "tumour", "volume", 0.6),
        part("image", "all", "mean", -0.4),
    )
    first, second, third = describe(strong, CHANNELS)
    assert first == (
        "glioma: mostly from inside tumour, decoder scale 2 (50%); the margin of tumour, bottleneck (25%); "
        "tumour volume (15%)."
    )
    assert second == "Against it: the whole image, grey values (10%)."
    assert "adds up to 3.60, against it to 0.40" in third and "+0.25" in third and "+1.00" in third


def test_evidence_that_is_spread_out_is_called_so() -> None:
    even = found(*(part(f"decoder{n}", label, "mean", 0.1) for n in range(5) for label in "abcd"))
    first = describe(even, CHANNELS)[0]
    assert first.startswith(
        "glioma: spread over 20 groups of features, none above 5% of the whole; the largest for it: inside a, "
    )
    nothing = describe(found(), CHANNELS)
    assert nothing == ("Nothing in this image speaks for or against glioma.",)
    rival = describe(found(part("shape", "a", "volume", -1.0), against="cyst"), CHANNELS)
    assert rival == (
        "glioma rather than cyst: nothing speaks for it.",
        "Against it: a volume (100%).",
        rival[2],
    )
    contra = describe(found(*(part(f"decoder{n}", "a", "mean", -0.1) for n in range(15))), CHANNELS)
    assert contra[0] == (
        "glioma: spread over 15 groups of features, none above 7% of the whole; nothing speaks for it."
    )


LABELS = ("tumour", "margin", "image", "largest part", "left ventricle", "background")


def test_no_word_is_said_twice() -> None:
    """Of every source, region and statistic, of labels that are called like words of ours too."""
    pooled = [
        (source, region, statistic, -1)
        for source in ("image", "encoder0", "decoder2", "bottleneck", "layer4", "labels")
        for label in LABELS
        for region in ("all", label, f"{MARGIN}{label}")
        for statistic in ("mean", "spread")
    ]
    probable = [("probability", label, s, -1) for label in LABELS for s in ("share", "peak", "confidence")]
    shape = [("shape", label, s, -1) for label in LABELS for s in SHAPE]
    grey = [("intensity", label, s, c) for label in LABELS for s in INTENSITY for c in (0, 1)]
    every = [*pooled, *probable, *shape, *grey, ("left over", "all", "integration", -1)]
    for number, (source, region, statistic, channel) in enumerate(every):
        asked = part(source, region, statistic, 2.0 if number % 2 else -2.0, channel)
        others = (part("layer1", "all", "mean", 1.0), part("bottleneck", "all", "mean", -1.0))
        words = part_words(asked, CHANNELS)
        for sentence in describe(found(asked, *others, against="cyst" if number % 3 else None), CHANNELS):
            for text in (words, sentence):
                assert not re.search(r"\b(\w+)\W+\1\b", text), text
                assert "{" not in text and "_" not in text and "  " not in text, text
            assert sentence[-1] == "." and sentence.count(".") == 1 + len(re.findall(r"\d\.\d", sentence))


@pytest.mark.parametrize(
    "asked, words",
    [
        (part("decoder2", "margin of margin", "mean", 1), "the margin of “margin”, decoder scale 2"),
        (part("image", "image", "mean", 1), "inside “image”, grey values"),
        (part("probability", "image", "share", 1), "how much of the image is “image”"),
        (part("shape", "Largest Part", "largest_part", 1), "the largest part's share of the “Largest Part”"),
    ],
)
def test_labels_called_like_our_words_are_quoted(asked: Part, words: str) -> None:
    assert part_words(asked, CHANNELS) == words


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_package(data.linear_model(2, "whole", (40, 48)), tmp_path_factory.mktemp("model") / "lesions")


def _files(folder: Path, case: Image) -> str:
    paths = [folder / f"case_{name}.nrrd" for name in CHANNELS]
    for channel, path in zip(case.array, paths, strict=True):
        write_image(Image(channel[None], case.geometry), path)
    return ",".join(str(p) for p in paths)


def test_the_command_writes_map_picture_and_numbers(package: Path, tmp_path: Path) -> None:
    case = data.image((40, 48), seed=3)
    arguments = ["explain", str(package), _files(tmp_path, case), "--class", "ring", "--class", "mixed"]
    done = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out"), "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)["explanations"][0]
    assert [e["class"] for e in answer["evidence"]] == ["ring", "mixed"]
    for told in answer["evidence"]:
        listed = sum(p["value"] for p in told["parts"] if not p["in_map"])
        assert told["sum_of_map"] + listed + told["base"] == pytest.approx(told["logit"], abs=1e-3)
        assert told["logit"] == pytest.approx(answer["logits"][told["class"]])
        shown = read_image(tmp_path / "out" / told["map"])
        assert shown.geometry.is_close(case.geometry) and np.abs(shown.array).max() > 0
        assert (tmp_path / "out" / told["picture"]).read_bytes().startswith(b"\x89PNG")
    stored = json.loads((tmp_path / "out" / f"{answer['name']}_evidence.json").read_text(encoding="utf-8"))
    assert stored["evidence"] == answer["evidence"]


def test_the_command_refuses_in_words(package: Path, tmp_path: Path) -> None:
    arguments = ["explain", str(package), _files(tmp_path, data.image((40, 48))), "--class", "square"]
    done = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out")])
    assert done.exit_code == 1 and "no class 'square'" in done.stderr and "ring" in done.stderr


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_slices_of_a_picture_cut_a_label(axis: int) -> None:
    """Of two labels the one with more evidence, however much there is elsewhere."""
    labels, evidence = np.zeros((20, 24, 28), np.uint16), np.zeros((20, 24, 28), np.float32)
    labels[3:6, 4:7, 5:8] = 1
    labels[12:16, 13:17, 14:18] = 300
    evidence[3:6, 4:7, 5:8] = 0.1
    evidence[14, 15, 16] = -9.0
    evidence[18:] = evidence[:, 22:] = evidence[:, :, 25:] = 5.0  # the ribs
    assert strongest_slice(evidence, labels, axis) == (14, 15, 16)[axis]
    far = [14, 15, 16]
    far[axis] -= 10  # a slice of the other label, but nowhere near it
    evidence[tuple(far)] = 50.0
    assert strongest_slice(evidence, labels, axis) == (14, 15, 16)[axis]
    # What lies beside a label is the label's, but the slice cuts the label.
    evidence[14, 15, 16], evidence[16, 17, 18] = 0.0, -3.0
    assert strongest_slice(evidence, labels, axis) in ((3, 4, 5)[axis], (4, 5, 6)[axis], (5, 6, 7)[axis])
    evidence[15, 16, 17] = 2.0
    assert strongest_slice(evidence, labels, axis) == (15, 16, 17)[axis]
    assert strongest_slice(evidence, np.zeros_like(labels), axis) >= (18, 22, 25)[axis]
    assert 12 <= strongest_slice(np.zeros_like(evidence), labels * (labels == 300), axis) <= 17


@pytest.mark.parametrize(
    "name", ["cyst", "serous cystadenoma of the tail of the pancreas, WHO 2019", "A" * 50]
)
@pytest.mark.parametrize("shape", [(40, 30), (5, 40, 30)])
def test_no_word_of_a_picture_is_cut_off(name: str, shape: tuple[int, ...]) -> None:
    case = data.image(shape)
    empty = np.zeros(shape, np.float32)
    given = replace(found(part("shape", "a", "volume", 1.0)), shown=empty, native=case.geometry)
    given = replace(given, class_name=name, against=name[::-1], unit="1000 voxels")
    labels = LabelMap(empty.astype(np.uint8), case.geometry)
    figure = draw_picture(case, labels, given, (*describe(given, CHANNELS), "and so on " * 40))
    boxes = [text.get_window_extent() for text in figure.texts]
    for box in boxes:
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0 and box.y1 <= figure.bbox.height
    views = [axes.get_window_extent() for axes in figure.axes]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in (*boxes[number + 1 :], *views)), figure.texts[number]


def test_a_picture_of_a_volume_has_its_three_planes(tmp_path: Path) -> None:
    from SegClassifyLib.evidence.files import save_explanation

    case = data.image((16, 20, 18))
    explanation = explain(Classifier(data.linear_model(3, "whole", (16, 20, 18)), "cpu"), case, ("ring",))
    saved = save_explanation(explanation, case, tmp_path, "case", ".nii.gz")
    assert saved.maps[0].picture.stat().st_size > 5000
    assert read_image(saved.maps[0].volume).geometry.is_close(case.geometry)
