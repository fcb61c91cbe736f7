"""What is missing, the one question, who installs what, and that nothing else changes."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest
import standin
import tomllib
from packaging.requirements import Requirement
from panel_fakes import FakeLogic, add_volume, classify_result, model_info
from panel_stage import MODULE, stage

REPO = MODULE.parent
REQUIREMENTS = MODULE / "Resources" / "requirements.txt"


@dataclass
class FakeInstaller:
    """Notes what it was asked to do, and does it to the list of missing modules."""

    missing: set[str]
    extension: bool = True
    manager: bool = True
    testing: bool = False
    error: Exception | None = None
    steps: list[tuple[str, Any]] = field(default_factory=list)

    def allowed(self) -> bool:
        return not self.testing

    def has_torch_extension(self) -> bool:
        return self.extension

    def can_install_extensions(self) -> bool:
        return self.manager

    def install_torch_extension(self) -> None:
        self.steps.append(("extension", None))

    def install_torch(self, bound: str) -> None:
        self.steps.append(("torch", bound))
        self.missing.discard("torch")

    def pip_install(self, requirements: list[str]) -> None:
        self.steps.append(("pip", requirements))
        if self.error:
            raise self.error
        self.missing -= {"monai", "sklearn"}


def dependencies(*missing: str, **facts: Any) -> tuple[Any, FakeInstaller]:
    """Dependencies of which some are missing."""
    from SegClassifyPanel.dependencies import Dependencies

    installer = FakeInstaller(set(missing), **facts)
    return Dependencies(REQUIREMENTS, installer, lambda name: name not in installer.missing), installer  # type: ignore[arg-type]


def yes(asked: list[str]) -> Callable[[str], bool]:
    """Says yes to every question, and keeps it."""

    def answer(question: str) -> bool:
        asked.append(question)
        return True

    return answer


def test_the_list_is_what_the_worker_needs() -> None:
    from SegClassifyPanel.dependencies import DOWNLOADS, IMPORT_NAMES, read_requirements

    from SegClassifyLib.worker.hello import NEEDED

    packages = read_requirements(REQUIREMENTS)
    assert {p.name for p in packages} == set(NEEDED.values()) - {"SimpleITK"}
    assert {IMPORT_NAMES.get(p.name, p.name) for p in packages} == set(NEEDED) - {"SimpleITK"}
    assert {p.name for p in packages} == {*DOWNLOADS, "torch"}


def test_bounds_are_those_of_the_library() -> None:
    from SegClassifyPanel.dependencies import read_requirements

    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    library = {r.name: str(r.specifier) for r in map(Requirement, project["dependencies"])}
    assert {p.name: p.bound for p in read_requirements(REQUIREMENTS)}.items() <= library.items()


def test_nothing_is_missing_where_the_tests_run() -> None:
    from SegClassifyPanel.dependencies import Dependencies

    assert Dependencies(REQUIREMENTS).missing() == ()


def test_looking_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from SegClassifyPanel.dependencies import Dependencies

    (tmp_path / "never_imported.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "requirements.txt"
    file.write_text("# a comment\nnever_imported\nnot-there-at-all>=1\n", encoding="utf-8")
    assert [p.name for p in Dependencies(file).missing()] == ["not-there-at-all"]


def test_too_old_is_missing(tmp_path: Path) -> None:
    from SegClassifyPanel.dependencies import Dependencies

    file = tmp_path / "requirements.txt"
    file.write_text("numpy>=1000\nscipy>=1\n", encoding="utf-8")
    assert [p.name for p in Dependencies(file).missing()] == ["numpy"]


def test_the_question_lists_names_and_sizes() -> None:
    wanted, _installer = dependencies("torch", "monai", "sklearn")
    question = wanted.question(wanted.missing())
    for words in ("PyTorch: about 200 MB", "3 GB", "MONAI: about 3 MB", "scikit-learn: about 12 MB", "NumPy"):
        assert words in question
    assert "restart" not in question.lower()


def test_yes_installs_torch_by_its_extension_and_the_rest_by_pip() -> None:
    wanted, installer = dependencies("torch", "monai", "sklearn")
    asked: list[str] = []
    outcome = wanted.ensure(yes(asked))
    assert outcome.complete
    assert len(asked) == 1
    assert installer.steps == [("torch", ">=2.4"), ("pip", ["monai>=1.5", "scikit-learn>=1.6"])]


def test_no_installs_nothing() -> None:
    wanted, installer = dependencies("torch", "monai")
    outcome = wanted.ensure(lambda _question: False)
    assert (outcome.complete, outcome.message, installer.steps) == (False, "", [])


def test_without_the_extension_it_is_offered_in_the_same_question() -> None:
    wanted, installer = dependencies("torch", "monai", extension=False)
    asked: list[str] = []
    outcome = wanted.ensure(yes(asked))
    assert len(asked) == 1
    assert "extension PyTorch" in asked[0]
    assert "restarted" in asked[0]
    assert installer.steps == [("pip", ["monai>=1.5"]), ("extension", None)]
    assert outcome.restart
    assert not outcome.complete


def test_without_an_extensions_manager_the_user_is_told_where_to_go() -> None:
    wanted, installer = dependencies("torch", extension=False, manager=False)
    outcome = wanted.ensure(lambda _question: pytest.fail("asked"))
    assert "Extensions Manager" in outcome.message
    assert installer.steps == []


def test_the_extension_is_not_asked_for_when_torch_is_there() -> None:
    wanted, installer = dependencies("monai", extension=False, manager=False)
    assert wanted.ensure(lambda question: "extension" not in question).complete
    assert installer.steps == [("pip", ["monai>=1.5"])]


def test_a_failure_is_a_sentence() -> None:
    wanted, _installer = dependencies("monai", error=CalledProcessError(1, "pip"))
    outcome = wanted.ensure(lambda _question: True)
    assert not outcome.complete
    assert "check the connection" in outcome.message


def test_what_is_still_missing_afterwards_is_named() -> None:
    wanted, _installer = dependencies("einops")
    assert "Still missing after the installation: einops" in wanted.ensure(lambda _question: True).message


def test_nothing_is_installed_while_slicer_is_tested() -> None:
    wanted, installer = dependencies("torch", testing=True)
    assert "--testing" in wanted.ensure(lambda _question: True).message
    assert installer.steps == []


def test_what_slicer_brought_is_held_fast() -> None:
    import numpy
    import SimpleITK
    from SegClassifyPanel.installer import constraint_lines

    lines = constraint_lines(except_for=["Torch"])
    assert f"numpy=={numpy.__version__}" in lines
    assert any(line.lower().startswith("simpleitk==") for line in lines)
    assert SimpleITK.__name__ == "SimpleITK"
    assert not any(line.startswith("torch==") for line in lines)


class Recorder(types.ModuleType):
    """Takes the place of a module with which packages are installed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[Any, dict[str, Any], str]] = []

    def note(self, requirements: Any, **more: Any) -> None:
        """Keep the arguments, and the constraints while the file is there."""
        path = more.get("constraints") or requirements[-1]
        self.calls.append((requirements, more, Path(path).read_text(encoding="utf-8")))


def test_slicer_5_12_gets_pip_ensure(monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer
    from SegClassifyPanel.installer import Installer

    packaging = Recorder("slicer.packaging")
    packaging.pip_ensure = packaging.note  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    monkeypatch.setattr(slicer, "packaging", packaging, raising=False)
    Installer().pip_install(["monai>=1.5"])
    requirements, more, constraints = packaging.calls[0]
    assert requirements == ["monai>=1.5"]
    assert (more["prompt_install"], more["requester"]) == (False, "SegClassify")
    assert "numpy==" in constraints


def test_slicer_5_10_gets_pip_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer
    from SegClassifyPanel import installer

    old = Recorder("old")
    monkeypatch.setattr(installer, "_slicer_packaging", lambda: None)
    monkeypatch.setattr(slicer.util, "pip_install", old.note)
    installer.Installer().pip_install(["monai>=1.5", "einops>=0.7"])
    requirements, _more, constraints = old.calls[0]
    assert requirements[:3] == ["monai>=1.5", "einops>=0.7", "-c"]
    assert "numpy==" in constraints


@pytest.fixture
def torch_extension(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The PyTorch extension, which notes how it was called and what pip would have heeded."""
    calls: list[dict[str, Any]] = []

    class PyTorchUtilsLogic:
        def installTorch(self, **arguments: Any) -> object:  # noqa: N802
            constraints = Path(os.environ["PIP_CONSTRAINT"].removeprefix("file://")).read_text(
                encoding="utf-8"
            )
            calls.append({**arguments, "constraints": constraints})
            return object()

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = PyTorchUtilsLogic  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    yield calls


def test_torch_comes_from_its_extension(torch_extension: list[dict[str, Any]]) -> None:
    from SegClassifyPanel.installer import Installer

    assert Installer().has_torch_extension()
    Installer().install_torch(">=2.4")
    call = torch_extension[0]
    assert (call["askConfirmation"], call["torchVersionRequirement"]) == (False, ">=2.4")
    assert "numpy==" in call["constraints"]
    assert "torch==" not in call["constraints"]
    assert "PIP_CONSTRAINT" not in os.environ


def test_without_the_extension_that_is_known() -> None:
    from SegClassifyPanel.installer import Installer

    assert not Installer().has_torch_extension()
    assert not Installer().can_install_extensions()


def test_declining_leaves_results_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer

    wanted, installer = dependencies("torch", "monai")
    logic = FakeLogic((model_info(),))
    with stage(logic, wanted) as shown:
        shown.settle()
        assert shown.ui.setupFrame.visible is True
        assert "PyTorch, MONAI" in shown.ui.setupLabel.text
        assert logic.calls == []
        assert shown.ui.classifyButton.toolTip.startswith("Install what is missing first")
        monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_texts: False)
        shown.ui.setupButton.click()
        assert installer.steps == []
        volume = add_volume("alpha_T1c")
        job = logic.start_classify(
            [volume],
            "m",
            on_phase=print,
            on_done=lambda _outcome: None,
            on_failed=print,
            on_cancelled=print,
        )
        job.done(classify_result(("no", "yes"), (0.4, 0.6)))
        shown.settle()
        assert shown.result_ui.winnerLabel.text == "yes"
        shown.result_ui.opacitySlider.value = 0.1
        assert shown.tab.result.view.node.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.1)


def test_after_the_install_models_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer

    wanted, _installer = dependencies("torch", "monai")
    logic = FakeLogic((model_info(),))
    with stage(logic, wanted) as shown:
        monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_texts: True)
        shown.ui.setupButton.click()
        shown.settle()
        assert shown.ui.setupFrame.visible is False
        assert shown.ui.modelSelector.currentText == "Brain tumour type"
        assert shown.ui.addButton.enabled is True
        assert logic.worker.stops == 1


def test_opening_slicer_installs_and_imports_nothing() -> None:
    standin.load_module(MODULE, show=False)
    before = {name for name in sys.modules if name.split(".")[0] in ("torch", "monai", "sklearn")}
    assert standin.record.installs == []
    standin.unload_module("SegClassify")
    assert {name for name in sys.modules if name.split(".")[0] in ("torch", "monai", "sklearn")} == before
