"""Which Python packages the worker lacks, and the one question before they are installed into Slicer.

Only the worker imports them, in a process of its own: after an install it is enough to start the worker anew. Nothing
here runs when Slicer starts, and whoever says no can still look at results.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError

from slicer.i18n import tr as _

from SegClassifyPanel.installer import Installer, version_of

IMPORT_NAMES = {"scikit-learn": "sklearn"}
"""Where a package is imported by another name than it is installed by."""

DOWNLOADS = {
    "numpy": 17,
    "scipy": 38,
    "monai": 3,
    "einops": 1,
    "scikit-learn": 12,
    "threadpoolctl": 1,
    "pydantic": 3,
    "filelock": 1,
    "platformdirs": 1,
    "safetensors": 1,
}
"""Megabytes to download, with what comes along, rounded up. PyTorch is told apart: it depends on the computer."""


@dataclass(frozen=True)
class Package:
    """One package of requirements.txt.

    Args:
        name: as pip knows it.
        bound: the versions that will do (">=1.5"); may be empty.
    """

    name: str
    bound: str

    @property
    def is_torch(self) -> bool:
        """Whether it is PyTorch, which the PyTorch extension installs."""
        return self.name == "torch"


@dataclass(frozen=True)
class Installed:
    """How an install ended.

    Args:
        complete: whether everything that is needed is there now.
        message: a sentence for the panel; empty when there is nothing to say.
        restart: whether Slicer has to be started anew before one can go on.
    """

    complete: bool
    message: str = ""
    restart: bool = False


class Dependencies:
    """What is missing, and how it is installed once the user has agreed.

    Args:
        requirements: the file requirements.txt.
        installer: does what is agreed on; another one in tests.
        find: tells whether a module could be imported, without importing it.
    """

    def __init__(
        self,
        requirements: Path,
        installer: Installer | None = None,
        find: Callable[[str], bool] | None = None,
    ) -> None:
        self._requirements = requirements
        self._installer = installer or Installer()
        self._find = find or _can_be_imported

    def missing(self) -> tuple[Package, ...]:
        """Packages that are not there, or too old. Imports none of them."""
        return tuple(p for p in read_requirements(self._requirements) if not self._is_there(p))

    def _is_there(self, package: Package) -> bool:
        if not self._find(IMPORT_NAMES.get(package.name, package.name)):
            return False
        from packaging.specifiers import SpecifierSet

        installed = version_of(package.name)
        return installed is None or SpecifierSet(package.bound).contains(installed, prereleases=True)

    def summary(self, missing: Sequence[Package]) -> str:
        """One sentence for the panel, before the question."""
        return _(
            "To classify images, SegClassify needs Python packages that are not installed yet: {names}."
        ).format(names=", ".join(_shown_name(p) for p in missing))

    def question(self, missing: Sequence[Package]) -> str:
        """The question before anything is done: what will be installed, how large it is, and by what."""
        lines = [_("These will be installed into this copy of Slicer:"), ""]
        lines += [f"•  {_shown_name(p)}: {self._size(p)}" for p in missing]
        if any(p.is_torch for p in missing) and not self._installer.has_torch_extension():
            lines.append("•  " + _("Slicer's extension PyTorch, which installs PyTorch: under 1 MB"))
            lines += ["", _("Slicer has to be restarted after that, and this question then comes once more.")]
        lines += [
            "",
            _("Packages that came with Slicer, such as NumPy and SimpleITK, stay as they are."),
            _("Without these packages you can look at results, but not classify."),
            "",
            _("Install them now?"),
        ]
        return "\n".join(lines)

    @staticmethod
    def _size(package: Package) -> str:
        if package.is_torch:
            return _("about 200 MB; 3 GB for a computer with an NVIDIA graphics card")
        megabytes = DOWNLOADS[package.name]
        return _("under 1 MB") if megabytes <= 1 else _("about {megabytes} MB").format(megabytes=megabytes)

    def ensure(self, ask: Callable[[str], bool]) -> Installed:
        """Install what is missing, if the user agrees.

        Args:
            ask: shows a question, returns whether the answer was yes. Called once at most.
        """
        missing = self.missing()
        if not missing:
            return Installed(True)
        needs_extension = any(p.is_torch for p in missing) and not self._installer.has_torch_extension()
        if needs_extension and not self._installer.can_install_extensions():
            return Installed(
                False,
                _(
                    "PyTorch is installed by Slicer's extension PyTorch, which is not there: install it in the "
                    "Extensions Manager (menu View), restart Slicer and come back."
                ),
            )
        if not ask(self.question(missing)):
            return Installed(False)
        if not self._installer.allowed():
            return Installed(
                False,
                _("Nothing was installed, because Slicer was started with --testing: start it without."),
            )
        try:
            self._install(missing, needs_extension)
        except (CalledProcessError, RuntimeError, OSError, ImportError) as error:
            return Installed(
                False,
                _(
                    "The packages could not be installed ({error}): check the connection to the internet and try "
                    "again. What pip said is in the Python console."
                ).format(error=error),
            )
        return self._look_again(needs_extension)

    def _install(self, missing: Sequence[Package], needs_extension: bool) -> None:
        others = [p.name + p.bound for p in missing if not p.is_torch]
        torch = next((p for p in missing if p.is_torch), None)
        if torch and not needs_extension:
            self._installer.install_torch(torch.bound)
        if others:
            self._installer.pip_install(others)
        if needs_extension:
            self._installer.install_torch_extension()

    def _look_again(self, needs_extension: bool) -> Installed:
        importlib.invalidate_caches()
        if needs_extension:
            return Installed(
                False, _("The extension PyTorch is there after a restart of Slicer."), restart=True
            )
        left = self.missing()
        if left:
            return Installed(
                False,
                _("Still missing after the installation: {names}. Restart Slicer and try again.").format(
                    names=", ".join(_shown_name(p) for p in left)
                ),
            )
        return Installed(True)


def read_requirements(path: Path) -> tuple[Package, ...]:
    """The packages of a requirements.txt without pip's options.

    Raises:
        OSError: the file cannot be read.
    """
    from packaging.requirements import Requirement

    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return tuple(Package(r.name, str(r.specifier)) for r in wanted)


def _shown_name(package: Package) -> str:
    return {"torch": "PyTorch", "monai": "MONAI"}.get(package.name, package.name)


def _can_be_imported(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
