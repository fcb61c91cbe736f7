"""Child processes of Slicer's Python, that find SegClassifyLib."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import qt
from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import library_folder


def python_executable() -> str:
    """The interpreter for child processes: PythonSlicer in Slicer.

    Raises:
        FileNotFoundError: there is none, in a sentence for the user.
    """
    if Path(sys.executable or "").stem.lower().startswith("python"):
        return sys.executable
    found = shutil.which("PythonSlicer")
    if found is None:
        raise FileNotFoundError(
            _("PythonSlicer, which runs the models, is not beside Slicer's program: install Slicer again.")
        )
    return found


def python_process() -> qt.QProcess:
    """A process for :func:`python_executable`, not started yet, in which ``import SegClassifyLib`` will work."""
    process = qt.QProcess()
    variables = qt.QProcessEnvironment.systemEnvironment()
    before = variables.value("PYTHONPATH", "")
    variables.insert("PYTHONPATH", os.pathsep.join(p for p in (str(library_folder()), before) if p))
    variables.insert("PYTHONUTF8", "1")
    # Slicer may have been started in any folder: a random.py of the user's in it is not Python's.
    variables.insert("PYTHONSAFEPATH", "1")
    process.setProcessEnvironment(variables)
    return process
