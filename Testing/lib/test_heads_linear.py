"""The linear head on tables whose truth is known."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from heads_data import feature_names, vector_table
from sklearn.linear_model import LogisticRegression

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.evaluation.metrics import balanced_weights, case_log_loss, score
from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.heads import components, logistic
from SegClassifyLib.heads.base import HeadState, load_head, probabilities
from SegClassifyLib.heads.linear import LinearHead, LinearSettings, _lean
from SegClassifyLib.heads.scaling import Scaling


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_learns_and_answers_with_probabilities(classes: int) -> None:
    y = np.arange(60) % classes
    head = LinearHead().fit(vector_table(y, 40, signal=4), y, np.arange(60))
    fresh = np.arange(200) % classes
    table = vector_table(fresh, 40, signal=4, seed=5)
    proba = head.predict_proba(table)
    assert head.n_classes == classes
    assert proba.shape == (200, classes)
    np.testing.assert_allclose(proba, probabilities(head.logits(table)))
    assert score(fresh, proba).balanced_accuracy > 0.8


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("features", [5, 300])
def test_coefficients_reproduce_the_logits(classes: int, features: int) -> None:
    y = np.arange(40) % classes
    table = vector_table(y, features)
    table = FeatureTable(table.names, table.X * 37 + 1000, {})
    head = LinearHead().fit(table, y, np.arange(40))
    weights, bias = head.coefficients()
    assert weights.shape == (classes, features) and np.abs(weights).max() > 0
    np.testing.assert_allclose(table.X.astype(float) @ weights.T + bias, head.logits(table), atol=1e-8)


def test_extreme_features_are_clipped() -> None:
    y = np.arange(40) % 2
    table = vector_table(y, 5, signal=2)
    head = LinearHead().fit(table, y, np.arange(40))
    far, farther = table.X[:1].copy(), table.X[:1].copy()
    far[0, 0], farther[0, 0] = 1e3, 1e6
    logits = [head.logits(FeatureTable(table.names, x, {})) for x in (far, farther)]
    np.testing.assert_allclose(*logits)


def test_stored_and_opened_again_it_answers_the_same() -> None:
    y = np.arange(30) % 3
    table = vector_table(y, 80)
    head = LinearHead(LinearSettings(belief=1.0)).fit(table, y, np.arange(30), seed=3)
    state = head.to_state()
    assert all(a.dtype.kind == "f" for a in state.arrays.values())
    again = load_head(HeadState(state.kind, json.loads(json.dumps(state.config)), state.arrays))
    np.testing.assert_array_equal(again.predict_proba(table), head.predict_proba(table))
    assert isinstance(again, LinearHead)
    assert again.n_classes == 3 and again.settings == head.settings and again.strength_ == head.strength_


def test_other_features_are_refused() -> None:
    y = np.arange(20) % 2
    table = vector_table(y, 6)
    head = LinearHead().fit(table, y, np.arange(20))
    with pytest.raises(ModelPackageError, match="train it again"):
        head.logits(table.columns(np.arange(6) < 5))


@pytest.mark.parametrize("each", [1, 2, 3])
def test_few_cases_of_each_class_are_enough(each: int) -> None:
    y = np.repeat([0, 1, 2], each)
    table = vector_table(y, 30, signal=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head = LinearHead().fit(table, y, np.arange(len(y)))
    assert (head.predict_proba(table).argmax(1) == y).all()
    if each == 1:
        assert head.strength_ == head.settings.expected_strength


def test_no_warning_with_few_classes_or_many() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for classes, cases in ((2, 40), (9, 90)):
            y = np.arange(cases) % classes
            LinearHead().fit(vector_table(y, 200, signal=0.5), y, np.arange(cases) // 2)


def test_rare_class_is_not_drowned() -> None:
    y = np.r_[np.zeros(90, int), np.ones(10, int)]
    head = LinearHead().fit(vector_table(y, 10, signal=1.5), y, np.arange(100))
    fresh = np.arange(400) % 2
    found = score(fresh, head.predict_proba(vector_table(fresh, 10, signal=1.5, seed=9)))
    recall = np.diag(found.confusion) / found.confusion.sum(1)
    assert abs(recall[0] - recall[1]) < 0.2 and recall.min() > 0.6


def test_same_seed_same_head() -> None:
    y = np.arange(30) % 3
    table = vector_table(y, 50)
    one, two = (LinearHead().fit(table, y, np.arange(30), seed=4).logits(table) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_constant_and_nearly_constant_columns_say_nothing() -> None:
    y = np.arange(30) % 2
    table = vector_table(y, 6)
    X = table.X.copy()
    X[:, 4] = 7.7
    X[:, 5] = np.float32(1000) + np.float32(1e-4) * y  # rounding noise of float32
    X[:, 3] = np.float32(1e-8) * y  # of a mean that was set to 0
    head = LinearHead().fit(FeatureTable(table.names, X, {}), y, np.arange(30))
    assert (head.coefficients()[0][:, 3:] == 0).all()
    constant = FeatureTable(table.names, np.ones_like(X), {})
    np.testing.assert_allclose(LinearHead().fit(constant, y, np.arange(30)).predict_proba(constant), 0.5)


def test_scaling_shares_the_variance_between_blocks_and_descriptors() -> None:
    names = feature_names(155, descriptors=5)  # taps of 50, 50 and 50 columns, five single descriptors
    X = np.random.default_rng(0).normal(3, 10, (40, 155))
    scaled = Scaling.of(X, names, balance=1, descriptors=0.4)
    variance = scaled.apply(X).var(0)
    assert variance.sum() == pytest.approx(1)
    assert variance[150:].sum() == pytest.approx(0.4)
    for start in (0, 50, 100):
        assert variance[start : start + 50].sum() == pytest.approx(0.2)
    only_taps = Scaling.of(X[:, :150], names[:150], balance=1, descriptors=0.4)
    assert only_taps.apply(X[:, :150]).var(0).sum() == pytest.approx(1)
    only_described = Scaling.of(X[:, 150:], names[150:], balance=1, descriptors=0.0)
    assert only_described.apply(X[:, 150:]).var(0).sum() == pytest.approx(1)


def test_intensities_of_a_label_count_as_one_block_each_shape_number_as_another() -> None:
    shapes = tuple(FeatureName("shape", "tumour", s) for s in ("volume", "roundness", "flatness"))
    grey = tuple(
        FeatureName("intensity", "tumour", s, c) for c in (0, 1) for s in ("mean", "median", "maximum")
    )
    X = np.random.default_rng(0).normal(3, 10, (40, 9))
    variance = Scaling.of(X, shapes + grey, balance=1, descriptors=0.4).apply(X).var(0)
    np.testing.assert_allclose(variance[:3], 0.25)
    assert variance[3:].sum() == pytest.approx(0.25)


def test_scaling_shares_the_variance_between_networks() -> None:
    names = feature_names(100, descriptors=5)
    other = tuple(FeatureName("imagenet:pooled", "all", "mean", c) for c in range(30))
    X = np.random.default_rng(0).normal(3, 10, (40, 130))
    variance = Scaling.of(X, names + other, balance=1, descriptors=0.4).apply(X).var(0)
    assert variance[95:100].sum() == pytest.approx(0.4)
    assert variance[:95].sum() == pytest.approx(0.3)
    assert variance[100:].sum() == pytest.approx(0.3)


def test_a_few_telling_descriptors_are_heard_among_thousands_of_tap_channels() -> None:
    y = np.arange(40) % 2
    rng = np.random.default_rng(0)

    def table(cases: np.ndarray) -> FeatureTable:
        X = rng.normal(size=(len(cases), 1005))
        X[:, 1000:] += 0.9 * (2 * cases[:, None] - 1)
        return FeatureTable(feature_names(1005, descriptors=5), X.astype(np.float32), {})

    fresh = np.arange(300) % 2
    train, test = table(y), table(fresh)
    found = {}
    for name, settings in (
        ("ours", LinearSettings()),
        ("flat", LinearSettings(balance=0, descriptors=5 / 1005)),
    ):
        head = LinearHead(settings).fit(train, y, np.arange(40))
        found[name] = score(fresh, head.predict_proba(test)).balanced_accuracy
    assert found["ours"] > 0.9
    assert found["ours"] > found["flat"] + 0.1


@pytest.mark.parametrize("features", [6, 200])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_path_is_what_plain_logistic_regression_finds(
    features: int, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components, "VARIANCE_KEPT", 1.0)
    y = np.minimum(np.arange(40) % (classes + 2), classes - 1)  # the last class is three times as common
    X = np.random.default_rng(0).normal(size=(40, features)) / np.sqrt(features) + 0.3
    strengths = (0.1, 3.0, 1000.0)
    for strength, found in zip(strengths, logistic.logistic_path(X, y, strengths), strict=True):
        plain = LogisticRegression(C=strength, class_weight="balanced", tol=1e-8, max_iter=5000).fit(X, y)
        np.testing.assert_allclose(probabilities(found(X)), plain.predict_proba(X), atol=2e-4)


@pytest.mark.parametrize("features", [6, 200])
@pytest.mark.parametrize("classes", [2, 3])
def test_strengths_side_by_side_are_as_each_alone_and_the_gradient_is_nothing(
    features: int, classes: int
) -> None:
    y = np.arange(50) % classes
    X = np.random.default_rng(0).normal(size=(50, features)) / np.sqrt(features)
    X[:, 0] += 2 * y  # separable: the weakest penalty leads far away
    strengths = (0.01, 1.0, 1e4)
    together = logistic.logistic_path(X, y, strengths)
    centre = X.mean(0)
    for strength, found in zip(strengths, together, strict=True):
        (alone,) = logistic.logistic_path(X, y, [strength])
        scale = np.abs(alone(X)).max()
        np.testing.assert_allclose(found(X), alone(X), atol=1e-4 * max(1, scale))
        np.testing.assert_allclose(found.weights.sum(0), 0, atol=1e-10 * max(1, scale))
        # Along the principal components: what they leave out has no weight.
        wrong = (probabilities(found(X)) - np.eye(classes)[y]) * balanced_weights(y)[:, None]
        penalty = (2 if classes == 2 else 1) / strength
        down, held = (wrong.T @ (X - centre)) @ found.weights.T, found.weights @ found.weights.T
        np.testing.assert_allclose(down, -penalty * held, atol=3e-3 * penalty * np.abs(held).max())
        np.testing.assert_allclose(wrong.sum(0), 0, atol=1e-3)


@pytest.mark.parametrize("shape", [(30, 200), (200, 30), (12, 12)])
def test_held_out_logits_are_those_of_the_maps(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    X, fresh, y = rng.normal(size=shape) + 3, rng.normal(size=(9, shape[1])) + 3, np.arange(shape[0]) % 3
    maps = logistic.logistic_path(X, y, (0.1, 10.0))
    found = logistic.held_out_path(X, y, (0.1, 10.0), fresh)
    np.testing.assert_allclose(found, [m(fresh) for m in maps], atol=1e-9)


def test_cases_that_are_all_alike_teach_the_class_shares_only() -> None:
    (found,) = logistic.logistic_path(np.ones((6, 4)), np.arange(6) % 2, [1.0])
    np.testing.assert_allclose(found(np.ones((2, 4))), 0, atol=1e-9)


@pytest.mark.parametrize("shape", [(30, 200), (200, 30)])
def test_components_are_those_of_the_covariance(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).normal(size=shape) * 0.8 ** np.arange(shape[1]) + 5
    found = components.Components.of(X)
    axes = found.basis.T @ found.turn
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-8)
    np.testing.assert_allclose(found.own, found.scores(X), atol=1e-8)
    np.testing.assert_allclose(found.back(np.eye(axes.shape[1])), axes.T, atol=1e-8)
    kept = (found.own**2).sum(0)
    assert (np.diff(kept) <= 1e-9).all()
    assert kept[:-1].sum() < 0.99 * ((X - X.mean(0)) ** 2).sum() <= kept.sum()


def test_noise_asks_for_a_stronger_penalty_than_signal() -> None:
    y = np.arange(100) % 2
    settings = LinearSettings(belief=0, whitening=(0.0,))
    noise = LinearHead(settings).fit(vector_table(y, 500, signal=0), y, np.arange(100)).strength_
    clear = LinearHead(settings).fit(vector_table(y, 5, signal=3), y, np.arange(100)).strength_
    assert noise < 1 < clear


def test_lean_takes_the_strongest_penalty_that_is_not_clearly_worse() -> None:
    groups = np.arange(50)
    wobble = np.where(groups % 2, 0.5, -0.5)
    loss = np.stack([np.full(50, 2.0), 1.05 + wobble, 1.0 + 0 * wobble, np.full(50, 1.5)])
    assert _lean(loss, groups, 1.0) == 1  # 0.05 ± 0.07 worse: within one standard error
    assert _lean(loss, groups, 0.5) == 2
    assert _lean(loss, groups // 50, 1.0) == 2  # one patient: no error to lean on


def hidden_thing(cases: np.ndarray, seed: int) -> FeatureTable:
    """Four strong things that vary from image to image, and a weak one that goes with the class."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(5, 60))
    things = rng.normal(size=(len(cases), 5)) * np.r_[np.full(4, 2.0), 0.3]
    things[:, 4] += 0.6 * (2 * cases - 1)
    return FeatureTable(feature_names(60), things @ mixing + 0.3 * rng.normal(size=(len(cases), 60)), {})


def test_small_differences_are_heard_where_they_tell_the_classes_apart() -> None:
    y, fresh = np.arange(40) % 2, np.arange(400) % 2
    train, test = hidden_thing(y, 0), hidden_thing(fresh, 1)
    plain = LinearHead(LinearSettings(whitening=(0.0,))).fit(train, y, np.arange(40))
    ours = LinearHead().fit(train, y, np.arange(40))
    assert ours.shares_[1.0] > ours.shares_[0.0]
    log_loss = [case_log_loss(fresh, h.predict_proba(test)).mean() for h in (plain, ours)]
    assert log_loss[1] < 0.95 * log_loss[0], log_loss


def test_cases_without_a_class_teach_how_features_vary() -> None:
    y, fresh, unlabelled = np.arange(12) % 2, np.arange(400) % 2, np.arange(200) % 2
    train, test = hidden_thing(y, 0), hidden_thing(fresh, 1)
    alone = LinearHead().fit(train, y, np.arange(12))
    helped = LinearHead(background=hidden_thing(unlabelled, 2))
    assert helped.fresh().background is helped.background
    helped.fit(train, y, np.arange(12))
    log_loss = [case_log_loss(fresh, h.predict_proba(test)).mean() for h in (alone, helped)]
    assert log_loss[1] < log_loss[0] - 0.02, log_loss


def test_few_cases_are_not_whitened() -> None:
    y = np.arange(30) % 2
    head = LinearHead().fit(vector_table(y, 50), y, np.arange(30))
    assert head.shares_ == {0.0: 1.0}
    again = LinearHead.from_state(head.to_state())
    assert again.shares_ == head.shares_
