"""Training of a classifier on images: augmentation, classes that weigh alike, and stopping by cases held out."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from SegClassifyLib.evaluation.folds import Fold, groups_per_class, make_folds
from SegClassifyLib.progress import Progress
from SegClassifyLib.training import augment
from SegClassifyLib.training.conv3d import faster_conv3d
from SegClassifyLib.training.schedule import learning_rate
from SegClassifyLib.training.settings import AugmentationSettings, ImageTrainingSettings

_PARTS = 5
"""One part of so many is held out."""


@dataclass(frozen=True)
class HeldOut:
    """What a network said of the cases that it was stopped by.

    Args:
        logits: ``(n, K)`` float64 of the weights that were kept.
        targets: their classes ``(n,)`` int.
    """

    logits: np.ndarray
    targets: np.ndarray


def spare_fold(y: np.ndarray, groups: np.ndarray | None, groups_needed: int, seed: int) -> Fold | None:
    """A fifth of the groups to stop by, or ``None`` where a class has too few groups to spare one."""
    if groups is None or groups_per_class(y, groups).min() < groups_needed:
        return None
    return make_folds(y, groups, _PARTS, seed)[0]


def train_on_images(
    model: nn.Module,
    images: Tensor,
    y: np.ndarray,
    settings: ImageTrainingSettings,
    batch: int,
    seed: int = 0,
    groups: np.ndarray | None = None,
    parameters: Sequence[dict[str, Any]] | None = None,
    device: torch.device | None = None,
    progress: Progress | None = None,
    phase: str = "Training from scratch",
) -> HeldOut | None:
    """Train ``model`` in place; the caller has seeded torch.

    With enough groups a fifth of them is held out; training stops when their class-balanced log loss has not fallen for
    a while, and the best weights are kept. With fewer, all steps are run on all cases.

    Args:
        model: images ``(B, C, *spatial)`` to logits ``(B, K)``, on ``device``.
        images: ``(N, C, *spatial)`` float32.
        y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
        settings: steps, rates, augmentation, patience.
        batch: images a step.
        seed: of order and augmentation.
        groups: patients ``(N,)``; ``None``: nothing is held out.
        parameters: groups of parameters with rates of their own, as for a torch optimiser; all alike if not given.
        device: of the model.
        progress: told of every step; may cancel.
        phase: what to call this.

    Returns:
        Logits of the held-out cases, where some were held out.

    Raises:
        Cancelled: asked to stop.
    """
    progress, device = progress or Progress(), device or torch.device("cpu")
    fold = spare_fold(y, groups, settings.hold_out_from, seed)
    train = np.arange(len(y)) if fold is None else fold.train
    weight = torch.from_numpy(_class_weights(y[train])).float().to(device)
    optimiser = torch.optim.AdamW(
        parameters or model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    highest = [group["lr"] for group in optimiser.param_groups]
    targets = torch.from_numpy(np.asarray(y, np.int64))
    stopper = _Stopper(model, images, y, fold, settings, batch, device) if fold is not None else None
    model.train()
    for step in range(settings.steps):
        progress.report(phase, step, settings.steps)
        for group, rate in zip(optimiser.param_groups, highest, strict=True):
            group["lr"] = learning_rate(rate, step / settings.steps)
        varied, chosen = varied_batch(images, train, settings.augmentation, step, batch, seed)
        with faster_conv3d(device):
            logits = model(varied.to(device))
        loss = F.cross_entropy(logits, targets[chosen].to(device), weight=weight)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if stopper is not None and (step + 1) % settings.check_every == 0 and stopper.has_waited_enough():
            break
    return None if stopper is None else stopper.restore()


def answers(model: nn.Module, images: Tensor, batch: int, device: torch.device) -> np.ndarray:
    """Logits ``(N, K)`` float64 of images ``(N, C, *spatial)``."""
    model.eval()
    with torch.inference_mode():
        found = [model(part.to(device)).double().cpu().numpy() for part in images.split(batch)]
    return np.concatenate(found)


class _Stopper:
    """Looks at the held-out cases now and then, and keeps the best weights."""

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        y: np.ndarray,
        fold: Fold,
        settings: ImageTrainingSettings,
        batch: int,
        device: torch.device,
    ) -> None:
        self._model, self._batch, self._device, self._patience = model, batch, device, settings.patience
        self._images, self._y = images[fold.test], y[fold.test]
        self._best, self._waited = np.inf, 0
        self._weights: dict[str, Tensor] = {}

    def has_waited_enough(self) -> bool:
        """One look: whether there was none better for ``patience`` looks."""
        loss = self._loss(answers(self._model, self._images, self._batch, self._device))
        self._model.train()
        self._waited = 0 if loss < self._best else self._waited + 1
        if loss < self._best:
            self._best, self._weights = loss, copy.deepcopy(self._model.state_dict())
        return self._waited >= self._patience

    def restore(self) -> HeldOut:
        """Go back to the best weights, and say what they answer."""
        if self._weights:
            self._model.load_state_dict(self._weights)
        return HeldOut(answers(self._model, self._images, self._batch, self._device), self._y)

    def _loss(self, logits: np.ndarray) -> float:
        case = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(self._y), reduction="none").numpy()
        return float(np.mean([case[self._y == k].mean() for k in np.unique(self._y)]))


def varied_batch(
    images: Tensor, cases: np.ndarray, settings: AugmentationSettings, step: int, count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Varied images of one step ``(count, C, *spatial)`` and their indices: every one of ``cases`` once a round."""
    chosen, varied = [], []
    for slot in range(count):
        turn, place = divmod(step * count + slot, len(cases))
        case = int(cases[np.random.default_rng([seed, turn, 5]).permutation(len(cases))[place]])
        rng = np.random.default_rng([seed, step, slot])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        chosen.append(case)
        varied.append(_vary(images[case], settings, rng, generator))
    return torch.stack(varied), torch.tensor(chosen)


def _vary(
    image: Tensor, settings: AugmentationSettings, rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    labels = torch.zeros(image.shape[1:], dtype=torch.uint8)
    centre = [(n - 1) / 2 for n in image.shape[1:]]
    matrix = augment.random_warp(settings, image.ndim - 1, (1.0,) * (image.ndim - 1), rng)
    if matrix is None:
        image = image.clone()
    else:
        elastic = augment.random_elastic(settings, image.shape[1:], generator)
        image, _ = augment.cut_warped(image, labels, centre, image.shape[1:], None, matrix, elastic)
    image, _ = augment.flip(image, labels, settings.flip, rng)
    return augment.vary_intensity(image, settings, rng, generator)


def _class_weights(y: np.ndarray) -> np.ndarray:
    counts = np.bincount(y)
    return len(y) / (len(counts) * np.maximum(counts, 1))
