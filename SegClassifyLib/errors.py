"""The one exception family: every error a user can cause is a sentence that names the file or case and the remedy."""

from __future__ import annotations


class SegClassifyError(Exception):
    """Base of all errors that a user can cause. ``str(error)`` is a sentence fit to be shown as it is."""


class ImageError(SegClassifyError):
    """An image or label map cannot be read, written, or used with the others."""


class TrainingSetError(SegClassifyError):
    """A training set, or a case in it, is not what it should be."""


class NetworkError(SegClassifyError):
    """A network cannot be built, or weights do not fit it."""


class TrainingError(SegClassifyError):
    """A segmenter or classifier cannot be trained from what was given."""


class ModelPackageError(SegClassifyError):
    """A model package is damaged, of a newer format, or not one at all."""


class DeviceError(SegClassifyError):
    """The device asked for is not there, or too small."""


class Cancelled(SegClassifyError):  # noqa: N818 - a person's wish, not a fault
    """The user asked long work to stop."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")
