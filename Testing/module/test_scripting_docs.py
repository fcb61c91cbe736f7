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
    console, read_back, background, batch, _sets, _training, script = (
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


def test_the_example_of_a_training_runs(tmp_path, capsys, monkeypatch):
    from SegClassifyLib.phantoms.sets import Counts, write_slice_set

    written = write_slice_set(tmp_path / "lesions", Counts(segmented=1, classified=5), shape=(32, 32))
    seen = [c for c in written.cases if c.label_class and not c.segmentation and c.split == "train"]
    written.change(seen[0].name, label_class=None)
    monkeypatch.setenv("SEGCLASSIFY_MODELS", str(tmp_path / "models"))
    code = next(code for code in examples() if "train_segmenter" in code).replace("/data", str(tmp_path))
    exec(code.replace("minutes=30", "epochs=1, patch=(16, 16)"), names := {"slicer": slicer})
    said = capsys.readouterr().out
    assert said.startswith("1 ") and "balanced accuracy" in said and f"{seen[0].name} " in said
    assert Path(names["model"].path).is_relative_to(tmp_path / "models")


def test_the_example_of_a_training_set_runs(tmp_path, capsys):
    slicer.util.saveNode(add_volume(bright_boxes()), str(tmp_path / "case1.nrrd"))
    code = next(code for code in examples() if "sets.create" in code)
    exec(code.replace("/data", str(tmp_path)), {"slicer": slicer})
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "('first',) ()"
    assert "more.csv" in said[1] and said[2] == "first large patient 1 none"
    assert any(line.startswith("warning") for line in said[3:])


def test_every_call_on_training_sets_is_there():
    from SegClassifyPanel.set_logic import SetLogic

    calls = set(re.findall(r"^\| `sets\.(\w+)\(", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    public = {name for name in vars(SetLogic) if not name.startswith("_")}
    assert calls == public - {"start", "start_add", "start_save_segmentation", "cancel_all", "close"}


def test_every_call_of_the_table_is_there():
    from SegClassifyPanel.training_logic import TrainingLogic

    calls = re.findall(r"^\| `(\w+)\(", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(calls) == 11 and all(hasattr(TrainingLogic, name) for name in calls)
