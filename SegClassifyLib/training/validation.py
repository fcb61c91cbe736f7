"""Dice of held-out cases, each seen whole as in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from SegClassifyLib.progress import Progress
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.survey import SampleSurvey
from SegClassifyLib.volumes.image import Label


@dataclass(frozen=True)
class Validator:
    """Runs a network over held-out cases.

    Args:
        samples, surveys: all cases.
        cases: indices of the held-out ones.
        labels: background first.
        divisor: what each axis is padded to a multiple of, array order.
        patch: window of images too large to be seen whole.
        whole_voxels: the largest image seen whole.
        pass_voxels: images of one shape share a forward pass up to this size; alone, small ones are slow on a CPU.
        edge: pad with the nearest voxel rather than the channel's minimum.
    """

    samples: Sequence[Sample]
    surveys: Sequence[SampleSurvey]
    cases: tuple[int, ...]
    labels: tuple[Label, ...]
    divisor: tuple[int, ...]
    patch: tuple[int, ...]
    whole_voxels: int
    pass_voxels: int
    edge: bool

    def dice(self, network: nn.Module, device: torch.device, progress: Progress) -> dict[str, float]:
        """Dice by label name, mean over the cases that have the label; labels in none of them are missing.

        Args:
            network: in eval mode, on ``device``.
            device: where to run.
            progress: asked for cancellation before each forward pass.
        """
        from monai.metrics import compute_dice

        scores = []
        with torch.inference_mode():
            for together in self._passes():
                progress.check()
                for case, found in zip(together, self._segment(network, together, device), strict=True):
                    truth = torch.from_numpy(np.ascontiguousarray(self.samples[case].labels)).to(device)
                    scores.append(
                        compute_dice(
                            found[None, None],
                            truth[None, None],
                            include_background=False,
                            num_classes=len(self.labels),
                        )[0].cpu()
                    )
        if not scores:
            return {}
        table = torch.stack(scores).numpy()
        present = ~np.isnan(table)
        return {
            label.name: float(table[present[:, i], i].mean())
            for i, label in enumerate(self.labels[1:])
            if present[:, i].any()
        }

    def _passes(self) -> Iterator[list[int]]:
        """Cases that go through the network together: of one padded shape, and not too many."""
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for case in self.cases:
            padded = zip(self.surveys[case].shape, self.divisor, strict=True)
            by_shape.setdefault(tuple(n + -n % d for n, d in padded), []).append(case)
        for shape, cases in by_shape.items():
            at_once = max(1, self.pass_voxels // int(np.prod(shape)))
            for first in range(0, len(cases), at_once):
                yield cases[first : first + at_once]

    def _segment(self, network: nn.Module, cases: list[int], device: torch.device) -> list[Tensor]:
        """Label maps ``(*spatial)`` of cases of one padded shape."""
        images = []
        for case in cases:
            image = torch.from_numpy(np.ascontiguousarray(self.samples[case].image, dtype=np.float32))
            floor = None if self.edge else torch.from_numpy(self.surveys[case].minimum)
            images.append(pad_to_multiple(image, self.divisor, floor))
        stack = torch.stack(images).to(device)
        if stack[0, 0].numel() <= self.whole_voxels:
            logits = network(stack)
        else:
            from monai.inferers import sliding_window_inference

            logits = sliding_window_inference(stack, self.patch, 2, network, overlap=0.25)
        found = logits.argmax(1)
        return [
            labels[tuple(slice(n) for n in self.surveys[case].shape)]
            for case, labels in zip(cases, found, strict=True)
        ]


def pad_to_multiple(image: Tensor, divisor: Sequence[int], floor: Tensor | None) -> Tensor:
    """Pad ``(C, *spatial)`` at the far end of each axis to a multiple of ``divisor``.

    Args:
        image: to pad.
        divisor: one number for each spatial axis.
        floor: ``(C,)`` values to pad with; ``None`` repeats the last voxel.
    """
    for axis, step in enumerate(divisor, start=1):
        missing = -image.shape[axis] % step
        if missing == 0:
            continue
        last = image.narrow(axis, image.shape[axis] - 1, 1)
        margin = last if floor is None else floor.view(-1, *[1] * (image.ndim - 1))
        shape = list(image.shape)
        shape[axis] = missing
        image = torch.cat([image, margin.expand(shape)], dim=axis)
    return image
