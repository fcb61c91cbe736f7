"""The module in the stand-in, for its tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTING = Path(__file__).resolve().parents[1]
MODULE = TESTING.parent / "SegClassify"
for folder in (MODULE, TESTING, TESTING / "module"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
# Worker processes inherit it: tests run beside each other.
os.environ["OMP_NUM_THREADS"] = "1"

import standin  # noqa: E402
from panel_fakes import FakeLogic, add_volume, model_info  # noqa: E402
from panel_stage import Stage, stage  # noqa: E402
from tiny_model import tiny_models  # noqa: E402

standin.start()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small test models: "volume", "pair", "picture"."""
    shared = tmp_path_factory.getbasetemp()
    return tiny_models(shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared)


@pytest.fixture(scope="module")
def logic() -> Iterator[Any]:
    """The module's logic; one worker serves all tests of a file."""
    import SegClassify

    logic = SegClassify.SegClassifyLogic()
    yield logic
    logic.cleanup()


@pytest.fixture(autouse=True)
def empty_scene() -> Iterator[None]:
    """Every test begins and ends with an empty scene, and none may leave an exception in a slot."""
    standin.reset()
    yield
    standin.raise_recorded()
    standin.reset()


@pytest.fixture
def shown() -> Iterator[Stage]:
    """The panel before a logic that does nothing by itself, ready to classify alpha's images."""
    with stage(FakeLogic((model_info(),))) as shown:
        add_volume("alpha_T1c")
        add_volume("alpha_FLAIR")
        shown.settle()
        yield shown
