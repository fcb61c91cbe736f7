"""Made-up cases whose truth is known, and heads that learn in no time, for the tests of trust."""

from __future__ import annotations

import numpy as np
from heads_data import feature_names

from SegClassifyLib.features.spec import CaseFeatures, FeatureName, FeatureTable
from SegClassifyLib.heads.base import HeadState, load_head, names_to_json
from SegClassifyLib.heads.linear import LinearSettings
from SegClassifyLib.trust.answers import HeldOutAnswers
from SegClassifyLib.volumes.observation import Observation


def means_head(X: np.ndarray, y: np.ndarray, names: tuple[FeatureName, ...], sure: float = 1.0) -> HeadState:
    """A stored linear head from class means and one variance; ``sure`` times as sure as it should be."""
    classes, columns = int(y.max()) + 1, X.shape[1]
    means = np.stack([X[y == k].mean(0) for k in range(classes)])
    variance = ((X - means[y]) ** 2).mean()
    weights, bias = sure * means / variance, -0.5 * sure * (means**2).sum(1) / variance
    one = np.ones(columns)
    arrays = {"shift": 0 * one, "spread": one, "weight": one, "coefficients": weights, "bias": bias}
    config = {
        "settings": LinearSettings().model_dump(mode="json"),
        "names": names_to_json(names),
        "strength": 1.0,
    }
    return HeadState("linear", config, arrays)


def held_out_answers(
    X: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: int, sure: float = 1.0
) -> HeldOutAnswers:
    """Cross-validation with :func:`means_head`; patients stay together."""
    names = feature_names(X.shape[1])
    fold_of = np.unique(groups, return_inverse=True)[1] % folds
    heads, logits = [], np.zeros((len(y), int(y.max()) + 1))
    for fold in range(folds):
        held = fold_of == fold
        heads.append(means_head(X[~held], y[~held], names, sure))
        logits[held] = load_head(heads[-1]).logits(FeatureTable(names, X[held], {}))
    return HeldOutAnswers(logits, y, groups, fold_of, tuple(heads))


def patients(
    rng: np.random.Generator, classes: np.ndarray, most_cases: int = 3, columns: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, classes and patients; cases of a patient, one to ``most_cases``, are much alike.

    Args:
        rng: draws.
        classes: of each patient ``(G,)``.
        most_cases: cases of a patient.
        columns: of the features; the first ``max(classes) + 1`` tell.
    """
    counts = rng.integers(1, most_cases + 1, len(classes))
    groups = np.repeat(np.arange(len(classes)), counts)
    own = rng.normal(size=(len(classes), columns)) * 0.9
    own[np.arange(len(classes)), classes] += np.array([2.2, 2.2, 1.0])[
        classes
    ]  # the last is the hardest to tell
    X = own[groups] + rng.normal(size=(len(groups), columns)) * 0.45
    return X.astype(np.float32), classes[groups], groups


def observed(rng: np.random.Generator, channels: int = 1, level: float = 0.0) -> Observation:
    """What a made-up image is like: channels of different contrast, noise about the same."""
    quantiles, texture = [], []
    for channel in range(channels):
        shape = np.array([0.0, 0.2 + 0.15 * channel, 0.4 + 0.15 * channel, 0.75 + 0.03 * channel, 1.0])
        span = (1 + channel) * np.exp(0.1 * rng.normal())
        shape[1:4] += 0.02 * rng.normal(size=3)
        quantiles.append(tuple(float(v) for v in level + 100 * span * shape))
        rough = np.array([-3.0 - channel, -0.6, -3.0 - channel, -0.6]) + 0.1 * rng.normal(size=4)
        texture.append(tuple(float(v) for v in rough))
    return Observation((1.0, 1.0), (64.0, 64.0), tuple(quantiles), {}, tuple(texture))


def cases_of(
    X: np.ndarray, names: tuple[FeatureName, ...], rng: np.random.Generator, channels: int = 1
) -> list[CaseFeatures]:
    """One case a row of ``X``, each with an image of its own."""
    return [CaseFeatures(names, row, {}, observed(rng, channels)) for row in X]
