"""Where model packages live on this computer: list, find and install them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from SegClassifyLib.atomic import Overwrite
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files
from SegClassifyLib.package.archive import unpacked
from SegClassifyLib.package.atomic import new_folder
from SegClassifyLib.package.files import FileList, read_file_list, verify_file
from SegClassifyLib.package.format import PackageDescription
from SegClassifyLib.package.store import read_description

ENVIRONMENT = "SEGCLASSIFY_MODELS"
_SHIPPED = Path(__file__).resolve().parents[2] / "Resources" / "Models"


@dataclass(frozen=True)
class PackageInfo:
    """A model package as a list shows it.

    Args:
        name: of the model; the folder's name where it cannot be read.
        path: its folder.
        description: first paragraph.
        classes: empty for a model that only segments.
        labels: names, without background.
        channels: names of the images it wants, in order.
        ndim: 2 or 3; 0 where it cannot be read.
        created: when it was trained, ISO 8601; tells versions of one name apart.
        problem: a sentence on why it cannot be used; empty when all is well as far as a quick look can tell.
    """

    name: str
    path: Path
    description: str = ""
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    ndim: int = 0
    problem: str = ""
    created: str = ""

    @property
    def ok(self) -> bool:
        """Whether a quick look found nothing wrong."""
        return not self.problem


def models_folder() -> Path:
    """The user's folder of model packages: ``SEGCLASSIFY_MODELS``, or the system's place for user data."""
    from platformdirs import user_data_path

    chosen = os.environ.get(ENVIRONMENT, "").strip()
    return Path(chosen).expanduser() if chosen else user_data_path("SegClassify", appauthor=False) / "models"


def model_folders() -> tuple[Path, ...]:
    """All folders with model packages that exist: the user's, then those shipped with the software."""
    return tuple(folder for folder in (models_folder(), _SHIPPED) if folder.is_dir())


def list_packages(folder: Path | str | None = None) -> list[PackageInfo]:
    """The model packages in a folder, or in all of :func:`model_folders`; weights are not read.

    They come by name, and of one name the newest first.

    Damaged packages are listed too, with what is wrong with them.

    Raises:
        ModelPackageError: the folder cannot be read.
    """
    folders = model_folders() if folder is None else (Path(folder).expanduser(),)
    found: list[PackageInfo] = []
    for place in folders:
        try:
            entries = sorted(place.iterdir())
        except OSError as error:
            raise ModelPackageError(
                f"The models folder {place} cannot be read ({error.strerror}): choose another one."
            ) from error
        found += [look(e) for e in entries if e.is_dir() and not e.name.startswith(".") and _resembles(e)]
    newest_first = sorted(found, key=lambda info: (info.created, info.path.stat().st_mtime_ns), reverse=True)
    return sorted(newest_first, key=lambda info: info.name.casefold())


def look(folder: Path) -> PackageInfo:
    """A quick look at one package: its description verified, of its other files only presence and size."""
    try:
        listed = read_file_list(folder)
        description = read_description(folder, listed)
    except ModelPackageError as error:
        return PackageInfo(folder.name, folder, problem=str(error))
    try:
        for name, entry in listed.files.items():
            verify_file(folder, name, entry, hashed=False)
    except ModelPackageError as error:
        return _info(folder, description, str(error))
    return _info(folder, description, "")


def find_package(name: str) -> Path:
    """The path of a model given by path (folder or .zip), by name, or by the name of its folder.

    Raises:
        ModelPackageError: there is none, or more than one of that name.
    """
    path = Path(name).expanduser()
    if path.exists():
        return path
    known = list_packages()
    wanted = name.casefold()
    matches = [i for i in known if wanted in (i.name.casefold(), i.path.name.casefold())]
    if len(matches) == 1:
        return matches[0].path
    if matches:
        places = ", ".join(str(i.path) for i in matches)
        raise ModelPackageError(
            f"{len(matches)} models are called {name!r}: give the path of one ({places})."
        )
    names = ", ".join(i.name for i in known) or "none"
    raise ModelPackageError(
        f"There is no model {name!r}: give a path, or one of the installed models ({names})."
    )


def install_package(
    source: Path | str, folder: Path | str | None = None, overwrite: Overwrite = "refuse"
) -> Path:
    """Verify a model package (folder or .zip) and copy it into a folder of models.

    Only files that the package lists are copied. One that is there already with the same content is left alone.

    Args:
        source: the package.
        folder: of models; by default :func:`models_folder`.
        overwrite: what to do with another package of the same name.

    Returns:
        Where it is now.

    Raises:
        ModelPackageError: the package is damaged or of a newer format, or cannot be copied there.
    """
    path = Path(source).expanduser()
    models = Path(folder).expanduser() if folder is not None else models_folder()
    if path.is_file():
        with unpacked(path) as unzipped:
            return _copy(unzipped, models, overwrite)
    return _copy(path, models, overwrite)


def folder_name(model_name: str) -> str:
    """A model's name as a folder name that every system takes."""
    name = re.sub(r"[^\w.-]+", "-", model_name, flags=re.ASCII).strip("-.")
    return name[:80] or "model"


def _copy(source: Path, models: Path, overwrite: Overwrite) -> Path:
    listed = read_file_list(source)
    description = read_description(source, listed)
    target = (models / folder_name(description.name)).absolute()
    if _same_content(target, listed):
        return target
    for name, entry in listed.files.items():
        verify_file(source, name, entry)
    with new_folder(target, overwrite, f"The model package {description.name!r}") as work:
        for name in (*listed.files, files.HASHES):
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, work / name)
        # Once more: a disk that fails silently, or a source that changed meanwhile.
        for name, entry in listed.files.items():
            verify_file(work, name, entry)
    return target


def _same_content(target: Path, listed: FileList) -> bool:
    try:
        if read_file_list(target).digest != listed.digest:
            return False
        for name, entry in listed.files.items():
            verify_file(target, name, entry)
    except ModelPackageError:  # nothing there, or something damaged: install over it, as asked
        return False
    return True


def _resembles(folder: Path) -> bool:
    return (folder / files.HASHES).exists() or (folder / files.DESCRIPTION).exists()


def _info(folder: Path, description: PackageDescription, problem: str) -> PackageInfo:
    return PackageInfo(
        name=description.name,
        path=folder,
        description=" ".join(description.description.strip().split("\n\n")[0].split()),
        classes=description.classes,
        labels=tuple(label.name for label in description.labels if label.value != 0),
        channels=tuple(channel.name for channel in description.preprocessing.channels),
        ndim=description.network.ndim,
        problem=problem,
        created=description.provenance.created,
    )
