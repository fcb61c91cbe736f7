"""How long it takes to train the linear head again after one case was added to N cached ones.

    python Testing/Benchmarks/retrain.py [--cases 2 20 100 500]

Made-up 2D images, features of an untrained network of usual width: the time does not depend on what they say. Prints
the time of the first training (every case through the network), of the one after adding a case, and their ratio.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import build_network, divisor
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.model import Model
from SegClassifyLib.phantoms.sets import Counts, write_slice_set
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, PreprocessingSpec
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.classifier import train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import SegmenterFamily


def main() -> None:
    """Time every number of cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, nargs="+", default=[4, 20, 100, 500])
    for count in parser.parse_args().cases:
        with tempfile.TemporaryDirectory() as folder:
            _measure(count, Path(folder))


def _measure(count: int, folder: Path) -> None:
    training_set = write_slice_set(folder / "set", Counts(0, -(-(count + 1) // 2), 0, 0), shape=(96, 96))
    last = training_set.cases[-1]
    training_set.change(last.name, split="test")
    family = _family(training_set)
    settings = ClassifierSettings(head="linear")
    train_classifier(training_set, family, settings, cache=FeatureCache(folder / "warm-up"))
    first = _timed(training_set, family, settings, folder / "cache")
    training_set.change(last.name, split="train")
    again = _timed(training_set, family, settings, folder / "cache")
    print(
        f"{len(training_set.cases)} cases: from nothing {first:.2f} s; after adding one {again:.2f} s; "
        f"ratio {again / first:.2f}",
        flush=True,
    )


def _timed(
    training_set: TrainingSet, family: SegmenterFamily, settings: ClassifierSettings, cache: Path
) -> float:
    start = time.perf_counter()
    train_classifier(training_set, family, settings, cache=FeatureCache(cache))
    return time.perf_counter() - start


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
