"""Where a model comes from: data, counts, software, seed, and scores with their intervals."""

from __future__ import annotations

import platform
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

_PACKAGES = ("segclassify", "torch", "monai", "numpy", "scikit-learn", "SimpleITK")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Score(_Frozen):
    """One figure of merit with its 95 % interval.

    Args:
        metric: in words ("balanced accuracy", "Dice of tumour").
        value: the estimate.
        low, high: ends of the 95 % interval; ``None`` where there is none.
        how: how it was estimated ("5 x 5-fold cross-validation by patient, bootstrap over patients").
    """

    metric: str
    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    how: str = ""


class ClassCount(_Frozen):
    """How many training cases, and how many patients (groups), a class had."""

    name: str
    cases: int = Field(ge=0)
    groups: int = Field(ge=0)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class Provenance(_Frozen):
    """All that a reader needs to judge a model, and a developer to make it again.

    Args:
        created: UTC, ISO 8601.
        data_set: name of the training set.
        data_hash: its content hash.
        counts: training cases of the classifier, class by class.
        segmenter_cases: cases that trained the segmenter.
        segmenter_images: content hashes of their images: features of these cases flatter.
        classifier_images: content hashes of the classifier's training images: no test cases.
        cross_fitting: how cases used to train the segmenter were kept from flattering the classifier, in words.
        seed: the one seed.
        software: versions, as :func:`software_versions` gives them.
        device: where it was trained.
        scores: of the classifier and of the segmenter.
        settings: what the user chose; JSON values only.
        authors, citation: who made it, and what to cite.
        licence: short name ("CC-BY-4.0"); ``licence_text`` is the whole text, kept in the file LICENSE.
    """

    created: str = Field(default_factory=_now)
    data_set: str = ""
    data_hash: str = ""
    counts: tuple[ClassCount, ...] = ()
    segmenter_cases: int | None = None
    segmenter_images: tuple[str, ...] = ()
    classifier_images: tuple[str, ...] = ()
    cross_fitting: str = ""
    seed: int | None = None
    software: dict[str, str] = {}
    device: str = ""
    scores: tuple[Score, ...] = ()
    settings: dict[str, Any] = {}
    authors: tuple[str, ...] = ()
    citation: str = ""
    licence: str = ""
    licence_text: str = ""


def software_versions() -> dict[str, str]:
    """Versions of everything that decides the numbers; reads what pip installed, imports nothing."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
