"""The draws of a comparison: no patient on both sides, growing training parts, nobody tested on who must not be."""

from __future__ import annotations

import numpy as np
import pytest

from SegClassifyLib.experiment.draws import Pool, plan_draws, test_mode
from SegClassifyLib.experiment.settings import ALL, CompareSettings

test_mode.__test__ = False  # type: ignore[attr-defined]


def pool(cases: int = 60, test: int = 0, seed: int = 0) -> Pool:
    """Two cases a patient, three classes of different sizes."""
    rng = np.random.default_rng(seed)
    groups = np.arange(cases) // 2
    y = rng.permutation(
        np.r_[np.zeros(cases // 2), np.ones(cases // 3), np.full(cases - cases // 2 - cases // 3, 2)]
    )
    tested = np.flatnonzero(groups >= cases // 2 - test)
    return Pool(y.astype(np.int64), groups, tested, np.zeros(cases, bool))


def settings(**more: object) -> CompareSettings:
    return CompareSettings.model_validate({"draws": 6, **more})


@pytest.mark.parametrize("test", ["rest", "halves", "split"])
@pytest.mark.parametrize("size", [3, ALL])
def test_no_patient_is_on_both_sides(test: str, size: int) -> None:
    people = pool(test=12)
    plan = plan_draws(people, size, settings(test=test))
    assert len(plan) == (1 if (test, size) == ("split", ALL) else 6)
    for fold in plan:
        assert not set(people.groups[fold.train]) & set(people.groups[fold.test])
        assert set(people.y[fold.test]) == {0, 1, 2}
        if size != ALL:
            assert np.bincount(people.y[fold.train]).tolist() == [size] * 3
        if test == "split":
            assert set(fold.test) == set(people.test)


def test_all_takes_every_case_that_is_not_tested_on() -> None:
    people = pool(test=12)
    (fold,) = plan_draws(people, ALL, settings(test="split"))
    assert len(fold.train) + len(fold.test) == 60


def test_training_parts_grow_and_draws_differ() -> None:
    few, more = (plan_draws(pool(), n, settings(test="halves")) for n in (2, 4))
    for small, large in zip(few, more, strict=True):
        assert set(small.train) <= set(large.train)
        assert np.array_equal(small.test, large.test)
    assert len({tuple(f.train) for f in few}) == 6
    again = plan_draws(pool(), 2, settings(test="halves"))
    other = plan_draws(pool(), 2, settings(test="halves", seed=50))
    assert all(np.array_equal(a.train, b.train) for a, b in zip(few, again, strict=True))
    assert any(not np.array_equal(a.train, b.train) for a, b in zip(few, other, strict=True))


@pytest.mark.parametrize("test", ["rest", "halves"])
def test_who_trained_a_segmenter_is_never_tested_on(test: str) -> None:
    people = pool()
    people.only_train[:20] = True
    plan = plan_draws(people, 3, settings(test=test))
    assert plan
    assert all(not set(f.test) & set(range(20)) for f in plan)
    assert any(set(f.train) & set(range(20)) for f in plan)


def test_too_few_cases_give_no_draws() -> None:
    assert plan_draws(pool(), 11, settings(test="rest")) == ()
    assert plan_draws(pool(), 9, settings(test="rest")) == ()
    everyone = pool()
    everyone.only_train[:] = True
    assert plan_draws(everyone, 3, settings()) == ()


def test_auto_takes_the_sets_own_test_cases_where_there_are_some() -> None:
    assert test_mode(pool(test=5), settings()) == "split"
    assert test_mode(pool(), settings()) == "rest"
    assert test_mode(pool(test=5), settings(test="halves")) == "halves"
