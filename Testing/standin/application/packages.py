"""`slicer.packaging`: checks like Slicer, notes what would be installed, and installs nothing."""

from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from standin.api import document
from standin.application.strict import StrictModule
from standin.errors import record


def _as_requirements(requirements: Any) -> list[Requirement]:
    if isinstance(requirements, str):
        requirements = requirements.split()
    if isinstance(requirements, Requirement):
        requirements = [requirements]
    if not isinstance(requirements, list | tuple):
        raise TypeError(
            f"requirements must be a string, a Requirement or a list of them, not {type(requirements)}"
        )
    return [entry if isinstance(entry, Requirement) else Requirement(entry) for entry in requirements]


def load_requirements(path: str | Path) -> list[Requirement]:
    """Requirements of a requirements file."""
    lines = [line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def load_pyproject_dependencies(path: str | Path) -> list[Requirement]:
    """Dependencies of a pyproject.toml."""
    import tomllib

    project = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("project", {})
    return [Requirement(entry) for entry in project["dependencies"]]


def pip_check(req: Any, _seen: Any = None) -> bool:
    """Whether requirements are installed in a fitting version."""
    if isinstance(req, list):
        return all(pip_check(entry) for entry in req)
    requirement = req if isinstance(req, Requirement) else Requirement(req)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def pip_ensure(
    requirements: Any,
    constraints: Any = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Note what is missing; in testing mode Slicer installs nothing either."""
    missing = [str(entry) for entry in _as_requirements(requirements) if not pip_check(entry)]
    if missing:
        record.installs.append(("pip_ensure", missing))
    return None


def pip_install(
    requirements: Any,
    constraints: Any = None,
    no_deps_requirements: Any = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Any = None,
    completedCallback: Any = None,
) -> list[str] | None:
    """Note what was to be installed."""
    record.installs.append(("pip_install", requirements))
    if not blocking and completedCallback is not None:
        from PySide6.QtCore import QTimer

        QTimer.singleShot(0, lambda: completedCallback(0))
    return [] if skip_packages else None


def pip_uninstall(
    requirements: Any, blocking: bool = True, logCallback: Any = None, completedCallback: Any = None
) -> None:
    """Note what was to be removed."""
    record.installs.append(("pip_uninstall", requirements))


def isPipInstallInProgress() -> bool:
    """Nothing is ever being installed."""
    return False


def packaging_module() -> StrictModule:
    """The module `slicer.packaging`."""
    module = StrictModule("slicer.packaging", "Python packages", document()["slicer.packaging"])
    own = (load_requirements, load_pyproject_dependencies, pip_check, pip_ensure, pip_install, pip_uninstall)
    for function in (*own, isPipInstallInProgress):
        setattr(module, function.__name__, function)
    return module
