"""The model that was used last, kept ready for the next image."""

from __future__ import annotations

import gc
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from SegClassifyLib.classify.classifier import Classifier

logger = logging.getLogger(__name__)


class WarmClassifier:
    """Holds at most one classifier. Only the thread that runs jobs uses it."""

    def __init__(self) -> None:
        self._key: tuple[str, ...] = ()
        self._classifier: Classifier | None = None
        self._notes: tuple[str, ...] = ()

    def get(self, package: Path, device: str) -> tuple[Classifier, tuple[str, ...]]:
        """A model on a device; opened only if it is another one, or was changed, since the last time.

        Args:
            package: a folder or a .zip.
            device: "auto" or a device's name.

        Returns:
            The classifier, and sentences on how it was opened otherwise than asked.

        Raises:
            ModelPackageError: it cannot be opened.
            DeviceError: the device is not there.
        """
        from SegClassifyLib.worker.device_list import check_device

        wanted = check_device(device)
        key = (str(package.resolve()), _content(package), wanted)
        if self._classifier is None or key != self._key:
            self.release()  # first: two models at a time may be more than the memory holds
            self._classifier, self._notes = _open(package, wanted)
            self._key = key
        return self._classifier, self._notes

    def release(self) -> None:
        """Forget the model and give its memory back to the system."""
        if self._classifier is not None:
            logger.info("Released the model %s.", self._classifier.model.name)
        self._classifier, self._key, self._notes = None, (), ()
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif torch is not None and torch.backends.mps.is_available():
            torch.mps.empty_cache()


def _content(package: Path) -> str:
    """Changes whenever what is in the package does."""
    from SegClassifyLib.package.files import read_file_list

    if package.is_file():
        status = package.stat()
        return f"{status.st_mtime_ns} {status.st_size}"
    return read_file_list(package).digest


def _open(package: Path, device: str) -> tuple[Classifier, tuple[str, ...]]:
    """On ``device``, or on the processor where the weights do not even fit into the device's memory."""
    import torch

    from SegClassifyLib.classify.classifier import Classifier

    try:
        return Classifier.open(package, device), ()
    except torch.cuda.OutOfMemoryError:
        logger.warning("The memory of %s does not do for %s.", device, package, exc_info=True)
    note = f"The memory of {device} did not do, so the network ran on cpu."
    return Classifier.open(package, "cpu"), (note,)
