"""Which patches a training step sees: a pure function of seed and step, so that a resumed run sees the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from SegClassifyLib.training import augment
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.settings import AugmentationSettings
from SegClassifyLib.training.survey import SampleSurvey


@dataclass(frozen=True)
class Batch:
    """Patches of one step: ``image (B, C, *patch)`` float32 and ``labels (B, 1, *patch)`` uint8, on the CPU."""

    image: Tensor
    labels: Tensor


def choose_patch(shapes: Sequence[tuple[int, ...]], divisor: Sequence[int], voxels: int) -> tuple[int, ...]:
    """The median image shape, shrunk in its own proportions until it has at most ``voxels`` voxels.

    Args:
        shapes: spatial shapes of the cases, array order.
        divisor: the network's, along each axis; every side of the patch is a multiple.
        voxels: the most a patch may have (one multiple of the divisor along each axis is always allowed).
    """
    median = np.median(np.array(shapes), axis=0)
    shrink = min(1.0, (voxels / float(np.prod(median))) ** (1 / len(median)))
    step = np.array(divisor)
    patch = np.maximum(np.ceil(np.round(median * shrink) / step) * step, step).astype(int)
    while np.prod(patch) > voxels and (patch > step).any():
        longest = int(np.argmax(np.where(patch > step, patch, 0)))
        patch[longest] -= step[longest]
    # Networks that normalise over space need more than one voxel at the bottom.
    return tuple(int(n) for n in (2 * patch if (patch == step).all() and step.max() > 1 else patch))


@dataclass(frozen=True)
class PatchSource:
    """Draws batches from cases.

    Args:
        samples: all cases; only those in ``cases`` are read, one at a time, so the sequence may be lazy.
        surveys: of all cases.
        cases: indices of the training cases.
        patch: voxels, array order.
        batch: patches a step.
        foreground: share of patches centred on a label, where the case in turn has one.
        augmentation: how patches are varied.
        spacing: mm along the array axes.
        pad: as the preprocessing pads.
        seed: with the step, decides everything.
    """

    samples: Sequence[Sample]
    surveys: Sequence[SampleSurvey]
    cases: tuple[int, ...]
    patch: tuple[int, ...]
    batch: int
    foreground: float
    augmentation: AugmentationSettings
    spacing: tuple[float, ...]
    pad: Literal["minimum", "edge"]
    seed: int

    def __call__(self, step: int) -> Batch:
        """The batch of ``step``; the same for the same step, whatever was asked before."""
        images, labels = zip(*[self._draw(step, slot) for slot in range(self.batch)], strict=True)
        return Batch(torch.stack(images), torch.stack(labels)[:, None])

    def _draw(self, step: int, slot: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step, slot])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        case, position = self._choose(step, slot, rng)
        sample, shape = self.samples[case], self.surveys[case].shape
        image = torch.from_numpy(np.ascontiguousarray(sample.image, dtype=np.float32))
        labels = torch.from_numpy(np.ascontiguousarray(sample.labels, dtype=np.uint8))
        centre = self._centre(shape, position, rng)
        floor = torch.from_numpy(self.surveys[case].minimum) if self.pad == "minimum" else None
        matrix = augment.random_warp(self.augmentation, len(shape), self.spacing, rng)
        if matrix is None:
            patch, mask = augment.cut(image, labels, centre, self.patch, floor)
        else:
            elastic = augment.random_elastic(self.augmentation, self.patch, generator)
            patch, mask = augment.cut_warped(image, labels, centre, self.patch, floor, matrix, elastic)
        patch, mask = augment.flip(patch, mask, self.augmentation.flip, rng)
        return augment.vary_intensity(patch, self.augmentation, rng, generator), mask

    def _choose(self, step: int, slot: int, rng: np.random.Generator) -> tuple[int, int | None]:
        """A case, and a flat voxel index to centre on or ``None``.

        Cases come in turn; one that has labels gives way, with chance ``foreground``, to a voxel of a label, every
        label equally often. Cases without any label keep their turn: a segmenter that never sees them finds lesions
        in everybody.
        """
        turn, place = divmod(step * self.batch + slot, len(self.cases))
        order = np.random.default_rng([self.seed, turn, 7, 7]).permutation(len(self.cases))
        case = self.cases[int(order[place])]
        if rng.random() < self.foreground and self.surveys[case].counts[1:].any():
            label = int(rng.choice(list(self._cases_by_label)))
            case = int(rng.choice(self._cases_by_label[label]))
            return case, int(rng.choice(self.surveys[case].positions[label]))
        return case, None

    @cached_property
    def _cases_by_label(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for case in self.cases:
            for label in np.flatnonzero(self.surveys[case].counts[1:]) + 1:
                found.setdefault(int(label), []).append(case)
        return found

    def _centre(self, shape: tuple[int, ...], position: int | None, rng: np.random.Generator) -> list[float]:
        """Patch centre in voxels: on the position or anywhere, but with no more padding than needed."""
        wanted = (
            np.unravel_index(position, shape) if position is not None else rng.uniform(0, np.array(shape) - 1)
        )
        centre = []
        for where, n, extent in zip(wanted, self.patch, shape, strict=True):
            half = (n - 1) / 2
            middle = (extent - 1) / 2
            centre.append(float(np.clip(where, half, extent - 1 - half)) if n < extent else middle)
        return centre


def batches(source: Callable[[int], Batch], first: int, ahead: int) -> Generator[Batch, None, None]:
    """Batches of steps ``first``, ``first + 1``, … for ever; ``ahead`` of them are prepared on other threads.

    A GPU waits for batches unless some are ahead; on a CPU they would only take cores from the network.
    """
    if ahead == 0:
        step = first
        while True:
            yield source(step)
            step += 1
    with ThreadPoolExecutor(max_workers=min(4, ahead), thread_name_prefix="batches") as pool:
        waiting: deque[Future[Batch]] = deque(pool.submit(source, first + i) for i in range(ahead))
        step = first + ahead
        try:
            while True:
                waiting.append(pool.submit(source, step))
                step += 1
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
