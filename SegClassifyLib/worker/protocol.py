"""What the worker and the panel say to each other: every message as a frozen dataclass. Standard library only.

The panel imports this module inside 3D Slicer before anything is installed there; all names come from here.
``docs/worker-protocol.md`` shows the messages on the wire. :mod:`.wire` holds the JSON-RPC envelopes they travel in,
the modules ``…_messages`` most of what is in them.

What a request asks for is a :class:`Params`: ``params.request(id)`` is the :class:`Request` to send, and
``params.read_answer(response.result)`` the answer in its own type.

Example:
    >>> encode(ModelsParams(folders=("/home/me/models",)).request(7))
    b'{"jsonrpc":"2.0","id":7,"method":"models","params":{"folders":["/home/me/models"]}}\\n'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from SegClassifyLib.worker.classifier_messages import (
    ClassifierTrained,
    CurvePoint,
    LastClassifierParams,
    SaveModelParams,
    TrainClassifierParams,
)
from SegClassifyLib.worker.comparison_messages import (
    BaselineParams,
    BaselineResult,
    CompareModelsParams,
    EvaluateModelParams,
    EvaluationInfo,
    ModelComparison,
    ScorePair,
)
from SegClassifyLib.worker.evidence_messages import EvidenceParams, EvidenceReason, EvidenceResult
from SegClassifyLib.worker.job_messages import (
    PHASES,
    Cancelling,
    CancelParams,
    ClassifyParams,
    ClassifyResult,
    FileSource,
    JobProgress,
    VolumeSource,
)
from SegClassifyLib.worker.model_messages import (
    AddModelParams,
    ChannelInfo,
    LabelInfo,
    ModelInfo,
    ModelsParams,
    RemoveModelParams,
)
from SegClassifyLib.worker.next_case_messages import NextCasesParams, SuggestedCase, SuggestedCases
from SegClassifyLib.worker.params import Nothing, Params
from SegClassifyLib.worker.plain import PlainData, ShapeError
from SegClassifyLib.worker.score_messages import CaseAnswer, CaseDoubt, ScoreInfo
from SegClassifyLib.worker.segmenter_messages import (
    EpochDone,
    EpochInfo,
    KeepSegmenterParams,
    PlanSegmenterParams,
    SegmenterOutlook,
    SegmenterRun,
    SegmenterRunsParams,
    TrainSegmenterParams,
)
from SegClassifyLib.worker.set_messages import (
    SET_METHODS,
    AddCaseParams,
    CaseRow,
    ChangeCasesParams,
    CheckSetParams,
    ClassCounts,
    CloseSetParams,
    CreateSetParams,
    FindingInfo,
    ImportCasesParams,
    OpenSetParams,
    ReadSetParams,
    RemoveCasesParams,
    RenameClassParams,
    SaveSegmentationParams,
    SegmentationSource,
    SetChanged,
    SetGuide,
    SetInfo,
    SetLook,
    UndoSetParams,
)
from SegClassifyLib.worker.training_messages import TRAINING_ERRANDS, TRAINING_JOBS, TRAINING_PHASES
from SegClassifyLib.worker.wire import (
    Broken,
    Code,
    Id,
    LineDecoder,
    Notification,
    Received,
    Request,
    Response,
    RpcError,
    decode,
    encode,
)

__all__ = [
    "METHODS",
    "PHASES",
    "PROTOCOL",
    "TRAINING_ERRANDS",
    "TRAINING_JOBS",
    "TRAINING_PHASES",
    "AddCaseParams",
    "AddModelParams",
    "BaselineParams",
    "BaselineResult",
    "Broken",
    "CancelParams",
    "Cancelling",
    "CaseAnswer",
    "CaseDoubt",
    "CaseRow",
    "ChangeCasesParams",
    "ChannelInfo",
    "CheckSetParams",
    "ClassCounts",
    "ClassifierTrained",
    "ClassifyParams",
    "ClassifyResult",
    "CloseSetParams",
    "Code",
    "CompareModelsParams",
    "CreateSetParams",
    "CurvePoint",
    "Device",
    "DevicesParams",
    "EpochDone",
    "EpochInfo",
    "EvaluateModelParams",
    "EvaluationInfo",
    "EvidenceParams",
    "EvidenceReason",
    "EvidenceResult",
    "FileSource",
    "FindingInfo",
    "Hello",
    "HelloParams",
    "Id",
    "ImportCasesParams",
    "JobProgress",
    "KeepSegmenterParams",
    "LabelInfo",
    "LastClassifierParams",
    "LineDecoder",
    "ModelComparison",
    "ModelInfo",
    "ModelsParams",
    "NextCasesParams",
    "Nothing",
    "Notification",
    "OpenSetParams",
    "Params",
    "PlanSegmenterParams",
    "ReadSetParams",
    "Received",
    "ReleaseParams",
    "RemoveCasesParams",
    "RemoveModelParams",
    "RenameClassParams",
    "Request",
    "Response",
    "RpcError",
    "SaveModelParams",
    "SaveSegmentationParams",
    "ScoreInfo",
    "ScorePair",
    "SegmentationSource",
    "SegmenterOutlook",
    "SegmenterRun",
    "SegmenterRunsParams",
    "SetChanged",
    "SetGuide",
    "SetInfo",
    "SetLook",
    "ShapeError",
    "ShutdownParams",
    "SuggestedCase",
    "SuggestedCases",
    "TrainClassifierParams",
    "TrainSegmenterParams",
    "UndoSetParams",
    "VolumeSource",
    "decode",
    "encode",
]

PROTOCOL = 1
"""Raised with every change after which an older panel and a newer worker, or the reverse, would misunderstand."""


@dataclass(frozen=True)
class Hello(PlainData):
    """Who is there.

    Args:
        protocol: the worker's :data:`PROTOCOL`; the panel compares it with its own.
        version: of SegClassify.
        python: version of the interpreter ("3.12.4").
        pid: process id of the interpreter itself, not of a launcher in front of it.
        missing: packages that the worker needs and cannot find, by the names that pip installs them by; nothing
            was imported to tell.
    """

    protocol: int
    version: str
    python: str
    pid: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class HelloParams(Params[Hello]):
    """``hello``: answered at once and before anything heavy is imported."""

    METHOD: ClassVar[str] = "hello"
    ANSWER: ClassVar[Any] = Hello


@dataclass(frozen=True)
class Device(PlainData):
    """Something that can run a network.

    Args:
        name: for :class:`ClassifyParams`: "cuda:0", "mps" or "cpu".
        label: for people ("NVIDIA H200, 139 GB"; "Processor, 16 cores").
    """

    name: str
    label: str


@dataclass(frozen=True)
class DevicesParams(Params["tuple[Device, ...]"]):
    """``devices``: what there is, the best first. Imports torch: the first time takes seconds."""

    METHOD: ClassVar[str] = "devices"
    ANSWER: ClassVar[Any] = tuple[Device, ...]


@dataclass(frozen=True)
class ReleaseParams(Params[Nothing]):
    """``release``: forget the warm model and give its memory back, that of the GPU too. Waits its turn like a job."""

    METHOD: ClassVar[str] = "release"
    ANSWER: ClassVar[Any] = Nothing


@dataclass(frozen=True)
class ShutdownParams(Params[Nothing]):
    """``shutdown``: answered, then the process ends with code 0, in the middle of a job too."""

    METHOD: ClassVar[str] = "shutdown"
    ANSWER: ClassVar[Any] = Nothing


_KINDS: tuple[type[Params[Any]], ...] = (
    HelloParams,
    DevicesParams,
    ModelsParams,
    AddModelParams,
    RemoveModelParams,
    ClassifyParams,
    EvidenceParams,
    CancelParams,
    ReleaseParams,
    ShutdownParams,
    *SET_METHODS,
    *TRAINING_JOBS,
    *TRAINING_ERRANDS,
)

METHODS: dict[str, type[Params[Any]]] = {kind.METHOD: kind for kind in _KINDS}
"""What the worker understands: every method with the type of its parameters."""
