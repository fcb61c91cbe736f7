"""The method ``models``: what is in the folders of model packages, without reading weights."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files
from SegClassifyLib.package.format import PackageDescription
from SegClassifyLib.package.library import PackageInfo, list_packages, look, model_folders, models_folder
from SegClassifyLib.package.store import read_description
from SegClassifyLib.worker.label_infos import label_infos
from SegClassifyLib.worker.protocol import ChannelInfo, ModelInfo

_SUMMARY_ENDS = re.compile(r"^## (?!What it does)", re.MULTILINE)
_LONGEST_SUMMARY = 1000


def list_models(folders: Iterable[str]) -> tuple[ModelInfo, ...]:
    """The models in some folders, see :class:`ModelsParams`; what cannot be read is listed with its problem."""
    places = [Path(f).expanduser() for f in folders] or list(model_folders())
    found: list[ModelInfo] = []
    for place in places:
        # Only a sound package stands for its copies in later folders.
        sound = {(model.name, model.version) for model in found if not model.problem}
        found += [model for model in _in_folder(place) if (model.name, model.version) not in sound]
    return tuple(found)


def model_info(folder: Path) -> ModelInfo:
    """One package."""
    return _info(look(folder))


def _in_folder(place: Path) -> list[ModelInfo]:
    if not place.is_dir():
        return []
    try:
        return [_info(package) for package in list_packages(place)]
    except ModelPackageError as error:
        return [_info(PackageInfo(place.name, place, problem=str(error)))]


def _info(package: PackageInfo) -> ModelInfo:
    path, problem = package.path.absolute(), package.problem
    shipped = path.parent in model_folders() and path.parent != models_folder().absolute()
    try:
        listed = files.read_file_list(path)
        description = read_description(path, listed)
        summary = _summary(path, listed, description)
    except ModelPackageError as error:
        return ModelInfo(package.name, "", str(path), 0, (), (), (), "", "", problem or str(error), shipped)
    return ModelInfo(
        name=description.name,
        version=f"{description.provenance.created[:10]} {listed.digest[:8]}",
        path=str(path),
        ndim=description.network.ndim,
        channels=tuple(ChannelInfo(channel.name) for channel in description.preprocessing.channels),
        classes=description.classes,
        labels=label_infos(description.labels),
        summary=summary,
        balanced_accuracy=_balanced_accuracy(description),
        problem=problem,
        shipped=shipped,
    )


def _summary(folder: Path, listed: files.FileList, description: PackageDescription) -> str:
    """The card up to its second section, or the description where there is no card."""
    entry = listed.files.get(files.CARD)
    if entry is None:
        return description.description.strip()
    card = files.read_text(files.verify_file(folder, files.CARD, entry))
    lines = _SUMMARY_ENDS.split(card, maxsplit=1)[0].splitlines()
    text = "\n".join(re.sub(r"[*`]", "", line) for line in lines if not line.startswith("#")).strip()
    text = re.sub(r"\n{3,}", "\n\n", text)
    return text if len(text) <= _LONGEST_SUMMARY else text[:_LONGEST_SUMMARY].rsplit(" ", 1)[0] + " …"


def _balanced_accuracy(description: PackageDescription) -> str:
    score = next((s for s in description.provenance.scores if s.metric == "balanced accuracy"), None)
    if score is None:
        return ""
    if score.low is None or score.high is None:
        return f"{100 * score.value:.0f} %"
    return f"{100 * score.value:.0f} % (95 % interval {100 * score.low:.0f} to {100 * score.high:.0f} %)"
