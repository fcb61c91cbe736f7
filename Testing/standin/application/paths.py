"""Folders of one run of the stand-in: settings, temporary files, home; all in one folder that goes at the end."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def run_folder() -> Path:
    """The folder of this run."""
    folder = Path(tempfile.mkdtemp(prefix="standin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("home", "temporary", "settings", "data"):
        (folder / name).mkdir()
    return folder
