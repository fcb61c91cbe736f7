"""Model packages: what is saved is what is opened, and it is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from package_data import assert_same_model

from SegClassifyLib.atomic import ARRIVING
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.package import files
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package, save_package


def test_what_is_saved_is_what_is_opened(model: Model, package: Path) -> None:
    opened = open_package(package)
    assert_same_model(model, opened)
    network = build_network(opened.segmenter.network)
    network.load_state_dict(opened.segmenter.state)
    assert stat.S_IMODE(package.stat().st_mode) & 0o500 == 0o500
    assert (package / "LICENSE").read_text(encoding="utf-8") == "The whole text.\n"
    assert [p.name for p in package.parent.iterdir()] == ["tumour"]  # no work folder left behind


def test_weights_come_back_after_the_package_is_gone(model: Model, package: Path) -> None:
    opened = open_package(package)
    with (package / files.SEGMENTER_WEIGHTS).open("r+b") as file:
        file.write(b"\xff" * 4096)
    assert opened.segmenter.fingerprint == model.segmenter.fingerprint


def test_segmenter_only_and_shared_weights(model: Model, tmp_path: Path) -> None:
    tied = dict(model.segmenter.state)
    first = next(iter(tied))
    tied["alias"] = tied[first].transpose(0, 1)
    only = Model("Segmenter", "", replace(model.segmenter, state=tied))
    opened = open_package(save_package(only, tmp_path / "p"))
    assert opened.head is None and opened.classes == ()
    assert torch.equal(opened.segmenter.state["alias"], tied["alias"])
    assert not (tmp_path / "p" / files.HEAD_ARRAYS).exists()


def test_an_existing_folder_is_replaced_only_when_asked_and_only_if_it_is_a_package(
    model: Model, package: Path, tmp_path: Path
) -> None:
    other = replace(model, name="Other")
    with pytest.raises(ModelPackageError, match="exists already"):
        save_package(other, package)
    assert open_package(package).name == model.name
    save_package(other, package, overwrite="replace")
    assert open_package(package).name == "Other"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years", encoding="utf-8")
    with pytest.raises(ModelPackageError, match="not a model package"):
        save_package(model, precious, overwrite="replace")
    assert (precious / "thesis.txt").exists()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ModelPackageError, match="a file of that name"):
        save_package(model, tmp_path / "file", overwrite="replace")
    assert [p.name for p in package.parent.iterdir()] == ["tumour"]


def _fail_after(count: int, code: int) -> Callable[..., int]:
    calls = [0]
    original = Path.write_bytes

    def write(self: Path, data: bytes) -> int:
        calls[0] += 1
        if calls[0] > count:
            self.touch()
            raise OSError(code, os.strerror(code))
        return original(self, data)

    return write


@pytest.mark.parametrize("count", [0, 3, 5])
def test_a_full_disk_leaves_nothing_half_written(
    model: Model, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(Path, "write_bytes", _fail_after(count, errno.ENOSPC))
    with pytest.raises(ModelPackageError, match="disk is full"):
        save_package(model, tmp_path / "new" / "p")
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(ModelPackageError, match="disk is full"):
        save_package(replace(model, name="Other"), package, overwrite="replace")
    assert open_package(package).name == model.name
    assert [p.name for p in package.parent.iterdir()] == ["tumour"]


def test_a_full_disk_while_writing_weights_is_said(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """safetensors reports it with an error of its own."""
    import safetensors
    import safetensors.torch

    def full(state: dict, path: Path) -> None:
        raise safetensors.SafetensorError("Error: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ModelPackageError, match="disk is full"):
        save_package(model, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_swap_keeps_the_old_package(
    model: Model, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name.startswith(ARRIVING):
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(ModelPackageError, match="Permission denied"):
        save_package(replace(model, name="Other"), package, overwrite="replace")
    assert open_package(package).name == model.name


@pytest.mark.parametrize(
    "changes",
    [{"classes": ("one",)}, {"classes": ()}, {"classes": ("a", "a")}, {"temperature": 0.0}, {"name": " "}],
)
def test_a_model_that_makes_no_sense_cannot_be_made(model: Model, changes: dict) -> None:
    with pytest.raises(ValueError, match=r"class|name|temperature"):
        replace(model, **changes)


def test_text_in_head_arrays_is_refused(model: Model, tmp_path: Path) -> None:
    assert model.head is not None
    bad = replace(model, head=replace(model.head, arrays={"names": np.array(["a"])}))
    with pytest.raises(ValueError, match="only numbers"):
        save_package(bad, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []
