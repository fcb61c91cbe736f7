"""Prediction sets hold what they promise where the truth is known, for every class, and never flatter."""

from __future__ import annotations

import numpy as np
import pytest
from heads_data import feature_names, vector_table
from trust_data import held_out_answers, means_head, patients

from SegClassifyLib.evaluation.crossvalidate import cross_validate
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import load_head, probabilities
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.trust.answers import HeldOutAnswers, PredictionSets, never_ruled_out, prediction_set
from SegClassifyLib.trust.patients import conformal_p_values

NEW = np.repeat([0, 1, 2], 8)


def coverage(
    seed: int, confidence: float, sure: float = 1.0, keep_heads: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the sets of new patients hold their class ``(24,)``, and how many classes the sets hold."""
    rng = np.random.default_rng(seed)
    X, y, groups = patients(rng, np.repeat([0, 1, 2], [40, 24, 14]))
    answers = held_out_answers(X, y, groups, 5, sure)
    if not keep_heads:
        answers = HeldOutAnswers(answers.logits, y, groups, answers.fold_of, ())
    X_new, y_new, new = patients(rng, NEW)
    one_each = np.unique(new, return_index=True)[1]
    table = FeatureTable(feature_names(X.shape[1]), X_new[one_each], {})
    logits = load_head(means_head(X, y, table.names, sure)).logits(table)
    p_values = PredictionSets(answers).p_values(table, logits)
    sets = [prediction_set(p, q, confidence) for p, q in zip(p_values, probabilities(logits), strict=True)]
    held = np.array([truth in said for said, truth in zip(sets, y_new[one_each], strict=True)])
    return held, np.array([len(said) for said in sets])


@pytest.mark.parametrize("confidence", [0.8, 0.9])
@pytest.mark.parametrize(("sure", "keep_heads"), [(1.0, True), (5.0, True), (1.0, False)])
def test_sets_hold_the_true_class_as_often_as_promised(
    confidence: float, sure: float, keep_heads: bool
) -> None:
    """Of every class, rare or common, whether the head is too sure or not, with patients of several cases."""
    repeats = 80
    runs = [coverage(seed, confidence, sure, keep_heads) for seed in range(repeats)]
    held, sizes = np.stack([r[0] for r in runs]), np.concatenate([r[1] for r in runs])
    assert sizes.mean() < 2.2, "sets that always hold everything would be worth nothing"
    for k, rarest in enumerate((40, 24, 14)):
        by_run = held[:, k == NEW].mean(1)
        error = by_run.std() / np.sqrt(repeats)
        # Shares come in steps of one patient, and are rounded to the safe side.
        assert (
            confidence - 3 * error - 0.01 < by_run.mean() < confidence + 2 / (rarest + 1) + 3 * error + 0.03
        )


def test_a_class_is_compared_with_held_out_cases_of_its_own_by_the_head_of_their_fold() -> None:
    """The definition, case by case, with folds whose heads have little in common."""
    rng = np.random.default_rng(5)
    names, y, fold_of = feature_names(3), np.array([0, 0, 1, 1, 1, 0]), np.array([0, 1, 2, 0, 1, 2])
    heads = [means_head(rng.normal(size=(40, 3)), np.arange(40) % 2, names, 3.0) for _ in range(3)]
    logits = rng.normal(size=(6, 2))
    answers = HeldOutAnswers(logits, y, np.arange(6), fold_of, tuple(heads))
    table = FeatureTable(names, rng.normal(size=(20, 3)).astype(np.float32), {})
    found = PredictionSets(answers, temperature=2.0).p_values(table, np.zeros((20, 2)))
    for case in range(20):
        for k in range(2):
            own, stranger = [i for i in range(6) if y[i] == k], 0
            for i in own:
                said = load_head(heads[fold_of[i]]).logits(table.rows(np.array([case])))[0]
                stranger += probabilities(logits[i] / 2)[k] <= probabilities(said / 2)[k]
            assert found[case, k] == pytest.approx((1 + stranger) / (1 + len(own)))


def test_random_classes_give_large_sets_that_hold_and_probabilities_near_chance() -> None:
    """With features that know nothing nothing leaks: neither into the sets nor into the probabilities."""
    held, sizes, sureness = [], [], []
    for seed in range(3):
        y = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], 15))
        table, new = vector_table(y, 40, signal=0, seed=seed), vector_table(y, 40, signal=0, seed=100 + seed)
        validation = cross_validate(LinearHead, table, y, np.arange(45), folds=5, repeats=1, seed=seed)
        head = LinearHead().fit(table, y, np.arange(45), seed)
        sets = PredictionSets(HeldOutAnswers.of(validation, y, np.arange(45)))
        p_values, proba = sets.p_values(new, head.logits(new)), head.predict_proba(new)
        said = [prediction_set(p, q, 0.9) for p, q in zip(p_values, proba, strict=True)]
        held += [truth in s for s, truth in zip(said, y, strict=True)]
        sizes += [len(s) for s in said]
        sureness.append(validation.proba.max(1).mean())
    assert np.mean(held) > 0.84 and np.mean(sizes) > 2.5
    assert np.mean(sureness) < 0.45


def test_sets_shrink_where_the_classes_are_easy_to_tell() -> None:
    y = np.repeat([0, 1], 30)
    table, new = vector_table(y, 5, signal=8), vector_table(y, 5, signal=8, seed=1)
    validation = cross_validate(LinearHead, table, y, np.arange(60), folds=5, repeats=1)
    head = LinearHead().fit(table, y, np.arange(60))
    p_values = PredictionSets(HeldOutAnswers.of(validation, y, np.arange(60))).p_values(new, head.logits(new))
    sets = [prediction_set(p, q, 0.9) for p, q in zip(p_values, probabilities(head.logits(new)), strict=True)]
    assert np.mean([len(s) for s in sets]) < 1.15


def test_the_most_probable_class_is_always_in_the_set_and_comes_first() -> None:
    assert prediction_set(np.array([0.01, 0.02, 0.5]), np.array([0.7, 0.1, 0.2]), 0.9) == (0, 2)
    assert prediction_set(np.array([0.01, 0.02, 0.03]), np.array([0.1, 0.7, 0.2]), 0.9) == (1,)
    assert prediction_set(np.array([0.1, 0.10001]), np.array([0.1, 0.9]), 0.9) == (1,), (
        "at 90 %, p = 0.1 is out"
    )


def test_a_class_of_fewer_than_nine_patients_is_never_ruled_out() -> None:
    y = np.repeat([0, 1, 2], [8, 9, 18])
    groups = np.r_[np.arange(17), 17 + np.arange(18) // 2]  # the last class: two cases a patient
    answers = HeldOutAnswers(np.zeros((35, 3)), y, groups, np.zeros(35, int), ())
    assert never_ruled_out(answers, 0.9) == (0,)
    assert never_ruled_out(answers, 0.95) == (0, 1, 2)


def test_patients_count_alike_however_many_cases_they_have() -> None:
    known, groups = np.array([5.0, 1, 1, 1, 3]), np.array([7, 8, 8, 8, 9])
    np.testing.assert_allclose(conformal_p_values(np.array([2.0, 0, 6]), known, groups), [3 / 4, 1, 1 / 4])
    known[1] = 9
    np.testing.assert_allclose(conformal_p_values(np.array([6.0]), known, groups), [(1 + 1 / 3) / 4])


def test_answers_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in number"):
        HeldOutAnswers(np.zeros((3, 2)), np.zeros(2, int), np.zeros(3, int), np.zeros(3, int), ())
    with pytest.raises(ValueError, match="class that does not exist"):
        HeldOutAnswers(np.zeros((2, 2)), np.array([0, 2]), np.zeros(2, int), np.zeros(2, int), ())
