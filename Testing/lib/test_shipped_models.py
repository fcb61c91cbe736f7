"""The model packages that come with the software: whole, honest about themselves, and they classify."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.evidence.explain import explain
from SegClassifyLib.evidence.files import save_explanation
from SegClassifyLib.package.library import list_packages
from SegClassifyLib.package.store import open_package
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image

SHIPPED = Path(__file__).parents[2] / "Resources" / "Models"
PACKAGES = sorted(p for p in SHIPPED.iterdir() if p.is_dir())


def test_there_is_a_small_one_for_each_dimension() -> None:
    assert {open_package(p).segmenter.preprocessing.ndim for p in PACKAGES} == {2, 3}
    for package in PACKAGES:
        assert sum(f.stat().st_size for f in package.rglob("*") if f.is_file()) < 10e6


def test_they_are_listed_as_usable() -> None:
    listed = list_packages(SHIPPED)
    assert len(listed) == len(PACKAGES) > 0
    assert all(info.ok for info in listed)


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda p: p.name)
def test_the_card_names_use_licence_source_and_scores(folder: Path) -> None:
    model = open_package(folder)  # verifies every hash
    card = (folder / "docs" / "README.md").read_text(encoding="utf-8")
    assert "For research use only" in card
    assert model.provenance.licence and model.provenance.citation and model.provenance.scores
    assert model.provenance.licence in card and model.provenance.citation in card


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda p: p.name)
def test_they_classify_an_image_never_seen(folder: Path) -> None:
    classifier = Classifier.open(folder, "cpu")
    spec = classifier.model.segmenter.preprocessing
    shape = (90, 120) if spec.ndim == 2 else (40, 60, 60)
    grid = tuple(np.linspace(-1, 1, n) for n in shape)
    distance = np.sum([axis**2 for axis in np.meshgrid(*grid, indexing="ij")], axis=0)
    grey = np.where(distance < 0.1, 20.0, 120.0) + np.random.default_rng(0).normal(0, 15, shape)
    array = np.repeat(grey[None].astype(np.float32), len(spec.channels), axis=0)
    result = classifier.classify(Image(array, Geometry.plain(shape[::-1])))
    assert result.probabilities.sum() == pytest.approx(1)
    assert result.label_map.array.shape == shape
    assert result.label_map.array.any()


def test_an_image_of_nothing_is_not_explained_without_a_warning(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (1, 128, 128)).astype(np.float32)
    classifier = Classifier.open(SHIPPED / "breast-ultrasound", "cpu")
    image = Image(noise, Geometry.plain((128, 128)))
    explanation = explain(classifier, image)
    assert "Do not rely on the probabilities" in explanation.warnings[0]
    assert explanation.warnings == classifier.classify(image).warnings
    save_explanation(explanation, image, tmp_path, "noise")
    told = json.loads((tmp_path / "noise_evidence.json").read_text(encoding="utf-8"))
    assert told["warnings"] == list(explanation.warnings)
