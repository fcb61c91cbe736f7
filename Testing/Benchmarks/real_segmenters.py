"""The segmenters of the real data sets: trained on the training half of a set, in minutes on a processor."""

from __future__ import annotations

from pathlib import Path

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.family import SegmenterFamily, open_family
from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set
from SegClassifyLib.training.segmenter_plan import SegmenterPlan
from SegClassifyLib.training.settings import SegmenterSettings

FEATURES_2D, FEATURES_3D = [16, 16, 32, 64, 128, 16], [8, 8, 16, 32, 64, 8]
LIGHT = {"spatial_share": 0.2, "intensity_share": 0.1}
PLANS = {
    "busi": (FEATURES_2D, {"patch": [128, 128], "batch": 8, "augmentation": LIGHT}, 128 * 128),
    "lidc": (FEATURES_3D, {"patch": [16, 48, 48], "batch": 4, "augmentation": LIGHT}, None),
    "hippocampus": (FEATURES_3D, {"patch": [32, 48, 32], "batch": 2, "augmentation": LIGHT}, None),
}
"""Channels of MONAI's BasicUNet, training settings, largest model grid: what two processor cores train in minutes."""


def train_real_segmenter(
    name: str,
    training_set: TrainingSet,
    folder: Path,
    minutes: float,
    seed: int = 0,
    progress: Progress | None = None,
    folds: int = 0,
) -> SegmenterFamily:
    """The segmenter in ``folder``, trained there first where it is not there yet.

    Args:
        name: of the set, a key of :data:`PLANS`.
        training_set: its training cases are learned from.
        folder: of the segmenter.
        minutes: of training.
        seed: of everything random.
        progress: told how far it is.
        folds: fold segmenters.
    """
    if not (folder / "model").is_dir():
        features, chosen, max_voxels = PLANS[name]
        spec = NetworkSpec(
            name="BasicUNet",
            ndim=training_set.ndim,
            in_channels=len(training_set.channels),
            out_channels=len(training_set.labels),
            arguments={"features": features, "norm": ["group", {"num_groups": 4}]},
        )
        training = SegmenterSettings.model_validate(
            {"epochs": None, "minutes": minutes, "seed": seed, "steps_per_epoch": 50} | chosen
        )
        plan = SegmenterPlan(network=spec, training=training, folds=folds, max_voxels=max_voxels)
        train_segmenter_from_set(training_set, folder, plan, progress=progress)
    return open_family(folder)
