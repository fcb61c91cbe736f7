"""A segmenter loaded on a device: one run gives labels and features."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from SegClassifyLib.devices import autocast_type, free_memory
from SegClassifyLib.errors import DeviceError, NetworkError
from SegClassifyLib.features.maps import MapBuilder
from SegClassifyLib.features.pooling import FINEST, Pooler
from SegClassifyLib.features.spec import FeatureName, TapSpec
from SegClassifyLib.inference.memory import bytes_per_voxel, estimate_bytes
from SegClassifyLib.inference.sweep import Seen, Sweep
from SegClassifyLib.inference.windows import Window, cut_windows, whole_grid
from SegClassifyLib.preprocessing.apply import Prepared
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

_BUDGET = 0.6
"""Share of the free memory that a pass is planned to use: estimates err."""

_PLENTY = 65536.0
"""Bytes for each voxel that no network needs: where they fit, what it does need is not worked out."""

_TOGETHER = 1 << 17
"""Voxels whose largest label is looked for at once."""


@dataclass(frozen=True)
class Pass:
    """What one run over an image gave.

    Args:
        labels: ``(*model grid)`` uint8 (uint16 beyond 256 labels); values are the segmenter's label values.
        names: of the pooled features.
        pooled: ``(F,)`` float32; empty when features were not wanted.
        maps: small feature maps by tap name; empty unless wanted.
        device: where it ran in the end.
        windows: number of tiles; 1 for a whole pass.
        notes: sentences on what was done otherwise than asked (smaller tiles, another device).
    """

    labels: np.ndarray
    names: tuple[FeatureName, ...]
    pooled: np.ndarray
    maps: dict[str, np.ndarray]
    device: str
    windows: int
    notes: tuple[str, ...]


class Runner:
    """Holds the network in memory, ready for many images.

    Args:
        segmenter: what to run.
        device: "cpu", "cuda", "cuda:1" or "mps", as :func:`SegClassifyLib.devices.resolve_device` gave it.

    Raises:
        NetworkError: the weights do not fit the network.
    """

    def __init__(self, segmenter: Segmenter, device: str = "cpu") -> None:
        from SegClassifyLib.networks.registry import build_network

        self.segmenter = segmenter
        self.device = device
        self.network = build_network(segmenter.network)
        try:
            self.network.load_state_dict(segmenter.state)
        except RuntimeError as error:
            raise NetworkError(
                f"The weights do not fit the network {segmenter.network.name}: {str(error).splitlines()[-1].strip()}"
            ) from error
        self.network.eval().requires_grad_(False)
        self.network.to(device)
        reductions = [r for tap in segmenter.taps for r in tap.reduction]
        self.step = math.lcm(FINEST, segmenter.preprocessing.grid.multiple_of, *reductions)
        self._types: dict[str, torch.dtype | None] = {}

    @cached_property
    def _bytes_per_voxel(self) -> float:
        return bytes_per_voxel(self.network, self.segmenter, self.step)

    def run(
        self, prepared: Prepared, features: bool = True, maps: bool = False, progress: Progress | None = None
    ) -> Pass:
        """Run over one prepared image; goes on with smaller tiles, then on the CPU, where memory does not do.

        Raises:
            DeviceError: not even the smallest tile fits.
            Cancelled: between two tiles.
        """
        taps = self.segmenter.taps if features or maps else ()

        def work(sweep: Sweep) -> Pass:
            return self._read(prepared, sweep, taps, features, maps)

        return self.sweep(prepared, work, taps, progress)

    def sweep(
        self,
        prepared: Prepared,
        work: Callable[[Sweep], T],
        taps: Sequence[TapSpec],
        progress: Progress | None = None,
    ) -> T:
        """What ``work`` makes of one or more passes over a prepared image.

        ``work`` is called again, from the beginning, with smaller tiles and then on the CPU where memory does not do.

        Args:
            prepared: the image.
            work: goes through the windows by :meth:`~.sweep.Sweep.each`, as often as it likes.
            taps: read in every window.

        Raises:
            DeviceError: not even the smallest tile fits.
            Cancelled: between two tiles.
        """
        progress = progress or Progress()
        shape = prepared.array.shape[1:]
        for windows, device in self._ladder(shape):
            self.network.to(device)
            try:
                return work(Sweep(self.network, self._precision, prepared, windows, device, taps, progress))
            except (RuntimeError, MemoryError) as error:
                if not _is_out_of_memory(error):
                    raise
            finally:
                self.network.to(self.device)
            self._release()
        size = " x ".join(str(n) for n in reversed(shape))
        raise DeviceError(
            f"There is not enough memory for an image of {size} voxels, even in the smallest parts."
        )

    def notes(self, windows: int, device: str) -> tuple[str, ...]:
        """What was done otherwise than the model says."""
        if device != self.device:
            return (f"The memory of {self.device} did not do, so the network ran on {device}.",)
        if windows > 1 and self.segmenter.inference.mode == "whole":
            return (f"Memory did not do for one pass, so the image was run in {windows} parts.",)
        return ()

    def _ladder(self, shape: tuple[int, ...]) -> list[tuple[list[Window], str]]:
        """What to try, in order: as the model says, ever smaller tiles, then the same on the CPU."""
        spec = self.segmenter.inference
        rungs: list[tuple[list[Window], str]] = []
        for device in dict.fromkeys((self.device, "cpu")):
            budget = _BUDGET * free_memory(device)
            if spec.mode == "whole" and self._fits(shape, shape, budget):
                rungs.append((whole_grid(shape), device))
            edge = max(spec.window) if spec.window else 256
            tile = tuple(spec.window) if spec.window else (edge,) * len(shape)
            while min(tile) >= 2 * self.step:
                if max(tile) <= 64 or self._fits(tile, shape, budget):
                    rungs.append(
                        (cut_windows(shape, tile, min(spec.halo, min(tile) // 4), self.step), device)
                    )
                tile = tuple(n // 2 for n in tile)
        return rungs or [(whole_grid(shape), self.device)]

    def _fits(self, tile: tuple[int, ...], shape: tuple[int, ...], budget: float) -> bool:
        if estimate_bytes(_PLENTY, tile, shape) <= budget:
            return True
        return estimate_bytes(self._bytes_per_voxel, tile, shape) <= budget

    def _read(
        self, prepared: Prepared, sweep: Sweep, taps: Sequence[TapSpec], features: bool, maps: bool
    ) -> Pass:
        segmenter, shape = self.segmenter, prepared.array.shape[1:]
        labels = np.zeros(shape, np.uint8 if len(segmenter.labels) <= 256 else np.uint16)
        pooler = Pooler(taps, len(prepared.array), [label.name for label in segmenter.labels])
        builder = MapBuilder(taps, shape, self.step)

        def take(seen: Seen) -> None:
            window = seen.window
            labels[window.core] = largest(seen.logits[(slice(None), *window.core_inside)], labels.dtype)
            if features:
                pooler.add(seen.image, seen.taps, seen.logits, window.core_inside, seen.valid)
            if maps:
                builder.add(seen.taps, seen.logits, window.whole, window.core)

        sweep.each("Segmenting", take)
        return Pass(
            labels,
            pooler.names() if features else (),
            pooler.vector() if features else np.empty(0, np.float32),
            builder.maps(prepared.path.inside) if maps else {},
            sweep.device,
            sweep.count,
            self.notes(sweep.count, sweep.device),
        )

    def _precision(self, device: str, part: torch.Tensor) -> AbstractContextManager[object]:
        import torch

        if device not in self._types:
            edges = [slice(0, min(n, max(2 * self.step, 32))) for n in part.shape[2:]]
            corner = part[(slice(None), slice(None), *edges)]
            self._types[device] = autocast_type(device, self.network, corner)
        kind = self._types[device]
        if kind is None:
            return nullcontext()
        return torch.autocast(device.split(":")[0], dtype=kind)

    def _release(self) -> None:
        import torch

        gc.collect()
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()


def largest(logits: torch.Tensor, dtype: np.dtype) -> np.ndarray:
    """``(L, *spatial)`` logits to ``(*spatial)`` index of the largest; ties go to the lower index.

    A running maximum, label by label and on a CPU a few slices at a time, so that it stays in the processor's own
    memory; ``argmax`` over the first axis strides through memory and makes 64-bit integers.
    """
    import torch

    if len(logits) == 2:
        return (logits[1] > logits[0]).to(torch.uint8).cpu().numpy().astype(dtype, copy=False)
    index = torch.zeros(
        logits.shape[1:], dtype=torch.uint8 if dtype == np.uint8 else torch.int32, device=logits.device
    )
    slices = logits.shape[1]
    if logits.device.type == "cpu":
        slices = max(1, _TOGETHER // logits[0, 0].numel())
    for part, found in zip(logits.split(slices, 1), index.split(slices), strict=True):
        best = part[0].clone()
        for label in range(1, len(part)):
            # Labels come in rising order, so the largest label that ever led is the last that did.
            torch.maximum(found, (part[label] > best).to(found.dtype).mul_(label), out=found)
            torch.maximum(best, part[label], out=best)
    return index.cpu().numpy().astype(dtype, copy=False)


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text
