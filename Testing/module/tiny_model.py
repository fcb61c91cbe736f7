"""The module's own small test models, made once a test run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

REPOSITORY = Path(__file__).resolve().parents[2]
MAKER = "SegClassifyLib.demo.brightness_models"


def tiny_models(folder: Path) -> Path:
    """The folder with the model packages ``volume``, ``pair`` and ``picture``, made by :data:`MAKER`.

    Args:
        folder: shared by all test processes of a run.
    """
    models = folder / "tiny-models"
    with FileLock(folder / "tiny-models.lock"):
        if not (models / "picture" / "hashes.json").is_file():
            variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
            subprocess.run([sys.executable, "-m", MAKER, str(models)], check=True, env=variables)
    return models
