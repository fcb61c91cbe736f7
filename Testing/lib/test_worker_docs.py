"""docs/worker-protocol.md says all there is, and its exchange happens as it is written there."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worker_data import blobs, package

import SegClassifyLib
from SegClassifyLib.worker import protocol
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.protocol import (
    METHODS,
    PHASES,
    TRAINING_ERRANDS,
    TRAINING_JOBS,
    TRAINING_PHASES,
    Code,
    EpochDone,
    JobProgress,
)

REPO = Path(SegClassifyLib.__file__).resolve().parents[1]
TEXT = (REPO / "docs" / "worker-protocol.md").read_text(encoding="utf-8")
HOME = "/home/ann"
VOLATILE = {
    "revision",
    "version",
    "python",
    "pid",
    "label",
    "seconds",
    "seconds_left",
    "probabilities",
    "sentence",
    "label_volumes",
}
"""Fields whose values differ between machines and versions."""

NOT_SHOWN = {"add_model", *(kind.METHOD for kind in (*TRAINING_JOBS, *TRAINING_ERRANDS))}
"""Methods that no exchange goes through; those of trainings are gone through in tests of their own."""


def test_every_message_and_field_is_documented() -> None:
    names = set(METHODS) | {JobProgress.METHOD, EpochDone.METHOD}
    for value in vars(protocol).values():
        if isinstance(value, type) and issubclass(value, PlainData) and dataclasses.is_dataclass(value):
            names |= {field.name for field in dataclasses.fields(value)}
    missing = [name for name in sorted(names) if f"`{name}`" not in TEXT]
    assert not missing
    for phase in (*PHASES, *TRAINING_PHASES):
        assert f'"{phase}"' in TEXT
    for code in Code:
        assert f"| {int(code)} |" in TEXT


def exchanges() -> list[list[tuple[str, str]]]:
    """The examples, message by message: an arrow and a line."""
    blocks = re.findall(r"^## An exchange.*?^```\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    found = [re.sub(r"\n  ", " ", block).splitlines() for block in blocks]
    return [[(line[0], line[2:]) for line in lines] for lines in found]


def _shape(value: Any, key: str = "") -> Any:
    """What must be the same: everything, but of volatile fields only the kind of value."""
    if key in VOLATILE:
        kinds = sorted(value) if isinstance(value, dict) else type(value).__name__
        return "number" if isinstance(value, int | float) else kinds
    if isinstance(value, dict):
        return {k: _shape(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_shape(v, key) for v in value]
    return value


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What the example finds on its disk."""
    package(tmp_path / "models" / "tumour-type")
    for name, seed in (("t1", 1), ("flair", 2)):
        np.save(tmp_path / f"{name}.npy", blobs((14, 26, 30), seed))
    np.save(tmp_path / "mask.npy", np.where(blobs((14, 26, 30), 1) > 200, 7, 0))
    return tmp_path


def test_every_method_is_in_an_exchange() -> None:
    lines = [line for messages in exchanges() for arrow, line in messages if arrow == "→"]
    asked = {json.loads(line)["method"] for line in lines if line.startswith("{")}
    assert asked >= set(METHODS) - NOT_SHOWN


@pytest.mark.parametrize("messages", exchanges(), ids=lambda messages: json.loads(messages[0][1])["method"])
def test_the_exchange_happens_as_documented(messages: list[tuple[str, str]], home: Path) -> None:
    command = [sys.executable, "-m", "SegClassifyLib.worker"]
    pipe = subprocess.PIPE
    worker = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=REPO)
    assert worker.stdin is not None and worker.stdout is not None
    for arrow, line in messages:
        here = line.replace(HOME, home.as_posix())
        if arrow == "→":
            worker.stdin.write(here.encode() + b"\n")
            worker.stdin.flush()
            continue
        wanted = json.loads(here)
        while (told := json.loads(worker.stdout.readline())) and "method" in told:
            if told["params"]["phase"] == wanted.get("params", {}).get("phase"):
                break  # the example leaves out most of the progress
        if isinstance(told.get("result"), list):  # a machine may have more devices than the example's
            told["result"] = told["result"][-len(wanted["result"]) :]
        assert _shape(told) == _shape(wanted), line
    assert worker.wait(60) == 0
