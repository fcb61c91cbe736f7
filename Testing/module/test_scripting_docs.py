"""The examples of docs/slicer-scripting.md run as they stand, but for their paths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import slicer
import standin
from scene_data import add_volume, bright_boxes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "slicer-scripting.md"


def examples() -> list[str]:
    """The blocks of Python, in order."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_example_runs(models, tmp_path, capsys, monkeypatch):
    node = add_volume(bright_boxes((48, 60, 72)))
    slicer.util.saveNode(node, str(tmp_path / "case1.nrrd"))
    slicer.mrmlScene.Clear(0)
    exits: list[int] = []
    monkeypatch.setattr(slicer.util, "exit", exits.append, raising=False)
    console, read_back, background, batch, script = (
        code.replace("/data", str(tmp_path)).replace("/models", str(models)) for code in examples()
    )
    names: dict[str, Any] = {"slicer": slicer}
    exec(console, names)
    assert "large (" in capsys.readouterr().out
    exec(read_back, names)
    assert names["result"].predicted == "large"
    exec(background, names)
    standin.wait_until(lambda: names["job"].over, 60, "the job")
    assert "Segmenting" in (said := capsys.readouterr().out) and said.strip().endswith("%)")
    names["logic"].cleanup()
    exec(batch, names)
    standin.wait_until(lambda: not names["runner"].running, 60, "the batch")
    assert "case1 done" in capsys.readouterr().out
    assert (tmp_path / "classified.csv").is_file()
    names["logic"].cleanup()
    exec(script, names)
    assert exits == [0] and (tmp_path / "case1.seg.nrrd").is_file()
