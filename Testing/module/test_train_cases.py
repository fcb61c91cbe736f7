"""The page Train: the table of cases, its filter, and changing what is selected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import standin
from panel_stage import Stage
from set_fakes import many_cases, set_info
from train_stage import names, rows, settle, small_set, train_page


@pytest.fixture(scope="module")
def page() -> Iterator[Stage]:
    """One page for all tests here; each puts its own set there."""
    with train_page(small_set()) as shown:
        yield shown


@pytest.fixture
def shown(page: Stage) -> Stage:
    """The small set."""
    return show(page, small_set())


def show(page: Stage, info: Any) -> Stage:
    """Show a set, as if it had just been opened."""
    page.train.take(None)
    page.logic.set_worker.asked.clear()
    page.logic.set_worker.history.clear()
    page.logic.set_worker.put(info)
    page.train.set.open(info.folder)
    settle(page)
    sort(page, -1)
    return page


def sort(shown: Stage, column: int, descending: bool = False) -> list[str]:
    """Click a header; the names in their new order."""
    import qt

    order = qt.Qt.DescendingOrder if descending else qt.Qt.AscendingOrder
    shown.train.cases.ui.casesTable.sortByColumn(column, order)
    return names(shown)


def changes(shown: Stage) -> list[Any]:
    """What was asked to be changed."""
    return shown.logic.set_worker.asked_for("change_cases")


def test_rows_say_what_a_case_is(shown: Stage) -> None:
    assert rows(shown) == [
        ["alpha", "glioma", "patient alpha", "yes", "both", ""],
        ["beta", "meningioma", "patient beta", "predicted", "classifier", "glioma 83 %"],
        ["case 10", "", "patient alpha", "no", "test", ""],
    ]
    import qt

    model = shown.train.cases.ui.casesTable.model()
    tip = model.index(1, 5).data(qt.Qt.ToolTipRole)
    assert tip == (
        "Without having seen this case, the last training took it for glioma (83 %); its class here is meningioma."
    )
    assert model.index(1, 5).data(qt.Qt.DecorationRole) is not None
    assert model.index(0, 5).data(qt.Qt.DecorationRole) is None


def test_sorting_knows_numbers_and_puts_surprises_first(page: Stage) -> None:
    shown = show(page, set_info(many_cases(40)))
    assert names(shown)[:3] == ["case 1", "case 2", "case 3"]
    assert sort(shown, 0, True)[:2] == ["case 40", "case 39"]
    assert sort(shown, 0)[8:11] == ["case 9", "case 10", "case 11"]
    assert sort(shown, 1)[-1] in {"case 10", "case 20", "case 30", "case 40"}  # without a class: last
    surprises = sort(shown, 5)
    assert surprises[:2] == ["case 36", "case 29"]  # wrong and surest on top
    told = {row[0]: row[5] for row in rows(shown)}
    assert told["case 36"].endswith(" 85 %") and told[surprises[-1]] == ""


def test_filters_by_text_and_by_kind(page: Stage) -> None:
    shown = show(page, set_info(many_cases(40)))
    ui = shown.train.cases.ui
    ui.filterEdit.text = "PATIENT 2"
    assert "patient 20" in [row[2] for row in rows(shown)] and len(names(shown)) == 4
    assert ui.casesCount.text == "4 of 40 cases are shown."
    ui.filterEdit.text = "case 1 | glioma"  # no pattern, just text
    assert names(shown) == ["case 1"]
    ui.filterEdit.text = ".*"
    assert names(shown) == []
    ui.filterEdit.text = ""
    found = {}
    for n in range(ui.filterSelector.count):
        ui.filterSelector.setCurrentIndex(n)
        found[ui.filterSelector.itemText(n)] = len(names(shown))
    ui.filterSelector.setCurrentIndex(0)
    assert found == {
        "All cases": 40,
        "Without a class": 4,
        "Not segmented": 10,
        "Segmentation to be checked": 10,
        "Predicted wrongly": 6,
        "Class: glioma": 12,
        "Class: meningioma": 12,
        "Class: metastasis": 12,
    }
    assert ui.casesCount.visible is False


def test_selection_and_place_stay_when_the_set_is_read_again(page: Stage) -> None:
    from dataclasses import replace

    from set_fakes import case_row

    shown = show(page, set_info(many_cases(200)))
    table, bar = shown.train.cases.table, shown.train.cases.ui.casesTable.verticalScrollBar()
    table.select(["case 150", "case 151"])
    shown.settle()
    place = bar.value
    assert place > 50
    info = shown.logic.set_worker.sets["/sets/heads"]
    other = replace(info.cases[3], class_name="metastasis")
    assert other.class_name != info.cases[3].class_name
    for cases in (
        (*info.cases[:3], other, *info.cases[4:]),
        (*info.cases, case_row("later")),
        info.cases[::-1],
        info.cases[60:],
    ):
        shown.logic.set_worker.put(replace(info, cases=cases))
        shown.train.reader.look()
        settle(shown)
        assert set(table.selected) == {"case 150", "case 151"}
        if cases[0] is info.cases[0]:
            assert bar.value == place
        assert rows(shown)[3][1] == cases[3].class_name
        assert names(shown) == [row.name for row in cases]


def test_class_group_and_use_are_changed_for_all_that_are_selected(shown: Stage) -> None:
    ui = shown.train.cases.ui
    assert ui.selectionFrame.visible is False
    shown.train.cases.select(["alpha", "beta"])
    assert ui.selectionLabel.text == "Selected: 2 cases. A change is made in all of them."
    assert (ui.caseClassSelector.currentText, ui.caseRoleSelector.currentIndex) == ("", -1)
    assert ui.caseGroupEdit.placeholderText == "several"
    ui.caseClassSelector.lineEdit().editingFinished.emit()
    ui.caseGroupEdit.editingFinished.emit()
    assert changes(shown) == []  # nothing was typed
    ui.caseClassSelector.setEditText("Metastasis")
    ui.caseClassSelector.lineEdit().editingFinished.emit()
    ui.caseGroupEdit.text = "p7"
    settle(shown)
    assert [(c.cases, c.class_name, c.new_class) for c in changes(shown)] == [
        (("alpha", "beta"), "metastasis", False)
    ]
    assert [row[1] for row in rows(shown)] == ["metastasis", "metastasis", ""]
    shown.train.cases.select(["alpha", "beta"])
    ui.caseGroupEdit.text = "p7"
    ui.caseGroupEdit.editingFinished.emit()
    settle(shown)
    ui.caseRoleSelector.setCurrentIndex(3)
    ui.caseRoleSelector.activated.emit(3)
    settle(shown)
    assert [(c.group, c.role, c.split) for c in changes(shown)[1:]] == [
        ("p7", None, None),
        (None, "both", "test"),
    ]
    assert [row[4] for row in rows(shown)] == ["test"] * 3
    assert shown.train.cases.table.selected == ("alpha", "beta")


def test_a_class_is_taken_away(shown: Stage) -> None:
    ui = shown.train.cases.ui
    shown.train.cases.select(["alpha"])
    ui.caseClassSelector.setCurrentIndex(0)
    ui.caseClassSelector.activated.emit(0)
    settle(shown)
    assert rows(shown)[0][1] == ""


def test_a_new_class_asks_once_and_names_the_likely_one(shown: Stage) -> None:
    ui = shown.train.cases.ui
    shown.train.cases.select(["alpha"])
    ui.caseClassSelector.setEditText("meningeoma")
    ui.caseClassSelector.lineEdit().editingFinished.emit()
    assert ui.caseQuestionFrame.visible is True and changes(shown) == []
    assert ui.caseQuestionLabel.text == (
        "“meningeoma” is not a class of this training set yet. Did you mean “meningioma”?"
    )
    ui.caseQuestionInstead.click()
    settle(shown)
    assert rows(shown)[0][1] == "meningioma"
    ui.caseClassSelector.setEditText("lymphoma")
    ui.caseClassSelector.lineEdit().editingFinished.emit()
    assert ui.caseQuestionInstead.visible is False
    ui.caseQuestionYes.click()
    settle(shown)
    assert (changes(shown)[-1].class_name, changes(shown)[-1].new_class) == ("lymphoma", True)
    shown.train.cases.select(["beta"])
    ui.caseClassSelector.setEditText("Lymphoma")
    ui.caseClassSelector.lineEdit().editingFinished.emit()
    settle(shown)
    assert ui.caseQuestionFrame.visible is False and rows(shown)[1][1] == "lymphoma"


def test_what_is_being_typed_survives_a_look_at_the_folder(shown: Stage) -> None:
    from dataclasses import replace

    from set_fakes import case_row

    ui = shown.train.cases.ui
    shown.train.cases.select(["case 10"])
    ui.caseGroupEdit.text = "half of a na"
    info = small_set()
    shown.logic.set_worker.put(replace(info, cases=(*info.cases, case_row("other"))))
    shown.train.reader.look()
    settle(shown)
    assert len(names(shown)) == 4 and ui.caseGroupEdit.text == "half of a na"


def test_a_change_that_fails_is_said_and_the_fields_go_back(shown: Stage) -> None:
    ui, worker = shown.train.cases.ui, shown.logic.set_worker
    shown.train.cases.select(["alpha"])
    worker.broken, worker.breaks = "The folder is read-only: copy it.", ("change_cases",)
    ui.caseGroupEdit.text = "p7"
    ui.caseGroupEdit.editingFinished.emit()
    settle(shown)
    worker.broken = ""
    assert shown.train.ui.trainMessage.text == "Nothing was changed. The folder is read-only: copy it."
    assert ui.caseGroupEdit.text == "patient alpha" == rows(shown)[0][2]


def test_remove_and_undo(shown: Stage) -> None:
    ui = shown.train.cases.ui
    assert (ui.undoSetButton.enabled, ui.undoSetButton.toolTip) == (False, "Nothing was changed here yet.")
    shown.train.cases.select(["alpha", "beta"])
    ui.removeCasesButton.click()
    assert len(names(shown)) == 3  # only the worker's answer counts
    settle(shown)
    assert names(shown) == ["case 10"]
    assert shown.train.ui.trainMessage.text == "Removed: 2 cases. “Undo” brings them back."
    assert ui.undoSetButton.toolTip == "Take this back: remove alpha, beta."
    ui.undoSetButton.click()
    settle(shown)
    assert names(shown) == ["alpha", "beta", "case 10"]
    assert shown.train.ui.trainMessage.text == "Undone: remove alpha, beta."


def test_the_menu_of_a_row(shown: Stage) -> None:
    import qt

    shown.train.cases.select(["beta"])
    shown.train.cases.ui.casesTable.customContextMenuRequested.emit(qt.QPoint(5, 5))
    menu = shown.train.cases._menu
    texts = [action.text for action in menu.actions()]
    assert texts == [
        "Show",
        "Edit segmentation",
        "Class: glioma",
        "Class: meningioma",
        "Class: metastasis",
        "No class",
        "Remove",
    ]
    menu.actions()[4].trigger()
    menu.hide()
    settle(shown)
    assert rows(shown)[1][1] == "metastasis"


def test_many_rows_do_not_hold_up_the_panel(page: Stage) -> None:
    import time

    shown = show(page, set_info(()))
    many = set_info(many_cases(500))
    began = time.process_time()
    shown.train.cases.table.fill(many.cases)
    filled = time.process_time()
    sort(shown, 5)
    done = time.process_time()
    shown.train.cases.table.filter("patient 2", "all")
    filtered = time.process_time()
    print(
        f"500 rows: fill {filled - began:.3f} s, sort {done - filled:.3f} s, filter {filtered - done:.3f} s"
    )
    assert shown.train.cases.table.count > 50
    shown.train.cases.table.filter("", "all")


def test_nobody_is_asked_in_a_window(shown: Stage) -> None:
    assert standin.record.messages == []
