"""Item models, proxies, views and menus as PythonQt shows them: by its wrappers of Qt 5.15 and Qt's own headers."""

import gc

import pytest
import standin


def cases():
    """A model of three rows and two columns, and a proxy on it."""
    import qt

    model = qt.QStandardItemModel(0, 2)
    model.setHorizontalHeaderLabels(["Case", "Class"])
    for number, name in enumerate(("anna", "berta", "carl")):
        row = [qt.QStandardItem(name), qt.QStandardItem("AB"[number % 2])]
        row[0].setData({"index": number}, qt.Qt.UserRole + 1)
        model.appendRow(row)
    proxy = qt.QSortFilterProxyModel()
    proxy.setSourceModel(model)
    return model, proxy


def test_counts_are_called_and_roles_are_attributes() -> None:
    model, proxy = cases()
    assert (model.rowCount(), model.columnCount(), proxy.rowCount()) == (3, 2, 3)
    assert proxy.sourceModel == model
    assert proxy.filterKeyColumn == 0
    proxy.filterKeyColumn = -1
    with pytest.raises(TypeError):
        proxy.filterKeyColumn()
    with pytest.raises(TypeError):
        proxy.sourceModel()
    with pytest.raises(AttributeError):
        proxy.setAutoAcceptChildRows(True)  # of Qt 6


def test_items_have_methods_and_keep_what_they_are_given() -> None:
    import qt

    model, _ = cases()
    item = model.item(1, 0)
    assert item.text() == "berta"
    assert item == model.item(1)
    assert item.data() == item.data(qt.Qt.UserRole + 1) == {"index": 1}
    assert (item.row(), item.column(), item.index().row()) == (1, 0, 1)
    assert model.item(7) is None
    assert model.index(1, 0).data() == "berta"
    assert model.headerData(1, qt.Qt.Horizontal) == "Class"
    assert model.findItems("carl")[0].row() == 2
    item.setFlags(item.flags() & ~qt.Qt.ItemIsEditable)
    assert not item.isEditable()
    with pytest.raises(AttributeError):
        item.checked  # noqa: B018
    assert [entry.text() for entry in model.takeRow(0)] == ["anna", "A"]


def test_changed_items_are_told() -> None:
    import qt

    model, _ = cases()
    seen: list = []
    ranges: list = []
    model.itemChanged.connect(lambda item: seen.append(item.text()))
    model.connect("dataChanged(QModelIndex,QModelIndex)", lambda first, last: ranges.append(first.row()))
    model.item(2, 1).setText("C")
    assert (seen, ranges) == (["C"], [2])
    model.item(0).setData("carl the first", qt.Qt.EditRole)
    assert seen[-1] == "carl the first"


def test_proxy_sorts_filters_and_maps() -> None:
    import qt

    model, proxy = cases()
    proxy.sort(0, qt.Qt.DescendingOrder)
    assert proxy.mapToSource(proxy.index(0, 0)).row() == 2
    proxy.filterCaseSensitivity = qt.Qt.CaseInsensitive
    proxy.setFilterFixedString("ER")
    assert [proxy.index(row, 0).data() for row in range(proxy.rowCount())] == ["berta"]
    assert proxy.mapFromSource(model.index(1, 0)).row() == 0
    hidden = proxy.mapFromSource(model.index(0, 0))
    assert not hidden.isValid()
    assert not hidden  # PythonQt asks isValid
    assert model.index(0, 0)


def test_python_proxies_are_asked() -> None:
    import qt

    class Only(qt.QSortFilterProxyModel):
        wanted = "A"

        def filterAcceptsRow(self, row: int, parent: object) -> bool:
            assert not parent
            return self.sourceModel.index(row, 1).data() == self.wanted

        def filterAcceptsColumn(self, column: int, parent: object) -> object:
            return "yes"  # PythonQt takes whatever is true in Python

        def lessThan(self, left: object, right: object) -> object:
            return left.data() > right.data() or None  # None is no, as PythonQt takes it

    model, _ = cases()
    proxy = Only()
    proxy.setSourceModel(model)
    proxy.sort(0)
    assert [proxy.index(row, 0).data() for row in range(proxy.rowCount())] == ["carl", "anna"]
    proxy.wanted = "B"
    proxy.invalidateFilter()
    assert proxy.rowCount() == 1
    proxy.wanted = 5  # nothing is equal to it
    proxy.invalidate()
    assert proxy.rowCount() == 0


def test_view_selects_rows() -> None:
    import qt

    _, proxy = cases()
    view = qt.QTableView()
    view.setModel(proxy)
    view.selectionBehavior = qt.QAbstractItemView.SelectRows
    view.setSelectionMode(qt.QAbstractItemView.ExtendedSelection)
    view.setEditTriggers(qt.QAbstractItemView.DoubleClicked | qt.QAbstractItemView.EditKeyPressed)
    view.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
    view.verticalHeader().setVisible(False)
    seen: list = []
    view.selectionModel().selectionChanged.connect(lambda *_: seen.append(1))
    choice = view.selectionModel()
    choice.select(proxy.index(1, 0), qt.QItemSelectionModel.Select | qt.QItemSelectionModel.Rows)
    choice.select(proxy.index(2, 0), qt.QItemSelectionModel.Select | qt.QItemSelectionModel.Rows)
    assert [index.row() for index in choice.selectedRows()] == [1, 2]
    assert choice.hasSelection is True
    assert len(seen) == 2
    choice.setCurrentIndex(
        proxy.index(0, 0), qt.QItemSelectionModel.ClearAndSelect | qt.QItemSelectionModel.Rows
    )
    assert view.currentIndex().row() == 0
    assert isinstance(view, qt.QAbstractItemView)
    view.sortByColumn(0, qt.Qt.DescendingOrder)
    view.scrollTo(proxy.index(0, 0))
    with pytest.raises(AttributeError):
        view.selectedRows()  # of the selection model


def test_selections_are_joined() -> None:
    import qt

    model, _ = cases()
    selection = qt.QItemSelection(model.index(0, 0), model.index(0, 1))
    assert not qt.QItemSelection()
    assert len(selection.indexes()) == 2
    selection.merge(qt.QItemSelection(model.index(2, 0), model.index(2, 0)), qt.QItemSelectionModel.Select)
    assert selection.contains(model.index(2, 0))


def test_double_click_on_a_row_gives_its_index() -> None:
    import qt

    _, proxy = cases()
    view, seen = qt.QTableView(), []
    view.setModel(proxy)
    view.doubleClicked.connect(lambda index: seen.append(index.row()))
    view.doubleClicked.emit(proxy.index(2, 0))
    assert seen == [2]


def test_what_python_lets_go_of_is_gone() -> None:
    """A view or a menu does not hold what it was given: PythonQt deletes it with its last Python reference."""
    import qt

    model, _ = cases()
    view = qt.QTableView()
    view.setModel(model)
    assert view.model() == model
    del model, _
    gc.collect()
    assert view.model() is None
    menu = qt.QMenu()
    menu.addAction(qt.QAction("lost"))
    gc.collect()
    assert menu.actions() == ()
    menu.addAction(qt.QAction("kept", menu))
    gc.collect()
    assert [action.text for action in menu.actions()] == ["kept"]


def test_models_with_a_parent_stay() -> None:
    import qt

    view = qt.QTableView()
    view.setModel(qt.QStandardItemModel(2, 2, view))
    gc.collect()
    assert view.model().rowCount() == 2


def test_items_are_gone_with_their_model() -> None:
    model, _ = cases()
    item = model.item(0)
    del model, _
    gc.collect()
    with pytest.raises(ValueError, match="destroyed"):
        item.text()


def test_menu_calls_and_asks() -> None:
    import qt

    menu, seen = qt.QMenu(), []
    assert not menu  # empty
    remove = menu.addAction("Remove", lambda: seen.append("remove"))
    menu.addAction(qt.QIcon(), "Show", lambda checked: seen.append(checked))
    plain = menu.addAction("Open")
    plain.triggered.connect(lambda checked: seen.append("open"))
    plain.enabled = False
    assert plain.text == "Open"
    assert menu
    menu.addSeparator()
    for action in menu.actions():
        action.trigger()
    assert seen == ["remove", False]
    with pytest.raises(standin.WouldBlock):
        menu.exec_(qt.QPoint(0, 0))
    standin.answer(lambda asked: asked.actions()[0])
    assert menu.exec_(qt.QPoint(0, 0)) == remove
    with pytest.raises(ValueError, match="matching overload"):
        menu.addAction(lambda: None, "Remove")
    with pytest.raises(ValueError, match="keyword"):
        menu.addAction(text="Remove")


def test_completer_offers_what_it_was_given() -> None:
    import qt

    line = qt.QLineEdit()
    completer = qt.QCompleter(["glioma", "meningioma"], line)
    completer.setCaseSensitivity(qt.Qt.CaseInsensitive)
    completer.filterMode = qt.Qt.MatchContains
    line.setCompleter(completer)
    completer.setCompletionPrefix("NING")
    assert (completer.completionCount(), completer.currentCompletion()) == (1, "meningioma")
    with pytest.raises(TypeError):
        completer.completionPrefix()


def test_input_dialogs_give_one_value() -> None:
    import qt

    with pytest.raises(standin.WouldBlock):
        qt.QInputDialog.getText(None, "New class", "Name:")
    standin.answer("tumour", None, "B", None)
    assert qt.QInputDialog.getText(None, "New class", "Name:", qt.QLineEdit.Normal, "x") == "tumour"
    assert qt.QInputDialog.getText(None, "New class", "Name:") == ""  # given up: there is no `ok`
    assert qt.QInputDialog.getItem(None, "Class", "Class:", ["A", "B"], 0, False) == "B"
    assert qt.QFileDialog.getSaveFileName(qt.QWidget(), "Save", "/tmp", "Models (*.json)") == ""
    for wrong in ((None, "New class"), ("New class", "Name:", ""), (None, "New class", 5)):
        with pytest.raises(ValueError, match="matching overload"):
            qt.QInputDialog.getText(*wrong)
    with pytest.raises(ValueError, match="matching overload"):
        qt.QFileDialog.getExistingDirectory("Folder")


def test_empty_and_destroyed_objects_are_false() -> None:
    import qt

    widget = qt.QWidget()
    layout = qt.QVBoxLayout(widget)
    assert not layout  # PythonQt: isEmpty
    layout.addWidget(qt.QLabel("a"))
    assert layout
    assert widget
    assert not qt.QPoint(0, 0)
    assert not qt.QIcon()
    label = qt.QLabel("a")
    label.delete()
    assert not label
