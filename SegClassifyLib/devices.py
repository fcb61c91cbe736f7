"""Which device runs the network, how much memory it has, and which precision pays there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from SegClassifyLib.errors import DeviceError

if TYPE_CHECKING:
    import torch

CHOICES = ("auto", "cpu", "cuda", "mps")


def resolve_device(wanted: str = "auto") -> str:
    """``auto`` to the best device there is; a named one is checked.

    Raises:
        DeviceError: the device asked for is not there.
    """
    import torch

    kind = wanted.split(":")[0]
    if kind not in CHOICES:
        raise DeviceError(f"There is no device {wanted!r}: choose one of {', '.join(CHOICES)}.")
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return "cuda" if found["cuda"] else "mps" if found["mps"] else "cpu"
    if not found[kind]:
        there = ", ".join(k for k, yes in found.items() if yes)
        raise DeviceError(f"This machine has no {kind.upper()} device that torch can use (found: {there}).")
    return wanted


def free_memory(device: str) -> int:
    """Bytes that a forward pass may use on ``device``; a cautious 4 GiB where the system does not say."""
    import torch

    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + reserved)
    return free_host_memory()


def free_host_memory() -> int:
    """Bytes of main memory that can be had without swapping, limits of a container included."""
    available = 4 << 30
    try:
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
        limit = Path("/sys/fs/cgroup/memory.max")
        if limit.exists() and limit.read_text("utf-8").strip() != "max":
            stat = dict(
                line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text("utf-8").splitlines()
            )
            # Cached files count as used there but are given up on demand.
            used = int(Path("/sys/fs/cgroup/memory.current").read_text("utf-8")) - int(
                stat.get("inactive_file", 0)
            )
            available = min(available, int(limit.read_text("utf-8")) - used)
    except OSError:
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return max(available, 0)


def autocast_type(device: str, network: torch.nn.Module, example: torch.Tensor) -> torch.dtype | None:
    """The reduced precision worth using, or ``None`` for float32.

    CUDA: float16 (bfloat16 where the card has it natively). CPU: bfloat16 only on a processor with native
    instructions for it, and only if a short probe with this network is at least a tenth faster.
    """
    import torch

    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= 8 else torch.float16
    if device == "cpu" and cpu_has_bfloat16() and _probe(network, example) > 1.1:
        return torch.bfloat16
    return None


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 natively (AVX512-BF16 or AMX, or Arm's BF16)."""
    import torch

    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_device_support", None)
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(native()) or (supported is not None and bool(supported()) and _has_flag("bf16"))


def _has_flag(name: str) -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
    return any(word.endswith(name) for word in flags.split())


def _probe(network: torch.nn.Module, example: torch.Tensor) -> float:
    """How many times faster ``network`` is in bfloat16 on ``example``; the better of two runs each."""
    import torch

    seconds = {}
    with torch.inference_mode():
        for enabled in (False, True):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
                network(example)
                runs = []
                for _ in range(2):
                    start = time.perf_counter()
                    network(example)
                    runs.append(time.perf_counter() - start)
            seconds[enabled] = min(runs)
    return seconds[False] / max(seconds[True], 1e-9)
