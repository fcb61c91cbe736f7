"""The user's own choices, kept in Slicer's settings from one session to the next."""

from __future__ import annotations

import qt
import slicer

_GROUP = "SegClassify/"


class Settings:
    """Reads and writes below ``SegClassify/`` in QSettings; nothing that belongs to a scene."""

    @property
    def model(self) -> str:
        """Path of the model that was chosen last; empty for none."""
        return self._text("Model")

    @model.setter
    def model(self, path: str) -> None:
        self._set("Model", path)

    @property
    def device(self) -> str:
        """Name of the device that was chosen last, or "auto"."""
        return self._text("Device") or "auto"

    @device.setter
    def device(self, name: str) -> None:
        self._set("Device", name)

    @property
    def training_set(self) -> str:
        """Folder of the training set that was open last; empty for none."""
        return self._text("TrainingSet")

    @training_set.setter
    def training_set(self, path: str) -> None:
        self._set("TrainingSet", path)

    @property
    def browsed_folder(self) -> str:
        """Where a file dialog was left the last time."""
        return self._text("BrowsedFolder")

    @browsed_folder.setter
    def browsed_folder(self, path: str) -> None:
        self._set("BrowsedFolder", path)

    def expanded(self, section: str, default: bool) -> bool:
        """Whether a section of the panel was left open."""
        return slicer.util.settingsValue(
            _GROUP + "Expanded/" + section, default, converter=slicer.util.toBool
        )

    def set_expanded(self, section: str, expanded: bool) -> None:
        """Remember whether a section is open."""
        self._set("Expanded/" + section, bool(expanded))

    @staticmethod
    def _text(key: str) -> str:
        return str(slicer.util.settingsValue(_GROUP + key, "") or "")

    @staticmethod
    def _set(key: str, value: object) -> None:
        qt.QSettings().setValue(_GROUP + key, value)
