"""A segmenter to start from: another model's network, preprocessing, taps and weights, as far as they fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import build_aside
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.family import SegmenterFamily, open_family
from SegClassifyLib.volumes.image import Label


@dataclass(frozen=True)
class StartWeights:
    """Weights by name, and content hashes of the images they were trained on."""

    state: dict[str, Tensor]
    images: tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """What a training starts from.

    Args:
        family: its fold segmenters serve those folds whose cases the full one has seen.
    """

    family: SegmenterFamily

    @property
    def name(self) -> str:
        """Of the model."""
        return self.family.full.name

    @property
    def segmenter(self) -> Segmenter:
        """The full one."""
        return self.family.full.segmenter

    def fitted(self, training_set: TrainingSet) -> tuple[NetworkSpec, PreprocessingSpec, tuple[TapSpec, ...]]:
        """Network, preprocessing and taps of it for the labels and channels of ``training_set``.

        Raises:
            TrainingError: the images are others than it was made for.
        """
        old = self.segmenter.network
        names, wanted = training_set.channels, [c.name for c in self.segmenter.preprocessing.channels]
        if old.ndim != training_set.ndim:
            raise TrainingError(
                f"{self.name} is for {old.ndim}D images and the training set {training_set.name} has "
                f"{training_set.ndim}D ones: start from another model, or from nothing."
            )
        known = sorted(n.casefold() for n in names) == sorted(w.casefold() for w in wanted)
        ordered = [n.casefold() for n in names] == [w.casefold() for w in wanted]
        if len(names) != len(wanted) or (known and not ordered):
            raise TrainingError(
                f"{self.name} takes the channels {', '.join(wanted)} and the training set {training_set.name} has "
                f"{', '.join(names)}: start from a model of the same channels, or from nothing."
            )
        network = old.model_copy(update={"out_channels": len(training_set.labels)})
        channels = tuple(
            c.model_copy(update={"name": name})
            for c, name in zip(self.segmenter.preprocessing.channels, names, strict=True)
        )
        preprocessing = self.segmenter.preprocessing.model_copy(update={"channels": channels})
        return network, preprocessing, _same_places(self.segmenter, network)

    def weights(self, labels: Iterable[Label], unseen: Iterable[str] = ()) -> StartWeights | None:
        """Weights that were not trained on the images ``unseen`` (content hashes); ``None`` if all were.

        Those that make the labels are left out where the labels are others.
        """
        hashes = set(unseen)
        models = [self.family.full, *(fold.model for fold in self.family.folds)]
        fitting = next((m for m in models if not hashes & set(m.provenance.segmenter_images)), None)
        if fitting is None:
            return None
        state = dict(fitting.segmenter.state)
        if [x.name for x in labels] != [x.name for x in self.segmenter.labels]:
            for name in label_tensors(self.segmenter.network):
                state.pop(name, None)
        return StartWeights(state, fitting.provenance.segmenter_images)


def open_start(path: Path | str) -> Start:
    """From a model package or what ``train-segmenter`` left.

    Raises:
        ModelPackageError: it is neither, or damaged.
    """
    return Start(open_family(Path(path)))


def label_tensors(network: NetworkSpec) -> frozenset[str]:
    """Names of the weights that make a network's labels: those whose shape depends on how many there are."""
    one = build_aside(network).state_dict()
    other = build_aside(network.model_copy(update={"out_channels": network.out_channels + 1})).state_dict()
    return frozenset(name for name in one if name not in other or one[name].shape != other[name].shape)


def _same_places(segmenter: Segmenter, network: NetworkSpec) -> tuple[TapSpec, ...]:
    """The segmenter's taps in ``network``, whose channels may depend on the number of labels."""
    if network == segmenter.network:
        return segmenter.taps
    found = {tap.module: tap for tap in find_taps(build_aside(network), network)}
    return tuple(
        tap.model_copy(update={"channels": found[tap.module].channels}) if tap.module in found else tap
        for tap in segmenter.taps
    )
