"""Many images one after the other; a bad one does not stop the others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from SegClassifyLib.atomic import write_text
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.result import Classification, SavedFiles, save_classification
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.volumes.formats import file_stem

SUMMARY = "results.csv"


@dataclass(frozen=True)
class Outcome:
    """What became of one image: a result and its files, or an error in words."""

    name: str
    result: Classification | None
    files: SavedFiles | None
    error: str = ""


def classify_many(
    classifier: Classifier,
    cases: Sequence[tuple[Path, ...]],
    folder: Path,
    segmentation_format: str = ".seg.nrrd",
    with_features: bool = False,
    with_overlay: bool = True,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Classify case after case and write the results; ``results.csv`` in ``folder`` grows row by row.

    Args:
        classifier: a model kept ready.
        cases: the files of each case, one a channel.
        folder: made when needed.
        segmentation_format, with_features, with_overlay: see :func:`.result.save_classification`.
        progress: cancelling ends the iteration with :class:`Cancelled`; what is written stays.
    """
    progress = progress or Progress()
    stems = unique_stems(cases)
    rows: list[Outcome] = []
    for number, (case, stem) in enumerate(zip(cases, stems, strict=True)):
        progress.report("Classifying", number, len(cases), stem)
        try:
            image = classifier.read(case)
            result = classifier.classify(image, Progress(is_cancelled=progress.is_cancelled))
            files = save_classification(
                result, folder, stem, image if with_overlay else None, segmentation_format, with_features
            )
            outcome = Outcome(stem, result, files)
        except Cancelled:
            raise
        except SegClassifyError as error:
            outcome = Outcome(stem, None, None, str(error))
        except MemoryError:
            outcome = Outcome(stem, None, None, f"{case[0]}: this image does not fit into memory.")
        rows.append(outcome)
        _write_summary(rows, classifier.model.classes, folder)
        yield outcome
    progress.report("Classifying", len(cases), len(cases))


def unique_stems(cases: Sequence[tuple[Path, ...]]) -> list[str]:
    """A short name for each case, told apart by its folder, then by a number, where file names repeat."""
    plain = [file_stem(case[0].resolve()) for case in cases]
    longer = [f"{case[0].resolve().parent.name}_{stem}" for case, stem in zip(cases, plain, strict=True)]
    chosen = [p if plain.count(p) == 1 else q for p, q in zip(plain, longer, strict=True)]
    seen: dict[str, int] = {}
    result = []
    for stem in chosen:
        seen[stem] = seen.get(stem, 0) + 1
        result.append(stem if seen[stem] == 1 else f"{stem}_{seen[stem]}")
    return result


def _write_summary(rows: Sequence[Outcome], classes: Sequence[str], folder: Path) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(
        [
            "name",
            "class",
            *(f"probability of {c}" for c in classes),
            "prediction set",
            "novel",
            "novelty percentile",
            "warnings",
            "error",
        ]
    )
    for row in rows:
        if row.result is None:
            writer.writerow([row.name, "", *("" for _ in classes), "", "", "", "", row.error])
            continue
        numbers = [f"{p:.4f}" for p in row.result.probabilities]
        writer.writerow(
            [
                row.name,
                row.result.predicted or "",
                *numbers,
                " or ".join(row.result.prediction_set),
                "yes" if row.result.novel else "" if row.result.novelty is None else "no",
                "" if row.result.novelty is None else f"{row.result.novelty:.1f}",
                " ".join(row.result.warnings),
                "",
            ]
        )
    with disk_errors(folder):
        write_text(folder / SUMMARY, stream.getvalue())
