"""A comparison on a Dask cluster gives the numbers it gives here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from compare_data import ARMS, computed, lesions, ready, run_here, segmenter_folder

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.experiment import processes
from SegClassifyLib.experiment.run import run_ready


@pytest.fixture(scope="module")
def training_set(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return lesions(tmp_path_factory.mktemp("set") / "set", 8)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segmenter_folder(tmp_path_factory.mktemp("segmenter") / "run")


@pytest.mark.slow
def test_a_cluster_computes_the_same(training_set: TrainingSet, segmenter: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    expected = computed(run_here(training_set, segmenter, tmp_path / "here"))
    made = ready(training_set, segmenter, tmp_path / "there", *ARMS)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        result = run_ready(made, scheduler=cluster.scheduler_address)
    assert result.unfinished == 0 and not result.failures
    assert computed(made) == expected


def test_no_cluster_is_a_sentence(
    training_set: TrainingSet, segmenter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(processes, "CONNECT_SECONDS", 1)
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
