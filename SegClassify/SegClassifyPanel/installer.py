"""Installs into Slicer's Python: PyTorch by the PyTorch extension, the rest by pip as Slicer wants it called."""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer

EXTENSION = "PyTorch"
PROTECTED = ("numpy", "scipy", "SimpleITK", "torch", "torchvision", "vtk")
"""What Slicer or the PyTorch extension brought: no other package may change it as a by-product."""


class Installer:
    """The steps of an install. Each blocks until it is done, as Slicer's own functions do."""

    def allowed(self) -> bool:
        """Whether anything may be installed at all: not while Slicer runs its tests."""
        return not slicer.app.testingEnabled()

    def has_torch_extension(self) -> bool:
        """Whether the PyTorch extension is there and loaded."""
        try:
            import PyTorchUtils  # noqa: F401
        except ImportError:
            return False
        return True

    def can_install_extensions(self) -> bool:
        """Whether this Slicer was built with an extensions manager."""
        return hasattr(slicer.app, "extensionsManagerModel")

    def install_torch_extension(self) -> None:
        """Get the PyTorch extension from Slicer's server; it is there after a restart.

        Raises:
            RuntimeError: it could not be had.
        """
        manager = slicer.app.extensionsManagerModel()
        was_interactive = manager.interactive
        manager.interactive = False  # the question has been asked
        try:
            if not manager.installExtensionFromServer(EXTENSION, False):
                raise RuntimeError("the extensions server did not give the extension PyTorch")
        finally:
            manager.interactive = was_interactive

    def install_torch(self, bound: str) -> None:
        """Have the PyTorch extension install the PyTorch that suits this computer.

        Args:
            bound: the versions that will do (">=2.4").

        Raises:
            RuntimeError: it did not.
        """
        import PyTorchUtils

        with _constraints(except_for=("torch", "torchvision")) as path, _pip_environment(path):
            torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=False, torchVersionRequirement=bound
            )
        if torch is None:
            raise RuntimeError("the extension PyTorch did not install PyTorch")

    def pip_install(self, requirements: Sequence[str]) -> None:
        """Install packages; what is protected stays as it is.

        Args:
            requirements: such as "monai>=1.5".

        Raises:
            subprocess.CalledProcessError: pip failed.
        """
        names = [_name(requirement) for requirement in requirements]
        packaging = _slicer_packaging()
        with _constraints(except_for=names) as path:
            if packaging is not None:
                packaging.pip_ensure(
                    list(requirements), constraints=path, prompt_install=False, requester="SegClassify"
                )
            else:
                slicer.util.pip_install([*requirements, "-c", str(path)])


def version_of(package: str) -> str | None:
    """The installed version; ``None`` where nothing says one."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def constraint_lines(except_for: Iterable[str]) -> list[str]:
    """ "numpy==2.1.3" and so on: what is protected, at the version it has.

    Args:
        except_for: packages that are to be installed themselves.
    """
    from packaging.version import InvalidVersion, Version

    left_out = {name.lower() for name in except_for}
    lines = []
    for name in PROTECTED:
        version = version_of(name)
        if version is None or name.lower() in left_out:
            continue
        try:
            lines.append(f"{name}=={Version(version)}")
        except InvalidVersion:
            continue  # a build of one's own; pip would refuse the whole file
    return lines


@contextmanager
def _constraints(except_for: Iterable[str]) -> Iterator[Path]:
    """A constraints file of :func:`constraint_lines`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="SegClassify-") as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text("\n".join(constraint_lines(except_for)) + "\n", encoding="utf-8")
        yield path


@contextmanager
def _pip_environment(constraints: Path) -> Iterator[None]:
    """Makes every pip below heed a constraints file: the PyTorch extension takes none as an argument."""
    before = os.environ.get("PIP_CONSTRAINT")
    os.environ["PIP_CONSTRAINT"] = constraints.as_uri()  # an address, for pip cuts this at spaces
    try:
        yield
    finally:
        if before is None:
            del os.environ["PIP_CONSTRAINT"]
        else:
            os.environ["PIP_CONSTRAINT"] = before


def _name(requirement: str) -> str:
    from packaging.requirements import Requirement

    return Requirement(requirement).name


def _slicer_packaging() -> Any | None:
    """``slicer.packaging`` of Slicer 5.12 and newer; ``None`` in 5.10."""
    try:
        import slicer.packaging as packaging
    except ImportError:
        return None
    return packaging
