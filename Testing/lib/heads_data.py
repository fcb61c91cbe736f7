"""Made-up feature tables whose truth is known, for the tests of heads and evaluation."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.features.spec import FeatureName, FeatureTable


def feature_names(count: int, descriptors: int = 0) -> tuple[FeatureName, ...]:
    """Tap features in blocks of 50 columns, then ``descriptors`` shape features."""
    taps = [FeatureName(f"tap{i // 50}", "all", "mean", i % 50) for i in range(count - descriptors)]
    return (*taps, *(FeatureName("shape", "tumour", f"number {i}") for i in range(descriptors)))


def vector_table(y: np.ndarray, features: int = 20, signal: float = 1.0, seed: int = 0) -> FeatureTable:
    """Unit noise; column ``k`` is ``signal`` higher in cases of class ``k``."""
    X = np.random.default_rng(seed).normal(size=(len(y), features))
    X[np.arange(len(y)), y] += signal
    return FeatureTable(feature_names(features), X.astype(np.float32), {})


def ring_table(y: np.ndarray, seed: int = 0, cells: tuple[int, ...] = (8, 8)) -> FeatureTable:
    """Maps with one bright thing each, anywhere: hollow (class 0) or solid (other classes).

    Both have as many bright cells, so that mean and spread over the map, which the vectors hold, say nothing.
    """
    rng = np.random.default_rng(seed)
    ndim = len(cells)
    maps = 0.3 * rng.normal(size=(len(y), 3, *cells))
    hollow = np.ones((4,) * ndim)
    hollow[(slice(1, 3),) * ndim] = 0
    solid = np.zeros(hollow.size)
    solid[: int(hollow.sum())] = 1
    for case, label in enumerate(y):
        corner = rng.integers(0, [n - 3 for n in cells])
        where = tuple(slice(c, c + 4) for c in corner)
        maps[(case, 0, *where)] += 2 * (hollow if label == 0 else solid.reshape(hollow.shape))
    flat = maps.reshape(len(y), 3, -1)
    X = np.concatenate([flat.mean(2), flat.std(2)], axis=1).astype(np.float32)
    taps = {"deep": maps[:, :1].astype(np.float16), "labels": maps[:, 1:].astype(np.float16)}
    return FeatureTable(feature_names(6), X, taps)


def true_logits(n: int, seed: int = 0, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Logits ``(n, K)`` whose softmax are the true probabilities of the classes drawn ``(n,)``."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, classes))
    return logits, (logits + rng.gumbel(size=logits.shape)).argmax(1)
