"""One or more passes of a network over one image, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from SegClassifyLib.features.pooling import reduce_tap
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.inference.windows import Window
from SegClassifyLib.preprocessing.apply import Prepared
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Seen:
    """What the network gave in one window; on its device.

    Args:
        window: which.
        image: ``(C, *window)`` network input.
        taps: ``(C, *reduced window)`` by tap name.
        logits: ``(L, *window)``.
        valid: the part of the window that holds image, not padding, counted from its first voxel.
    """

    window: Window
    image: torch.Tensor
    taps: dict[str, torch.Tensor]
    logits: torch.Tensor
    valid: tuple[slice, ...]


class Sweep:
    """Passes over one image, all with the same windows on the same device.

    Args:
        network: on ``device``.
        precision: the context that a tile on a device is computed in.
        prepared: the image.
        windows: its tiles.
        device: where.
        taps: what is read.
        progress: told tile by tile; may cancel.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        precision: Callable[[str, torch.Tensor], AbstractContextManager[object]],
        prepared: Prepared,
        windows: Sequence[Window],
        device: str,
        taps: Sequence[TapSpec],
        progress: Progress,
    ) -> None:
        self.device = device
        self.count = len(windows)
        self._network, self._precision = network, precision
        self._prepared, self._windows = prepared, windows
        self._taps, self._progress = taps, progress

    def each(self, phase: str, take: Callable[[Seen], None]) -> None:
        """One pass: ``take`` is called with what the network gives in every tile, and keeps nothing of it."""
        import torch

        from SegClassifyLib.features.taps import TapReader

        array = torch.from_numpy(self._prepared.array)
        with torch.inference_mode(), TapReader(self._network, self._taps, reduce_tap) as reader:
            for number, window in enumerate(self._windows):
                self._progress.report(phase, number, self.count)
                part = array[(slice(None), *window.whole)][None].to(self.device)
                with self._precision(self.device, part):
                    logits = self._network(part)[0]
                read = {name: values[0] for name, values in reader.read().items()}
                take(Seen(window, part[0], read, logits, _inside(self._prepared, window)))
                del logits, read
        self._progress.report(phase, self.count, self.count)


def _inside(prepared: Prepared, window: Window) -> tuple[slice, ...]:
    """The part of a window that holds image, counted from the window's first voxel."""
    return tuple(
        slice(max(0, i.start - w.start), max(0, min(i.stop, w.stop) - w.start))
        for i, w in zip(prepared.path.inside, window.whole, strict=True)
    )
