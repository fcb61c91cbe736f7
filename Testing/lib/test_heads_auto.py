"""Choosing a head: the simpler one unless the other is clearly better, and a true sentence on why."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from heads_data import ring_table, vector_table

from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.auto import _difference, choose_head
from SegClassifyLib.heads.conv import ConvHead, ConvSettings
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.progress import Progress

CONV = ConvHead(ConvSettings(members=1, width=16))


class Oracle:
    """Knows the classes (column 0 of the table) up to ``noise``; stands for a head of any quality."""

    def __init__(self, kind: str, noise: float) -> None:
        self.kind, self.noise, self.fits = kind, noise, 0

    def fresh(self) -> Oracle:
        return Oracle(self.kind, self.noise)

    def fit(
        self, table: FeatureTable, y: np.ndarray, groups: np.ndarray, seed: int = 0, progress: Any = None
    ) -> Oracle:
        self.fits += 1
        self.cases = len(table)
        return self

    def logits(self, table: FeatureTable) -> np.ndarray:
        rng = np.random.default_rng((int(self.noise * 1000), len(table)))
        side = 2 * table.X[:, 0] - 1 + self.noise * rng.normal(size=len(table))
        return np.stack([-side, side], 1)


def truth_table(y: np.ndarray) -> FeatureTable:
    table = vector_table(y, 3)
    table.X[:, 0] = y
    return table


def test_takes_conv_where_only_space_tells() -> None:
    y = np.arange(60) % 2
    choice = choose_head([LinearHead(), CONV], ring_table(y), y, np.arange(60), folds=3)
    assert choice.kind == "conv" and isinstance(choice.head, ConvHead)
    assert choice.head.n_classes == 2
    linear, conv = choice.scores
    assert conv.log_loss < linear.log_loss and conv.better_by > conv.error > 0
    assert choice.reason == (
        f"The conv classifier (held-out log loss {conv.log_loss:.2f}, balanced accuracy "
        f"{conv.balanced_accuracy:.2f}) was taken because its log loss is less than that of the simpler linear "
        f"classifier by {conv.better_by:.2f} ± {conv.error:.2f}, more than the standard error."
    )


def test_takes_linear_where_vectors_tell_and_maps_do_not() -> None:
    y = np.arange(40) % 2
    vectors, noise = vector_table(y, 6, signal=3), ring_table(np.zeros(40, int))
    table = FeatureTable(vectors.names, vectors.X, noise.maps)
    choice = choose_head([LinearHead(), CONV], table, y, np.arange(40), folds=3)
    assert choice.kind == "linear" and isinstance(choice.head, LinearHead)
    assert re.search(r"linear classifier .* is the simplest .*: conv is worse by \d\.\d\d ± ", choice.reason)


def test_a_better_but_not_clearly_better_head_does_not_replace_the_simpler() -> None:
    y = np.arange(40) % 2
    close = choose_head([Oracle("plain", 1.0), Oracle("fancy", 0.98)], truth_table(y), y, np.arange(40))
    fancy = close.scores[1]
    assert close.kind == "plain" and abs(fancy.better_by) <= fancy.error
    clear = choose_head([Oracle("plain", 1.5), Oracle("fancy", 0.2)], truth_table(y), y, np.arange(40))
    assert clear.kind == "fancy" and clear.head.cases == 40 and clear.scores[1].against == "plain"


def test_each_further_candidate_must_beat_the_one_that_leads() -> None:
    y = np.arange(40) % 2
    heads = [Oracle("first", 2.0), Oracle("second", 0.3), Oracle("third", 0.8)]
    choice = choose_head(heads, truth_table(y), y, np.arange(40))
    assert choice.kind == "second"
    assert [s.against for s in choice.scores] == ["", "first", "second"]
    assert choice.scores[2].better_by < 0
    assert all(h.fits == 0 for h in heads), "candidates themselves stay unfitted"


def test_with_one_candidate_or_nothing_to_hold_out_it_takes_the_first_and_says_so() -> None:
    y = np.array([0, 0, 1, 1])
    table = truth_table(y)
    alone = choose_head([Oracle("plain", 1.0)], table, y, np.arange(4))
    assert alone.kind == "plain" and alone.scores == () and "no other was asked for" in alone.reason
    together = choose_head([Oracle("plain", 1), Oracle("fancy", 0)], table, y, np.array([0, 0, 1, 2]))
    assert together.kind == "plain" and "cases of one patient only" in together.reason


def test_error_counts_patients_not_images() -> None:
    rng = np.random.default_rng(0)
    loss, other = rng.normal(size=(2, 20))
    once = _difference(loss, other, np.arange(20))
    doubled = _difference(np.tile(loss, 3), np.tile(other, 3), np.tile(np.arange(20), 3))
    assert doubled == pytest.approx(once)
    plain = (loss - other).std(ddof=1) / np.sqrt(20)
    assert once == pytest.approx(((loss - other).mean(), plain))


def test_progress_runs_from_start_to_end() -> None:
    y = np.arange(20) % 2
    events: list[Any] = []
    choose_head(
        [Oracle("a", 1), Oracle("b", 1)], truth_table(y), y, np.arange(20), progress=Progress(events.append)
    )
    fractions = [e.fraction for e in events]
    assert fractions == sorted(fractions) and fractions[0] == 0 and len(fractions) == 10
