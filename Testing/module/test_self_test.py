"""The module's own test class, as Slicer's *Reload and Test* runs it, here in the stand-in."""

from __future__ import annotations

from pathlib import Path

import standin

MODULE = Path(__file__).resolve().parents[2] / "SegClassify"


def test_the_modules_own_test_class():
    standin.load_module(MODULE, show=False)
    try:
        assert standin.run_tests("SegClassify") == 13
    finally:
        standin.unload_module("SegClassify")
