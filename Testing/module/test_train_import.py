"""The page Train: bringing many cases in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slicer
import standin
from panel_fakes import add_volume
from panel_stage import Stage
from set_fakes import set_info
from train_stage import names, rows, settle, small_set, train_page


@pytest.fixture(scope="module")
def page() -> Iterator[Stage]:
    """One page for the tests here."""
    with train_page(small_set()) as shown:
        yield shown


@pytest.fixture
def shown(page: Stage) -> Stage:
    """The small set, opened anew."""
    return show(page, small_set())


def show(page: Stage, info: Any) -> Stage:
    """Open a set."""
    worker = page.logic.set_worker
    worker.broken, worker.breaks, worker.held = "", (), ()
    page.train.take(None)
    worker.asked.clear()
    worker.put(info)
    page.train.set.open(info.folder)
    settle(page)
    return page


def entry(shown: Stage, number: int) -> Any:
    """An entry of the menu behind "Import…"."""
    return shown.train.cases.ui.importButton.menu().actions()[number]


def test_from_a_table_and_from_folders(shown: Stage, tmp_path: Path) -> None:
    kinds = []
    for number, answer in ((0, tmp_path / "cases.csv"), (1, tmp_path), (2, tmp_path)):
        standin.answer(str(answer))
        entry(shown, number).trigger()
        settle(shown)
        request = shown.logic.set_worker.asked_for("import_cases")[-1]
        kinds.append((request.kind, request.source, request.copy))
    assert kinds == [
        ("csv", str(tmp_path / "cases.csv"), True),
        ("folders", str(tmp_path), True),
        ("decathlon", str(tmp_path), True),
    ]
    assert "imported 0" in names(shown)
    assert shown.train.ui.trainMessage.text == (
        "Imported: 4 cases.\nb.nrrd was passed over: it has only zeros."
    )
    assert shown.train.cases.table.selected[:2] == ("imported 0", "imported 1")


def test_files_may_stay_where_they_are_and_no_answer_imports_nothing(shown: Stage, tmp_path: Path) -> None:
    entry(shown, 5).trigger()  # copy the files: no longer
    standin.answer(str(tmp_path))
    entry(shown, 1).trigger()
    settle(shown)
    (request,) = shown.logic.set_worker.asked_for("import_cases")
    assert request.copy is False
    entry(shown, 5).trigger()
    standin.answer("")
    entry(shown, 0).trigger()
    settle(shown)
    assert len(shown.logic.set_worker.asked_for("import_cases")) == 1


def test_progress_and_cancel(shown: Stage, tmp_path: Path) -> None:
    from SegClassifyLib.worker.protocol import JobProgress

    worker, ui = shown.logic.set_worker, shown.train.cases.ui
    worker.held = ("import_cases",)
    shown.train.cases.imports.start(str(tmp_path), "folders")
    shown.settle()
    ((_params, _done, _failed, progress),) = worker.waiting
    progress(JobProgress(1, "Importing", 12, 300, "", 80.0))
    assert "12 of 300" in ui.casesPhaseLabel.text and ui.importButton.enabled is False
    ui.casesCancelButton.click()
    settle(shown)
    assert "Cancelled." in shown.train.ui.trainMessage.text
    assert ui.casesProgressFrame.visible is False and ui.importButton.enabled is True


def test_a_worker_that_dies_is_told_and_the_folder_is_read(shown: Stage, tmp_path: Path) -> None:
    worker = shown.logic.set_worker
    worker.broken, worker.breaks = "The worker was ended by the system.", ("import_cases",)
    shown.train.cases.imports.start(str(tmp_path), "")
    settle(shown)
    assert shown.train.ui.trainMessage.text == (
        "Not everything was imported. The worker was ended by the system."
    )
    assert worker.asked_for("open_set")[1:]


def test_all_volumes_of_the_scene_but_those_that_are_in(shown: Stage) -> None:
    for name in ("delta", "epsilon"):
        add_volume(name)
    entry(shown, 3).trigger()
    settle(shown)
    settle(shown)
    assert [row[0] for row in rows(shown)[3:]] == ["delta", "epsilon"]
    assert [row[2] for row in rows(shown)[3:]] == ["delta", "epsilon"]
    assert "Imported: 2 cases." in shown.train.ui.trainMessage.text
    entry(shown, 3).trigger()
    settle(shown)
    assert "Nothing to import" in shown.train.ui.trainMessage.text and len(names(shown)) == 5


def test_one_that_cannot_be_added_does_not_stop_the_others(shown: Stage) -> None:
    add_volume("delta")
    empty = add_volume("epsilon", (2, 2, 2))
    empty.GetImageData().GetPointData().SetScalars(None)
    add_volume("zeta")
    entry(shown, 3).trigger()
    for _ in range(3):
        settle(shown)
    assert names(shown)[3:] == ["delta", "zeta"]
    text = shown.train.ui.trainMessage.text
    assert "Imported: 2 cases." in text and "epsilon was not added: epsilon has no voxels" in text


def test_channels_are_put_together_by_name(page: Stage) -> None:
    shown = show(page, set_info((), folder="/sets/pairs", channels=("T1c", "FLAIR")))
    entry(shown, 3).trigger()
    settle(shown)
    assert "no case in the scene has all of T1c, FLAIR" in shown.train.ui.trainMessage.text
    for name in ("alpha_T1c", "alpha_FLAIR", "beta_T1c"):
        add_volume(name)
    entry(shown, 3).trigger()
    settle(shown)
    settle(shown)
    assert names(shown) == ["alpha"]
    (request,) = shown.logic.set_worker.asked_for("add_case")
    assert [image.name for image in request.images] == ["alpha_T1c", "alpha_FLAIR"]


def test_closing_the_scene_ends_the_import(shown: Stage) -> None:
    for n in range(5):
        add_volume(f"large {n}", (32, 256, 256))
    entry(shown, 3).trigger()
    slicer.mrmlScene.Clear(False)
    for _ in range(3):
        settle(shown)
    assert shown.train.cases.line.running is False
    assert len(names(shown)) == 3
