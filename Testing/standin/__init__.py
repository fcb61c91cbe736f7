"""A strict stand-in of 3D Slicer's application layer, to test scripted modules without Slicer. See README.md."""

from standin.binding.dialogs import answer
from standin.errors import NotInStandin, WouldBlock, raise_recorded, record
from standin.start import (
    live_views,
    load_module,
    reset,
    run_tests,
    screenshot,
    spin,
    start,
    unload_module,
    wait_until,
)

__all__ = [
    "NotInStandin",
    "WouldBlock",
    "answer",
    "live_views",
    "load_module",
    "raise_recorded",
    "record",
    "reset",
    "run_tests",
    "screenshot",
    "spin",
    "start",
    "unload_module",
    "wait_until",
]
