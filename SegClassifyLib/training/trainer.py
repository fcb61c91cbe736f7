"""The optimiser's side of training: one step, the running mean of weights, and their state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from SegClassifyLib.devices import autocast_type
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.training.batches import Batch
from SegClassifyLib.training.conv3d import faster_conv3d
from SegClassifyLib.training.settings import SegmenterSettings

_LONGEST_GRADIENT = 12.0
"""Gradients are shortened to this norm: one odd patch must not undo an epoch."""


class Trainer:
    """A network with its optimiser and, if wanted, the running mean of its weights.

    Args:
        network: with its initial weights; moved to ``device``.
        loss: of ``(logits or list of logits, labels)``.
        settings: rates, decay, precision and seed.
        device: where to train.
    """

    def __init__(
        self, network: nn.Module, loss: nn.Module, settings: SegmenterSettings, device: torch.device
    ) -> None:
        self.network = network.to(device)
        self._loss = loss.to(device)
        self._settings = settings
        self._device = device
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._mean: AveragedModel | None = None
        if settings.ema is not None:
            mean = _RunningMean(settings.ema)
            self._mean = AveragedModel(self.network, multi_avg_fn=mean, use_buffers=True)
        self._dtype: torch.dtype | None = None
        if settings.mixed_precision == "auto" and device.type == "cuda":
            self._dtype = autocast_type(str(device), self.network, torch.empty(0))
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._dtype == torch.float16)

    def step(self, batch: Batch, step: int, learning_rate: float) -> float:
        """One optimiser step; returns the loss.

        Raises:
            TrainingError: the loss is not a number.
        """
        # Dropout draws from torch's own generator: seeded by the step, it too is the same after a resume.
        torch.manual_seed(int(np.random.SeedSequence([self._settings.seed, step, 3]).generate_state(1)[0]))
        self.network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate
        image = batch.image.to(self._device, non_blocking=True)
        labels = batch.labels.to(self._device, non_blocking=True)
        with (
            torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None),
            faster_conv3d(self._device),
        ):
            logits = self.network(image)
        loss = self._loss(logits, labels)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The training diverged at step {step + 1}: the loss is no longer a number; train again in another "
                f"folder with a learning rate well below {self._settings.learning_rate:g}."
            )
        self._optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimiser)
        nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        if self._mean is not None:
            self._mean.update_parameters(self.network)
        return value

    def judged(self) -> nn.Module:
        """The network that is validated and kept: the running mean if there is one; in eval mode."""
        kept = self.network if self._mean is None else self._mean.module
        return kept.eval()

    def weights(self) -> dict[str, Tensor]:
        """Copies of the weights of :meth:`judged`, on the CPU."""
        return {
            k: v.detach().to("cpu", copy=True).contiguous() for k, v in self.judged().state_dict().items()
        }

    def state(self) -> dict[str, Any]:
        """Everything a later :meth:`restore` needs."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "mean": {} if self._mean is None else self._mean.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._mean is not None:
            self._mean.load_state_dict(state["mean"])
        self._scaler.load_state_dict(state["scaler"])


class _RunningMean:
    """Exponential mean of weights whose memory grows to ``1 / (1 - decay)`` steps; whole numbers are copied."""

    def __init__(self, decay: float) -> None:
        self._decay = decay

    def __call__(self, means: Sequence[Tensor], news: Sequence[Tensor], count: Tensor | int) -> None:
        done = int(count)
        decay = min(self._decay, (1 + done) / (10 + done))
        for mean, new in zip(means, news, strict=True):
            if mean.is_floating_point():
                mean.lerp_(new.to(mean.dtype), 1 - decay)
            else:
                mean.copy_(new)
