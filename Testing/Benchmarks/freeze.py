"""How long the window stands still while a volume is classified and through a training, and how fast a second click is.

Loads the module's logic in the stand-in of Slicer's application layer (real scene, real segmentation logic, rendered
slice views), pings the event loop every 10 ms through two whole runs of Classify on a noisy 256³ volume and one making
of surfaces, and prints the longest gap between two pings of each phase. The goal is less than 100 ms.

With ``--training`` the same through the page Train with a set of 300 cases: opened, a segmenter trained for some epochs
with its curves in the plot view, a classifier trained, its result shown, the set changed.

    python Testing/Benchmarks/freeze.py [--size 256] [--training]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TESTING = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTING.parent / "SegClassify"), str(TESTING), str(TESTING / "module")]

import standin  # noqa: E402
from tiny_model import tiny_models  # noqa: E402

INTERVAL = 0.010


@dataclass(frozen=True)
class Gap:
    """Seconds between two pings, and seconds of them in which this thread really computed.

    On a machine that others use too the first can be far longer than the second.
    """

    wall: float
    own: float


class Pulse:
    """Notes when the event loop comes round, and what was going on then."""

    def __init__(self) -> None:
        import qt

        self.phase = "start"
        self.gaps: dict[str, list[Gap]] = {}
        self._last = (time.perf_counter(), time.thread_time())
        self._timer = qt.QTimer()
        self._timer.setInterval(int(INTERVAL * 1000))
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        gap = Gap(now[0] - self._last[0], now[1] - self._last[1])
        self.gaps.setdefault(self.phase, []).append(gap)
        self._last = now

    def enter(self, phase: str) -> None:
        """What comes now is counted as another phase."""
        if phase != self.phase:
            self._beat()
            self.phase = phase

    def stop(self) -> dict[str, list[Gap]]:
        """The gaps of each phase."""
        self._timer.stop()
        self._beat()
        return self.gaps


def volume(size: int) -> Any:
    """A CT-like volume: noise, organs of different brightness, shown in the slice views."""
    import slicer

    rng = np.random.default_rng(0)
    array = rng.normal(60, 20, (size,) * 3).astype(np.int16)
    array[tuple(slice(size // 6, size // 6 * 5) for _ in range(3))] += 150
    array[tuple(slice(size // 3, size // 2) for _ in range(3))] += 150
    node = slicer.util.addVolumeFromArray(array, np.diag([-1.0, -1.0, 1.0, 1.0]), "CT")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    standin.spin(1.0)
    return node


def click(logic: Any, node: Any, model: Path) -> tuple[float, Any, dict[str, list[Gap]]]:
    """One Classify: seconds until the result, the outcome, the gaps."""
    ends: list[Any] = []
    pulse = Pulse()
    began = time.perf_counter()
    logic.start_classify(
        [node],
        model,
        on_phase=lambda text, _fraction: pulse.enter(text),
        on_done=ends.append,
        on_failed=ends.append,
    )
    standin.wait_until(lambda: ends, 900, "the result")
    seconds = time.perf_counter() - began
    pulse.enter("After the result")
    standin.spin(1.0)
    if isinstance(ends[0], str):
        raise SystemExit(ends[0])
    return seconds, ends[0], pulse.stop()


def surfaces(logic: Any, node_id: str) -> tuple[float, dict[str, list[Gap]]]:
    """Show in 3D: seconds, and the gaps."""
    import slicer

    ends: list[Any] = []
    pulse = Pulse()
    began = time.perf_counter()
    pulse.enter("Surfaces")
    node = slicer.mrmlScene.GetNodeByID(node_id)
    logic.show_3d(node, True, lambda: ends.append(""), ends.append)
    standin.wait_until(lambda: ends, 900, "the surfaces")
    seconds = time.perf_counter() - began
    pulse.enter("After the surfaces")
    standin.spin(1.0)
    if ends[0]:
        raise SystemExit(ends[0])
    return seconds, pulse.stop()


def training(folder: Path, cases: int, epochs: int) -> tuple[float, dict[str, list[Gap]]]:
    """A segmenter and a classifier trained on the page Train: seconds, and the gaps."""
    from training_steps import train_everything, write_set

    path = write_set(folder / "set", cases)
    standin.live_views(True)
    standin.spin(1.0)
    pulse = Pulse()
    began = time.perf_counter()
    train_everything(path, epochs, pulse.enter)
    seconds = time.perf_counter() - began
    standin.live_views(False)
    return seconds, pulse.stop()


def report(title: str, seconds: float, gaps: dict[str, list[Gap]]) -> Gap:
    """Print the longest gap of each phase; the longest of all."""
    print(f"{title}: {seconds:.1f} s")
    for phase, found in gaps.items():
        wall, own = (1000 * max(getattr(gap, kind) for gap in found) for kind in ("wall", "own"))
        print(f"  {phase:<40} longest gap {wall:5.0f} ms, computing {own:5.0f} ms, {len(found)} pings")
    every = [gap for found in gaps.values() for gap in found]
    return Gap(max(gap.wall for gap in every), max(gap.own for gap in every))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256, help="voxels along each axis")
    parser.add_argument("--training", action="store_true", help="measure the page Train instead")
    parser.add_argument("--cases", type=int, default=300, help="of the training set")
    parser.add_argument("--epochs", type=int, default=4, help="of the segmenter")
    options = parser.parse_args()
    standin.load_module(TESTING.parent / "SegClassify")
    import SegClassify

    if options.training:
        with tempfile.TemporaryDirectory() as folder:
            took, gaps = training(Path(folder), options.cases, options.epochs)
            longest_one = report("Training", took, gaps)
        wall, own = (1000 * getattr(longest_one, kind) for kind in ("wall", "own"))
        print(f"Longest gap {wall:.0f} ms, longest computing {own:.0f} ms (goal: under 100).")
        sys.stdout.flush()
        return
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_models(Path(folder)) / "volume"
        logic = SegClassify.SegClassifyLogic()
        node = volume(options.size)
        longest = []
        first, outcome, gaps = click(logic, node, model)
        longest.append(report("First click", first, gaps))
        second, outcome, gaps = click(logic, node, model)
        longest.append(report("Second click", second, gaps))
        took, gaps = surfaces(logic, outcome.segmentation)
        longest.append(report("Show in 3D", took, gaps))
        logic.cleanup()
    wall, own = (1000 * max(getattr(gap, kind) for gap in longest) for kind in ("wall", "own"))
    print(f"Longest gap {wall:.0f} ms, longest computing {own:.0f} ms (goal: under 100).")
    print(f"Second click (warm) {second:.1f} s, {second / first:.2f} of the first ({first:.1f} s).")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
    os._exit(0)  # what Qt and VTK do at exit is not measured
