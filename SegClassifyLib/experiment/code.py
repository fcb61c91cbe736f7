"""Which code an arm learns by: a result of other code is not taken for one of this."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from SegClassifyLib.experiment.arms import Kind

_EVERY = (
    "evaluation/calibrate.py",
    "evaluation/crossvalidate.py",
    "evaluation/folds.py",
    "evaluation/metrics.py",
    "experiment/learn.py",
)
_SETS = ("trust/answers.py", "trust/patients.py")
_NETWORKS = ("training/image_training.py", "training/augment.py", "training/schedule.py")
_FILES: dict[Kind, tuple[str, ...]] = {
    "linear": ("heads", *_SETS),
    "conv": ("heads", *_SETS),
    "fine-tuned": ("heads", "training/finetune.py", "features/pooling.py"),
    "scratch": (
        "training/scratch.py",
        "training/encoder.py",
        "networks/monai_networks.py",
        "networks/vnetds.py",
        *_NETWORKS,
    ),
    "pretrained": ("training/pretrained.py", "networks/imagenet.py", "heads", *_NETWORKS),
}
"""Files and whole rooms whose change can change an arm's numbers."""


@cache
def code_fingerprint(kind: Kind) -> str:
    """Hash of the source of all that decides how an arm of this kind learns."""
    digest = hashlib.sha256()
    root = resources.files("SegClassifyLib")
    for name in (*_EVERY, *_FILES[kind]):
        place = root.joinpath(name)
        files = (
            sorted((f for f in place.iterdir() if f.name.endswith(".py")), key=lambda f: f.name)
            if place.is_dir()
            else [place]
        )
        for file in files:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]
