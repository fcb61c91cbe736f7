"""Losses of segmenters against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from SegClassifyLib.training.losses import ExpLogLoss, build_loss
from SegClassifyLib.training.settings import SegmenterSettings


def _logits(probability_of_one: list[float]) -> torch.Tensor:
    """Two labels, a 2D image of one row: ``(1, 2, 1, N)``."""
    p = torch.tensor(probability_of_one)
    return torch.stack([(1 - p).log(), p.log()])[None, :, None, :]


def test_exponential_logarithmic_loss_is_the_papers_formula() -> None:
    target = torch.tensor([0, 0, 0, 1])[None, None, None]
    p = [0.1, 0.2, 0.3, 0.6]  # of label 1
    loss = ExpLogLoss(frequencies=[3, 1], gamma=0.3)(_logits(p), target)

    dice_0 = (2 * (0.9 + 0.8 + 0.7) + 1) / (3 + (0.9 + 0.8 + 0.7 + 0.4) + 1)
    dice_1 = (2 * 0.6 + 1) / (1 + (0.1 + 0.2 + 0.3 + 0.6) + 1)
    dice_part = ((-math.log(dice_0)) ** 0.3 + (-math.log(dice_1)) ** 0.3) / 2
    w_0, w_1 = math.sqrt(4 / 3), math.sqrt(4 / 1)
    cross = [w_0 * (-math.log(q)) ** 0.3 for q in (0.9, 0.8, 0.7)] + [w_1 * (-math.log(0.6)) ** 0.3]
    assert float(loss) == pytest.approx(0.8 * dice_part + 0.2 * sum(cross) / 4, rel=1e-5)


def test_exponential_logarithmic_loss_stays_finite_at_perfection_and_with_absent_labels() -> None:
    target = torch.tensor([0, 1, 1])[None, None, None]
    logits = torch.tensor([[200.0, -200, -200], [-200, 200, 200], [-200, -200, -200]])[None, :, None, :]
    logits.requires_grad_(True)
    loss = ExpLogLoss(frequencies=[1, 2, 0])(logits, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert float(loss.detach()) < 0.05


def test_rare_labels_weigh_more() -> None:
    target = torch.tensor([0, 0, 0, 1])[None, None, None]
    rare = ExpLogLoss(frequencies=[99, 1], dice_weight=0.0, cross_weight=1.0)
    common = ExpLogLoss(frequencies=[1, 1], dice_weight=0.0, cross_weight=1.0)
    miss = _logits([0.01, 0.01, 0.01, 0.01])
    assert float(rare(miss, target)) > 3 * float(common(miss, target))


@pytest.mark.parametrize("kind", ["dice_ce", "exp_log"])
def test_outputs_are_weighted_and_coarse_ones_meet_the_nearest_label(kind: str) -> None:
    settings = SegmenterSettings(loss=kind, deep_supervision=(1.0, 0.5))
    loss = build_loss(settings, [1, 1])
    target = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    target[..., 2:] = 1
    full = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    coarse = torch.randn(1, 2, 2, 2, generator=torch.Generator().manual_seed(1))
    coarse_target = torch.tensor([[0, 1], [0, 1]], dtype=torch.uint8)[None, None]
    alone = build_loss(settings, [1, 1])
    expected = alone(full, target) + 0.5 * alone(coarse, coarse_target) + 0.5 * alone(full, target)
    assert torch.allclose(loss([full, coarse, full], target), expected)


def test_dice_ce_leaves_out_the_background_unless_asked() -> None:
    target = torch.tensor([0, 0, 0, 1])[None, None, None].to(torch.uint8)
    logits = _logits([0.4, 0.4, 0.4, 0.6])
    with_background = build_loss(SegmenterSettings(include_background=True), [3, 1])(logits, target)
    without = build_loss(SegmenterSettings(), [3, 1])(logits, target)
    dice_0 = (2 * (3 * 0.6) + 1) / (3 + (3 * 0.6 + 0.4) + 1)
    dice_1 = (2 * 0.6 + 1) / (1 + (3 * 0.4 + 0.6) + 1)
    expected = (1 - dice_1) - ((1 - dice_0) + (1 - dice_1)) / 2
    assert float(without - with_background) == pytest.approx(expected, abs=1e-4)


def test_calling_a_lesion_in_a_healthy_patch_costs_whatever_else_is_in_the_batch() -> None:
    loss = build_loss(SegmenterSettings(), [3, 1])
    lesion = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    lesion[..., 2:6, 2:6] = 1
    healthy = torch.zeros_like(lesion)
    right = torch.cat([1.0 - lesion.float(), lesion.float()], 1) * 20
    silent = torch.cat([torch.ones_like(lesion), torch.zeros_like(lesion)], 1).float() * 20
    called = silent.clone()
    called[:, 1, 0, :3] = 40
    good = float(loss(torch.cat([right, silent]), torch.cat([lesion, healthy])))
    bad = float(loss(torch.cat([right, called]), torch.cat([lesion, healthy])))
    cross_entropy = 20 * 3 / 128
    assert good == pytest.approx(0, abs=1e-3)
    assert bad - cross_entropy == pytest.approx(
        0.5 * (1 - 1 / 4), abs=0.01
    )  # three voxels called, none there
