"""The job ``evidence``: named images in, a map and words out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from SegClassifyLib.atomic import whole_file
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.files import plain_name
from SegClassifyLib.evidence.picture import limit_of
from SegClassifyLib.evidence.words import describe, reasons
from SegClassifyLib.progress import Progress
from SegClassifyLib.worker.classify_job import file_stem
from SegClassifyLib.worker.evidence_messages import EvidenceParams, EvidenceReason, EvidenceResult
from SegClassifyLib.worker.sources import load_case
from SegClassifyLib.worker.warm import WarmClassifier


def explain_case(params: EvidenceParams, warm: WarmClassifier, progress: Progress) -> EvidenceResult:
    """Say where one answer comes from; the map goes to ``params.output``.

    Raises:
        SegClassifyError: in words, what is wrong with model, class, images, device or output folder.
        Cancelled: asked to stop.
    """
    progress.report("Opening the model")
    classifier, notes = warm.get(Path(params.model), params.device)
    model = classifier.model
    image = load_case(params.images, model.segmenter.preprocessing, model.name, progress)
    asked = (params.class_name,) if params.class_name else ()
    explanation = explain(classifier, image, asked, params.against or None, progress=progress)
    progress.report("Saving")
    found, folder = explanation.maps[0], Path(params.output)
    file = folder / f"{file_stem(params.name)}_evidence_{plain_name(found.class_name)}.npy"
    with disk_errors(folder), whole_file(file) as temporary:
        np.save(temporary, found.shown.astype(np.float32), allow_pickle=False)
    return EvidenceResult(
        name=params.name,
        model=model.name,
        class_name=found.class_name,
        against=found.against or "",
        kind=found.kind,
        logit=found.logit,
        base=found.base,
        sentences=describe(found, explanation.channels),
        reasons=tuple(
            EvidenceReason(r.text, r.value, r.share) for r in reasons(found.parts, explanation.channels)
        ),
        map_file=str(file.absolute()),
        full_colour=limit_of(found.shown),
        unit=found.unit,
        device=explanation.device,
        notes=(*notes, *explanation.notes),
    )
