"""A comparison in several processes, and after a kill, gives the numbers it gives in one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compare_data import ARMS, computed, lesions, quick, ready, run_here, segmenter_folder

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.progress import Progress

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def training_set(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return lesions(tmp_path_factory.mktemp("set") / "set", 8)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segmenter_folder(tmp_path_factory.mktemp("segmenter") / "run")


@pytest.fixture(scope="module")
def expected(
    training_set: TrainingSet, segmenter: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """What one process here computes."""
    return computed(run_here(training_set, segmenter, tmp_path_factory.mktemp("expected")))


def test_two_processes_compute_the_same(
    training_set: TrainingSet, segmenter: Path, expected: list[str], tmp_path: Path
) -> None:
    made = ready(training_set, segmenter, tmp_path, *ARMS)
    before = dict(os.environ)
    result = run_ready(made, jobs=2)
    assert result.unfinished == 0
    assert computed(made) == expected
    assert dict(os.environ) == before


def test_cancelling_ends_the_processes(training_set: TrainingSet, segmenter: Path, tmp_path: Path) -> None:
    made = ready(training_set, segmenter, tmp_path, settings=quick(draws=8))
    with pytest.raises(Cancelled):
        run_ready(
            made, jobs=2, progress=Progress(is_cancelled=lambda: any(tmp_path.rglob("units/*/*/*.json")))
        )
    kept = len(list(tmp_path.rglob("units/*/*/*.json")))
    assert 1 <= kept < 8


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from compare_data import ready
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.experiment.run import run_ready

if __name__ == "__main__":
    made = ready(TrainingSet.open({training_set!r}), Path({segmenter!r}), Path({output!r}), *{arms!r})
    run_ready(made, jobs=2)
"""


@pytest.mark.slow
def test_a_killed_comparison_goes_on(
    training_set: TrainingSet, segmenter: Path, expected: list[str], tmp_path: Path
) -> None:
    script, output = tmp_path / "compare_them.py", tmp_path / "out"
    script.write_text(
        SCRIPT.format(
            here=str(HERE),
            training_set=str(training_set.folder),
            segmenter=str(segmenter),
            output=str(output),
            arms=ARMS,
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(output.rglob("units/*/*/*.json")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    children = _children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(Path(f"/proc/{pid}").exists() and not _is_zombie(pid) for pid in children):
        assert time.monotonic() < deadline, "processes outlive the comparison"
        time.sleep(0.05)
    made = run_here(training_set, segmenter, output)
    assert len(made.todo) < len(made.units)
    assert computed(made) == expected
    assert not list(output.rglob(".arriving-*/*"))


def _children(parent: int) -> list[int]:
    found = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in found.read_text().split()] if found.exists() else []


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
