"""`slicer.i18n`: texts stay as they are, and placeholders are checked as Slicer checks them."""

from pathlib import Path

from standin.api import document
from standin.application.strict import StrictModule


def translate(context: str, text: str) -> str:
    """The text in the user's language, which here is English."""
    if not isinstance(context, str) or not isinstance(text, str):
        raise ValueError("translate takes two strings: context and text.")
    return text


def tr(text: str) -> str:
    """The text in the user's language; the context is the calling file."""
    if not isinstance(text, str):
        raise ValueError(f"tr takes a string, not {type(text).__name__}: format it after translating.")
    return translate("", text)


def getContext(sourceFile: str) -> str:
    """Context of a source file: its name, after that of its package if it is in one."""
    path = Path(sourceFile)
    if not path.is_file():
        return path.name
    package = f"{path.parent.name}." if (path.parent / "__init__.py").is_file() else ""
    return package + path.name.replace(".py", "")


def language_module() -> StrictModule:
    """The module `slicer.i18n`."""
    module = StrictModule("slicer.i18n", "Translation", document()["slicer.i18n"])
    module.tr, module.translate, module.getContext = tr, translate, getContext  # type: ignore[attr-defined]
    return module
