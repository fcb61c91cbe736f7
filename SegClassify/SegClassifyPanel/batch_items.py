"""What a batch goes through: the volumes of the scene, or the image files of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import slicer

from SegClassifyPanel.case_groups import grouped

ENDINGS = (
    ".nii.gz",
    ".nii",
    ".nrrd",
    ".nhdr",
    ".mha",
    ".mhd",
    ".png",
    ".jpg",
    ".jpeg",
    ".tif",
    ".tiff",
    ".bmp",
)
"""Of image files; a subfolder is taken for a case: a DICOM series, or its channels as files."""


@dataclass(frozen=True)
class BatchItem:
    """One case.

    Args:
        name: for the table.
        volumes: node IDs, one a channel; empty when the case lies in files.
        files: paths, one a channel.
    """

    name: str
    volumes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def scene_items(channels: Sequence[str]) -> list[BatchItem]:
    """The cases among the volumes of the scene, in its order.

    Args:
        channels: names of the model's channels; images of several channels are put together by their names.
    """
    nodes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _is_image(node)]
    cases = grouped([node.GetName() for node in nodes], channels)
    return [
        BatchItem(name, volumes=tuple(nodes[i].GetID() for i in picked)) for name, picked in cases.items()
    ]


def _is_image(node: slicer.vtkMRMLScalarVolumeNode) -> bool:
    label_map = node.IsA("vtkMRMLLabelMapVolumeNode")
    return node.GetImageData() is not None and not label_map and not node.GetHideFromEditors()


def folder_items(folder: str | Path, channels: Sequence[str]) -> list[BatchItem]:
    """The cases in a folder, by name: image files, and subfolders that hold a DICOM series or a case's channels.

    Raises:
        OSError: the folder cannot be read.
    """
    entries = sorted(p for p in Path(folder).iterdir() if not p.name.startswith("."))
    files = [p for p in entries if p.is_file() and _stem(p) is not None]
    cases = grouped([str(_stem(p)) for p in files], channels)
    items = [BatchItem(name, files=tuple(str(files[i]) for i in picked)) for name, picked in cases.items()]
    for case in (p for p in entries if p.is_dir()):
        picked = _case_in(case, channels)
        if picked:
            items.append(BatchItem(case.name, files=picked))
    return sorted(items, key=lambda item: item.name.lower())


def _case_in(folder: Path, channels: Sequence[str]) -> tuple[str, ...]:
    """The files of one case in its own folder; for one channel the folder itself, if it may be a DICOM series."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    images = [p for p in files if _stem(p) is not None]
    if len(channels) == 1:
        if len(images) == 1:
            return (str(images[0]),)
        return (str(folder),) if files and not images else ()
    for picked in grouped([f"{_stem(p)}" for p in images], channels).values():
        return tuple(str(images[i]) for i in picked)
    return ()


def _stem(path: Path) -> str | None:
    """A file's name without its ending; ``None`` if it is no image."""
    ending = next((e for e in ENDINGS if path.name.lower().endswith(e)), None)
    return path.name[: -len(ending)] if ending else None
