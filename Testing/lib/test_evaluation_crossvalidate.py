"""Cross-validation with real heads: chance is chance, nothing leaks, patients stay whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from heads_data import feature_names, vector_table

from SegClassifyLib.errors import Cancelled, TrainingError
from SegClassifyLib.evaluation.crossvalidate import cross_validate
from SegClassifyLib.evaluation.metrics import score
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.progress import Progress


class Notebook:
    """A head that answers the class shares it was trained on and notes what it was shown."""

    shown: list[tuple[np.ndarray, np.ndarray, np.ndarray]]

    def __init__(self) -> None:
        self.seen: tuple[np.ndarray, ...] = ()

    def fit(
        self, table: FeatureTable, y: np.ndarray, groups: np.ndarray, seed: int = 0, progress: Any = None
    ) -> None:
        self.trained = np.array(table.cases)
        np.testing.assert_array_equal(table.X[:, 0], self.trained)
        self.groups, self.shares = groups, np.bincount(y) / len(y)

    def logits(self, table: FeatureTable) -> np.ndarray:
        type(self).shown.append((self.trained, np.array(table.cases), self.groups))
        return np.tile(np.log(self.shares), (len(table), 1))


def numbered_table(n: int) -> FeatureTable:
    return FeatureTable(feature_names(1), np.arange(n, dtype=np.float32)[:, None], {})


def test_random_labels_score_at_chance_however_many_features() -> None:
    """Also the test for leaks: scaling, components or strength learned outside the folds would beat chance."""
    y = np.arange(40) % 2
    values = []
    for seed in range(4):
        found = cross_validate(
            LinearHead, vector_table(y, 1500, signal=0, seed=seed), y, np.arange(40), repeats=1, seed=seed
        )
        values.append(found.scores.macro_auc)
        interval = found.intervals.macro_auc
        assert interval.low - 0.1 <= 0.5 <= interval.high + 0.1
    assert 0.35 < np.mean(values) < 0.62


def test_a_patient_in_many_images_is_not_learned_by_heart() -> None:
    """Images of a patient share noise that tells the patient, not the class: split patients would look perfect."""
    groups = np.repeat(np.arange(20), 4)
    y = groups % 2
    honest, split = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(20, 100))[groups] + 0.1 * rng.normal(size=(80, 100))
        table = FeatureTable(feature_names(100), X.astype(np.float32), {})
        for found, kept in ((honest, groups), (split, np.arange(80))):
            result = cross_validate(LinearHead, table, y, kept, repeats=1, seed=seed)
            found.append(result.scores.balanced_accuracy)
    assert np.mean(split) > 0.95
    assert np.mean(honest) < 0.75


def test_signal_is_found_and_the_numbers_hang_together() -> None:
    y = np.arange(45) % 3
    table = vector_table(y, 30, signal=3)
    y_wrong = y.copy()
    y_wrong[7] = (y[7] + 1) % 3
    found = cross_validate(LinearHead, table, y_wrong, np.arange(45), folds=5, repeats=2, seed=1)
    assert found.logits.shape == (2, 45, 3) and np.isfinite(found.logits).all()
    assert found.folds == 5 and len(found.per_repeat) == 2
    assert found.scores.balanced_accuracy > 0.7
    assert found.scores.confusion.sum() == 45
    again = score(y_wrong, found.proba)
    assert again.log_loss == found.scores.log_loss
    for name in ("accuracy", "balanced_accuracy", "macro_auc", "log_loss", "brier"):
        interval = getattr(found.intervals, name)
        assert interval.value == pytest.approx(getattr(found.scores, name))
        assert interval.low <= interval.value <= interval.high
    sure = found.proba.max(1)
    assert len(found.doubtful) == 45 and (np.diff(sure[list(found.doubtful)]) >= 0).all()
    assert found.surprising[0] == 7, "the mislabelled case"
    assert all(found.proba[i].argmax() != y_wrong[i] for i in found.surprising)


def test_every_case_is_tested_once_a_repeat_by_a_head_that_did_not_see_its_patient() -> None:
    y, groups = np.arange(60) % 2, np.arange(60) // 4 * 2 + np.arange(60) % 2
    Notebook.shown = []
    events: list[Any] = []
    found = cross_validate(
        Notebook, numbered_table(60), y, groups, folds=3, repeats=2, progress=Progress(events.append)
    )
    assert len(Notebook.shown) == 6
    for trained, tested, told in Notebook.shown:
        assert not set(groups[trained]) & set(groups[tested])
        np.testing.assert_array_equal(told, groups[trained])
    for repeat in (Notebook.shown[:3], Notebook.shown[3:]):
        assert sorted(np.concatenate([tested for _, tested, _ in repeat])) == list(range(60))
    np.testing.assert_allclose(found.proba.sum(1), 1)
    assert [e.fraction for e in events] == pytest.approx(np.arange(7) / 6)


def test_two_cases_of_each_class_can_be_checked() -> None:
    y = np.array([0, 0, 1, 1, 2, 2])
    found = cross_validate(LinearHead, vector_table(y, 10, signal=9), y, np.arange(6), repeats=2)
    assert found.folds == 2 and found.scores.cases == 6


def test_a_class_of_one_patient_and_a_cancel_end_it() -> None:
    y, groups = np.array([0, 0, 1, 1]), np.array([1, 2, 3, 3])
    table = vector_table(y, 5)
    with pytest.raises(TrainingError, match="Class 'malignant' has cases of one patient"):
        cross_validate(LinearHead, table, y, groups, classes=["benign", "malignant"])
    with pytest.raises(Cancelled):
        cross_validate(LinearHead, table, y, np.arange(4), progress=Progress(is_cancelled=lambda: True))
