"""Names of cases that are file names everywhere, Windows included."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from SegClassifyLib.errors import TrainingSetError

MAX_BYTES = 80
"""Longest case name in UTF-8, so that whole paths stay below the 260 characters of Windows."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}


def safe_name(text: str) -> str:
    """The case name made of ``text``: characters that some file system forbids become ``_``.

    Too long names are cut and end in a short hash of the whole, so that different names stay different.

    Raises:
        TrainingSetError: nothing is left of it.
    """
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)).strip(" .")
    if not name.strip("_"):
        raise TrainingSetError(f"{text!r} cannot be a case name; use letters and digits.")
    if name.split(".")[0].lower() in _DEVICES or name.startswith("."):
        name = f"_{name}"
    if len(name.encode()) > MAX_BYTES:
        tail = "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_BYTES - len(tail)].decode(errors="ignore").rstrip(" .") + tail
    return name


def name_key(name: str) -> str:
    """Two names with the same key would be the same file on Windows or macOS."""
    return unicodedata.normalize("NFC", name).casefold()
