"""The page Train: the training set that is open, and its sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import qt
import slicer
from slicer.i18n import tr as _

from SegClassifyPanel.add_section import AddSection
from SegClassifyPanel.case_view import CaseView
from SegClassifyPanel.cases_section import CasesSection
from SegClassifyPanel.edit_case import CaseEdit
from SegClassifyPanel.guide_section import GuideSection
from SegClassifyPanel.icons import show_icon
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.scene_watch import SceneWatch
from SegClassifyPanel.set_job import SetListener
from SegClassifyPanel.set_reader import SetReader
from SegClassifyPanel.set_section import SetSection
from SegClassifyPanel.settings import Settings
from SegClassifyPanel.train_host import TrainSection
from SegClassifyPanel.training_sections import make_sections

make_importable()

from SegClassifyLib.worker.set_messages import CloseSetParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyLib.worker.model_messages import ModelInfo
    from SegClassifyLib.worker.params import Params
    from SegClassifyLib.worker.set_messages import SetInfo
    from SegClassifyPanel.classify_tab import ClassifyTab
    from SegClassifyPanel.set_page import PanelSets

SECTIONS = {
    "setSection": True,
    "casesSection": True,
    "addSection": False,
    "guideSection": True,
    "segmenterSection": False,
    "classifierSection": False,
    "trainingResultSection": False,
    "nextSection": False,
}
"""Collapsible sections, and whether they are open the first time."""

TRAINING_SECTIONS = ("segmenterSection", "classifierSection", "trainingResultSection", "nextSection")

A = TypeVar("A")


class TrainTab:
    """Made once for a panel; a :class:`SegClassifyPanel.set_page.SetPage` for its sections.

    Args:
        logic: does the work.
        resources: the module's folder Resources.
        settings: the user's own choices.
        classify: the page Classify, whose models, device and images are used here.
    """

    def __init__(self, logic: Any, resources: Path, settings: Settings, classify: ClassifyTab) -> None:
        self._settings, self._classify = settings, classify
        self._sets: PanelSets = logic.sets
        self._info: SetInfo | None = None
        self._alive = True
        self.widget = slicer.util.loadUI(str(resources / "UI" / "TrainTab.ui"))
        self.ui = ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        show_icon(ui.trainMessageIcon, qt.QStyle.SP_MessageBoxWarning)
        self.say("")
        self.edit = CaseEdit(ui, self)
        self.view = CaseView(self)
        self.set = SetSection(resources, ui.setSection.layout(), self)
        self.cases = CasesSection(resources, ui.casesSection.layout(), self)
        self.add = AddSection(resources, ui.addSection.layout(), self)
        self.guide = GuideSection(resources, ui.guideSection.layout(), self)
        own: list[TrainSection] = [self.set, self.cases, self.add, self.guide]
        layouts = {name: getattr(ui, name).layout() for name in TRAINING_SECTIONS}
        self._trainings = make_sections(resources, layouts, logic, self)
        self.sections = [*own, *self._trainings]
        self.reader = SetReader(self)
        self._watch = SceneWatch(self._nodes_changed, self._nodes_changed, self._scene_closing)
        self._restore_sections()

    @property
    def info(self) -> SetInfo | None:
        """The training set that is open."""
        return self._info

    @property
    def sets(self) -> PanelSets:
        """What keeps training sets."""
        return self._sets

    @property
    def device(self) -> str:
        """The device that is chosen on the page Classify."""
        return self._classify.device

    @property
    def chosen_model(self) -> ModelInfo | None:
        """The model that is chosen on the page Classify, if it can be used."""
        return self._classify.usable_model

    @property
    def chosen_volumes(self) -> list[Any]:
        """The volume nodes that are chosen on the page Classify."""
        return self._classify.inputs.nodes()

    @property
    def browsed_folder(self) -> str:
        """Where a file dialog was left the last time."""
        return self._settings.browsed_folder or str(Path.home())

    @browsed_folder.setter
    def browsed_folder(self, path: str) -> None:
        self._settings.browsed_folder = path

    @property
    def install_need(self) -> str:
        """What has to be installed first."""
        if self._classify.setup.complete:
            return ""
        return _("Install what is missing first, on the page Classify.")

    @property
    def edit_need(self) -> str:
        """What has to be done before another segmentation can be edited."""
        if not self.edit.case:
            return ""
        return _("Save or discard the correction of “{case}” first, at the top of this page.").format(
            case=self.edit.case
        )

    def enter(self) -> None:
        """The page is seen again: look at the folder; the first time open the set that was open the last time."""
        self.reader.enter()
        last = self._settings.training_set
        if self._info is None and last and not self.install_need and Path(last).is_dir():
            self.set.open(last)
        self.add.nodes_changed()
        self.update()

    def exit(self) -> None:
        """The page is not seen any more."""
        self.reader.leave()

    def cleanup(self) -> None:
        """Stop clocks and observers; the logic is stopped by whoever made it."""
        self._alive = False
        self.reader.leave()
        self._watch.close()
        self.edit.close()
        self.view.close()
        for section in self.sections:
            section.close()

    def open_case(self, name: str) -> None:
        """Show a case of the set in the scene."""
        self.view.show(name)

    def edit_case(self, name: str) -> None:
        """Load a case and edit its segmentation."""
        self.view.show(name, self.edit.begin)

    def open_files(self, paths: Sequence[str], name: str, group: str) -> None:
        """Load images outside the set, and fill the form that adds a case with them."""
        self.view.load(paths, name, lambda volumes: self._form_with(volumes, name, group))

    def add_result(self, node_id: str) -> None:
        """Fill the form that adds a case with a result of the page Classify."""
        self.add.use_result(node_id)
        self._show_section("addSection" if self._info is not None else "setSection")
        if self._info is None:
            self.say(_("Open a training set first, or make one: then the case is filled in below."))

    def select_cases(self, names: Sequence[str]) -> None:
        """Select these in the table."""
        self._show_section("casesSection")
        self.cases.select(names)

    def give_class(self, names: Sequence[str]) -> None:
        """Select cases, and let the user type their class."""
        self.select_cases(names)
        self.cases.editor.focus_class()

    def begin_case(self) -> None:
        """Show the form that adds a case."""
        self._show_section("addSection")
        self.add.focus()

    def ask(self, params: Params[Any], said: str = "", failed: str = "") -> None:
        """Change the set, and say what became of it."""

        def done(changed: Any) -> None:
            self.take(changed.set)
            self.say("\n".join([said, *changed.notes]).strip())

        def not_done(sentence: str) -> None:
            self.say(f"{failed} {sentence}".strip(), True)
            self.reload()

        self.request(params, done, not_done)

    def request(self, params: Params[A], done: Callable[[A], None], failed: Callable[[str], None]) -> None:
        """Ask the worker; nobody is told any more once the page has gone."""

        def alive(call: Callable[..., None]) -> Callable[..., None]:
            return lambda *values: call(*values) if self._alive else None

        cancelled = alive(lambda: failed(_("Cancelled.")))
        self._sets.start(params, SetListener(alive(done), alive(failed), cancelled))

    def take(self, info: SetInfo | None) -> None:
        """The set is like this now."""
        if not self._alive:
            return
        before, self._info = self._info, info
        if before is not None and (info is None or info.folder != before.folder):
            self._sets.start(CloseSetParams(before.folder), SetListener())
        if info is not None:
            self._settings.training_set = info.folder
        self.reader.taken()
        for section in self.sections:
            section.set_changed(info)
        self.edit.update()

    def reload(self) -> None:
        """Ask for the set now."""
        self.reader.open_again(lambda _info: None)

    def reload_then(self, done: Callable[[SetInfo | None], None]) -> None:
        """Ask for the set now, and tell what it is."""
        self.reader.open_again(done)

    def say(self, sentence: str, error: bool = False) -> None:
        """The line of messages."""
        self.ui.trainMessage.text = sentence
        self.ui.trainMessageIcon.visible = error
        self.ui.trainMessageFrame.visible = bool(sentence)

    def models(self) -> tuple[ModelInfo, ...]:
        """As the page Classify lists them."""
        return self._classify.models.all

    def use_model(self, path: str) -> None:
        """List the models again, and choose this one."""
        self._classify.models.use(path)

    def models_changed(self) -> None:
        """The page Classify lists other models."""
        for section in self._trainings:
            section.set_changed(self._info)

    def update(self) -> None:
        """Enable what can be used now."""
        self.set.update()
        self.cases.update()
        self.add.update()
        self.guide.update()
        self.edit.update()

    def _form_with(self, volumes: Sequence[Any], name: str, group: str) -> None:
        self._show_section("addSection")
        self.add.use_volumes(volumes, name, group)

    def _nodes_changed(self) -> None:
        self.add.nodes_changed()
        self.edit.update()

    def _scene_closing(self) -> None:
        self.view.cancel()

    def _show_section(self, name: str) -> None:
        getattr(self.ui, name).collapsed = False

    def _restore_sections(self) -> None:
        for name, open_at_first in SECTIONS.items():
            section = getattr(self.ui, name)
            section.collapsed = not self._settings.expanded(name, open_at_first)
            section.connect("contentsCollapsed(bool)", self._remember(name))

    def _remember(self, name: str) -> Any:
        return lambda collapsed: self._settings.set_expanded(name, not collapsed)
