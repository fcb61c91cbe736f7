"""``configs/segclassify.json``: our own description of a model, versioned, older versions kept readable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.files import first_problem
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import Provenance, software_versions
from SegClassifyLib.package.reference import TrainingReference
from SegClassifyLib.package.trust_entry import TrustEntry, pack_trust
from SegClassifyLib.preprocessing.spec import PreprocessingSpec
from SegClassifyLib.segmenter import InferenceSpec
from SegClassifyLib.volumes.image import Label

FORMAT = 2
"""Raised whenever a field is added, renamed or changes its meaning."""


def _from_1(document: dict[str, Any]) -> dict[str, Any]:
    """Models of format 1 know neither doubt nor prediction sets nor novelty."""
    training = {**document["training"], "right_handed": None}
    return {**document, "doubt": 0.0, "trust": None, "training": training}


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
"""For each older format, what turns its document into one of the next format. Entries are never removed."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeadEntry(_Frozen):
    """The head but for its arrays, which are in ``models/head.safetensors``."""

    kind: str
    config: dict[str, Any]


class PackageDescription(_Frozen):
    """A model without its weights, as it is written to the package."""

    format: int
    written_by: str
    name: str = Field(min_length=1)
    description: str
    network: NetworkSpec
    preprocessing: PreprocessingSpec
    labels: tuple[Label, ...]
    taps: tuple[TapSpec, ...]
    inference: InferenceSpec
    head: HeadEntry | None
    classes: tuple[str, ...]
    temperature: FiniteFloat = Field(gt=0)
    doubt: FiniteFloat = Field(ge=0, lt=1)
    training: TrainingReference
    provenance: Provenance
    trust: TrustEntry | None


def describe(model: Model) -> PackageDescription:
    """The description of a model; the licence text goes to a file of its own."""
    segmenter, head = model.segmenter, model.head
    return PackageDescription(
        format=FORMAT,
        written_by=f"segclassify {software_versions()['segclassify']}",
        name=model.name,
        description=model.description,
        network=segmenter.network,
        preprocessing=segmenter.preprocessing,
        labels=segmenter.labels,
        taps=segmenter.taps,
        inference=segmenter.inference,
        head=HeadEntry(kind=head.kind, config=head.config) if head is not None else None,
        classes=model.classes,
        temperature=model.temperature,
        doubt=model.doubt,
        training=model.training,
        provenance=model.provenance.model_copy(update={"licence_text": ""}),
        trust=pack_trust(model.trust, head)[0] if model.trust is not None else None,
    )


def parse_description(text: str, where: Path) -> PackageDescription:
    """A description from its JSON text, older formats brought up to this one.

    Raises:
        ModelPackageError: not such a document, or of a newer format.
    """
    again = "fetch the model package again"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelPackageError(f"{where} is not valid JSON ({error}): {again}.") from error
    if not isinstance(document, dict) or type(document.get("format")) is not int:
        raise ModelPackageError(f"{where} does not say its format number: {again}.")
    try:
        return PackageDescription.model_validate(upgrade(document, where))
    except ValidationError as error:
        raise ModelPackageError(f"{where} is damaged ({first_problem(error)}): {again}.") from error


def upgrade(
    document: dict[str, Any],
    where: Path,
    upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
    newest: int | None = None,
) -> dict[str, Any]:
    """A document of any known format as one of the ``newest``.

    Raises:
        ModelPackageError: it is newer than this version of the software, or older than any it ever wrote.
    """
    upgrades = UPGRADES if upgrades is None else upgrades
    newest = FORMAT if newest is None else newest
    if document["format"] > newest:
        raise ModelPackageError(
            f"{where} is of format {document['format']} and this version of SegClassify reads up to format {newest}: "
            "update SegClassify."
        )
    while (number := document["format"]) < newest:
        if number not in upgrades:
            raise ModelPackageError(
                f"{where} is of the unknown format {number}: fetch the model package again."
            )
        try:
            document = {**upgrades[number](document), "format": number + 1}
        except (KeyError, TypeError, ValueError) as error:
            raise ModelPackageError(
                f"{where} is a damaged document of format {number} ({error!r}): fetch the model package again."
            ) from error
    return document
