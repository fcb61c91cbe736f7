"""Weights from ``.safetensors`` files: plain numbers by name, nothing that could run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from SegClassifyLib.errors import NetworkError


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of the file by name, on the CPU.

    Raises:
        NetworkError: there is no such file, or it is not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise NetworkError(f"There is no weights file {path}: check the path.")
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise NetworkError(
            f"{path} cannot be read as a safetensors file ({error}): it is damaged or of another kind; get it anew."
        ) from error


def load_into(network: nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    """Give ``network`` the weights; every name and shape must fit.

    Raises:
        NetworkError: they belong to another network; the sentence names ``path`` and the first that does not fit.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        lines = str(error).splitlines()
        first = (lines[1] if len(lines) > 1 else lines[0]).strip()
        raise NetworkError(
            f"The weights in {path} are not those of {type(network).__name__}: {first[:200]}"
        ) from error
