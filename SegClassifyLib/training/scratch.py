"""The classifier that a segmenter should beat: the same images and cases, but every weight learned from scratch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.batches import choose_patch
from SegClassifyLib.training.encoder import build_classifier, least_side, size_divisor
from SegClassifyLib.training.image_training import answers, train_on_images
from SegClassifyLib.training.settings import ScratchSettings


class ScratchClassifier:
    """An encoder with a linear layer, trained end to end on whole images with class labels only.

    Images are scaled to one size, and classes weigh alike whatever their counts. Where patients are known and there are
    enough, some are held out to stop by. The same seed gives the same classifier on the same machine.

    Args:
        network: the segmenter's network; its encoder is used with fresh weights (other architectures take only
            dimensions and channels from it).
        settings: how to train.

    Attributes:
        classes_: ``(K,)`` the values of ``y``, sorted, once fitted.
        size_: voxels that images are scaled to, array order, once fitted.
        held_out_: what it said of the cases that it was stopped by; ``None`` where none were held out.

    Example:
        >>> classifier = ScratchClassifier(NetworkSpec(name="VNetDS", ndim=2, in_channels=1, out_channels=2))
        >>> classifier.fit(images, y, seed=0).predict_proba(images)  # doctest: +SKIP
    """

    def __init__(self, network: NetworkSpec, settings: ScratchSettings | None = None) -> None:
        self.network = network
        self.settings = settings or ScratchSettings()

    def fit(
        self,
        images: Sequence[np.ndarray],
        y: Sequence[int] | np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
        device: str = "cpu",
        groups: np.ndarray | None = None,
    ) -> ScratchClassifier:
        """Train on preprocessed images.

        Args:
            images: ``(C, *spatial)`` float32 each, of any sizes.
            y: ``(N,)`` class of each image, integers.
            seed: of weights, order and augmentation.
            progress: told of every step; may cancel.
            device: where to train.
            groups: patients ``(N,)``; ``None``: nothing is held out.

        Raises:
            TrainingError: fewer than two classes, or not one class for each image.
            Cancelled: asked to stop.
        """
        progress = progress or Progress()
        classes, index = np.unique(np.asarray(y), return_inverse=True)
        if len(images) != len(index):
            raise TrainingError(
                f"There are {len(images)} images but {len(index)} classes; give one for each."
            )
        if len(classes) < 2:
            raise TrainingError("All images are of one class; a classifier needs cases of at least two.")
        self.classes_ = classes
        self.size_ = self._common_size([image.shape[1:] for image in images])
        scaled = self._scale(images)
        self._device = torch.device(device)
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            self._model = build_classifier(self.settings, self.network, len(classes)).to(self._device)
            self.held_out_ = train_on_images(
                self._model,
                scaled,
                index,
                self.settings,
                self.settings.batch_for(self.network.ndim),
                seed,
                groups,
                device=self._device,
                progress=progress,
            )
        return self

    def predict_proba(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """``(N, K)`` float64 probabilities in the order of ``classes_``; images as for :meth:`fit`."""
        from scipy.special import softmax

        return softmax(self.logits(images), axis=-1)

    def logits(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """``(N, K)`` float64, in the order of ``classes_``; images as for :meth:`fit`."""
        return answers(
            self._model, self._scale(images), self.settings.batch_for(self.network.ndim), self._device
        )

    def _common_size(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        divisor, least = size_divisor(self.settings, self.network), least_side(self.settings)
        if self.settings.size is None:
            chosen = choose_patch(shapes, divisor, self.settings.size_voxels_for(self.network.ndim))
            return tuple(max(side, least) for side in chosen)
        size = self.settings.size
        if len(size) != len(divisor) or any(n % d for n, d in zip(size, divisor, strict=True)):
            raise TrainingError(
                f"The size {size} does not fit the network: its sides must be multiples of {divisor}."
            )
        if min(size) < least:
            raise TrainingError(f"The size {size} does not fit the network: no side may be below {least}.")
        return size

    def _scale(self, images: Sequence[np.ndarray]) -> Tensor:
        """``(N, C, *size_)`` float32."""
        mode = "trilinear" if self.network.ndim == 3 else "bilinear"
        scaled = []
        for image in images:
            tensor = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None]
            # Area first: linear interpolation alone would skip voxels where it shrinks by more than two.
            smaller = tuple(min(n, m) for n, m in zip(image.shape[1:], self.size_, strict=True))
            if smaller != image.shape[1:]:
                tensor = F.interpolate(tensor, size=smaller, mode="area")
            if smaller != self.size_:
                tensor = F.interpolate(tensor, size=self.size_, mode=mode)
            scaled.append(tensor)
        return torch.cat(scaled)
