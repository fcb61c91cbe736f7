"""What the library's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets and networks; tests that need it are skipped without it."""
    folder = Path(os.environ.get("SEGCLASSIFY_DATA", REPO.parent / "shared" / "data"))
    if not (folder / "lidc_nodules3d").is_dir():
        pytest.skip("no real data here (set SEGCLASSIFY_DATA)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _few_threads() -> None:
    """Small tensors: more threads only wait for each other."""
    import torch

    torch.set_num_threads(1)
