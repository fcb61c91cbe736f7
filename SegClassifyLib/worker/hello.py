"""Who the worker is and what it lacks, told without importing anything that could be missing."""

from __future__ import annotations

import os
import platform
from importlib.util import find_spec

import SegClassifyLib
from SegClassifyLib.worker.protocol import PROTOCOL, Hello

NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "SimpleITK": "SimpleITK",
    "torch": "torch",
    "monai": "monai",
    "einops": "einops",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",
    "pydantic": "pydantic",
    "filelock": "filelock",
    "platformdirs": "platformdirs",
    "safetensors": "safetensors",
}
"""Import name → the name that pip installs it by. Everything of pyproject.toml but command line and figures."""


def hello() -> Hello:
    """The answer to ``hello``."""
    missing = tuple(package for name, package in NEEDED.items() if find_spec(name) is None)
    return Hello(PROTOCOL, SegClassifyLib.__version__, platform.python_version(), os.getpid(), missing)
