"""The form that makes an empty training set, filled in from the model and the images that are chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from SegClassifyPanel.channel_names import kind_of
from SegClassifyPanel.inputs_section import scene_volumes
from SegClassifyPanel.lib_path import make_importable
from SegClassifyPanel.texts import show_text

make_importable()

from SegClassifyLib.worker.set_messages import CreateSetParams  # noqa: E402

if TYPE_CHECKING:
    from SegClassifyPanel.set_page import SetPage

KINDS = {
    "t1": "T1",
    "t1c": "T1c",
    "t2": "T2",
    "flair": "FLAIR",
    "ct": "CT",
    "us": "ultrasound",
    "pet": "PET",
    "adc": "ADC",
}
"""What to call an image whose name tells its kind."""


class NewSetForm:
    """Part of the section Training set.

    Args:
        ui: the widgets of SetSection.ui.
        page: the page it is on.
        create: called with what to make.
    """

    def __init__(self, ui: SimpleNamespace, page: SetPage, create: Callable[[CreateSetParams], None]) -> None:
        self._ui, self._page, self._create = ui, page, create
        self._folder = ""
        ui.createSetButton.connect("clicked()", self._on_create)
        ui.cancelNewButton.connect("clicked()", self._on_cancel)
        for edit in (ui.newNameEdit, ui.newChannelsEdit, ui.newLabelsEdit, ui.newClassesEdit):
            edit.connect("textChanged(QString)", self._on_text)

    def prefill(self) -> None:
        """Fill fields that are empty: from the chosen model, or from the chosen images."""
        ui, model = self._ui, self._page.chosen_model
        if model is not None:
            wanted = [
                (ui.newChannelsEdit, [channel.name for channel in model.channels]),
                (ui.newLabelsEdit, [label.name for label in model.labels]),
                (ui.newClassesEdit, list(model.classes)),
            ]
        else:
            volumes = scene_volumes()[:1]
            wanted = [(ui.newChannelsEdit, [KINDS.get(kind_of(v.GetName()), "image") for v in volumes])]
        for edit, names in wanted:
            if not edit.text.strip():
                edit.text = ", ".join(names)

    def update(self, folder: str, busy: bool) -> None:
        """Show what is missing.

        Args:
            folder: where the set is wanted.
            busy: it is being made.
        """
        self._folder = folder
        needs = self.needs()
        ui = self._ui
        show_text(ui.newSetNeeds, "\n".join(needs))
        ui.createSetButton.enabled = not needs and not busy
        ui.createSetButton.toolTip = "\n".join(needs) or _("Make the training set in {folder}.").format(
            folder=folder
        )

    def needs(self) -> list[str]:
        """What has to be filled in first."""
        found = []
        if not self._folder:
            found.append(_("Choose a folder above, or write where a new one is to be made."))
        elif not Path(self._folder).is_absolute():
            found.append(_("Write the whole path of the folder."))
        elif (Path(self._folder) / "dataset.json").is_file():
            found.append(_("There is a training set in this folder already: choose another folder."))
        channels = names_in(self._ui.newChannelsEdit.text)
        labels = names_in(self._ui.newLabelsEdit.text)
        classes = names_in(self._ui.newClassesEdit.text)
        if not channels:
            found.append(_("Say which images a case has, at least one."))
        if not labels:
            found.append(_("Say what is drawn in the images, at least one label."))
        for names in (channels, labels, classes):
            twice = _twice(names)
            if twice:
                found.append(_("“{name}” is there twice: take one away.").format(name=twice))
        return found

    def _on_text(self, *_text: Any) -> None:
        self.update(self._folder, False)

    def _on_create(self) -> None:
        if self.needs():
            return
        ui = self._ui
        self._create(
            CreateSetParams(
                self._folder,
                ui.newNameEdit.text.strip(),
                names_in(ui.newChannelsEdit.text),
                names_in(ui.newLabelsEdit.text),
                names_in(ui.newClassesEdit.text),
            )
        )

    def _on_cancel(self) -> None:
        self._ui.newSetButton.checked = False


def names_in(text: str) -> tuple[str, ...]:
    """Names that are separated by commas or semicolons."""
    return tuple(name for name in (part.strip() for part in re.split(r"[,;\n]", text)) if name)


def _twice(names: Sequence[str]) -> str:
    folded = [name.casefold() for name in names]
    return next((name for name in names if folded.count(name.casefold()) > 1), "")
