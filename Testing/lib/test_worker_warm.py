"""The warm model where the memory does not do, and the devices of machines that are not at hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.errors import DeviceError
from SegClassifyLib.worker import device_list
from SegClassifyLib.worker.protocol import Device
from SegClassifyLib.worker.warm import WarmClassifier


class Opened:
    """Stands for a classifier: remembers where it was opened, and that only one is held at a time."""

    held = 0

    def __init__(self, package: Path, device: str) -> None:
        self.package, self.device = package, device
        self.model = SimpleNamespace(name=package.name)
        type(self).held += 1

    def __del__(self) -> None:
        type(self).held -= 1


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two zips that nobody looks into, on a machine whose first GPU is full."""
    paths = [tmp_path / f"{name}.zip" for name in "ab"]
    for path in paths:
        path.write_bytes(b"x")

    def open_(package: Path, device: str) -> Opened:
        if device == "cuda:0":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        assert Opened.held == 0, "the last one was not let go of"
        return Opened(package, device)

    monkeypatch.setattr(Classifier, "open", open_)
    monkeypatch.setattr(device_list, "check_device", lambda device: device)
    return paths


def test_one_model_is_kept_and_let_go_of_before_the_next(packages: list[Path]) -> None:
    kept = WarmClassifier()
    first = kept.get(packages[0], "cpu")[0]
    assert kept.get(packages[0], "cpu")[0] is first
    del first
    assert kept.get(packages[0], "cuda:1")[0].device == "cuda:1"  # type: ignore[attr-defined]
    assert kept.get(packages[1], "cuda:1")[0].package == packages[1]  # type: ignore[attr-defined]
    packages[1].write_bytes(b"another")
    assert kept.get(packages[1], "cuda:1")[0].device == "cuda:1"  # type: ignore[attr-defined]
    assert Opened.held == 1
    kept.release()
    assert Opened.held == 0


def test_weights_that_do_not_fit_into_the_gpu_go_to_the_processor_and_it_is_said(
    packages: list[Path],
) -> None:
    kept = WarmClassifier()
    for _ in range(2):
        classifier, notes = kept.get(packages[0], "cuda:0")
        assert classifier.device == "cpu"  # type: ignore[attr-defined]
        assert notes == ("The memory of cuda:0 did not do, so the network ran on cpu.",)
    del classifier
    assert kept.get(packages[0], "cuda:1")[1] == ()
    kept.release()


def test_memory_of_the_gpu_is_given_back(packages: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    emptied: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(Opened.held))
    kept = WarmClassifier()
    kept.get(packages[0], "cuda:1")
    emptied.clear()
    kept.release()
    assert emptied == [0]  # after the model was let go of


def test_gpus_are_listed_with_their_memory_before_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = SimpleNamespace(name="NVIDIA H200", total_memory=139 * 2**30 + 5)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: facts)
    monkeypatch.setattr(device_list, "_cores", lambda: 16)
    gpus, processor = device_list.list_devices()[:2], device_list.list_devices()[-1]
    assert gpus == (Device("cuda:0", "NVIDIA H200, 139 GB"), Device("cuda:1", "NVIDIA H200, 139 GB"))
    assert processor == Device("cpu", "Processor, 16 cores")
    assert device_list.check_device("cuda:1") == "cuda:1"
    assert device_list.check_device("auto") == device_list.check_device("cuda") == "cuda:0"
    with pytest.raises(DeviceError, match=r"no device 'cuda:2' \(found: cuda:0, cuda:1"):
        device_list.check_device("cuda:2")
