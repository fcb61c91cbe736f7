"""Several versions of one model beside each other in a folder of models."""

from __future__ import annotations

import shutil
from pathlib import Path

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package.files import read_file_list
from SegClassifyLib.package.library import folder_name, models_folder
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import save_package


def save_version(model: Model, folder: Path | str | None = None) -> Path:
    """Write a model into a folder of models; earlier models of its name stay, and the same one is not written twice.

    Args:
        model: what to write.
        folder: of models; by default the user's.

    Returns:
        Its package: ``Tumour-type``, ``Tumour-type-2``, …

    Raises:
        ModelPackageError: it cannot be written there.
    """
    models = Path(folder).expanduser() if folder else models_folder()
    stem = folder_name(model.name)
    earlier: list[Path] = []
    target, number = models / stem, 1
    while target.exists():
        earlier.append(target)
        number += 1
        target = models / f"{stem}-{number}"
    written = save_package(model, target)
    same = next((path for path in earlier if _digest(path) == _digest(written)), None)
    if same is None:
        return written
    shutil.rmtree(written, ignore_errors=True)
    return same


def _digest(package: Path) -> str:
    """Of all its files; empty where it is none."""
    try:
        return read_file_list(package).digest
    except ModelPackageError:
        return ""
