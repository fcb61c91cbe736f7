"""``segclassify info``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from SegClassifyLib.cli.console import console, guarded, print_json
from SegClassifyLib.cli.options import JsonOption


@guarded
def info(
    networks: Annotated[
        bool, typer.Option("--networks", help="List the networks that can be trained.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show versions, devices, memory and folders: what to put into a bug report."""
    from SegClassifyLib.networks.registry import network_names

    if networks:
        names = list(network_names())
        if as_json:
            print_json(names)
        else:
            for name in names:
                console.print(name)
        return
    facts = _facts()
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        console.print(f"{name + ':':<18}{shown}", markup=False, soft_wrap=True)


def _facts() -> dict[str, Any]:
    import os
    import platform

    import torch

    from SegClassifyLib.devices import cpu_has_bfloat16, free_host_memory, resolve_device
    from SegClassifyLib.package.library import list_packages, models_folder
    from SegClassifyLib.package.provenance import software_versions

    device = resolve_device("auto")
    facts: dict[str, Any] = {
        "versions": software_versions(),
        "system": platform.platform(),
        "device": device,
        "processors": f"{os.cpu_count()} ({torch.get_num_threads()} used)",
        "free memory": f"{free_host_memory() / 2**30:.1f} GiB",
        "CPU bfloat16": "yes" if cpu_has_bfloat16() else "no",
        "models folder": str(models_folder()),
        "models": str(len(list_packages())),
    }
    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        facts["GPU"] = f"{torch.cuda.get_device_name()}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    return facts
