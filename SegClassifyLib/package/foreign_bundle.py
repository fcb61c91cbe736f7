"""MONAI bundles of others as segmenters, read against an allow-list: nothing in them is executed."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from SegClassifyLib.errors import ModelPackageError, NetworkError
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package.files import first_problem
from SegClassifyLib.package.foreign_config import ForeignConfig, read_document
from SegClassifyLib.package.foreign_preprocessing import read_transforms, to_spec
from SegClassifyLib.package.foreign_weights import find_weights, load_weights, read_weights, turn_kernels
from SegClassifyLib.segmenter import InferenceSpec, Segmenter
from SegClassifyLib.volumes.image import Label

if TYPE_CHECKING:
    from torch import nn

_TARGET = re.compile(r"(?:monai\.networks\.nets\.(?:\w+\.)?)?(\w+)")
_GONE = {"img_size"}
"""Arguments that older MONAI wanted and that change nothing in the weights."""


@dataclass(frozen=True)
class ForeignBundle:
    """A bundle as far as it could be understood.

    Args:
        segmenter: ready to run.
        name, description, licence: as its metadata say.
        warnings: sentences on what is done otherwise here than there.
    """

    segmenter: Segmenter
    name: str
    description: str
    licence: str
    warnings: tuple[str, ...]


def inspect_monai_bundle(folder: Path | str) -> ForeignBundle:
    """Read a foreign MONAI bundle: network, weights, preprocessing, labels.

    Args:
        folder: with ``configs/inference.json`` (or ``.yaml``), ``configs/metadata.json`` and ``models/model.pt`` (or
            a ``.safetensors``).

    Raises:
        ModelPackageError: it is none; it names a network that is not on the list of those known, or needs code to
            be run; its weights do not fit; its labels overlap.
    """
    folder = Path(folder).expanduser()
    config = ForeignConfig(_config_file(folder))
    metadata = _metadata(folder)
    _refuse_overlapping(config)
    spec = _network_spec(config)
    warnings: list[str] = []
    network, divisor = _build(spec, config.path)
    load_weights(network, read_weights(find_weights(folder)), folder, spec)
    if spec.ndim == 2:
        turn_kernels(network, spec, config.path)
    steps = read_transforms(config, spec.ndim, spec.in_channels)
    names = _channel_names(metadata, spec.in_channels)
    inference = _inference(config, spec.ndim, warnings)
    from SegClassifyLib.features.taps import find_taps

    try:
        preprocessing = to_spec(steps, names, divisor)
    except ValidationError as error:
        raise ModelPackageError(
            f"{config.path} describes a preprocessing that makes no sense ({first_problem(error)})."
        ) from error
    segmenter = Segmenter(
        network=spec,
        preprocessing=preprocessing,
        labels=_labels(metadata, spec.out_channels, warnings),
        taps=find_taps(network, spec),
        state={name: value.detach().clone() for name, value in network.state_dict().items()},
        inference=inference,
    )
    return ForeignBundle(
        segmenter=segmenter,
        name=str(metadata.get("name") or folder.resolve().name),
        description=str(metadata.get("description") or metadata.get("task") or ""),
        licence=str(metadata.get("license") or metadata.get("copyright") or ""),
        warnings=tuple(dict.fromkeys([*steps.warnings, *warnings])),
    )


def _config_file(folder: Path) -> Path:
    for name in ("inference.json", "inference.yaml", "inference.yml"):
        path = folder / "configs" / name
        if path.is_file():
            return path
    raise ModelPackageError(
        f"{folder} is not a MONAI bundle (it has no configs/inference.json): give the folder that holds configs."
    )


def _metadata(folder: Path) -> dict[str, Any]:
    path = folder / "configs" / "metadata.json"
    return read_document(path) if path.is_file() else {}


def _network_spec(config: ForeignConfig) -> NetworkSpec:
    """``network_def`` as a specification: its name looked up among the known, its arguments plain values."""
    from SegClassifyLib.networks.monai_networks import RECIPES

    definition = config.raw("network_def")
    if isinstance(definition, str) and definition.startswith("@"):
        definition = config.raw(definition[1:])
    if not isinstance(definition, dict) or "_target_" not in definition:
        raise ModelPackageError(f"{config.path} defines no network_def: this bundle cannot be used.")
    match = _TARGET.fullmatch(str(definition["_target_"]))
    if match is None or match.group(1) not in RECIPES:
        raise ModelPackageError(
            f"{config.path} builds its network with {str(definition['_target_'])!r}, which is not on the list of known "
            f"networks ({', '.join(RECIPES)}): nothing else is run from a bundle."
        )
    name = match.group(1)
    arguments = {k: v for k, v in config.arguments(definition).items() if k not in _GONE}
    signature = _defaults(RECIPES[name].constructor)
    own = {
        "ndim": arguments.pop("spatial_dims", signature.get("spatial_dims", 3)),
        "in_channels": arguments.pop("in_channels", signature.get("in_channels", 1)),
        "out_channels": arguments.pop("out_channels", signature.get("out_channels", 2)),
    }
    # Where our recipe has a default of its own, the bundle was trained with MONAI's.
    for key in RECIPES[name].defaults(own["ndim"], arguments):
        if key not in arguments and key in signature:
            arguments[key] = signature[key]
    arguments.pop("pretrained", None)  # would download; the bundle brings its weights
    try:
        return NetworkSpec(name=name, arguments=arguments, **own)
    except ValidationError as error:
        raise ModelPackageError(
            f"{config.path} describes a network that cannot segment ({first_problem(error)}): "
            "this bundle cannot be used."
        ) from error


def _defaults(constructor: str) -> dict[str, Any]:
    import monai.networks.nets

    parameters = inspect.signature(getattr(monai.networks.nets, constructor)).parameters
    return {k: p.default for k, p in parameters.items() if p.default is not inspect.Parameter.empty}


def _build(spec: NetworkSpec, path: Path) -> tuple[nn.Module, int]:
    from SegClassifyLib.networks.registry import build_network, divisor

    try:
        return build_network(spec).eval(), divisor(spec)
    except NetworkError as error:
        raise ModelPackageError(f"The network in {path} cannot be built: {error}") from error


def _refuse_overlapping(config: ForeignConfig) -> None:
    """Sigmoid outputs are one yes-or-no answer a channel: no label map with one label a voxel comes of them."""
    postprocessing = config.raw("postprocessing")
    listed = postprocessing.get("transforms") if isinstance(postprocessing, dict) else None
    for transform in listed if isinstance(listed, list) else []:
        if config.target(transform).startswith("Activations") and transform.get("sigmoid") is True:
            raise ModelPackageError(
                f"{config.path} gives overlapping labels (sigmoid outputs): only networks whose labels exclude each "
                "other can be used."
            )


def _inference(config: ForeignConfig, ndim: int, warnings: list[str]) -> InferenceSpec:
    inferer = config.raw("inferer")
    kind = config.target(inferer)
    if kind == "SlidingWindowInferer" or kind == "SlidingWindowInfererAdapt":
        size = config.argument(inferer, "roi_size")
        values = size if isinstance(size, list) else [size] * ndim
        if len(values) == ndim and all(isinstance(n, int) and n > 0 for n in values):
            overlap = config.argument(inferer, "overlap", 0.25)
            share = float(overlap) if isinstance(overlap, int | float) else 0.25
            window = tuple(values) if ndim == 3 else tuple(reversed(values))
            return InferenceSpec(mode="window", window=window, halo=round(share * min(window) / 2))
    elif kind not in ("SimpleInferer", ""):
        warnings.append(
            f"The bundle infers with {kind}; here the whole image goes through the network at once."
        )
    return InferenceSpec()


def _channel_def(metadata: dict[str, Any], way: str, name: str) -> dict[str, Any]:
    found: Any = metadata
    for key in ("network_data_format", way, name, "channel_def"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _channel_names(metadata: dict[str, Any], count: int) -> list[str]:
    known = _channel_def(metadata, "inputs", "image")
    names = [str(known.get(str(i), f"image {i + 1}")) for i in range(count)]
    return names if len(set(names)) == count else [f"image {i + 1}" for i in range(count)]


def _labels(metadata: dict[str, Any], count: int, warnings: list[str]) -> tuple[Label, ...]:
    from SegClassifyLib.volumes.labels import default_labels, with_background

    known = _channel_def(metadata, "outputs", "pred")
    if not all(str(i) in known for i in range(1, count)):
        warnings.append("The bundle does not name all of its labels: they are numbered.")
    first = str(known.get("0", "background"))
    if first.lower() not in ("background", "bg", "everything else", "other"):
        warnings.append(f"The bundle calls its label 0 {first!r}: here it is taken for background.")
    return with_background(default_labels([str(known.get(str(i), f"label {i}")) for i in range(1, count)]))
