"""How the segmenters of one training become models: all that they need but the weights, kept beside the checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import Provenance, Score, software_versions
from SegClassifyLib.package.reference import summarise
from SegClassifyLib.training.family import FoldSegmenter, SegmenterFamily
from SegClassifyLib.training.segmenter import TrainedSegmenter, is_trained, recover_segmenter
from SegClassifyLib.training.segmenter_plan import SettledPlan
from SegClassifyLib.training.start import Start, StartWeights
from SegClassifyLib.volumes.observation import Observation

_FILE = "making.json"
_CHECKPOINTS = "checkpoints"


class Part(BaseModel):
    """One of the segmenters.

    Args:
        rows: of the cases that it learned from.
        ancestors: content hashes of images that trained the weights it started from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[int, ...]
    ancestors: tuple[str, ...] = ()


class Making(BaseModel):
    """What goes into the packages of a segmenter and its fold segmenters.

    Args:
        name: of the full one.
        data_set, data_hash, licence: of the training set.
        channels, labels: names, labels without background.
        settings: the plan, JSON values.
        seed, device: as trained.
        images: content hash of each case.
        observations: of each case.
        parts: the full segmenter, then its fold segmenters.
        started_from: name of the model whose weights it started from; empty for none.
        flattering: whether that model may have seen the cases that the Dice was measured on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    data_set: str
    data_hash: str
    licence: str
    channels: tuple[str, ...]
    labels: tuple[str, ...]
    settings: dict[str, Any]
    seed: int
    device: str
    images: tuple[str, ...]
    observations: tuple[Observation, ...]
    parts: tuple[Part, ...]
    started_from: str = ""
    flattering: bool = False

    def model(self, part: int, trained: TrainedSegmenter) -> Model:
        """The full segmenter (0), or a fold segmenter (1, 2, …), as a model."""
        rows, ancestors = self.parts[part].rows, self.parts[part].ancestors
        images = {self.images[row] for row in rows} | set(ancestors)
        how = "held-out patients of the training set"
        if self.flattering:
            how += f", which {self.started_from}, that it started from, may have seen"
        provenance = Provenance(
            data_set=self.data_set,
            data_hash=self.data_hash,
            segmenter_cases=len(images),
            segmenter_images=tuple(sorted(images)),
            seed=self.seed,
            software=software_versions(),
            device=self.device,
            scores=tuple(
                Score(metric=f"Dice of {label}", value=value, how=how)
                for label, value in trained.dice.items()
                if np.isfinite(value)
            ),
            settings={"segmenter": self.settings}
            | ({"started from": self.started_from} if self.started_from else {}),
            licence=self.licence,
        )
        return Model(
            name=self.name if part == 0 else f"{self.name}, fold {part}",
            description=f"Segments {', '.join(self.labels)} in the images of {self.data_set}.",
            segmenter=trained.segmenter,
            training=summarise([self.observations[row] for row in rows], self.channels),
            provenance=provenance,
        )

    def fold(self, part: int, trained: TrainedSegmenter) -> FoldSegmenter:
        """A fold segmenter with the images that it did not see."""
        seen = set(self.parts[part].rows)
        held = frozenset(image for row, image in enumerate(self.images) if row not in seen)
        return FoldSegmenter(self.model(part, trained), held)

    def best_so_far(self, folder: Path) -> tuple[SegmenterFamily, int]:
        """The full segmenter as good as it is by now, with those fold segmenters whose training has ended.

        Returns:
            The family, and how many fold segmenters are left out.

        Raises:
            TrainingError: no epoch of the full segmenter was completed.
        """
        full = self.model(0, recover_segmenter(part_folder(folder, 0)))
        ended = [p for p in range(1, len(self.parts)) if is_trained(part_folder(folder, p))]
        folds = tuple(self.fold(p, recover_segmenter(part_folder(folder, p))) for p in ended)
        return SegmenterFamily(full, folds), len(self.parts) - 1 - len(folds)


def making_of(
    training_set: TrainingSet,
    settled: SettledPlan,
    name: str,
    device: str,
    observations: Sequence[Observation],
    start: Start | None = None,
    weights: Sequence[StartWeights | None] = (),
) -> Making:
    """Put together what the packages will say."""
    images = tuple(str(c.image_hash) for c in settled.cases)
    known = set(start.family.full.provenance.segmenter_images) if start is not None else set()
    return Making(
        name=name or f"{training_set.name} segmenter",
        data_set=training_set.name,
        data_hash=training_set.content_hash(),
        licence=training_set.document.licence,
        channels=training_set.channels,
        labels=tuple(label.name for label in training_set.labels[1:]),
        settings=settled.plan.model_dump(mode="json"),
        seed=settled.plan.training.seed,
        device=device,
        images=images,
        observations=tuple(observations),
        parts=tuple(
            Part(rows=tuple(settled.rows(part)), ancestors=w.images if w is not None else ())
            for part, w in zip(settled.parts, weights or [None] * len(settled.parts), strict=True)
        ),
        started_from=start.name if start is not None else "",
        flattering=bool(known & set(images)),
    )


def save_making(making: Making, folder: Path) -> None:
    """Keep it in a training's folder.

    Raises:
        TrainingError: it cannot be written there.
    """
    with disk_errors(folder, TrainingError):
        write_text(folder / _FILE, making.model_dump_json(indent=1))


def load_making(folder: Path) -> Making:
    """What :func:`save_making` wrote.

    Raises:
        TrainingError: there is none, because training has not begun yet, or it is damaged.
    """
    path = folder / _FILE
    try:
        return Making.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(f"{folder} holds no segmenter yet: let its training go on first.") from error
    except (OSError, ValidationError) as error:
        raise TrainingError(
            f"{path} is damaged ({error}): let the training go on, which mends it."
        ) from error


def part_folder(folder: Path, part: int) -> Path:
    """Where the full segmenter (0), or a fold segmenter (1, 2, …), keeps its checkpoints."""
    return folder / _CHECKPOINTS / ("full" if part == 0 else f"fold{part - 1}")


def part_name(part: int, folds: int) -> str:
    """A part in words; empty for the full segmenter."""
    return "" if part == 0 else f"fold {part} of {folds}"
