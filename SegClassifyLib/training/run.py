"""A segmenter training made ready: everything that can be wrong with it is found before the first step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import axis_divisors, build_network
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.batches import PatchSource, choose_patch
from SegClassifyLib.training.holdout import hold_out
from SegClassifyLib.training.losses import build_loss
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.settings import SegmenterSettings
from SegClassifyLib.training.survey import SampleSurvey, absent_labels, survey_samples
from SegClassifyLib.training.trainer import Trainer
from SegClassifyLib.training.validation import Validator
from SegClassifyLib.volumes.image import Label


@dataclass(frozen=True)
class Run:
    """A training, ready to start.

    Args:
        settings: how to train.
        trainer: network and optimiser, on the device.
        source: of batches.
        validator: of held-out cases.
        steps_per_epoch: optimiser steps of one epoch.
        device: where to train.
        description: what makes it this training: JSON values.
    """

    settings: SegmenterSettings
    trainer: Trainer
    source: PatchSource
    validator: Validator
    steps_per_epoch: int
    device: torch.device
    description: dict[str, Any]


def prepare_run(
    samples: Sequence[Sample],
    settings: SegmenterSettings,
    spec: NetworkSpec,
    preprocessing: PreprocessingSpec,
    labels: tuple[Label, ...],
    device: str,
    start_from: Mapping[str, Tensor] | None,
    progress: Progress,
    taps: Sequence[TapSpec] | None = None,
) -> Run:
    """Check everything and build everything; see :func:`SegClassifyLib.training.segmenter.train_segmenter`.

    Raises:
        TrainingError: it cannot be trained like this.
    """
    _check_labels(labels, spec)
    surveys = survey_samples(samples, labels, spec.in_channels, spec.ndim, progress)
    held = hold_out(surveys, settings.validation_fraction, settings.validation_groups, settings.seed)
    warnings = held.warnings + _absent(surveys, labels, settings)
    divisor = axis_divisors(spec)
    patch = _patch(settings, [surveys[i].shape for i in held.train], divisor)
    batch = settings.batch_for(spec.ndim)
    torch.manual_seed(settings.seed)
    net = build_network(spec)
    if start_from is not None:
        _take_over(net, start_from)
    taps = find_taps(net, spec) if taps is None else taps
    source = PatchSource(
        samples=samples,
        surveys=surveys,
        cases=held.train,
        patch=patch,
        batch=batch,
        foreground=settings.foreground,
        augmentation=settings.augmentation,
        spacing=tuple(reversed(preprocessing.grid.spacing or (1.0,) * spec.ndim)),
        pad=preprocessing.grid.pad,
        seed=settings.seed,
    )
    validator = Validator(
        samples=samples,
        surveys=surveys,
        cases=held.validation,
        labels=labels,
        divisor=divisor,
        patch=patch,
        whole_voxels=settings.validation_voxels,
        pass_voxels=batch * int(np.prod(patch)),
        edge=preprocessing.grid.pad == "edge",
    )
    frequencies = np.sum([surveys[i].counts for i in held.train], axis=0).tolist()
    where = torch.device(device)
    return Run(
        settings=settings,
        trainer=Trainer(net, build_loss(settings, frequencies), settings, where),
        source=source,
        validator=validator,
        steps_per_epoch=settings.steps_per_epoch or int(np.clip(-(-2 * len(held.train) // batch), 20, 250)),
        device=where,
        description=_describe(settings, spec, preprocessing, labels, surveys, taps, warnings, start_from),
    )


def _check_labels(labels: tuple[Label, ...], spec: NetworkSpec) -> None:
    if len(labels) != spec.out_channels or [label.value for label in labels] != list(range(len(labels))):
        raise TrainingError(
            f"The network gives {spec.out_channels} labels, but the {len(labels)} labels of the training set have the "
            f"values {[label.value for label in labels]}; they must be 0 (background) to {spec.out_channels - 1}."
        )


def _absent(
    surveys: Sequence[SampleSurvey], labels: tuple[Label, ...], settings: SegmenterSettings
) -> tuple[str, ...]:
    absent = absent_labels(surveys, labels)
    if absent and settings.absent_labels == "refuse":
        label = absent[0]
        raise TrainingError(
            f"No case has the label {label.name!r} ({label.value}); segment it in some case or remove the label."
        )
    return tuple(f"The label {label.name!r} is in no case, so it cannot be learned." for label in absent)


def _patch(
    settings: SegmenterSettings, shapes: Sequence[tuple[int, ...]], divisor: tuple[int, ...]
) -> tuple[int, ...]:
    patch = settings.patch
    if patch is None:
        return choose_patch(shapes, divisor, settings.patch_voxels_for(len(divisor)))
    if len(patch) != len(divisor) or any(n % d for n, d in zip(patch, divisor, strict=True)):
        raise TrainingError(
            f"The patch {patch} does not fit the network: its sides must be multiples of {divisor}."
        )
    return patch


def _take_over(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy the weights that fit; another number of labels or channels leaves those layers fresh."""
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if 2 * len(fitting) < len(own):
        raise TrainingError(
            f"Only {len(fitting)} of the network's {len(own)} tensors fit the weights to start from; they belong to "
            "another network: use its name and arguments, or start afresh."
        )
    network.load_state_dict(fitting, strict=False)


def _describe(
    settings: SegmenterSettings,
    spec: NetworkSpec,
    preprocessing: PreprocessingSpec,
    labels: tuple[Label, ...],
    surveys: Sequence[SampleSurvey],
    taps: Sequence[TapSpec],
    warnings: tuple[str, ...],
    start_from: Mapping[str, Tensor] | None,
) -> dict[str, Any]:
    """What makes this training this one: JSON values, by the names that sentences use."""
    cases = hashlib.blake2b(repr([(s.name, s.group, s.digest) for s in surveys]).encode(), digest_size=16)
    start = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted((start_from or {}).items()):
        start.update(name.encode())
        start.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return {
        "settings": settings.model_dump(mode="json"),
        "network": spec.model_dump(mode="json"),
        "preprocessing": preprocessing.model_dump(mode="json"),
        "labels": [{"value": x.value, "name": x.name, "colour": list(x.colour)} for x in labels],
        "cases": cases.hexdigest(),
        "starting weights": start.hexdigest(),
        "taps": [tap.model_dump(mode="json") for tap in taps],
        "warnings": list(warnings),
    }
