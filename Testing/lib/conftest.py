"""What the library's tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.package.model import Model

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


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    """Empty, with one channel, one label and two classes."""
    from cases_data import small_set

    return small_set(tmp_path / "set")


@pytest.fixture(scope="session")
def model() -> Model:
    """A small one with a head and all fields filled."""
    from package_data import small_model

    return small_model()


@pytest.fixture
def package(model: Model, tmp_path: Path) -> Path:
    """The folder of :func:`model`, saved."""
    from SegClassifyLib.package.store import save_package

    return save_package(model, tmp_path / "packages" / "tumour")
