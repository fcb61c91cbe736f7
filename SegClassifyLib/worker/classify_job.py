"""The job ``classify``: named images in, files and numbers out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import whole_file, write_text
from SegClassifyLib.classify.result import Classification
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.progress import Laps, Progress
from SegClassifyLib.worker.label_infos import label_infos
from SegClassifyLib.worker.protocol import ClassifyParams, ClassifyResult
from SegClassifyLib.worker.sources import load_case
from SegClassifyLib.worker.warm import WarmClassifier


def classify_case(params: ClassifyParams, warm: WarmClassifier, progress: Progress) -> ClassifyResult:
    """Segment and classify one case; the label map and the features go to ``params.output``.

    Raises:
        SegClassifyError: in words, what is wrong with model, images, device or output folder.
        Cancelled: asked to stop.
    """
    clock = Laps()
    progress.report("Opening the model")
    classifier, notes = warm.get(Path(params.model), params.device)
    model = classifier.model
    clock.lap("open")
    image = load_case(params.images, model.segmenter.preprocessing, model.name, progress)
    clock.lap("read")
    result = classifier.classify(image, progress)
    clock.lap("pass")
    progress.report("Saving")
    label_file, features_file = _save(result, Path(params.output), file_stem(params.name))
    clock.lap("save")
    inside = {phase: s for phase, s in result.seconds.items() if phase != "read"}
    return ClassifyResult(
        name=params.name,
        model=result.model,
        classes=result.classes,
        probabilities=tuple(float(p) for p in result.probabilities),
        predicted=result.predicted,
        sentence=result.sentence,
        warnings=result.warnings,
        notes=(*notes, *result.notes),
        device=result.device,
        seconds={
            "open": clock.seconds["open"],
            "read": clock.seconds["read"],
            **inside,
            "save": clock.seconds["save"],
        },
        labels=label_infos(model.segmenter.labels),
        label_file=str(label_file),
        label_volumes=result.label_volumes(),
        features_file=str(features_file),
        volume_unit="ml" if result.label_map.geometry.ndim == 3 else "mm2",
        prediction_set=result.prediction_set,
        set_sentence=result.set_sentence,
        confidence=result.promised,
        novelty=result.novelty,
        novel=result.novel,
    )


def file_stem(name: str) -> str:
    """What files of a case begin with: its name without what some file system does not take."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:80] or "case"


def _save(result: Classification, folder: Path, stem: str) -> tuple[Path, Path]:
    """Both files appear whole: the panel may still have those of the run before mapped into its memory."""
    label_file, features_file = folder / f"{stem}_labels.npy", folder / f"{stem}_features.json"
    with disk_errors(folder):
        with whole_file(label_file) as temporary:
            np.save(temporary, result.label_map.array, allow_pickle=False)
        write_text(features_file, json.dumps(result.features_json(), indent=1))
    return label_file.absolute(), features_file.absolute()
