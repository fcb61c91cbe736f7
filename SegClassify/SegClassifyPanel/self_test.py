"""What the module's own test does; runs in Slicer and in the stand-in."""

from __future__ import annotations

from typing import Any


class SelfTest:
    """Runs every check on a small model of its own."""

    def __init__(self, case: Any) -> None:
        self.case = case

    def run(self) -> None:
        """All checks."""
