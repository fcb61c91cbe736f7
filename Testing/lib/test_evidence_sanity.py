"""Maps depend on what the head learned (Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018), and point at
what the answer depends on. For what the network learned see test_evidence_random.py."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter
from scipy.stats import spearmanr

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import Head, HeadState
from SegClassifyLib.heads.conv import ConvHead, ConvSettings
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.package.model import Model
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.phantoms.slices import SlicePhantom, make_slice
from SegClassifyLib.volumes.image import Image

SHAPE = (48, 48)
CASES = 24
CLASSES = ("plain", "lesion")


@dataclass(frozen=True)
class Bench:
    """A segmenter trained for seconds, and the features of labelled phantoms.

    Args:
        bare: the segmenter as a model without a classifier.
        table: of ``CASES`` phantoms, without and with a lesion in turn.
        unseen: others, with a lesion.
    """

    bare: Model
    table: FeatureTable
    unseen: tuple[SlicePhantom, ...]

    @property
    def y(self) -> np.ndarray:
        """Classes of the table's cases."""
        return np.arange(len(self.table)) % 2

    def model(self, rows: np.ndarray, y: np.ndarray, head: Head | None = None) -> Model:
        """With a head learned from some of the cases."""
        learner = LinearHead() if head is None else head
        fitted = learner.fit(self.table.rows(rows), y, np.arange(len(rows)))  # type: ignore[attr-defined]
        return replace(self.bare, head=fitted.to_state(), classes=CLASSES)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    from SegClassifyLib import SegmenterPlan, train_segmenter

    folder = tmp_path_factory.mktemp("sanity")
    lesions = write_slice_set(folder / "set", Counts(segmented=8, classified=0, both=0, test=0), shape=SHAPE)
    arguments = {"base_filters": 4, "num_blocks": [1, 1, 1]}
    network = {"name": "VNetDS", "ndim": 2, "in_channels": 1, "out_channels": 2, "arguments": arguments}
    training = {"epochs": 3, "steps_per_epoch": 15, "batch": 4, "learning_rate": 0.02}
    plan = SegmenterPlan.model_validate({"network": network, "training": training})
    bare = train_segmenter(lesions, folder / "segmenter", plan).family.full
    extractor = FeatureExtractor(bare.segmenter)
    phantoms = [make_slice(100 + i, "round" if i % 2 else None, SHAPE) for i in range(CASES)]
    table = FeatureTable.stack([extractor.run(p.image)[2] for p in phantoms])
    return Bench(bare, table, tuple(make_slice(5000 + i, "round", SHAPE) for i in range(4)))


@pytest.fixture(scope="module")
def learned(bench: Bench) -> Model:
    return bench.model(np.arange(CASES), bench.y)


def maps(bench: Bench, model: Model) -> list[np.ndarray]:
    """Of unseen phantoms, for the class that they are."""
    classifier = Classifier(model, "cpu")
    return [explain(classifier, p.image, CLASSES[1:]).maps[0].shown for p in bench.unseen]


def likeness(some: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Mean rank correlation of two models' maps."""
    return float(np.mean([spearmanr(a.ravel(), b.ravel())[0] for a, b in zip(some, other, strict=True)]))


@pytest.fixture(scope="module")
def repeatable(bench: Bench, learned: Model) -> float:
    """How alike the maps of classifiers from two halves of the cases are: the yardstick for all below."""
    half = np.arange(CASES) % 4 < 2
    one, two = (bench.model(np.flatnonzero(part), bench.y[part]) for part in (half, ~half))
    return likeness(maps(bench, one), maps(bench, two))


def test_the_classes_were_learned(bench: Bench, learned: Model) -> None:
    classifier = Classifier(learned, "cpu")
    plain = [make_slice(6000 + i, None, SHAPE) for i in range(4)]
    right = [classifier.classify(p.image).predicted == "lesion" for p in bench.unseen]
    right += [classifier.classify(p.image).predicted == "plain" for p in plain]
    assert np.mean(right) > 0.7


def test_what_was_learned_adds_up(bench: Bench, learned: Model) -> None:
    classifier = Classifier(learned, "cpu")
    for phantom in bench.unseen[:2]:
        found = explain(classifier, phantom.image, CLASSES[1:]).maps[0]
        sizes = np.abs(found.array).sum() + sum(abs(p.value) for p in found.parts)
        assert abs(found.total - found.logit) < 1e-5 * sizes < 1e-3, "not even rounding is enlarged"


def test_maps_of_two_halves_of_the_cases_are_alike(repeatable: float) -> None:
    assert repeatable > 0.5


def test_random_head_weights_destroy_the_map(bench: Bench, learned: Model, repeatable: float) -> None:
    assert learned.head is not None
    own = learned.head.arrays["coefficients"]
    drawn = np.random.default_rng(0).normal(0, own.std(), own.shape[1])
    arrays = {**learned.head.arrays, "coefficients": np.stack([-drawn, drawn])}
    random = replace(learned, head=HeadState("linear", learned.head.config, arrays))
    assert likeness(maps(bench, learned), maps(bench, random)) < min(0.4, repeatable - 0.2)


def test_random_labels_give_maps_without_structure(bench: Bench, learned: Model, repeatable: float) -> None:
    """What is learned from two shuffles has nothing in common, nor with the truth; what is learned from halves has."""
    shuffled = []
    for seed in range(3):
        y, rng = np.zeros(CASES, int), np.random.default_rng(seed)
        for kind in (0, 1):  # as many of each true class: nothing of the truth is left by chance
            y[rng.permutation(np.flatnonzero(bench.y == kind))[: CASES // 4]] = 1
        shuffled.append(maps(bench, bench.model(np.arange(CASES), y)))
    among = np.mean([likeness(shuffled[a], shuffled[b]) for a, b in ((0, 1), (0, 2), (1, 2))])
    truth = np.mean([likeness(maps(bench, learned), s) for s in shuffled])
    assert abs(among) < repeatable - 0.2 and abs(truth) < repeatable - 0.2


def masked(phantom: SlicePhantom, where: np.ndarray) -> Image:
    """The phantom with the local mean in these pixels."""
    grey = phantom.image.array[0].astype(np.float32)
    return Image(np.where(where, uniform_filter(grey, 13), grey)[None], phantom.image.geometry)


def odds(classifier: Classifier, image: Image) -> float:
    """Their logarithm."""
    one, two = classifier.classify(image).probabilities
    return float(np.log(two / one))


@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_masking_the_mapped_region_changes_the_answer_more_than_elsewhere(
    bench: Bench, learned: Model, kind: str
) -> None:
    """By image: what is masked where evidence is strongest, and the same shape moved elsewhere in it."""
    model = learned
    if kind == "conv":
        model = bench.model(np.arange(CASES), bench.y, ConvHead(ConvSettings(members=1, steps=30)))
    classifier, rng = Classifier(model, "cpu"), np.random.default_rng(1)
    there, elsewhere = [], []
    for phantom in (make_slice(5000 + i, "round", SHAPE) for i in range(8)):
        shown = np.abs(explain(classifier, phantom.image, CLASSES[1:]).maps[0].shown)
        strongest = shown >= np.quantile(shown, 0.93)
        moved = [np.roll(strongest, tuple(m), (0, 1)) & ~strongest for m in rng.integers(12, 36, (2, 2))]
        before = odds(classifier, phantom.image)
        first, *others = (abs(odds(classifier, masked(phantom, w)) - before) for w in (strongest, *moved))
        there.append(first)
        elsewhere.append(np.mean(others))
    gain = np.asarray(there) - np.asarray(elsewhere)
    means = gain[rng.integers(0, len(gain), (2000, len(gain)))].mean(1)
    assert np.percentile(means, 2.5) > 0.5 * np.mean(elsewhere), (
        "the 95 % interval lies well above no difference"
    )


def test_the_conv_head_s_map_adds_up_and_names_its_parts(bench: Bench) -> None:
    model = bench.model(np.arange(CASES), bench.y, ConvHead(ConvSettings(members=2, steps=20)))
    classifier = Classifier(model, "cpu")
    for phantom in bench.unseen[:1]:
        found = explain(classifier, phantom.image, CLASSES[1:]).maps[0]
        assert found.kind == "integrated gradients"
        assert found.total == pytest.approx(found.logit, abs=1e-4)
        left = next(p.value for p in found.parts if p.source == "left over")
        assert abs(left) < 0.02 * (abs(found.logit - found.base) + 0.1), "the steps leave next to nothing"
        assert {p.region for p in found.parts} == {"background", "lesion", "all"}
