"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer


class Device(str, Enum):
    """Where networks run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where to run the network; auto takes a GPU if any.")
]
ModelArgument = Annotated[
    str, typer.Argument(help="Model package: a folder, a zip, or the name of an installed model.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Of everything random; recorded in the model.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs, nothing else.")]
