"""Tests of the stand-in: it is started once, offscreen, and its scene is emptied after every test."""

import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import standin  # noqa: E402  after the path


@pytest.fixture(autouse=True)
def clean():
    """The running stand-in; nothing may be left in slots and observers."""
    session = standin.start()
    yield session
    standin.raise_recorded()
    standin.reset()


@pytest.fixture
def hello():
    """The panel of the small module, unloaded afterwards."""
    widget = standin.load_module(HERE / "modules" / "Hello")
    yield widget
    if "Hello" in standin.start().modules.modulesNames():
        standin.unload_module("Hello")
