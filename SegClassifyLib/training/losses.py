"""Losses of segmenters: Dice + cross entropy (MONAI's) and the exponential logarithmic loss, deeply supervised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from SegClassifyLib.training.settings import SegmenterSettings

_TINY = 1e-6
"""Keeps ``x ** 0.3`` away from 0, where its slope is infinite."""


class ExpLogLoss(nn.Module):
    """Exponential logarithmic loss for labels of very unequal size (Wong et al., MICCAI 2018, arXiv 1809.00076).

    ``L = w_dice · mean_l[(-ln Dice_l)^γ] + w_cross · mean_x[w_l(x) · (-ln p_l(x))^γ]`` where ``l(x)`` is the true
    label of voxel ``x``, ``p`` the softmax, ``Dice_l = (2 Σ_x δ_l p_l + 1) / (Σ_x (δ_l + p_l) + 1)`` over the whole
    batch, and ``w_l = sqrt(Σ_k f_k / f_l)`` with ``f_l`` the frequency of label ``l`` in the training data. Absent
    labels (``f_l = 0``) take part in the Dice term only, with the pseudocount 1.

    Args:
        frequencies: ``(L,)`` voxels of each label in the training data, background first; any scale.
        gamma: exponent; below 1 it also keeps improving labels that are already good.
        dice_weight, cross_weight: the paper's best: 0.8 and 0.2.
    """

    weights: Tensor

    def __init__(
        self,
        frequencies: Sequence[float],
        gamma: float = 0.3,
        dice_weight: float = 0.8,
        cross_weight: float = 0.2,
    ) -> None:
        super().__init__()
        f = torch.as_tensor(frequencies, dtype=torch.float64)
        weights = torch.where(f > 0, (f.sum() / f.clamp_min(1e-12)).sqrt(), torch.zeros_like(f))
        self.register_buffer("weights", weights.float())
        self.gamma, self.dice_weight, self.cross_weight = gamma, dice_weight, cross_weight

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of ``logits (B, L, *spatial)`` float against ``target (B, 1, *spatial)`` integers: a scalar."""
        index = target.long()
        log_p = F.log_softmax(logits.float(), dim=1)
        p = log_p.exp()
        space = (0, *range(2, p.ndim))
        truth = torch.zeros_like(p).scatter_(1, index, 1.0)
        dice = (2 * (truth * p).sum(space) + 1) / ((truth + p).sum(space) + 1)
        dice_part = (-dice.clamp(max=1.0).log()).clamp_min(_TINY).pow(self.gamma).mean()
        surprise = (-log_p.gather(1, index)).clamp_min(_TINY).pow(self.gamma)
        cross_part = (self.weights[index] * surprise).mean()
        return self.dice_weight * dice_part + self.cross_weight * cross_part


def build_loss(settings: SegmenterSettings, frequencies: Sequence[float]) -> nn.Module:
    """The loss of a training, ready for networks with one or several outputs.

    Args:
        settings: which loss, and the weights of a network's outputs.
        frequencies: ``(L,)`` voxels of each label in the training data, background first.

    Returns:
        A module of ``(logits or list of logits, target)``: logits ``(B, L, *spatial)``, finest first, coarser ones
        compared with the nearest voxel of ``target (B, 1, *spatial)`` uint8.
    """
    from monai.losses import DeepSupervisionLoss, DiceCELoss

    base: nn.Module
    if settings.loss == "exp_log":
        base = ExpLogLoss(frequencies)
    else:
        # Patch by patch, with one voxel of benefit of the doubt: in a patch without a label every voxel that is called
        # one costs, and none costs nothing. Over the whole batch an image of nothing would hardly count, and features
        # of healthy and diseased images grow alike.
        base = DiceCELoss(
            include_background=settings.include_background,
            to_onehot_y=True,
            softmax=True,
            smooth_nr=1.0,
            smooth_dr=1.0,
        )
    weights = list(settings.deep_supervision)
    weights += [weights[-1]] * 16  # MONAI ignores a list that is shorter than the network's outputs
    return DeepSupervisionLoss(base, weights=weights)
