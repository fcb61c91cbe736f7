"""Many cases one after another: of the scene and of a folder, with bad ones among them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import standin
from scene_data import IJK_TO_RAS, add_volume, bright_boxes
from SegClassifyPanel.batch import BatchListener, BatchRunner, RowState
from SegClassifyPanel.batch_items import BatchItem, folder_items, scene_items
from SegClassifyPanel.case_groups import grouped
from SegClassifyPanel.result_nodes import find_results
from SegClassifyPanel.volumes import VolumeError


def run(logic: Any, items: list[BatchItem], model: Path) -> tuple[BatchRunner, list[tuple[str, RowState]]]:
    """A whole batch, and every change of a row in order."""
    seen: list[tuple[str, RowState]] = []
    ends: list[int] = []
    runner = logic.batch(
        items,
        model,
        listener=BatchListener(
            on_row=lambda index: seen.append((runner.rows[index].name, runner.rows[index].state)),
            on_end=lambda: ends.append(1),
        ),
    )
    assert runner.running and not seen
    standin.wait_until(lambda: ends, 120, "the batch")
    standin.spin(0.05)
    assert ends == [1] and not runner.running
    return runner, seen


def save_image(array: np.ndarray, path: Path) -> None:
    """A volume file as Slicer writes it."""
    node = add_volume(array, "to be saved")
    assert slicer.util.saveNode(node, str(path))
    slicer.mrmlScene.RemoveNode(node)


@pytest.mark.parametrize(
    ("names", "channels", "cases"),
    [
        (["a", "b"], ["CT"], {"a": (0,), "b": (1,)}),
        (["same", "same"], ["CT"], {"same (1)": (0,), "same (2)": (1,)}),
        (
            ["p1_FLAIR", "p1_T1", "p2_t1", "p2_flair", "p3_T1"],
            ["T1", "FLAIR"],
            {"p1": (1, 0), "p2": (2, 3)},
        ),
        (["T1", "T1c"], ["T1c", "T1"], {"_": (1, 0)}),
        (["x_0001", "x_0000"], ["0000", "0001"], {"x": (1, 0)}),
    ],
)
def test_images_of_a_case_are_told_by_their_names(names, channels, cases):
    assert grouped(names, channels) == cases


def test_the_scene_with_a_bad_volume_in_the_middle(logic, models, tmp_path):
    small = bright_boxes()
    small[small == 350] = 200
    small[10:12, 10:12, 10:12] = 350
    add_volume(bright_boxes((48, 60, 72)), "first")
    add_volume(np.full((4, 5, 6), np.nan, np.float32), "broken")
    add_volume(small, 'third, "quoted"')
    slicer.util.addVolumeFromArray(
        np.zeros((2, 2, 2), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode", name="labels"
    )
    items = scene_items(["CT"])
    assert [item.name for item in items] == ["first", "broken", 'third, "quoted"']
    runner, seen = run(logic, items, models / "volume")
    assert [row.state for row in runner.rows] == [RowState.DONE, RowState.FAILED, RowState.DONE]
    assert [row.predicted for row in runner.rows] == ["large", "", "small"]
    assert "broken" in runner.rows[1].message
    assert seen[:2] == [("first", RowState.RUNNING), ("first", RowState.DONE)]
    assert [slicer.mrmlScene.GetNodeByID(i).GetDisplayVisibility() for i in find_results()] == [0, 0]
    runner.to_csv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["case"] for line in table] == ["first", "broken", 'third, "quoted"']
    assert float(table[0]["large"]) + float(table[0]["small"]) == pytest.approx(1, abs=1e-3)
    assert table[1]["state"] == "failed" and table[1]["large"] == ""
    shown = runner.show(0)
    visible = [slicer.mrmlScene.GetNodeByID(i).GetDisplayVisibility() for i in find_results()]
    assert shown == runner.rows[0].segmentation and sorted(visible) == [0, 1]
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetNodeByID(items[2].volumes[0]))
    with pytest.raises(VolumeError, match="no longer in the scene"):
        runner.show(2)


def test_a_folder_with_a_broken_file_and_a_case_shown(logic, models, tmp_path):
    array = bright_boxes()
    save_image(array, tmp_path / "good.nrrd")
    (tmp_path / "bad.nrrd").write_bytes(b"NRRD0004\nnonsense")
    (tmp_path / "notes.txt").write_text("not an image", encoding="utf-8")
    (tmp_path / "case9").mkdir()
    save_image(array[::-1].copy(), tmp_path / "case9" / "scan.nii.gz")
    items = folder_items(tmp_path, ["CT"])
    assert [item.name for item in items] == ["bad", "case9", "good"]
    runner, _ = run(logic, items, models / "volume")
    assert [row.state for row in runner.rows] == [RowState.FAILED, RowState.DONE, RowState.DONE]
    assert "bad.nrrd" in runner.rows[0].message
    assert find_results() == []
    for index, expected in ((1, array[::-1] > 280), (2, array > 280)):
        node = slicer.mrmlScene.GetNodeByID(runner.show(index))
        volume = node.GetNodeReference("SegClassify.Channel")
        found = slicer.util.arrayFromSegmentBinaryLabelmap(node, "Label_2", volume)
        np.testing.assert_array_equal(found, expected)
        matrix = slicer.util.arrayFromVTKMatrix(_ijk_to_ras(volume))
        np.testing.assert_allclose(matrix, IJK_TO_RAS, atol=1e-4)
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    runner.show(2)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == count
    with pytest.raises(VolumeError, match=r"bad\.nrrd cannot be loaded"):
        runner.show(0)


def test_channels_as_files(logic, models, tmp_path):
    for name in ("p1_T1", "p1_FLAIR", "p2_T1"):
        save_image(bright_boxes(), tmp_path / f"{name}.nrrd")
    items = folder_items(tmp_path, ["T1", "FLAIR"])
    assert [(i.name, [Path(f).name for f in i.files]) for i in items] == [
        ("p1", ["p1_T1.nrrd", "p1_FLAIR.nrrd"])
    ]
    runner, _ = run(logic, items, models / "pair")
    assert runner.rows[0].state is RowState.DONE


def test_cancel_stops_what_waits(logic, models):
    for number in range(3):
        add_volume(bright_boxes(), f"v{number}")
    ends: list[int] = []
    runner = logic.batch(
        scene_items(["CT"]), models / "volume", listener=BatchListener(on_end=lambda: ends.append(1))
    )
    standin.wait_until(lambda: runner.rows[0].state is RowState.DONE, 60, "the first case")
    runner.cancel()
    standin.wait_until(lambda: ends, 10, "the end")
    assert runner.rows[0].state is RowState.DONE
    assert all(row.state is RowState.CANCELLED for row in runner.rows[1:])
    standin.spin(0.1)
    assert ends == [1]


def test_closing_the_scene_ends_the_batch(logic, models):
    add_volume(bright_boxes(), "v")
    add_volume(bright_boxes(), "w")
    runner = logic.batch(scene_items(["CT"]), models / "volume")
    standin.wait_until(lambda: runner.rows[0].state is RowState.RUNNING, 10, "the first case")
    slicer.mrmlScene.Clear(0)
    standin.wait_until(lambda: not runner.running, 10, "the end")
    assert [row.state for row in runner.rows] == [RowState.CANCELLED, RowState.CANCELLED]


def _ijk_to_ras(volume: Any) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix
