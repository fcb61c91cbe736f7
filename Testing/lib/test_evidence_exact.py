"""Evidence of pooled features: everything adds up to the logit, and every cell has what its definition gives it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import evidence_data as data
import numpy as np
import pytest

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.layers import Canvas, add_exactly
from SegClassifyLib.evidence.spec import EvidenceMap
from SegClassifyLib.heads.base import HeadState, names_from_json
from SegClassifyLib.package.model import Model
from SegClassifyLib.progress import Progress


def adds_up(found: EvidenceMap) -> None:
    """To float precision, beside numbers that are much larger than their sum."""
    size = float(np.abs(found.array).sum()) + sum(abs(p.value) for p in found.parts)
    assert abs(found.total - found.logit) < 3e-6 * size + 1e-6
    placed = sum(p.value for p in found.parts if p.in_map)
    assert abs(float(found.array.sum(dtype=np.float64)) - placed) < 3e-6 * size + 1e-6
    shown = float(found.shown.sum(dtype=np.float64)) * found.voxel
    assert abs(shown + found.listed + found.base - found.logit) < 3e-6 * size + 1e-6


@pytest.mark.parametrize(
    "ndim, mode, shape",
    [
        (2, "whole", (40, 48)),
        (2, "window", (75, 90)),
        (3, "whole", (16, 20, 18)),
        (3, "window", (22, 40, 37)),
    ],
)
def test_everything_adds_up_to_the_logit(
    ndim: Literal[2, 3], mode: Literal["whole", "window"], shape: tuple[int, ...]
) -> None:
    model = data.linear_model(ndim, mode, shape)
    classifier, case = Classifier(model, "cpu"), data.image(shape)
    steps: list[str] = []
    progress = Progress(lambda event: steps.append(event.phase))
    explanation = explain(classifier, case, data.CLASSES, progress=progress)
    assert (steps.count("Explaining") > 5) is (mode == "window")
    answer = classifier.classify(case)
    logits = np.asarray(explanation.logits)
    np.testing.assert_allclose(
        np.exp(logits / model.temperature) / np.exp(logits / model.temperature).sum(),
        answer.probabilities,
        rtol=1e-6,
    )
    assert np.array_equal(explanation.label_map.array, answer.label_map.array)
    for found, logit in zip(explanation.maps, logits, strict=True):
        assert found.kind == "exact" and found.logit == pytest.approx(logit)
        adds_up(found)
        np.testing.assert_allclose(
            sum(layer.cells.sum(dtype=np.float64) for layer in found.layers), found.array.sum(), atol=1e-4
        )
        assert {layer.source for layer in found.layers} >= {"image", "probability"}
    against = explain(classifier, case, ("ring",), against="solid").maps[0]
    assert against.logit == pytest.approx(logits[0] - logits[1])
    adds_up(against)
    np.testing.assert_allclose(
        against.array,
        explanation.maps[0].array - explanation.maps[1].array,
        atol=1e-6 * np.abs(against.array).max() + 1e-7,
    )


def test_windows_give_nearly_the_map_of_the_whole() -> None:
    shape = (75, 90)
    model = data.linear_model(2, "window", shape)
    whole = replace(
        model,
        segmenter=replace(
            model.segmenter, inference=model.segmenter.inference.model_copy(update={"mode": "whole"})
        ),
    )
    one, many = (explain(Classifier(m, "cpu"), data.image(shape), ("ring",)).maps[0] for m in (whole, model))
    assert np.corrcoef(one.array.ravel(), many.array.ravel())[0, 1] > 0.9


def test_a_clipped_feature_contributes_what_the_head_gives_it() -> None:
    shape = (40, 48)
    model = data.linear_model(2, "whole", shape)
    assert model.head is not None
    arrays = model.head.arrays
    features = data.features_of(model, data.image(shape))
    name = names_from_json(model.head.config["names"])[3]
    assert abs(features.vector[3] - arrays["shift"][3]) / arrays["spread"][3] > 8
    sign = np.sign(features.vector[3] - arrays["shift"][3])
    only = _only(model, [3])
    found = explain(Classifier(only, "cpu"), data.image(shape), ("ring",)).maps[0]
    wanted = 8 * sign * arrays["weight"][3] * arrays["coefficients"][0, 3]
    assert found.array.sum() == pytest.approx(wanted, rel=1e-4)
    assert [(p.source, p.region, p.statistic) for p in found.parts] == [
        (name.source, name.region, name.statistic)
    ]


def test_a_feature_that_hardly_varied_is_listed() -> None:
    """Its cells would be rounding and grey values, enlarged until they drown the rest."""
    shape = (40, 48)
    model = data.linear_model(2, "whole", shape)
    assert model.head is not None
    spread = model.head.arrays["spread"].copy()
    spread[[0, 40]] = 1e-6
    names = names_from_json(model.head.config["names"])
    steady = {(n.source, n.region, n.statistic) for n in (names[0], names[40])}
    head = HeadState("linear", model.head.config, {**model.head.arrays, "spread": spread})
    found = explain(Classifier(replace(model, head=head), "cpu"), data.image(shape), ("ring",)).maps[0]
    adds_up(found)
    pooled = [
        p for p in found.parts if not p.in_map and p.source not in ("shape", "intensity", "probability")
    ]
    assert {(p.source, p.region, p.statistic) for p in pooled} == steady
    plain = explain(Classifier(model, "cpu"), data.image(shape), ("ring",)).maps[0]
    assert np.corrcoef(found.array.ravel(), plain.array.ravel())[0, 1] > 0.9


def test_peaks_are_listed() -> None:
    """A probability at its largest is that of one cell: in the map it would be a dot that outshines everything."""
    shape = (40, 48)
    model = data.linear_model(2, "whole", shape)
    assert model.head is not None
    names = names_from_json(model.head.config["names"])
    peaks = [i for i, n in enumerate(names) if n.statistic == "peak"]
    for label, kept in ((None, peaks), ("tumour", peaks), (None, [*peaks, 5])):
        found = explain(
            Classifier(_only(model, kept), "cpu"), data.image(shape), ("ring",), label=label
        ).maps[0]
        adds_up(found)
        listed = {p.region for p in found.parts if p.statistic == "peak" and not p.in_map}
        assert listed == {"background", "tumour", "œdema"}
        assert bool(found.array.any()) is (len(kept) > 3)


def _only(model: Model, columns: list[int]) -> Model:
    """A head that looks at these features alone."""
    assert model.head is not None
    keep = np.zeros(len(model.head.arrays["shift"]))
    keep[columns] = 1
    arrays = {**model.head.arrays, "coefficients": model.head.arrays["coefficients"] * keep}
    return replace(model, head=HeadState("linear", model.head.config, arrays))


@pytest.mark.parametrize("statistic", ["mean", "spread", "margin", "share", "confidence"])
def test_each_cell_has_what_the_definition_gives_it(statistic: str) -> None:
    """One feature at a time, from the definition in docs/how-it-works.md, with a loop over nothing but names."""
    from scipy.ndimage import maximum_filter

    from SegClassifyLib.features.pooling import PRIOR_VOXELS

    shape = (40, 48)
    model = data.linear_model(2, "whole", shape)
    assert model.head is not None
    names = names_from_json(model.head.config["names"])
    source = "probability" if statistic in ("share", "confidence") else "image"
    region = "margin of tumour" if statistic == "margin" else "tumour"
    wanted = "mean" if statistic == "margin" else statistic
    column = next(
        i
        for i, n in enumerate(names)
        if (n.source, n.region, n.statistic) == (source, region, wanted) and n.channel in (-1, 1)
    )
    found = explain(Classifier(_only(model, [column]), "cpu"), data.image(shape), ("ring",)).maps[0]
    layer = next(layer for layer in found.layers if layer.source == source)
    x, p = _image_and_probability(model, shape)
    arrays = model.head.arrays
    value = data.features_of(model, data.image(shape)).vector[column]
    away = abs(value - arrays["shift"][column]) / arrays["spread"][column]
    scale = arrays["coefficients"][0, column] * arrays["weight"][column] / arrays["spread"][column]
    scale *= min(1.0, 8 / away)
    reference, count, prior = arrays["shift"][column], x.size, PRIOR_VOXELS / 4
    weight = p if statistic != "margin" else maximum_filter(p, 3, mode="nearest") - p
    inside = (weight + prior / count) / (weight.sum() + prior)
    mean = (inside * x).sum()
    cells = {
        "mean": inside * (x - reference),
        "margin": inside * (x - reference),
        "spread": inside * ((x - mean) ** 2 / np.sqrt((inside * (x - mean) ** 2).sum()) - reference),
        "share": (p - reference) / count,
        "confidence": p / p.sum() * (p - reference),
    }[statistic]
    np.testing.assert_allclose(layer.cells, scale * cells, atol=2e-5 * np.abs(scale * cells).max())


def _image_and_probability(model: Model, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The second channel and the first label's probability on the grid of pooling, 2 x 2 pixels a cell."""
    import torch

    from SegClassifyLib.preprocessing.apply import preprocess

    classifier = Classifier(model, "cpu")
    prepared = preprocess(data.image(shape), model.segmenter.preprocessing)
    with torch.no_grad():
        logits = classifier.runner.network(torch.from_numpy(prepared.array)[None])[0].double().numpy()
    halved = [
        v.reshape(v.shape[0] // 2, 2, v.shape[1] // 2, 2).mean((1, 3))
        for v in (prepared.array[1].astype(float), *logits)
    ]
    smooth = np.stack(halved[1:])
    return halved[0], (np.exp(smooth) / np.exp(smooth).sum(0))[1]


def test_a_fine_tuned_head_is_split_too() -> None:
    shape = (40, 48)
    model = data.fine_tuned_model(shape)
    explanation = explain(Classifier(model, "cpu"), data.image(shape), data.CLASSES)
    for found in explanation.maps:
        adds_up(found)
        assert not [p for p in found.parts if p.in_map and p.region == "all"], "the whole image is the base"


def test_one_label_alone_is_mapped_and_the_rest_listed() -> None:
    shape = (40, 48)
    classifier = Classifier(data.linear_model(2, "whole", shape), "cpu")
    everything = explain(classifier, data.image(shape), ("ring",)).maps[0]
    one = explain(classifier, data.image(shape), ("ring",), label="tumour").maps[0]
    adds_up(one)
    assert {p.region for p in one.parts if p.in_map} == {"tumour", "margin of tumour"}
    assert one.total == pytest.approx(everything.total, abs=1e-4)


@pytest.mark.parametrize(
    "grid, block", [((8, 12), (2, 4)), ((9, 12), (2, 4)), ((1, 12), (2, 2)), ((7, 13), (2, 3))]
)
def test_cells_of_windows_come_together_with_nothing_lost(
    grid: tuple[int, int], block: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    canvas, total = Canvas("tap", grid, block), 0.0
    for start, stop in ((0, 2 * block[1]), (2 * block[1], grid[1])):
        whole = (slice(0, grid[0]), slice(start, stop))
        counts = [max(1, -(-(s.stop - s.start) // b)) for s, b in zip(whole, block, strict=True)]
        cells = rng.normal(size=counts).astype(np.float32)
        canvas.add(cells, whole)
        total += float(cells.sum())
        placed = add_exactly([canvas.layer()], grid)[whole]
        assert placed.sum() == pytest.approx(float(cells.sum()), abs=1e-5)
    assert add_exactly([canvas.layer()], grid).sum() == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"class_names": ("square",)}, "no class 'square'"),
        ({"against": "square"}, "no class 'square'"),
        ({"label": "bone"}, "no label 'bone'"),
    ],
)
def test_what_is_not_there_is_refused_in_words(changes: dict[str, object], sentence: str) -> None:
    classifier = Classifier(data.linear_model(2, "whole", (40, 48)), "cpu")
    with pytest.raises(ModelPackageError, match=sentence):
        explain(classifier, data.image((40, 48)), **changes)  # type: ignore[arg-type]


def test_a_model_without_classifier_has_nothing_to_explain() -> None:
    model = replace(data.linear_model(2, "whole", (40, 48)), head=None, classes=(), temperature=1.0)
    with pytest.raises(ModelPackageError, match="only segments"):
        explain(Classifier(model, "cpu"), data.image((40, 48)))
