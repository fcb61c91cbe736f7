"""The methods ``add_model`` and ``remove_model``."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from SegClassifyLib.atomic import LEAVING
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files
from SegClassifyLib.package.archive import unpacked
from SegClassifyLib.package.library import folder_name, install_package, list_packages, models_folder
from SegClassifyLib.package.store import read_description
from SegClassifyLib.worker.model_list import model_info
from SegClassifyLib.worker.protocol import ModelInfo


def add_model(path: str, folder: str) -> ModelInfo:
    """Verify a package and copy it, see :class:`AddModelParams`.

    Raises:
        ModelPackageError: it is no sound package, one of that name is there already, or it cannot be copied.
    """
    models = Path(folder).expanduser() if folder else models_folder()
    with _as_folder(Path(path).expanduser()) as source:
        name = read_description(source).name
        _refuse_twin(name, models)
        installed = install_package(source, models)
    return model_info(installed)


def remove_model(path: str, folder: str) -> None:
    """Delete a package that lies right in ``folder``, see :class:`RemoveModelParams`.

    Raises:
        ModelPackageError: it lies elsewhere, is no model package, or cannot be deleted.
    """
    models = (Path(folder).expanduser() if folder else models_folder()).resolve()
    package = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - resolve() would follow a link
    if package.is_symlink() or package.resolve().parent != models:
        raise ModelPackageError(
            f"{package} does not lie in the folder of models {models}: delete it yourself if you mean to."
        )
    if not any((package / name).is_file() for name in (files.HASHES, files.DESCRIPTION)):
        raise ModelPackageError(f"{package} is not a model package: delete it yourself if you mean to.")
    with disk_errors(package, ModelPackageError):
        # Under another name first: whatever happens then, no half of a model is left in the list.
        leaving = package.with_name(f"{LEAVING}{secrets.token_hex(6)}")
        package.rename(leaving)
        shutil.rmtree(leaving)


@contextmanager
def _as_folder(path: Path) -> Iterator[Path]:
    """A package as a folder; errors name what the user gave, not the temporary folder of a zip."""
    if not path.is_file():
        yield path
        return
    with unpacked(path) as folder:
        try:
            yield folder
        except ModelPackageError as error:
            raise ModelPackageError(str(error).replace(str(folder), str(path))) from error


def _refuse_twin(name: str, models: Path) -> None:
    if not models.is_dir():
        return
    target = models / folder_name(name)
    twins = [info.path for info in list_packages(models) if info.name.casefold() == name.casefold()]
    if target.exists() and target not in twins:
        twins.append(target)
    if twins:
        raise ModelPackageError(
            f"A model {name!r} is there already ({twins[0]}): remove it first, then add this one."
        )
