"""Where SegClassifyLib lies: beside the module once installed, beside the module's folder in the source tree."""

from __future__ import annotations

import sys
from pathlib import Path

from slicer.i18n import tr as _

LIBRARY = "SegClassifyLib"


def library_folder() -> Path:
    """The folder that holds ``SegClassifyLib``; the worker gets it as its PYTHONPATH.

    Raises:
        FileNotFoundError: neither place has it, in a sentence for the user.
    """
    module = Path(__file__).resolve().parents[1]
    for folder in (module, module.parent):
        if (folder / LIBRARY / "__init__.py").is_file():
            return folder
    raise FileNotFoundError(
        _("{library} is neither in {here} nor in {above}: install the extension again.").format(
            library=LIBRARY, here=module, above=module.parent
        )
    )


def make_importable() -> Path:
    """Let ``import SegClassifyLib`` find the library, also where the module runs uninstalled."""
    folder = library_folder()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return folder
