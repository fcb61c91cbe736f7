"""SegClassify: turn a segmentation network into a medical image classifier with a few dozen labelled cases.

The names below are what most programs need; each is fetched from its room when it is first used, so importing the
package costs next to nothing. Everything else is imported from its own module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.classify.classifier import Classifier
    from SegClassifyLib.classify.held_out import evaluate_held_out
    from SegClassifyLib.classify.result import Classification, save_classification
    from SegClassifyLib.errors import SegClassifyError
    from SegClassifyLib.evidence.explain import explain
    from SegClassifyLib.features.cache import FeatureCache
    from SegClassifyLib.package.model import Model
    from SegClassifyLib.package.store import open_package, save_package
    from SegClassifyLib.progress import Progress
    from SegClassifyLib.training.classifier import train_classifier
    from SegClassifyLib.training.classifier_settings import ClassifierSettings
    from SegClassifyLib.training.family import open_family
    from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set as train_segmenter
    from SegClassifyLib.training.segmenter_plan import SegmenterPlan
    from SegClassifyLib.training.settings import SegmenterSettings
    from SegClassifyLib.volumes.read import read_channels, read_image, read_label_map
    from SegClassifyLib.volumes.write import write_image, write_label_map

_HOMES = {
    "Classification": "classify.result",
    "Classifier": "classify.classifier",
    "ClassifierSettings": "training.classifier_settings",
    "FeatureCache": "features.cache",
    "Model": "package.model",
    "Progress": "progress",
    "SegClassifyError": "errors",
    "SegmenterPlan": "training.segmenter_plan",
    "SegmenterSettings": "training.settings",
    "TrainingSet": "cases.training_set",
    "evaluate_held_out": "classify.held_out",
    "explain": "evidence.explain",
    "open_family": "training.family",
    "open_package": "package.store",
    "read_channels": "volumes.read",
    "read_image": "volumes.read",
    "read_label_map": "volumes.read",
    "save_classification": "classify.result",
    "save_package": "package.store",
    "train_classifier": "training.classifier",
    "train_segmenter": "training.segmenter_from_set:train_segmenter_from_set",
    "write_image": "volumes.write",
    "write_label_map": "volumes.write",
}
"""Public name → the module that holds it, and its name there where that is another."""

__all__ = [
    "Classification",
    "Classifier",
    "ClassifierSettings",
    "FeatureCache",
    "Model",
    "Progress",
    "SegClassifyError",
    "SegmenterPlan",
    "SegmenterSettings",
    "TrainingSet",
    "__version__",
    "evaluate_held_out",
    "explain",
    "open_family",
    "open_package",
    "read_channels",
    "read_image",
    "read_label_map",
    "save_classification",
    "save_package",
    "train_classifier",
    "train_segmenter",
    "write_image",
    "write_label_map",
]


def __getattr__(name: str) -> Any:
    """Fetch a public name from its module (PEP 562) and keep it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, other = _HOMES[name].partition(":")
    value = getattr(import_module(f"{__name__}.{module}"), other or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
