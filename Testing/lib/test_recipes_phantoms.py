"""Made-up chests: what is cut tells the level, and no statistic of grey values does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from SegClassifyLib.phantoms.chest import CHEST_LABELS, LEVELS, ChestPhantom, make_chest_slice

VALUE = {label.name: label.value for label in CHEST_LABELS}


@pytest.fixture(scope="module")
def chests() -> list[tuple[int, ChestPhantom]]:
    """Three levels of each of 75 people."""
    rng = np.random.default_rng(5)
    return [
        (person, make_chest_slice(person, LEVELS[level], shape=(64, 80)))
        for person in range(75)
        for level in rng.choice(9, 3, replace=False)
    ]


def accuracy(rows: list[list[float]], chests: list[tuple[int, ChestPhantom]]) -> float:
    """Cross-validated over people; guessing gets 1/9."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=500))
    y, groups = [c.level for _, c in chests], [person for person, _ in chests]
    return float(cross_val_score(model, np.asarray(rows), y, groups=groups, cv=GroupKFold(5)).mean())


def test_mean_grey_value_says_next_to_nothing(chests: list[tuple[int, ChestPhantom]]) -> None:
    means = [[float(c.image.array.mean()), float(c.image.array.std())] for _, c in chests]
    assert accuracy(means, chests) < 0.25


def test_the_histogram_says_little(chests: list[tuple[int, ChestPhantom]]) -> None:
    rows = []
    for _, chest in chests:
        v = chest.image.array.astype(float).ravel()
        percentiles = np.percentile(v, [1, 5, 25, 50, 75, 90, 95, 99])
        rows.append(
            [v.mean(), v.std(), float(stats.skew(v)), float(stats.kurtosis(v)), v.max(), *percentiles]
        )
    assert accuracy(rows, chests) < 0.42


def test_what_is_cut_says_much(chests: list[tuple[int, ChestPhantom]]) -> None:
    areas = [np.bincount(c.labels.array.ravel(), minlength=8)[1:].tolist() for _, c in chests]
    assert accuracy(areas, chests) > 0.7


def test_structures_lie_where_they_belong() -> None:
    seen: dict[str, set[int]] = {level: set() for level in LEVELS}
    for person in range(12):
        for level in LEVELS:
            chest = make_chest_slice(100 + person, level)
            seen[level] |= set(np.unique(chest.labels.array).tolist())
            values = chest.image.array[0].astype(float)
            inside = values[chest.labels.array == VALUE["aorta"]]
            assert len(inside) and inside.mean() > 0  # blood, not lung
    assert VALUE["left ventricle"] in seen["level 3"] and VALUE["right ventricle"] in seen["level 3"]
    assert {VALUE["left atrium"], VALUE["right atrium"]} <= seen["level 6"]
    assert VALUE["pulmonary trunk"] in seen["level 7"]
    assert not {VALUE["left ventricle"], VALUE["left atrium"]} & seen["level 9"]
    assert not {VALUE["pulmonary trunk"], VALUE["left atrium"]} & seen["level 1"]


def test_a_person_stays_the_same_and_people_differ() -> None:
    one, again = (make_chest_slice(3, "level 5") for _ in range(2))
    assert np.array_equal(one.image.array, again.image.array) and np.array_equal(
        one.labels.array, again.labels.array
    )
    other = make_chest_slice(3, "level 5", number=1)
    assert not np.array_equal(one.image.array, other.image.array)
    assert one.image.geometry.is_close(other.image.geometry)  # one scanner
    assert not one.image.geometry.is_close(make_chest_slice(4, "level 5").image.geometry)
    with pytest.raises(ValueError, match=r"level 'level 10' is none of"):
        make_chest_slice(0, "level 10")
