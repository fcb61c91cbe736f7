"""Weights of foreign bundles: found, read without running anything, and fitted to our way of holding images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.networks.spec import NetworkSpec

if TYPE_CHECKING:
    import torch
    from torch import nn

_TURNABLE = {
    "AttentionUnet",
    "BasicUNet",
    "BasicUNetPlusPlus",
    "DynUNet",
    "HighResNet",
    "SegResNet",
    "SegResNetDS",
    "UNet",
    "VNet",
}
"""Networks of convolutions only: with kernels transposed they do to a transposed image what they did before."""


def find_weights(folder: Path) -> Path:
    """The file with a bundle's weights.

    Raises:
        ModelPackageError: there is none, or more than one and none of the usual name.
    """
    models = folder / "models"
    for name in ("model.safetensors", "model.pt"):
        if (models / name).is_file():
            return models / name
    endings = (".pt", ".pth", ".safetensors")
    found = sorted(p for p in models.iterdir() if p.suffix in endings) if models.is_dir() else []
    if len(found) == 1:
        return found[0]
    large = (folder / "large_files.yml").is_file()
    hint = "download it as large_files.yml says" if large else "fetch the bundle with its weights"
    raise ModelPackageError(f"{folder} has no weights (models/model.pt): {hint}.")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Weights by name.

    Raises:
        ModelPackageError: damaged, or holding anything but tensors and plain containers.
    """
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path, device="cpu")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch refuses foreign objects and damaged files with many types
        reason = str(error).strip().split("\n")[0][:200]
        raise ModelPackageError(
            f"{path} cannot be read as plain weights ({reason}): save its state dictionary anew, or fetch it again."
        ) from error
    for key in ("model", "state_dict", "model_state_dict", "network"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(isinstance(v, torch.Tensor) for v in content.values()):
        raise ModelPackageError(
            f"{path} holds no dictionary of weights: save the network's state dictionary."
        )
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def load_weights(network: nn.Module, state: dict[str, torch.Tensor], folder: Path, spec: NetworkSpec) -> None:
    """Put weights into a network.

    Raises:
        ModelPackageError: they do not fit exactly.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()[:300]
        raise ModelPackageError(
            f"The weights in {folder} do not fit its network {spec.name}: {reason}"
        ) from error


def turn_kernels(network: nn.Module, spec: NetworkSpec, path: Path) -> None:
    """MONAI's readers hold a picture as (x, y), ours as (y, x): transpose what the network does, not the picture.

    Raises:
        ModelPackageError: the network is not one that can be turned.
    """
    import torch

    uneven = next((name for name, module in network.named_modules() if _is_uneven(module)), None)
    if spec.name not in _TURNABLE or uneven:
        why = f"{uneven} treats its two axes differently" if uneven else "it is not made of convolutions only"
        raise ModelPackageError(
            f"The 2D network {spec.name} in {path} cannot be used here ({why}): MONAI shows it pictures with x first."
        )
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.copy_(parameter.transpose(-1, -2).clone())


def _is_uneven(module: nn.Module) -> bool:
    names = ("kernel_size", "stride", "padding", "output_padding", "dilation", "scale_factor")
    values = [getattr(module, name, None) for name in names]
    return any(isinstance(value, tuple) and len(set(value)) > 1 for value in values)
