"""What the worker's phases are called in the panel, and how far along each of them is."""

from __future__ import annotations

from slicer.i18n import tr as _

from SegClassifyPanel.lib_path import make_importable

make_importable()

from SegClassifyLib.worker.protocol import JobProgress  # noqa: E402

_SHARES = {
    "Starting": 0.02,
    "Opening the model": 0.13,
    "Reading": 0.05,
    "Preparing": 0.1,
    "Segmenting": 0.45,
    "Explaining": 0.1,
    "Classifying": 0.05,
    "Writing back": 0.07,
    "Saving": 0.03,
}
"""Of the time between request and answer, roughly."""

EXPORT = (0.0, 0.05)
WORKER = (0.05, 0.95)
IMPORT = (0.95, 1.0)
"""Where on the bar the panel's own work and the worker's lie."""


def phase_text(phase: str) -> str:
    """A phase in the user's language; of a newer worker's unknown one, its name."""
    return {
        "Starting": _("Waiting for the worker"),
        "Opening the model": _("Opening the model"),
        "Reading": _("Reading the images"),
        "Preparing": _("Preparing the images"),
        "Segmenting": _("Segmenting"),
        "Explaining": _("Finding out where it comes from"),
        "Classifying": _("Classifying"),
        "Writing back": _("Bringing the labels back to the image"),
        "Saving": _("Saving the result"),
    }.get(phase, phase)


def within(span: tuple[float, float], fraction: float) -> float:
    """A fraction of a part of the bar as a fraction of the whole."""
    return span[0] + (span[1] - span[0]) * min(1.0, max(0.0, fraction))


def overall(note: JobProgress) -> float:
    """How far along all of a run is."""
    before = 0.0
    for phase, share in _SHARES.items():
        if phase == note.phase:
            inside = note.done / note.total if note.total else 0.0
            return within(WORKER, before + share * min(1.0, inside))
        before += share
    return WORKER[0]
