"""A comparison in processes, after a kill, and on a cluster gives the numbers it gives here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from compare_data import lesions, quick, ready, segmenter_folder

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.experiment.ready import Ready
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.experiment.units import read_result
from SegClassifyLib.progress import Progress

ARMS = ("linear", "scratch-encoder")
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


def run_here(training_set: TrainingSet, segmenter: Path, output: Path) -> Ready:
    made = ready(training_set, segmenter, output, *ARMS)
    run_ready(made, jobs=1)
    return made


def computed(made: Ready) -> list[str]:
    """Logits and probabilities of every unit, to the last bit."""
    found = []
    for unit in made.units:
        result = read_result(unit, made.study.folder)
        assert result is not None
        found.append(json.dumps([unit.arm.key, unit.draw, result.logits.tolist(), result.proba.tolist()]))
    return found


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


def test_a_cluster_computes_the_same(
    training_set: TrainingSet, segmenter: Path, expected: list[str], tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    made = ready(training_set, segmenter, tmp_path, *ARMS)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        result = run_ready(made, scheduler=cluster.scheduler_address)
    assert result.unfinished == 0 and not result.failures
    assert computed(made) == expected


def test_no_cluster_is_a_sentence(training_set: TrainingSet, segmenter: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    made = ready(training_set, segmenter, tmp_path)
    with pytest.raises(SegClassifyError, match="no Dask scheduler at tcp://127"):
        run_ready(made, scheduler="tcp://127.0.0.1:1")


def test_no_dask_is_a_sentence(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    made = ready(training_set, segmenter, tmp_path)
    with pytest.raises(SegClassifyError, match=r"not installed.*\[cluster\]"):
        run_ready(made, scheduler="tcp://127.0.0.1:8786")
