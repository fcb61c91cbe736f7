"""The page Train: opening, making and sharing a training set."""

from __future__ import annotations

from pathlib import Path

from panel_fakes import add_volume
from train_stage import names, settle, small_set, train_page

REPO = Path(__file__).resolve().parents[2]


def test_without_a_set_the_page_says_what_to_do_and_nothing_can_be_clicked() -> None:
    with train_page() as shown:
        train = shown.train
        assert "Choose the folder of one above" in train.set.ui.setHint.text
        assert train.cases.ui.casesCount.text == "No training set is open."
        for button in (
            train.cases.ui.showCaseButton,
            train.cases.ui.removeCasesButton,
            train.cases.ui.undoSetButton,
            train.cases.ui.importButton,
            train.cases.ui.newCaseButton,
            train.guide.ui.checkImagesButton,
        ):
            assert (button.enabled, button.toolTip) == (False, "Open a training set first, or make one.")
        train.ui.addSection.collapsed = False
        assert train.add.ui.inputsHint.visible and not train.add.ui.addForm.visible
        train.reload()
        train.select_cases(["alpha"])
        train.open_case("alpha")
        shown.settle()


def test_a_set_is_opened_and_described(tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    folder.mkdir()
    (folder / "dataset.json").write_text("{}", encoding="utf-8")
    with train_page() as shown:
        shown.logic.set_worker.put(small_set(folder=str(folder)))
        shown.train.set.ui.setFolderEdit.setCurrentPath(str(folder))
        settle(shown)
        assert shown.train.set.ui.setFacts.text.splitlines() == [
            "“heads”: 3 cases",
            "Images of a case: T1c",
            "Labels: tumour, edema",
        ]
        assert shown.train.set.ui.setHint.visible is False
        assert names(shown) == ["alpha", "beta", "case 10"]
        edit = shown.train.set.ui.setFolderEdit
        assert edit.comboBox().itemText(0) == str(folder)
        empty = tmp_path / "empty"
        empty.mkdir()
        edit.setCurrentPath(str(empty))
        assert "There is no training set in this folder" in shown.train.set.ui.setHint.text
        edit.setCurrentPath(str(tmp_path / "gone"))
        assert "There is no such folder" in shown.train.set.ui.setHint.text
        assert shown.train.info.folder == str(folder)  # the one that was open stays


def test_a_set_that_cannot_be_opened_is_said_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{", encoding="utf-8")
    with train_page(broken="dataset.json is damaged: take yesterday's copy.") as shown:
        shown.train.set.ui.setFolderEdit.setCurrentPath(str(tmp_path))
        settle(shown)
        assert shown.train.set.ui.setHint.text == "dataset.json is damaged: take yesterday's copy."
        assert shown.train.info is None


def test_the_last_set_is_opened_again(tmp_path: Path) -> None:
    import qt

    with train_page() as shown:
        qt.QSettings().setValue("SegClassify/TrainingSet", str(tmp_path))
        shown.logic.set_worker.put(small_set(folder=str(tmp_path)))
        shown.widget.panel.ui.tabs.setCurrentIndex(0)
        shown.widget.panel.ui.tabs.setCurrentIndex(1)
        settle(shown)
        assert shown.train.info.folder == str(tmp_path)


def test_a_new_set_is_filled_in_from_the_model_and_made(tmp_path: Path) -> None:
    with train_page() as shown:
        section, ui = shown.train.set, shown.train.set.ui
        ui.newSetButton.click()
        assert ui.newChannelsEdit.text == "T1c, FLAIR"
        assert ui.newClassesEdit.text == "glioma, meningioma, metastasis"
        assert ui.newLabelsEdit.text.startswith("scalp and skull, CSF")
        assert (ui.createSetButton.enabled, "Choose a folder above" in ui.newSetNeeds.text) == (False, True)
        ui.setFolderEdit.setCurrentPath(str(tmp_path / "new"))
        assert ui.createSetButton.enabled is True
        ui.newChannelsEdit.text = "T1c; t1C"
        assert "“T1c” is there twice" in ui.newSetNeeds.text
        ui.newChannelsEdit.text = "T1c"
        ui.newLabelsEdit.text = " "
        assert "at least one label" in ui.newSetNeeds.text
        ui.newLabelsEdit.text = "tumour"
        ui.createSetButton.click()
        settle(shown)
        (asked,) = shown.logic.set_worker.asked_for("create_set")
        assert (asked.channels, asked.labels, asked.classes[0]) == (("T1c",), ("tumour",), "glioma")
        assert ui.newSetFrame.visible is False and section.folder == str(tmp_path / "new")
        assert "There is no case yet" in shown.train.cases.ui.casesCount.text


def test_without_a_model_the_images_suggest_the_channel() -> None:
    with train_page(models=()) as shown:
        add_volume("alpha_FLAIR")
        shown.train.set.ui.newSetButton.click()
        assert shown.train.set.ui.newChannelsEdit.text == "FLAIR"
        shown.train.set.ui.cancelNewButton.click()
        assert shown.train.set.ui.newSetFrame.visible is False


def test_the_set_that_was_open_is_closed_when_another_one_is_opened() -> None:
    with train_page(small_set()) as shown:
        worker = shown.logic.set_worker
        assert worker.asked_for("close_set") == []
        worker.put(small_set(folder="/sets/others"))
        shown.train.set.open("/sets/others")
        settle(shown)
        assert [params.folder for params in worker.asked_for("close_set")] == ["/sets/heads"]


def test_others_are_named_and_their_changes_are_seen() -> None:
    with train_page(small_set()) as shown:
        worker = shown.logic.set_worker
        assert shown.train.set.ui.othersFrame.visible is False
        shown.train.cases.select(["beta"])
        worker.put(small_set(others="It is also open in Slicer on NEBULA (ward 3)."))
        from dataclasses import replace

        from set_fakes import case_row

        info = worker.sets["/sets/heads"]
        worker.put(replace(info, cases=(case_row("aaa"), *info.cases)))
        shown.train.reader.look()
        settle(shown)
        assert shown.train.set.ui.othersLabel.text == "It is also open in Slicer on NEBULA (ward 3)."
        assert names(shown)[0] == "aaa"
        assert [row.name for row in shown.train.cases.selected] == ["beta"]


def test_a_folder_that_cannot_be_read_is_said_once_and_the_table_stays() -> None:
    with train_page(small_set()) as shown:
        shown.logic.set_worker.broken = "The folder /sets/heads is gone: connect the drive."
        for _ in range(2):
            shown.train.reader.look()
            settle(shown)
        assert shown.train.ui.trainMessage.text == "The folder /sets/heads is gone: connect the drive."
        assert shown.train.ui.trainMessageIcon.visible is True
        assert len(names(shown)) == 3
        shown.logic.set_worker.broken = ""
        shown.train.reader.look()
        settle(shown)
        assert shown.train.ui.trainMessageFrame.visible is False


def test_the_folder_is_looked_at_only_while_the_page_is_seen() -> None:
    with train_page(small_set()) as shown:
        reader, tabs = shown.train.reader, shown.widget.panel.ui.tabs
        assert reader.running is True
        tabs.setCurrentIndex(0)
        assert reader.running is False
        tabs.setCurrentIndex(1)
        settle(shown)
        assert len(shown.logic.set_worker.asked_for("read_set")) == 1
        shown.widget.exit()
        assert reader.running is False
        shown.widget.enter()
        settle(shown)
        assert len(shown.logic.set_worker.asked_for("read_set")) == 2


def test_closing_the_scene_and_reloading_the_module_leave_the_set_alone() -> None:
    import slicer

    with train_page(small_set()) as shown:
        add_volume("gamma_T1c")
        shown.settle()
        slicer.mrmlScene.Clear(False)
        shown.settle()
        assert len(names(shown)) == 3
        changing = [p.METHOD for p in shown.logic.set_worker.asked]
        assert set(changing) <= {"open_set", "read_set", "check_set"}


def test_before_everything_is_installed_nothing_is_asked() -> None:
    from panel_fakes import FakeLogic
    from panel_stage import stage
    from SegClassifyPanel.dependencies import Dependencies

    file = REPO / "SegClassify" / "Resources" / "requirements.txt"
    with stage(FakeLogic(), Dependencies(file, find=lambda _name: False)) as shown:
        shown.widget.panel.ui.tabs.setCurrentIndex(1)
        shown.settle()
        assert "Install what is missing first" in shown.train.set.ui.setHint.text
        assert shown.train.set.ui.setFolderEdit.enabled is False
