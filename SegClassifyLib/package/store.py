"""A model to a folder in MONAI bundle layout, and back; opening one never executes anything from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from SegClassifyLib.atomic import Overwrite
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files
from SegClassifyLib.package.archive import unpacked
from SegClassifyLib.package.atomic import new_folder
from SegClassifyLib.package.card import model_card
from SegClassifyLib.package.files import (
    FileList,
    read_file_list,
    read_text,
    verify_file,
    write_json,
    write_text,
)
from SegClassifyLib.package.format import PackageDescription, describe, parse_description
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.monai_bundle import inference_config, metadata
from SegClassifyLib.package.trust_entry import pack_trust, unpack_trust
from SegClassifyLib.segmenter import Segmenter

if TYPE_CHECKING:
    import numpy as np
    import torch

    from SegClassifyLib.heads.base import HeadState
    from SegClassifyLib.trust.trust import Trust


def save_package(model: Model, folder: Path | str, overwrite: Overwrite = "refuse") -> Path:
    """Write a model package; it appears whole, or nothing does.

    Args:
        model: what to write.
        folder: where; its parents are made.
        overwrite: what to do when there is something already. Only a model package is ever replaced.

    Returns:
        The folder.

    Raises:
        ModelPackageError: it cannot be written there.
    """
    target = Path(folder).expanduser().absolute()
    with new_folder(target, overwrite, f"The model package {model.name!r}") as work:
        # Lists for tuples and so on: what is written is what is read, whatever the head put into its config.
        write_json(work / files.DESCRIPTION, describe(model).model_dump(mode="json"))
        write_json(work / files.METADATA, metadata(model))
        write_json(work / files.INFERENCE, inference_config(model))
        write_text(work / files.CARD, model_card(model))
        if model.provenance.licence_text:
            write_text(work / files.LICENCE, model.provenance.licence_text)
        _write_weights(work / files.SEGMENTER_WEIGHTS, model.segmenter.state)
        if model.head is not None:
            _write_arrays(work / files.HEAD_ARRAYS, model.head.arrays)
        if model.trust is not None:
            _write_arrays(work / files.TRUST_ARRAYS, pack_trust(model.trust, model.head)[1])
        files.write_file_list(work)
    return target


def open_package(path: Path | str) -> Model:
    """Read a model package: a folder, or a .zip of one.

    Every file is checked against its hash first. Only JSON, text and safetensors are read; weights land on the
    CPU wherever they were trained; files that the package does not list are ignored.

    Raises:
        ModelPackageError: not a model package, damaged, changed, or of a newer format.
    """
    source = Path(path).expanduser()
    if source.is_file():
        with unpacked(source) as folder:
            return _open_folder(folder)
    return _open_folder(source)


def read_description(folder: Path, listed: FileList | None = None) -> PackageDescription:
    """The description of a package folder, verified, without its weights.

    Raises:
        ModelPackageError: see :func:`open_package`.
    """
    listed = listed or read_file_list(folder)
    path = verify_file(folder, files.DESCRIPTION, listed.files[files.DESCRIPTION])
    return parse_description(read_text(path), path)


def _open_folder(folder: Path) -> Model:
    listed = read_file_list(folder)
    # The description comes first: a package of a newer format may have other files altogether.
    description = read_description(folder, listed)
    for name, entry in listed.files.items():
        verify_file(folder, name, entry)
    wanted = {files.HEAD_ARRAYS: description.head, files.TRUST_ARRAYS: description.trust}
    for name, part in wanted.items():
        if part is not None and name not in listed.files:
            raise ModelPackageError(f"{folder} lacks {name}: fetch the model package again.")
    provenance = description.provenance
    if files.LICENCE in listed.files:
        provenance = provenance.model_copy(update={"licence_text": read_text(folder / files.LICENCE)})
    try:
        segmenter = Segmenter(
            network=description.network,
            preprocessing=description.preprocessing,
            labels=description.labels,
            taps=description.taps,
            state=_read_weights(folder / files.SEGMENTER_WEIGHTS),
            inference=description.inference,
        )
        head = _read_head(folder, description)
        return Model(
            name=description.name,
            description=description.description,
            segmenter=segmenter,
            head=head,
            classes=description.classes,
            temperature=description.temperature,
            doubt=description.doubt,
            training=description.training,
            provenance=provenance,
            trust=_read_trust(folder, description, head),
        )
    except ValueError as error:
        raise ModelPackageError(
            f"{folder / files.DESCRIPTION} contradicts itself ({error}): fetch the model package again."
        ) from error


def _read_head(folder: Path, description: PackageDescription) -> HeadState | None:
    if description.head is None:
        return None
    from SegClassifyLib.heads.base import HeadState

    return HeadState(description.head.kind, description.head.config, _read_arrays(folder / files.HEAD_ARRAYS))


def _read_trust(folder: Path, description: PackageDescription, head: HeadState | None) -> Trust | None:
    if description.trust is None:
        return None
    return unpack_trust(description.trust, _read_arrays(folder / files.TRUST_ARRAYS), head)


def _write_weights(path: Path, state: dict[str, torch.Tensor]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    # Copies: safetensors refuses tensors that share memory or are not contiguous.
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    try:
        save_file(whole, path)
    except SafetensorError as error:
        raise _as_os_error(error) from error


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    import numpy as np
    from safetensors.numpy import save

    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise ValueError(f"array {name!r} has type {array.dtype}: only numbers are stored")
    path.parent.mkdir(parents=True, exist_ok=True)
    # safetensors reads the buffer as it lies in memory: anything but C order would come back scrambled.
    path.write_bytes(save({name: np.array(array, order="C", copy=True) for name, array in arrays.items()}))


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            # Copies: the tensors of safetensors lie in the mapped file, which may go away or be replaced.
            return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return {name: array.copy() for name, array in load(path.read_bytes()).items()}
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ModelPackageError:
    return ModelPackageError(
        f"{path} is not a readable safetensors file ({error}): fetch the model package again."
    )


def _as_os_error(error: Exception) -> Exception:
    """safetensors hides the system's error number in its text."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number.group(1)), str(error)) if number else error
