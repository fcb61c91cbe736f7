"""The devices of this machine in words."""

from __future__ import annotations

import os

from SegClassifyLib.devices import resolve_device
from SegClassifyLib.errors import DeviceError
from SegClassifyLib.worker.protocol import Device


def list_devices() -> tuple[Device, ...]:
    """What can run a network here, the best first."""
    import torch

    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(index)
        found.append(Device(f"cuda:{index}", f"{facts.name}, {facts.total_memory / 2**30:.0f} GB"))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU"))
    cores = _cores()
    found.append(Device("cpu", f"Processor, {cores} core{'s' if cores > 1 else ''}"))
    return tuple(found)


def check_device(wanted: str) -> str:
    """The name, as :func:`list_devices` has it, of the device that is meant: ``auto`` is the best, ``cuda`` the first.

    Raises:
        DeviceError: it is not there.
    """
    device = resolve_device(wanted)
    names = [d.name for d in list_devices()]
    meant = "cuda:0" if device == "cuda" else device
    if meant not in names:
        raise DeviceError(f"There is no device {device!r} (found: {', '.join(names)}): choose another one.")
    return meant


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
