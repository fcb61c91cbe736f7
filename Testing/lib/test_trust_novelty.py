"""Images unlike the training cases are recognised, and others are not called so more often than stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads_data import feature_names
from trust_data import cases_of, observed

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.features.spec import CaseFeatures, FeatureName, FeatureTable
from SegClassifyLib.trust.novelty import Novelty, learn_novelty

NAMES = feature_names(60)
MIX = np.random.default_rng(9).normal(size=(8, 60))
"""Eight things vary in the cases; the sixty features follow them."""


def drawn(rng: np.random.Generator, cases: int) -> np.ndarray:
    return (rng.normal(size=(cases, 8)) @ MIX + 0.3 * rng.normal(size=(cases, 60))).astype(np.float32)


def learned(rng: np.random.Generator, groups: np.ndarray, channels: int = 1) -> Novelty:
    X = drawn(rng, int(groups.max()) + 1)[groups] + 0.05 * rng.normal(size=(len(groups), 60))
    table = FeatureTable(NAMES, X.astype(np.float32), {})
    found = learn_novelty(table, cases_of(table.X, NAMES, rng, channels), groups)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("groups", "least", "most"),
    [(np.arange(60), 0.02, 0.08), (np.repeat(np.arange(40), 3), 0.01, 0.09), (np.arange(12), 0.0, 0.12)],
)
def test_false_alarms_are_about_as_rare_as_stated(groups: np.ndarray, least: float, most: float) -> None:
    alarms, percentiles = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        novelty = learned(rng, groups)
        answers = [novelty.ask(f, ["T1"]) for f in cases_of(drawn(rng, 20), NAMES, rng)]
        alarms += [a.novel for a in answers]
        percentiles += [a.percentile for a in answers]
    assert least <= np.mean(alarms) <= most
    assert 35 < np.mean(percentiles) < 60, "an image like the training cases stands in their middle"


def test_features_off_the_beaten_track_are_novel_and_it_is_said_where() -> None:
    rng = np.random.default_rng(0)
    novelty = learned(rng, np.arange(50))
    usual = cases_of(0.5 * drawn(rng, 1), NAMES, rng)[0]
    strange = replace(usual, vector=usual.vector + 3 * rng.normal(size=60).astype(np.float32))
    answer = novelty.ask(strange, ["T1"])
    assert answer.novel and answer.percentile > 95
    assert answer.where == ("in what the network sees in it",)
    (sentence,) = answer.sentences
    assert "less like the training cases than" in sentence and "Do not rely on the probabilities" in sentence
    assert novelty.ask(usual, ["T1"]).sentences == ()


def test_noise_shows_in_the_look_before_the_features_know_of_it() -> None:
    rng = np.random.default_rng(0)
    novelty = learned(rng, np.arange(50))
    usual = cases_of(0.5 * drawn(rng, 1), NAMES, rng)[0]
    noisy = replace(usual.observation, texture=((-1.8, 0.4, -1.8, 0.4),))
    answer = novelty.ask(replace(usual, observation=noisy), ["T1"])
    assert answer.novel and answer.where == ("in its grey values and their texture",)
    assert set(answer.looks) == {"more noise", "more detail or noise"}
    blurred = replace(usual.observation, texture=((-4.5, -1.9, -4.5, -1.9),))
    assert "smoother grey values" in novelty.ask(replace(usual, observation=blurred), ["T1"]).looks


def test_exchanged_channels_are_named() -> None:
    rng = np.random.default_rng(1)
    novelty = learned(rng, np.arange(40), channels=3)
    channels = ["T1", "FLAIR", "T2"]
    vector = drawn(rng, 1)[0]
    for number in range(20):
        right = observed(rng, 3)
        assert novelty.ask(CaseFeatures(NAMES, vector, {}, right), channels).exchanged is None, number
        crossed = replace(
            right,
            quantiles=(right.quantiles[0], right.quantiles[2], right.quantiles[1]),
            texture=(right.texture[0], right.texture[2], right.texture[1]),
        )
        answer = novelty.ask(CaseFeatures(NAMES, vector, {}, crossed), channels)
        assert answer.exchanged == ("FLAIR", "T2")
        assert "FLAIR looks like T2 in training, and T2 like FLAIR" in answer.sentences[0]


def test_descriptors_are_not_asked_where_there_are_taps() -> None:
    names = (
        *(FeatureName("decoder0", "all", "mean", c) for c in range(50)),
        *(FeatureName("shape", "tumour", f"number {n}") for n in range(10)),
    )
    rng = np.random.default_rng(2)
    X = drawn(rng, 30)
    novelty = learn_novelty(FeatureTable(names, X, {}), cases_of(X, names, rng), np.arange(30))
    assert novelty is not None and len(novelty.distances["network"].mean) == 50
    shapes = learn_novelty(FeatureTable(names[50:], X[:, 50:], {}), cases_of(X, names, rng), np.arange(30))
    assert shapes is not None and len(shapes.distances["network"].mean) == 10


def test_too_few_patients_and_unmeasured_texture() -> None:
    rng = np.random.default_rng(3)
    X = drawn(rng, 8)
    table = FeatureTable(NAMES, X, {})
    cases = cases_of(X, NAMES, rng)
    assert learn_novelty(table, cases, np.arange(8) // 2) is None
    plain = [replace(c, observation=replace(c.observation, texture=())) for c in cases]
    novelty = learn_novelty(table, plain, np.arange(8))
    assert novelty is not None and list(novelty.distances) == ["network"]
    assert learn_novelty(None, plain, np.arange(8)) is None
    only = learn_novelty(None, cases, np.arange(8))
    assert only is not None and list(only.distances) == ["look"]


def test_other_features_than_in_training_are_refused_in_words() -> None:
    rng = np.random.default_rng(4)
    novelty = learned(rng, np.arange(10))
    short = CaseFeatures(NAMES[:50], drawn(rng, 1)[0, :50], {}, observed(rng))
    with pytest.raises(ModelPackageError, match=r"compares 60 numbers .* gives 50"):
        novelty.ask(short, ["T1"])
