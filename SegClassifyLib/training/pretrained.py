"""Fine-tuning of an ImageNet network on pictures of the cases; volumes as a few slices whose features are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from SegClassifyLib.features.imagenet import to_colour
from SegClassifyLib.features.pictures import PictureLayout
from SegClassifyLib.features.spec import FeatureName, FeatureTable
from SegClassifyLib.heads.base import class_count
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.networks.imagenet import Backbone, open_imagenet
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.image_training import HeldOut, answers, train_on_images
from SegClassifyLib.training.settings import PretrainedSettings


class PretrainedClassifier:
    """Starts from a linear head on frozen features, then tunes all weights, the network's slower than the head's.

    Batch norms keep the means and spreads of ImageNet: those of a handful of images would be noise.

    Args:
        weights: file of the ImageNet network, see :func:`~SegClassifyLib.networks.imagenet.open_imagenet`.
        layout: of the pictures.
        settings: how to tune.

    Attributes:
        held_out_: what it said of the cases that it was stopped by; ``None`` where none were held out.
    """

    def __init__(
        self, weights: Path, layout: PictureLayout, settings: PretrainedSettings | None = None
    ) -> None:
        self._weights, self._layout = weights, layout
        self.settings = settings or PretrainedSettings()
        self.held_out_: HeldOut | None = None

    def fit(
        self,
        stacks: Sequence[np.ndarray],
        y: np.ndarray,
        groups: np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
        device: str = "cpu",
    ) -> PretrainedClassifier:
        """Tune on the pictures of N cases.

        Args:
            stacks: ``(C, S, E, E)`` each, 0 to 1, laid out as the layout says.
            y: classes ``(N,)`` int, every one of ``0 … K-1`` present.
            groups: patients ``(N,)``.
            seed: of order and augmentation.
            progress: told of every step; may cancel.
            device: where to tune.

        Raises:
            TrainingError: fewer than two classes.
            NetworkError: the weights cannot be read.
            Cancelled: asked to stop.
        """
        y = np.asarray(y, np.int64)
        classes = class_count(y)
        self._device = torch.device(device)
        model = _BagClassifier(open_imagenet(self._weights), self._layout, classes).to(self._device)
        images = self._joined(stacks)
        model.start_from(_linear_start(model, images, y, groups, seed, self._batch, self._device))
        model.body.requires_grad_(True)
        parameters = [
            {"params": list(model.head.parameters()), "lr": self.settings.learning_rate},
            {"params": list(model.body.parameters()), "lr": self.settings.network_rate},
        ]
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            self.held_out_ = train_on_images(
                model,
                images,
                y,
                self.settings,
                self._batch,
                seed,
                groups,
                parameters,
                self._device,
                progress,
                "Fine-tuning an ImageNet network",
            )
        self._model = model
        return self

    def logits(self, stacks: Sequence[np.ndarray]) -> np.ndarray:
        """``(N, K)`` float64; pictures as for :meth:`fit`."""
        return answers(self._model, self._joined(stacks), self._batch, self._device)

    @property
    def _batch(self) -> int:
        return self.settings.batch_for(self._layout.ndim)

    def _joined(self, stacks: Sequence[np.ndarray]) -> Tensor:
        """``(N, C * S, E, E)``: one case's pictures are varied alike."""
        joined = torch.from_numpy(np.stack([np.asarray(s, np.float32) for s in stacks]))
        return joined.flatten(1, 2)


class _BagClassifier(nn.Module):
    """Pictures of a case ``(B, C * S, E, E)`` to logits ``(B, K)``: features averaged over slices, then one layer."""

    def __init__(self, body: Backbone, layout: PictureLayout, classes: int) -> None:
        super().__init__()
        self.body, self._layout = body, layout
        parts = 1 if layout.colour else len(layout.channels)
        self.head = nn.Linear(parts * body.features, classes)

    def features(self, x: Tensor) -> Tensor:
        """``(B, C * F)``."""
        layout = self._layout
        stack = x.unflatten(1, (len(layout.channels), layout.slices))
        vectors = self.body(to_colour(stack, layout))
        return vectors.reshape(len(x), -1, layout.slices, self.body.features).mean(2).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def train(self, mode: bool = True) -> _BagClassifier:
        super().train(mode)
        self.body.eval()
        return self

    def start_from(self, head: LinearHead) -> None:
        """Take over a linear head."""
        weight, bias = head.coefficients()
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weight))
            self.head.bias.copy_(torch.from_numpy(bias))


def _linear_start(
    model: _BagClassifier,
    images: Tensor,
    y: np.ndarray,
    groups: np.ndarray,
    seed: int,
    batch: int,
    device: torch.device,
) -> LinearHead:
    with torch.inference_mode():
        parts = [model.features(part.to(device)).cpu() for part in images.split(batch)]
    X = torch.cat(parts).numpy()
    names = tuple(FeatureName(f"{model.body.name}:picture", "all", "mean", c) for c in range(X.shape[1]))
    return LinearHead().fit(FeatureTable(names, X, {}), y, groups, seed)
