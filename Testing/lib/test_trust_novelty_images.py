"""Made-up images with other grey values than those of training are noticed, and few of those that are like them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from package_data import small_segmenter
from sklearn.metrics import roc_auc_score
from untrained import FLAT

from SegClassifyLib.features.spec import CaseFeatures, FeatureTable
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.phantoms.slices import LESIONS, make_slice
from SegClassifyLib.trust.novelty import FALSE_ALARMS, Novelty, learn_novelty
from SegClassifyLib.volumes.image import Image

TRAINED, DRAWS, ASKED = 40, 3, 50
Change = Callable[[np.ndarray], np.ndarray]


def inverted(array: np.ndarray) -> np.ndarray:
    return array.max() + array.min() - array


def gamma(power: float) -> Change:
    """Black and white stay where they are, all between gets darker."""
    return lambda a: ((a - a.min()) / np.ptp(a)) ** power * np.ptp(a) + a.min()


def features_of(seeds: range, change: Change = lambda a: a) -> list[CaseFeatures]:
    """Slices through a segmenter that learned nothing."""
    extractor = FeatureExtractor(small_segmenter(FLAT, "whole"))
    found = []
    for seed in seeds:
        image = make_slice(seed, LESIONS[seed % 2], (48, 48)).image
        array = np.asarray(change(image.array.astype(np.float32)), np.float32)
        found.append(extractor.run(Image(array, image.geometry))[2])
    return found


@dataclass(frozen=True)
class Trial:
    """What was learned from different training cases, and cases like them that none of it has seen."""

    learned: tuple[Novelty, ...]
    usual: list[CaseFeatures]

    def flagged(self, cases: Sequence[CaseFeatures]) -> list[float]:
        """Share called unlike the training cases, by what was learned."""
        return [float(np.mean([n.ask(c, ["US"]).novel for c in cases])) for n in self.learned]

    def area(self, cases: Sequence[CaseFeatures]) -> float:
        """Mean area under the ROC curve against the usual ones."""
        truth = np.r_[np.zeros(len(self.usual)), np.ones(len(cases))]
        both = [*self.usual, *cases]
        areas = [roc_auc_score(truth, [n.strangeness(c).max() for c in both]) for n in self.learned]
        return float(np.mean(areas))


@pytest.fixture(scope="module")
def trial() -> Trial:
    cases = features_of(range(TRAINED * DRAWS + ASKED))
    parts = [cases[TRAINED * d : TRAINED * (d + 1)] for d in range(DRAWS)]
    learned = [learn_novelty(FeatureTable.stack(part), part, np.arange(TRAINED)) for part in parts]
    return Trial(tuple(n for n in learned if n is not None), cases[TRAINED * DRAWS :])


def test_images_like_the_training_cases_are_flagged_about_as_seldom_as_stated(trial: Trial) -> None:
    """With few training cases that share is a matter of luck: of a Beta law, as for any conformal p-value."""
    assert len(trial.learned) == DRAWS
    rng, allowed = np.random.default_rng(0), int(FALSE_ALARMS * (TRAINED + 1))
    rates = rng.beta(allowed, TRAINED + 1 - allowed, (20_000, DRAWS))
    most = np.quantile(rng.binomial(ASKED, rates).sum(1), 0.999) / (ASKED * DRAWS)
    assert most < 0.17
    assert np.mean(trial.flagged(trial.usual)) <= most


def test_most_inverted_images_are_flagged(trial: Trial) -> None:
    cases = features_of(range(1000, 1016), inverted)
    assert min(trial.flagged(cases)) > 0.8
    assert trial.area(cases) > 0.95


def test_another_gamma_makes_images_stranger(trial: Trial) -> None:
    """The stronger the stranger; a faint one is not always flagged, but stands behind those like the training cases."""
    strong, faint = features_of(range(2000, 2016), gamma(2)), features_of(range(2000, 2016), gamma(1.2))
    assert trial.area(strong) > 0.95 and min(trial.flagged(strong)) > 0.8
    assert 0.65 < trial.area(faint) < trial.area(strong)
