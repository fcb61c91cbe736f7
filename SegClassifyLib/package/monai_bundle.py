"""The two files that make a model package a MONAI bundle: metadata.json and inference.json.

Format: MONAI Bundle Specification, https://docs.monai.io/en/stable/mb_specification.html. Neither file is ever read
by SegClassify. MONAI takes strings that begin with ``$``, ``@`` or ``%`` in them for code, references and file
names, also in metadata.json: every text a user can choose is made inert first, and inference.json holds no such
text at all, and no ``$`` expression of ours either.
"""

from __future__ import annotations

import json
import re
from typing import Any

from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.card import preprocessing_in_words
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.provenance import software_versions
from SegClassifyLib.preprocessing.spec import GridSpec, IntensitySpec
from SegClassifyLib.segmenter import InferenceSpec

SCHEMA_URL = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)
_RUN = "SegClassifyLib.classify.bundle_run"


def metadata(model: Model) -> dict[str, Any]:
    """``configs/metadata.json`` of a model."""
    versions = {**software_versions(), **model.provenance.software}
    p = model.provenance
    content = {
        "schema": SCHEMA_URL,
        "version": "1.0.0",
        "changelog": {"1.0.0": f"made {p.created}"},
        "monai_version": versions["monai"],
        "pytorch_version": versions["torch"].split("+")[0],
        "numpy_version": versions["numpy"],
        "required_packages_version": {"segclassify": versions["segclassify"]},
        "name": model.name,
        "task": "Segmentation and classification of medical images" if model.classes else "Segmentation",
        "description": model.description or model.name,
        "authors": ", ".join(p.authors) or "not stated",
        "copyright": p.licence or "not stated",
        "data_source": p.data_set,
        "image_classes": " ".join(preprocessing_in_words(model.segmenter.preprocessing)),
        "label_classes": "; ".join(f"{x.value} {x.name}" for x in model.segmenter.labels),
        "pred_classes": "; ".join(model.classes),
        "eval_metrics": {_key(score.metric): score.value for score in p.scores},
        "intended_use": "Research only; not for diagnosis or treatment.",
        "references": [p.citation] if p.citation else [],
        "network_data_format": {"inputs": {"image": _input(model)}, "outputs": {"pred": _output(model)}},
    }
    result: dict[str, Any] = _inert(content)
    return result


def inference_config(model: Model) -> dict[str, Any]:
    """``configs/inference.json``: runs the same pass as ``segclassify classify`` under ``monai.bundle run``.

    ``network_def``, ``network`` and ``inferer`` are there for tools that bring their own loop.
    """
    return {
        "bundle_root": ".",
        "dataset_dir": "",
        "image": [],
        "output_dir": "",
        "device": {"_target_": f"{_RUN}.find_device", "wanted": "auto"},
        "network_def": network_definition(model.segmenter.network),
        "network": {
            "_target_": f"{_RUN}.load_network",
            "network": "@network_def",
            "bundle_root": "@bundle_root",
            "device": "@device",
        },
        "inferer": _inferer(model.segmenter.inference),
        "dataset": {
            "_target_": f"{_RUN}.find_cases",
            "bundle_root": "@bundle_root",
            "dataset_dir": "@dataset_dir",
            "image": "@image",
        },
        "evaluator": {
            "_target_": f"{_RUN}.BundleInference",
            "bundle_root": "@bundle_root",
            "cases": "@dataset",
            "output_dir": "@output_dir",
            "device": "@device",
        },
        "run": [{"_target_": f"{_RUN}.run", "evaluator": "@evaluator"}],
    }


def network_definition(spec: NetworkSpec) -> dict[str, Any]:
    """``network_def``: MONAI's own class for its networks, ours by name for others."""
    from SegClassifyLib.networks.monai_networks import RECIPES

    ours = {"_target_": f"{_RUN}.build", "bundle_root": "@bundle_root"}
    recipe = RECIPES.get(spec.name)
    if recipe is None:
        return ours
    arguments = {**recipe.defaults(spec.ndim, spec.arguments), **spec.arguments}
    definition = {
        "_target_": f"monai.networks.nets.{recipe.constructor}",
        "spatial_dims": spec.ndim,
        "in_channels": spec.in_channels,
        "out_channels": spec.out_channels,
        **arguments,
    }
    plain: dict[str, Any] = json.loads(json.dumps(definition))
    # Arguments that MONAI would not take literally are left to our own builder, which reads them from the package.
    return plain if plain == _inert(plain) and not _has_component(arguments) else ours


def _inferer(spec: InferenceSpec) -> dict[str, Any]:
    if spec.mode == "whole" or spec.window is None:
        return {"_target_": "monai.inferers.SimpleInferer"}
    overlap = min(0.9, 2 * spec.halo / min(spec.window))
    return {
        "_target_": "monai.inferers.SlidingWindowInferer",
        "roi_size": list(spec.window),
        "sw_batch_size": 1,
        "overlap": round(overlap, 4),
    }


def _input(model: Model) -> dict[str, Any]:
    spec = model.segmenter.preprocessing
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "n/a",
        "num_channels": len(spec.channels),
        "spatial_shape": _shape(spec.grid, spec.ndim),
        "dtype": "float32",
        "value_range": _value_range([c.intensity for c in spec.channels]),
        "is_patch_data": model.segmenter.inference.mode == "window",
        "channel_def": {str(i): c.name for i, c in enumerate(spec.channels)},
    }


def _output(model: Model) -> dict[str, Any]:
    segmenter = model.segmenter
    return {
        "type": "image",
        "format": "labels",
        "num_channels": len(segmenter.labels),
        "spatial_shape": _shape(segmenter.preprocessing.grid, segmenter.network.ndim),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": segmenter.inference.mode == "window",
        "channel_def": {str(i): label.name for i, label in enumerate(segmenter.labels)},
    }


def _shape(grid: GridSpec, ndim: int) -> list[int | str]:
    """Array order; fixed sizes as numbers, others as what they are a multiple of."""
    if grid.size:
        return [-(-n // grid.multiple_of) * grid.multiple_of for n in reversed(grid.size)]
    return [f"{grid.multiple_of}*n" if grid.multiple_of > 1 else "*"] * ndim


def _value_range(specs: list[IntensitySpec]) -> list[float]:
    if any(s.scale != "unit" for s in specs):
        return []
    ends = [end for s in specs for end in (s.offset, s.offset + s.gain)]
    return [min(ends), max(ends)]


def _inert(value: Any) -> Any:
    """The same, with every text such that MONAI's configuration parser takes it for plain text."""
    if isinstance(value, dict):
        return {key: _inert(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_inert(item) for item in value]
    if isinstance(value, str):
        text = re.sub(r"([@%])(?=#|::)", r"\1 ", value)
        return f" {text}" if text[:1] in ("$", "@", "%") else text
    return value


def _has_component(value: Any) -> bool:
    """Whether MONAI would take some dictionary in ``value`` for something to call, or some key for a path."""
    if isinstance(value, dict):
        return any("#" in k or "::" in k or k.startswith("_") for k in value) or any(
            map(_has_component, value.values())
        )
    return isinstance(value, list | tuple) and any(map(_has_component, value))


def _key(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_") or "score"
