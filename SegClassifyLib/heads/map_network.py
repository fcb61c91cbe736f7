"""The small convolutional network of the conv head, and its training on few cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOOK_EVERY = 10
"""Steps between two looks at the held-out cases."""


class MapNetwork(nn.Module):
    """Two convolution blocks over a stack of feature maps, mean and maximum over space, one linear layer.

    The mean and maximum of the input go to the last layer as well, so that the network never knows less than a
    linear head on pooled maps.

    Args:
        ndim: 2 or 3.
        channels: of the input.
        classes: logits given.
        width: channels of the blocks.
        dropout: of whole channels, and of the pooled numbers.
    """

    def __init__(self, ndim: int, channels: int, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        conv: type[nn.Module] = nn.Conv3d if ndim == 3 else nn.Conv2d
        drop: type[nn.Module] = nn.Dropout3d if ndim == 3 else nn.Dropout2d
        self.axes = tuple(range(2, 2 + ndim))
        self.reduce = conv(channels, width, 1)
        self.blocks = nn.Sequential(
            conv(width, width, 3, stride=2, padding=1),
            nn.GroupNorm(4, width),
            nn.ELU(),
            drop(dropout),
            conv(width, width, 3, padding=1),
            nn.GroupNorm(4, width),
            nn.ELU(),
        )
        self.dropout = nn.Dropout(dropout)
        self.classes = nn.Linear(4 * width, classes)

    def forward(self, maps: Tensor) -> Tensor:
        """``(B, channels, *cells)`` float32 to logits ``(B, classes)``."""
        reduced = self.reduce(maps)
        read = self.blocks(reduced)
        pooled = [value for x in (reduced, read) for value in (x.mean(self.axes), x.amax(self.axes))]
        return self.classes(self.dropout(torch.cat(pooled, 1)))


@dataclass(frozen=True)
class Schedule:
    """How one network is trained.

    Args:
        steps: the most there are.
        batch: cases a step.
        rate: learning rate at the start; falls to zero along a half cosine.
        decay: weight decay.
        noise: standard deviation of noise on the maps, in units of theirs.
        mixup: both parameters of the beta distribution that cases are mixed by; 0 mixes none.
        patience: steps without a better look at the held-out cases after which training ends.
    """

    steps: int
    batch: int
    rate: float
    decay: float
    noise: float
    mixup: float
    patience: int


def train_network(
    network: MapNetwork,
    maps: Tensor,
    y: Tensor,
    schedule: Schedule,
    random: torch.Generator,
    held_out: tuple[Tensor, Tensor] | None,
    after_step: Callable[[int], None],
) -> None:
    """Train in place with class-balanced cross-entropy; ends with the weights that did best on ``held_out``.

    No flips: left and right differ in a body. The maps are varied by noise, mixing and dropped channels instead.

    Args:
        maps: ``(N, channels, *cells)`` float32.
        y: ``(N,)`` int64.
        held_out: maps and classes to stop by; ``None`` runs all steps and keeps the last weights.
        after_step: called with the number of steps done; may raise to cancel.
    """
    classes = network.classes.out_features
    weight = class_weights(y, classes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, schedule.steps)
    best, best_step = (float("inf"), {k: v.clone() for k, v in network.state_dict().items()}), 0
    order = torch.empty(0, dtype=torch.long)
    for step in range(1, schedule.steps + 1):
        while len(order) < min(schedule.batch, len(y)):
            order = torch.cat([order, torch.randperm(len(y), generator=random)])
        chosen, order = order[: schedule.batch], order[schedule.batch :]
        x, target = _varied(maps[chosen], F.one_hot(y[chosen], classes).float(), schedule, random)
        network.train()
        loss = -(target * weight * F.log_softmax(network(x), 1)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cosine.step()
        after_step(step)
        if held_out is None or step % LOOK_EVERY:
            continue
        found = _balanced_loss(network, *held_out)
        if found < best[0]:
            best, best_step = (found, {k: v.clone() for k, v in network.state_dict().items()}), step
        elif step - best_step >= schedule.patience:
            break
    if held_out is not None:
        network.load_state_dict(best[1])
    network.eval()


def class_weights(y: Tensor, classes: int) -> Tensor:
    """``(classes,)`` weights under which every class has the same total over ``y``, with mean 1 over cases."""
    counts = torch.bincount(y, minlength=classes).clamp(min=1)
    return len(y) / (classes * counts)


def _varied(x: Tensor, target: Tensor, schedule: Schedule, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The batch with noise, each case mixed with another one."""
    x = x + schedule.noise * torch.randn(x.shape, generator=random)
    if schedule.mixup <= 0:
        return x, target
    gamma = torch._standard_gamma(torch.full((2, len(x)), schedule.mixup), generator=random)
    share = gamma[0] / gamma.sum(0).clamp(min=1e-12)
    share = torch.maximum(share, 1 - share)
    other = torch.randperm(len(x), generator=random)
    wide = share.view(-1, *[1] * (x.ndim - 1))
    return wide * x + (1 - wide) * x[other], share[:, None] * target + (1 - share[:, None]) * target[other]


@torch.no_grad()
def _balanced_loss(network: MapNetwork, maps: Tensor, y: Tensor) -> float:
    network.eval()
    weight = class_weights(y, network.classes.out_features)
    return float((weight[y] * F.cross_entropy(network(maps), y, reduction="none")).mean())
