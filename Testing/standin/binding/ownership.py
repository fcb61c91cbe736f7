"""Who deletes a Qt object that Python made: as in PythonQt it goes with its last Python reference if nobody owns it.

PySide6 is milder: a view holds the model that it is given, a menu its actions. In Slicer such an object is gone once
the panel has let go of it, so the stand-in deletes it too.
"""

import weakref
from typing import Any

import shiboken6
from PySide6.QtCore import QAbstractItemModel, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCompleter

KINDS = (QAbstractItemModel, QAction, QCompleter)


def goes_with_wrapper(target: Any, native: type) -> bool:
    """Whether the object, fresh from Python, is deleted when its wrapper is: it is of these kinds and has no parent."""
    if not isinstance(target, QObject) or target.parent() is not None:
        return False
    return isinstance(target, KINDS) or native is QObject


def delete_with(wrapper: Any, target: QObject) -> None:
    """Delete the object when the wrapper goes, unless it has got a parent by then."""
    weakref.finalize(wrapper, _drop, target).atexit = False


def _drop(target: QObject) -> None:
    if shiboken6.isValid(target) and target.parent() is None:
        shiboken6.delete(target)
