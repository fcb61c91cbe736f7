"""Another segmentation for a case, with the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SegClassifyLib.cases import edits, intake, trash
from SegClassifyLib.cases.intake import Incoming
from SegClassifyLib.cases.reader import find_case
from SegClassifyLib.cases.rules import NewClass
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.writer import TrainingSetWriter
from SegClassifyLib.errors import TrainingSetError

if TYPE_CHECKING:
    from SegClassifyLib.volumes.geometry import Geometry


@dataclass(frozen=True)
class Exchange:
    """A segmentation that took the place of another.

    Args:
        before, after: the case.
        kept: where the former file is now; ``None`` where there was none, or it was not the set's own.
    """

    before: Case
    after: Case
    kept: Path | None


class SegmentationExchange(TrainingSetWriter):
    """The part of :class:`SegClassifyLib.cases.training_set.TrainingSet` that replaces segmentations."""

    def replace_segmentation(self, name: str, segmentation: Path, like: Geometry | None = None) -> Exchange:
        """Give a case another segmentation, a person's, so that the former one can come back.

        Args:
            name: of the case.
            segmentation: label map.
            like: the image's grid, where it was read already.

        Raises:
            TrainingSetError: no such case, a value that is no label of the set, or the disk refused.
            ImageError: a file cannot be read, or the segmentation is on another grid.
        """
        case = self.case(name)
        grid = like or self.load_image(case).geometry
        mask = intake.incoming_segmentation(case.name, segmentation, self.labels, grid)
        return self._exchange(case.name, mask, {"segmentation_is_prediction": False})

    def return_segmentation(self, exchange: Exchange) -> Case:
        """Take a replacement back; the file that goes is kept in ``.trash`` like any other.

        Raises:
            TrainingSetError: the case is gone, has got yet another segmentation meanwhile, or the former file is gone.
        """
        before = exchange.before
        update = {
            "segmentation_is_prediction": before.segmentation_is_prediction,
            "storage": before.storage,
            "segmentation": before.segmentation,
        }
        with self._changing() as document:
            now = find_case(document, before.name, self.folder)
            if now.segmentation != exchange.after.segmentation:
                raise TrainingSetError(
                    f"The segmentation of case {now.name!r} was changed by somebody else meanwhile; it stays as it is."
                )
            mask = trash.as_incoming(exchange.kept) if exchange.kept else None
            case = self._exchange(now.name, mask, update).after
        if exchange.kept:
            exchange.kept.unlink(missing_ok=True)
        return case

    def _exchange(
        self, name: str, mask: Incoming | None, update: Mapping[str, Any], new_class: NewClass = "refuse"
    ) -> Exchange:
        """Change a case and its segmentation at once; a file that is no longer needed goes to ``.trash``.

        Args:
            name: of the case.
            mask: its new segmentation; ``None`` for the one in ``update``, or none.
            update: field → value.
            new_class: as in :meth:`.training_set.TrainingSet.add`.
        """
        with self._changing() as document:
            old = find_case(document, name, self.folder)
            with self._settling() as settle:
                fields = {"segmentation": None, **update}
                if mask:
                    fields["segmentation"] = settle(mask, f"labels/{old.name}")
                if mask and mask.mode == "reference":
                    fields["storage"] = "reference"
                self._save(edits.with_changes(document, self.folder, {old.name: fields}, new_class))
            kept = trash.keep_replaced(self.folder, old.segmentation) if old.segmentation else None
            return Exchange(old, find_case(self._document, old.name, self.folder), kept)
