"""How long it takes to train the linear head again after one case was added to N cached ones.

    python Testing/Benchmarks/retrain.py [--cases 4 20 100 500]

Made-up 2D images, features of an untrained network of usual width: the time does not depend on what they say. Prints
the time of the first training (every case through the network), of the one after adding a case, their ratio, and the
time that the learning curve takes on top, which the panel draws too; each as wall time and as processor time, which is
the wall time of an idle machine with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import build_network, divisor
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, PreprocessingSpec
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.classifier import TrainedClassifier, train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily
from SegClassifyLib.training.review import review_classifier

A = TypeVar("A")


def main() -> None:
    """Time every number of cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, nargs="+", default=[4, 20, 100, 500])
    with tempfile.TemporaryDirectory() as folder:
        _train(*_set(4, Path(folder)), Path(folder) / "warm-up")  # what is imported on the way is not timed
    for count in parser.parse_args().cases:
        with tempfile.TemporaryDirectory() as folder:
            _measure(count, Path(folder))


def _measure(count: int, folder: Path) -> None:
    training_set, family = _set(count, folder)
    last = training_set.cases[-1]
    training_set.change(last.name, split="test")
    first, _ = _timed(lambda: _train(training_set, family, folder / "cache"))
    training_set.change(last.name, split="train")
    again, trained = _timed(lambda: _train(training_set, family, folder / "cache"))
    curve, _ = _timed(lambda: review_classifier(trained))
    print(
        f"{len(training_set.cases)} cases: from nothing {first}; after adding one {again}; "
        f"ratio {again.processor / first.processor:.2f}; learning curve {curve} more",
        flush=True,
    )


def _set(count: int, folder: Path) -> tuple[TrainingSet, SegmenterFamily]:
    """So many cases, one more, and as many of the other class."""
    training_set = write_slice_set(folder / "set", Counts(0, -(-(count + 1) // 2), 0, 0), shape=(96, 96))
    return training_set, _family(training_set)


def _train(training_set: TrainingSet, family: SegmenterFamily, cache: Path) -> TrainedClassifier:
    settings = ClassifierSettings(head="linear")
    return train_classifier(training_set, family, settings, cache=FeatureCache(cache))


@dataclass(frozen=True)
class _Seconds:
    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s (processor {self.processor:.2f} s)"


def _timed(work: Callable[[], A]) -> tuple[_Seconds, A]:
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return _Seconds(time.perf_counter() - wall, time.process_time() - processor), result


def _family(training_set: TrainingSet) -> SegmenterFamily:
    spec = NetworkSpec(name="VNetDS", ndim=2, in_channels=1, out_channels=len(training_set.labels))
    network = build_network(spec)
    preprocessing = PreprocessingSpec(
        ndim=2, channels=(ChannelSpec(name="US"),), grid=GridSpec(multiple_of=divisor(spec))
    )
    segmenter = Segmenter(
        spec, preprocessing, training_set.labels, find_taps(network, spec), network.state_dict()
    )
    return SegmenterFamily(Model("untrained", "For timing.", segmenter))


if __name__ == "__main__":
    main()
