"""A scripted module is loaded, shown, clicked, reloaded, tested and unloaded as in Slicer."""

import logging
import sys
from pathlib import Path

import pytest
import standin

HERE = Path(__file__).parent
UI = HERE / "modules" / "Hello" / "Resources" / "UI" / "Hello.ui"


def test_panel_is_shown_and_clicked(hello) -> None:
    import slicer

    assert hello.events == ["enter"]
    assert hello.ui.applyButton.visible
    hello.ui.applyButton.click()
    assert hello.events == ["enter", "apply"]
    assert hello.parameters.count == 1
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "v")
    assert hello.ui.inputSelector.currentNode() is node
    assert hello.parameters.inputVolume is node


def test_names_around_the_module(hello) -> None:
    import slicer

    assert slicer.modules.hello.title == "Hello"
    assert slicer.util.modulePath("Hello").endswith("Hello.py")
    assert slicer.modules.HelloWidget is hello
    assert slicer.util.getModuleWidget("Hello") is hello
    assert slicer.util.selectedModule() == "Hello"
    assert "Hello" in slicer.util.moduleNames()
    assert slicer.util.mainWindow().name == "qSlicerMainWindow"
    assert hello.resourcePath("UI/Hello.ui") == str(UI)
    with pytest.raises(AttributeError, match="creating new attributes"):
        slicer.modules.hello.colour = "red"


def test_scene_close_while_shown(hello) -> None:
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "v")
    slicer.mrmlScene.Clear()
    assert hello.events[-1] == "close"
    hello.bind()
    assert hello.parameters.inputVolume is None


def test_reload_cleans_up_and_builds_anew(hello) -> None:
    import slicer

    old_button = hello.ui.applyButton
    slicer.util.reloadScriptedModule("Hello")
    standin.spin()
    new = slicer.modules.HelloWidget
    assert new is not hello
    assert hello.events[-1] == "cleanup"
    assert new.ui.applyButton.visible
    assert not old_button.visible
    slicer.mrmlScene.Clear()
    assert hello.events[-1] == "cleanup"  # no observer is left
    assert new.events == ["close"]


def test_unload_cleans_up(hello) -> None:
    import slicer

    standin.unload_module("Hello")
    assert hello.events[-1] == "cleanup"
    assert not hasattr(slicer.modules, "hello")
    slicer.mrmlScene.Clear()
    assert hello.events[-1] == "cleanup"


def test_own_test_class_runs(hello, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert standin.run_tests("Hello") == 1
    assert "Test passed" in caplog.text


def test_failing_test_fails(hello) -> None:
    kind = sys.modules["Hello"].HelloTest
    kind.test_wrong = lambda self: self.assertEqual(1, 2)
    with pytest.raises(AssertionError, match="1 != 2"):
        standin.run_tests("Hello")


def test_command_line(
    hello, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from standin.__main__ import main

    standin.unload_module("Hello")
    picture = tmp_path / "hello.png"
    arguments = ["standin", str(HERE / "modules" / "Hello"), "--test", "--screenshot", str(picture)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 0
    assert "1 passed, 0 failed" in capsys.readouterr().out
    assert picture.stat().st_size > 1000


def test_modules_named_test_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "SelfTest.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="ends in Test"):
        standin.load_module(tmp_path / "SelfTest.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('class="QPushButton"', 'class="ctkNoSuchButton"', "not known to have the class"),
        ('name="addEnabled"', 'name="addAllowed"', "no property addAllowed"),
        ("Qt::Vertical", "Qt::Orientation::Vertical", "Qt 5 does not read"),
        ("<signal>mrmlSceneChanged(vtkMRMLScene*)", "<signal>sceneChanged(vtkMRMLScene*)", "no signal"),
        ("<slot>setMRMLScene(vtkMRMLScene*)", "<slot>setScene(vtkMRMLScene*)", "no slot"),
        ("<receiver>inputSelector", "<receiver>selector", "not there"),
    ],
)
def test_ui_files_are_checked(tmp_path: Path, old: str, new: str, message: str) -> None:
    import slicer

    text = UI.read_text(encoding="utf-8")
    if old == "Qt::Vertical":  # the spacer is no widget: put the enum on one
        text = text.replace(
            '<widget class="QPushButton" name="applyButton">',
            '<widget class="QSlider" name="s2"><property name="orientation"><enum>Qt::Vertical</enum>'
            '</property></widget></item><item><widget class="QPushButton" name="applyButton">',
        )
    changed = text.replace(old, new)
    assert changed != text
    path = tmp_path / "Changed.ui"
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        slicer.util.loadUI(str(path))


def test_messages_and_installs_are_kept() -> None:
    import slicer

    slicer.util.errorDisplay("It went wrong.")
    assert slicer.util.confirmOkCancelDisplay("Go on?") is False  # as with --testing
    standin.answer(True)
    assert slicer.util.confirmYesNoDisplay("Install?") is True
    slicer.util.pip_install("something")
    slicer.packaging.pip_ensure(["numpy", "no-such-package-here>=1"], requester="Hello")
    assert [kind for kind, _ in standin.record.messages] == [
        "errorDisplay",
        "confirmOkCancelDisplay",
        "confirmYesNoDisplay",
    ]
    assert standin.record.installs == [
        ("pip_install", "something"),
        ("pip_ensure", ["no-such-package-here>=1"]),
    ]


def test_texts_stay_as_they_are() -> None:
    from slicer.i18n import tr, translate

    assert tr("Hello {name}") == "Hello {name}"
    assert translate("Context", "Hello") == "Hello"
    with pytest.raises(ValueError, match="string"):
        tr(5)


def test_settings_and_folders_are_the_run_s_own() -> None:
    import qt
    import slicer

    home = Path.home()
    for path in (slicer.app.temporaryPath, slicer.app.slicerHome, slicer.app.slicerUserSettingsFilePath):
        assert home not in Path(path).parents
    qt.QSettings().setValue("standin/list", ["a", "b"])
    assert slicer.util.settingsValue("standin/list", []) == ("a", "b")
    assert not Path(qt.QSettings().fileName()).is_relative_to(home)
    assert Path(slicer.util.tempDirectory()).is_dir()


def test_failing_unit_test_ends_the_run(tmp_path: Path) -> None:
    import slicer.testing

    (tmp_path / "test_of_standin_good.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n",
        encoding="utf-8",
    )
    (tmp_path / "test_of_standin_bad.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.fail()\n",
        encoding="utf-8",
    )
    slicer.testing.runUnitTest([str(tmp_path)], "test_of_standin_good")
    with pytest.raises(Exception):  # noqa: B017  a bare Exception is what Slicer raises
        slicer.testing.runUnitTest([str(tmp_path)], "test_of_standin_bad")
