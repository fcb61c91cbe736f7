"""The conv head: sees where things are, and is stored as plain arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from heads_data import ring_table, vector_table

from SegClassifyLib.errors import Cancelled, ModelPackageError, TrainingError
from SegClassifyLib.evaluation.metrics import score
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import HeadState, load_head
from SegClassifyLib.heads.conv import ConvHead, ConvSettings
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.heads.map_input import MapInput
from SegClassifyLib.progress import Progress, ProgressEvent

QUICK = ConvSettings(steps=4, members=2, width=8)


@pytest.fixture(scope="module")
def fitted() -> tuple[ConvHead, FeatureTable, np.ndarray]:
    y = np.arange(12) % 3
    table = ring_table(y)
    return ConvHead(QUICK).fit(table, y, np.arange(12), seed=2), table, y


def test_learns_a_pattern_in_space_that_pooled_features_do_not_hold() -> None:
    y, fresh = np.arange(60) % 2, np.arange(120) % 2
    table, test = ring_table(y, 1), ring_table(fresh, 2)
    conv = ConvHead(ConvSettings(members=1)).fit(table, y, np.arange(60))
    linear = LinearHead().fit(table, y, np.arange(60))
    assert score(fresh, conv.predict_proba(test)).balanced_accuracy > 0.8
    assert score(fresh, linear.predict_proba(test)).balanced_accuracy < 0.65


@pytest.mark.parametrize("cells", [(6, 6), (4, 4, 4)])
def test_two_and_three_dimensions(cells: tuple[int, ...]) -> None:
    y = np.arange(8) % 2
    table = ring_table(y, cells=cells)
    proba = ConvHead(QUICK).fit(table, y, np.arange(8)).predict_proba(table)
    assert proba.shape == (8, 2)
    np.testing.assert_allclose(proba.sum(1), 1)


def test_stored_and_opened_again_it_answers_the_same(
    fitted: tuple[ConvHead, FeatureTable, np.ndarray],
) -> None:
    head, table, _ = fitted
    state = head.to_state()
    assert all(a.dtype.kind == "f" for a in state.arrays.values())
    again = load_head(HeadState(state.kind, json.loads(json.dumps(state.config)), state.arrays))
    np.testing.assert_array_equal(again.predict_proba(table), head.predict_proba(table))
    assert isinstance(again, ConvHead) and again.n_classes == 3 and again.settings == QUICK


@pytest.mark.parametrize("missing", ["axes", "member1.classes.bias", "mean"])
def test_damaged_state_is_a_sentence(fitted: tuple[ConvHead, FeatureTable, np.ndarray], missing: str) -> None:
    state = fitted[0].to_state()
    arrays = {k: v for k, v in state.arrays.items() if k != missing}
    with pytest.raises(ModelPackageError, match="stored conv classifier is damaged"):
        load_head(HeadState(state.kind, state.config, arrays))


def test_same_seed_same_head_and_the_global_generator_is_left_alone(
    fitted: tuple[ConvHead, FeatureTable, np.ndarray],
) -> None:
    head, table, y = fitted
    torch.manual_seed(11)
    before = torch.get_rng_state()
    same = ConvHead(QUICK).fit(table, y, np.arange(12), seed=2)
    other = ConvHead(QUICK).fit(table, y, np.arange(12), seed=3)
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(same.logits(table), head.logits(table))
    assert np.abs(other.logits(table) - head.logits(table)).max() > 1e-3


def test_answers_do_not_depend_on_the_other_cases(
    fitted: tuple[ConvHead, FeatureTable, np.ndarray],
) -> None:
    head, table, _ = fitted
    alone = np.concatenate([head.logits(table.rows(np.array([i]))) for i in range(3)])
    np.testing.assert_allclose(alone, head.logits(table)[:3], atol=1e-5)


def test_stops_by_held_out_groups_when_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    from SegClassifyLib.heads import map_network

    seen = []
    real = map_network.train_network

    def watch(network, maps, y, schedule, random, held_out, after_step):  # type: ignore[no-untyped-def]
        seen.append((len(maps), held_out))
        real(network, maps, y, schedule, random, held_out, after_step)

    monkeypatch.setattr(map_network, "train_network", watch)
    y = np.arange(40) % 2
    settings = QUICK.model_copy(update={"hold_out_from": 10})
    ConvHead(settings).fit(ring_table(y), y, np.arange(40) // 2 * 2 + y)
    assert [n for n, _ in seen] == [32, 32] and all(len(held[1]) == 8 for _, held in seen)
    seen.clear()
    ConvHead(settings).fit(ring_table(y), y, np.where(y == 1, 100 + np.arange(40) // 2 % 4, np.arange(40)))
    assert [n for n, _ in seen] == [40, 40] and all(held is None for _, held in seen)


def test_training_keeps_the_weights_that_did_best_on_the_held_out_cases() -> None:
    from SegClassifyLib.heads.map_network import MapNetwork, Schedule, _balanced_loss, train_network

    torch.manual_seed(0)
    y = torch.arange(20) % 2
    maps = torch.randn(20, 4, 4, 4) + y[:, None, None, None]
    opposite = torch.randn(10, 4, 4, 4) - (torch.arange(10) % 2)[:, None, None, None] * 1.0
    held_out = (opposite, torch.arange(10) % 2)
    network = MapNetwork(2, 4, 2, 8, 0.0)
    looks: list[float] = []

    def after_step(step: int) -> None:
        if step % 10 == 0:
            looks.append(_balanced_loss(network, *held_out))

    schedule = Schedule(steps=200, batch=8, rate=3e-3, decay=0.0, noise=0.0, mixup=0.0, patience=30)
    train_network(network, maps, y, schedule, torch.Generator().manual_seed(0), held_out, after_step)
    assert len(looks) < 20, "patience must end it: the held-out cases only get worse"
    assert _balanced_loss(network, *held_out) == pytest.approx(min(looks))
    assert looks[-1] > min(looks)


def test_input_is_standardised_and_balanced_between_taps() -> None:
    rng = np.random.default_rng(0)
    wide = (50 + 9 * rng.normal(size=(20, 40, 4, 4))).astype(np.float16)
    narrow = rng.normal(size=(20, 2, 4, 4)).astype(np.float16)
    still = np.full((20, 1, 4, 4), 3, np.float16)
    table = FeatureTable((), np.zeros((20, 0), np.float32), {"a": wide, "b": narrow, "c": still})
    reduced = MapInput.of(table, 8, seed=0)
    assert reduced.axes.shape == (43, 8)
    assert (reduced.axes[42] == 0).all() or reduced.scale[42] == 0
    # the two channels of "b" hold as much variance as the forty of "a", so they lead
    leading = np.abs(reduced.axes[:, :2]) / np.abs(reduced.axes[:, :2]).max()
    assert leading[40:42].max() == 1 and leading[:40].max() < 0.3
    applied = reduced.apply(table)
    assert applied.shape == (20, 8, 4, 4) and 0.3 < applied.std() < 3
    assert np.abs(applied.mean((0, 2, 3))).max() < 0.1


def test_refusals_are_sentences(fitted: tuple[ConvHead, FeatureTable, np.ndarray]) -> None:
    head, table, y = fitted
    with pytest.raises(TrainingError, match="needs feature maps"):
        ConvHead().fit(vector_table(y), y, np.arange(12))
    holes = {**table.maps, "deep": np.full_like(table.maps["deep"], np.nan)}
    with pytest.raises(TrainingError, match="not numbers"):
        ConvHead().fit(FeatureTable(table.names, table.X, holes), y, np.arange(12))
    small = {**table.maps, "deep": table.maps["deep"][..., :4]}
    with pytest.raises(TrainingError, match="differ in size"):
        ConvHead().fit(FeatureTable(table.names, table.X, small), y, np.arange(12))
    with pytest.raises(ModelPackageError, match=r"maps .* of tap 'deep' and is given none"):
        head.logits(FeatureTable(table.names, table.X, {"labels": table.maps["labels"]}))
    with pytest.raises(ModelPackageError, match="of tap 'deep' and is given"):
        head.logits(FeatureTable(table.names, table.X, small))


def test_reports_progress_and_can_be_cancelled() -> None:
    y = np.arange(8) % 2
    events: list[ProgressEvent] = []
    ConvHead(QUICK).fit(ring_table(y), y, np.arange(8), progress=Progress(events.append))
    assert [e.fraction for e in events] == [k / 8 for k in range(1, 9)]
    with pytest.raises(Cancelled):
        ConvHead(QUICK).fit(
            ring_table(y), y, np.arange(8), progress=Progress(is_cancelled=lambda: len(events) > 0)
        )
