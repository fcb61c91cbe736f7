"""The worker explains: the map is that of the library, on the grid of the volume it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from worker_data import FLAT, blobs, map_source, oblique, package, running_worker

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.worker.client import WorkerError
from SegClassifyLib.worker.protocol import EvidenceParams, JobProgress
from SegClassifyLib.worker.sources import load_case


def test_a_volume_is_explained_as_by_the_library(tmp_path: Path) -> None:
    model, size = package(tmp_path / "model"), (30, 26, 14)
    sources = tuple(
        map_source(blobs((14, 26, 30), seed), oblique(size), tmp_path / f"{name}.npy")
        for seed, name in enumerate(("t1", "flair"))
    )
    seen: list[JobProgress] = []
    asked = EvidenceParams(str(model), sources, str(tmp_path / "out"), "case 7", "solid", "ring", "cpu")
    with running_worker() as worker:
        answer = worker.ask(asked, on_progress=seen.append)
        with pytest.raises(WorkerError, match="no class 'cyst'"):
            worker.ask(EvidenceParams(str(model), sources, str(tmp_path / "out"), "case 7", "cyst"))
    assert {"Segmenting", "Explaining"} <= {p.phase for p in seen}
    classifier = Classifier.open(model, "cpu")
    image = load_case(sources, classifier.model.segmenter.preprocessing, "")
    wanted = explain(classifier, image, ("solid",), "ring").maps[0]
    shown = np.load(answer.map_file)
    assert shown.shape == (14, 26, 30) and shown.dtype == np.float32
    np.testing.assert_allclose(shown, wanted.shown, atol=1e-5 * np.abs(wanted.shown).max())
    assert (answer.class_name, answer.against, answer.kind, answer.unit) == ("solid", "ring", "exact", "ml")
    assert answer.logit == pytest.approx(wanted.logit, abs=1e-5)
    assert sum(r.value for r in answer.reasons) + answer.base == pytest.approx(answer.logit, abs=1e-4)
    assert 0 < answer.full_colour <= np.abs(shown).max() and answer.sentences[0].startswith("solid rather")


def test_a_slice_is_explained_on_its_own_grid(tmp_path: Path) -> None:
    model = package(tmp_path / "model", FLAT, "whole")
    source = map_source(blobs((1, 40, 36)), oblique((36, 40, 1)), tmp_path / "slice.npy")
    with running_worker() as worker:
        answer = worker.ask(EvidenceParams(str(model), (source,), str(tmp_path / "out"), "a slice"))
    assert np.load(answer.map_file).shape == (1, 40, 36) and answer.unit == "cm2"
    assert answer.class_name in ("ring", "solid") and answer.against == ""
