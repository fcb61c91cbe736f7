"""Child processes of Slicer's Python: what they import, and from where."""

from __future__ import annotations

import os
import sys

import pytest


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python heeds PYTHONSAFEPATH from 3.11 on")
def test_files_in_the_folder_where_slicer_was_started_are_not_imported(tmp_path, monkeypatch):
    from SegClassifyPanel.python_process import python_executable, python_process

    for name in ("random", "SegClassifyLib"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path / "more"))
    process = python_process()
    process.start(python_executable(), ["-m", "SegClassifyLib.worker", "--help"])
    assert process.waitForFinished(20000)
    said = (process.readAllStandardOutput().data() + process.readAllStandardError().data()).decode()
    assert process.exitCode() == 0, said
    assert "--parent-pid" in said
    process.start(python_executable(), ["-c", "import random, sys; print(sys.path)"])
    assert process.waitForFinished(20000)
    assert process.exitCode() == 0
    assert os.fspath(tmp_path / "more") in process.readAllStandardOutput().data().decode()
