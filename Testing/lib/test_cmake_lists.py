"""The files an extension installs are listed by name in CMake: the lists must be the files there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

STAND_IN = """
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/nothing.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/metadata.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/nothing.cmake")
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(A "WITH_GENERIC_TESTS;WITH_SUBDIR" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  message(STATUS "module ${A_NAME}|${A_SCRIPTS}|${A_RESOURCES}|${A_WITH_SUBDIR}|${A_UNPARSED_ARGUMENTS}")
endmacro()
"""


def wanted(folder: str) -> tuple[list[str], list[str]]:
    """Scripts and resources below ``folder``, relative to it, in the order a person would look for them."""
    root = REPO / folder
    files = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
    hidden = re.compile(r"(^|/)(__pycache__|\.[^/]*)(/|$)|^CMakeLists\.txt$|\.pyc$|~$|\.part$")
    files = sorted((f for f in files if not hidden.search(f)), key=lambda f: (f.count("/") > 0, f))
    return [f for f in files if f.endswith(".py")], [f for f in files if not f.endswith(".py")]


def listed(folder: str, variable: str) -> list[str]:
    """What ``set(variable …)`` says in the folder's CMakeLists.txt."""
    text = (REPO / folder / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(rf"^set\({variable}\n(.*?)^  \)", text, flags=re.MULTILINE | re.DOTALL)
    assert found, f"{folder}/CMakeLists.txt has no set({variable} …)"
    return found.group(1).split()


def block(variable: str, files: list[str]) -> str:
    """What belongs into CMakeLists.txt."""
    return "\n".join([f"set({variable}", *(f"  {f}" for f in files), "  )"])


@pytest.mark.parametrize("folder", ["SegClassifyLib", "SegClassify"])
@pytest.mark.parametrize("number, variable", [(0, "MODULE_PYTHON_SCRIPTS"), (1, "MODULE_PYTHON_RESOURCES")])
def test_every_file_is_listed_and_every_listed_file_is_there(folder: str, number: int, variable: str) -> None:
    files = wanted(folder)[number]
    if folder == "SegClassify" and number == 0 and "SegClassify.py" not in files:
        files = ["SegClassify.py", *files]
    assert listed(folder, variable) == files, (
        f"\n\nPut this in {folder}/CMakeLists.txt:\n\n{block(variable, files)}\n"
    )


@pytest.mark.skipif(
    not (shutil.which("cmake") and shutil.which("c++")), reason="no CMake or no compiler here"
)
def test_cmake_understands_the_files(tmp_path: Path) -> None:
    (tmp_path / "SlicerConfig.cmake").write_text(STAND_IN, encoding="utf-8")
    (tmp_path / "nothing.cmake").write_text("", encoding="utf-8")
    (tmp_path / "metadata.cmake").write_text(
        'message(STATUS "depends ${EXTENSION_DEPENDS}")', encoding="utf-8"
    )
    command = ["cmake", "-S", str(REPO), "-B", str(tmp_path / "build"), f"-DSlicer_DIR={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules = dict(
        line.split("module ")[1].split("|", 1) for line in done.stdout.splitlines() if "module " in line
    )
    assert list(modules) == ["SegClassifyLib", "SegClassify"]
    scripts, resources, in_its_folder, misunderstood = modules["SegClassifyLib"].split("|")
    assert scripts.split(";") == listed("SegClassifyLib", "MODULE_PYTHON_SCRIPTS")
    assert resources.split(";") == listed("SegClassifyLib", "MODULE_PYTHON_RESOURCES")
    assert (in_its_folder, misunderstood) == ("TRUE", "")
    assert "depends PyTorch" in done.stdout


def test_every_extension_fact_is_given() -> None:
    text = (REPO / "CMakeLists.txt").read_text(encoding="utf-8")
    for fact in (
        "HOMEPAGE",
        "CATEGORY",
        "CONTRIBUTORS",
        "DESCRIPTION",
        "ICONURL",
        "SCREENSHOTURLS",
        "DEPENDS",
    ):
        assert re.search(rf'^set\(EXTENSION_{fact} "[^"]+"\)', text, flags=re.MULTILINE), fact
