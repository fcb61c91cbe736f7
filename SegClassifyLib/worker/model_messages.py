"""What is said about model packages: list, add, remove. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.params import Nothing, Params
from SegClassifyLib.worker.plain import PlainData


@dataclass(frozen=True)
class ChannelInfo(PlainData):
    """One input image of a model.

    Args:
        name: "T1c".
        modality: what kind of image ("CT", "MR"), where the model says so; otherwise empty.
    """

    name: str
    modality: str = ""


@dataclass(frozen=True)
class LabelInfo(PlainData):
    """One label of a model's segmentation; background (0) is not listed.

    Args:
        value: the integer in the label map.
        name: "tumour".
        color: red, green, blue, each 0 to 1.
    """

    value: int
    name: str
    color: tuple[float, ...]


@dataclass(frozen=True)
class ModelInfo(PlainData):
    """A model package as a list shows it.

    Args:
        name: of the model; the folder's name where the package cannot be read.
        version: short, tells two packages of one name apart: the day it was made and the start of its content hash.
        path: the package's folder: what :class:`ClassifyParams` and :class:`RemoveModelParams` want.
        ndim: 2 or 3; 0 where the package cannot be read.
        channels: the images it wants, in this order.
        classes: in the order of its probabilities; empty for a model that only segments.
        labels: without background.
        summary: the first lines of its card as plain text.
        balanced_accuracy: "80 % (95 % interval 60 to 90 %)"; empty where it was not measured.
        problem: a sentence on why it cannot be used; empty when all is well as far as a quick look can tell.
        shipped: whether it came with the software, and therefore cannot be removed.
    """

    name: str
    version: str
    path: str
    ndim: int
    channels: tuple[ChannelInfo, ...]
    classes: tuple[str, ...]
    labels: tuple[LabelInfo, ...]
    summary: str
    balanced_accuracy: str
    problem: str
    shipped: bool


@dataclass(frozen=True)
class ModelsParams(Params["tuple[ModelInfo, ...]"]):
    """``models``: the model packages in some folders, folder by folder, then by name. Weights are not read.

    Args:
        folders: the earlier comes first; a model that lies in two of them is listed once. With none: the user's
            folder of models, then those shipped with the software. Folders that do not exist are passed over.
    """

    METHOD: ClassVar[str] = "models"
    ANSWER: ClassVar[Any] = tuple[ModelInfo, ...]

    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class AddModelParams(Params[ModelInfo]):
    """``add_model``: verify a model package against its hashes, then copy it into a folder of models.

    Args:
        path: a folder, or a .zip of one.
        folder: of models, made when needed; empty for the user's.
    """

    METHOD: ClassVar[str] = "add_model"
    ANSWER: ClassVar[Any] = ModelInfo

    path: str
    folder: str = ""


@dataclass(frozen=True)
class RemoveModelParams(Params[Nothing]):
    """``remove_model``: delete a model package. Only a package that lies right in ``folder`` is ever deleted.

    Args:
        path: as :class:`ModelInfo` gave it.
        folder: of models; empty for the user's.
    """

    METHOD: ClassVar[str] = "remove_model"
    ANSWER: ClassVar[Any] = Nothing

    path: str
    folder: str = ""
