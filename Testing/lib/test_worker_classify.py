"""A classify through the worker is the library's classify, bit for bit; what a user can get wrong is said in words."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from worker_data import FLAT, blobs, map_source, oblique, package, running_worker, write_file

from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.classify.result import Classification
from SegClassifyLib.devices import cpu_has_bfloat16
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.read import read_image
from SegClassifyLib.worker.client import WorkerClient, WorkerError
from SegClassifyLib.worker.protocol import (
    PHASES,
    ClassifyParams,
    ClassifyResult,
    Code,
    Device,
    DevicesParams,
    FileSource,
    JobProgress,
    ReleaseParams,
    VolumeSource,
)

Folder = Path


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerClient]:
    with running_worker() as client:
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """With letters that are not ASCII, as users' names have."""
    return tmp_path_factory.mktemp("Jörg Žižek 脳")


@pytest.fixture(scope="module")
def deep(folder: Folder) -> Path:
    """A model of volumes with two channels."""
    return package(folder / "Models" / "tiefe Köpfe")


@pytest.fixture(scope="module")
def flat(folder: Folder) -> Path:
    """A model of 2D images."""
    return package(folder / "Models" / "flat", FLAT, "whole")


@pytest.fixture(scope="module")
def volumes(folder: Folder) -> tuple[list[Path], list[VolumeSource]]:
    """Two channels on one oblique grid, as files and as the panel hands them over."""
    grid = oblique((30, 26, 14))
    arrays = [blobs(grid.shape, seed) for seed in (1, 2)]
    files = [write_file(a, grid, folder / f"kanal-ä{i}.nrrd") for i, a in enumerate(arrays)]
    read = read_image(files[0]).geometry  # the header rounds in the last digit
    sources = [map_source(a, read, folder / f"kanal-ä{i}.npy", f"T{i} über") for i, a in enumerate(arrays)]
    return files, sources


def _ask(worker: WorkerClient, model: Path, sources: list, out: Path, **more: object) -> ClassifyResult:
    return worker.ask(ClassifyParams(str(model), tuple(sources), str(out), **{"name": "case", **more}))  # type: ignore[arg-type]


def _assert_same(answer: ClassifyResult, wanted: Classification) -> None:
    labels = np.load(answer.label_file)
    np.testing.assert_array_equal(labels, wanted.label_map.array)
    assert labels.dtype == np.uint8
    assert answer.classes == wanted.classes
    assert answer.predicted == wanted.predicted
    assert answer.sentence == wanted.sentence
    assert (answer.warnings, answer.notes, answer.device) == (wanted.warnings, wanted.notes, wanted.device)
    assert answer.label_volumes == wanted.label_volumes()
    features = json.loads(Path(answer.features_file).read_text(encoding="utf-8"))
    # A processor with bfloat16 uses it where a stopwatch says so: two processes may then differ.
    exact = not cpu_has_bfloat16()
    assert features == (wanted.features_json() if exact else pytest.approx(wanted.features_json(), rel=0.05))
    wanted_p = tuple(wanted.probabilities.tolist())
    assert answer.probabilities == (wanted_p if exact else pytest.approx(wanted_p, abs=0.02))


def test_mapped_volumes_give_what_files_give_and_what_the_library_gives(
    worker: WorkerClient, deep: Path, volumes: tuple[list[Path], list[VolumeSource]], tmp_path: Path
) -> None:
    files, sources = volumes
    from_map = _ask(worker, deep, sources, tmp_path / "map", name="Fall: 1/ä", device="cpu")
    from_file = _ask(worker, deep, [FileSource(str(f)) for f in files], tmp_path / "file")
    wanted = Classifier.open(deep, "cpu").classify(files)
    assert len(np.unique(wanted.label_map.array)) > 1  # else orientation would not show
    for answer in (from_map, from_file):
        _assert_same(answer, wanted)
    assert from_map.probabilities == from_file.probabilities
    assert sum(from_map.probabilities) == pytest.approx(1)
    assert (from_map.name, from_map.model) == ("Fall: 1/ä", "Tumour type")
    assert Path(from_map.label_file).parent == tmp_path / "map"
    assert [(x.value, x.name) for x in from_map.labels] == [(1, "tumour"), (2, "œdema")]
    assert from_map.labels[0].color == (0.1, 0.2, 0.3)
    assert list(from_map.seconds) == ["open", "read", "prepare", "network", "classify", "write back", "save"]
    assert from_map.volume_unit == "ml"


def test_geometry_matters(
    worker: WorkerClient, deep: Path, volumes: tuple[list[Path], list[VolumeSource]], tmp_path: Path
) -> None:
    _, sources = volumes
    turned = [replace(s, direction=(0.0, 1, 0, 1, 0, 0, 0, 0, 1)) for s in sources]
    answers = [_ask(worker, deep, s, tmp_path / str(i)) for i, s in enumerate((sources, turned))]
    assert (np.load(answers[0].label_file) != np.load(answers[1].label_file)).any()
    assert answers[0].probabilities != answers[1].probabilities


def test_channels_on_other_grids_are_resampled_and_kinds_of_source_mix(
    worker: WorkerClient, deep: Path, folder: Folder, tmp_path: Path
) -> None:
    first, second = Geometry.plain((26, 24, 16)), Geometry.plain((14, 13, 9), (2.0, 2.0, 2.0))
    a, b = blobs(first.shape), blobs(second.shape, 5).astype(np.float64)
    files = [write_file(a, first, folder / "a.nrrd"), write_file(b, second, folder / "b.nrrd")]
    source = map_source(b, second, folder / "b.npy")
    answer = _ask(worker, deep, [FileSource(str(files[0])), source], tmp_path)
    _assert_same(answer, Classifier.open(deep, "cpu").classify(files))
    assert np.load(answer.label_file).shape == first.shape


@pytest.mark.parametrize(
    "kind", ["uint8", "int16", ">i2", "uint16", "int32", "float16", "float32", "float64", "bool"]
)
def test_all_kinds_of_numbers_are_taken(
    worker: WorkerClient, deep: Path, tmp_path: Path, kind: str
) -> None:  # fmt: skip
    grid = Geometry.plain((12, 12, 12))
    array = (blobs(grid.shape) > 150).astype(kind)
    answers = []
    for form, values in (("as it is", np.asfortranarray(array)), ("plain", array.astype(np.float32))):
        first, second = (map_source(values, grid, tmp_path / f"{form} {i}.npy") for i in range(2))
        shifted = replace(
            second, origin=(0.5, 0.0, 0.0)
        )  # is resampled, by code that is particular about types
        answers.append(_ask(worker, deep, [first, shifted], tmp_path / form))
    assert answers[0].probabilities == answers[1].probabilities


def test_a_volume_of_one_slice_goes_to_a_model_of_2d_images(
    worker: WorkerClient, flat: Path, folder: Folder, tmp_path: Path
) -> None:
    picture = blobs((40, 50)).clip(0, 255).astype(np.uint8)
    path = write_file(picture, Geometry.plain((50, 40)), folder / "picture.png")
    source = map_source(picture[None], Geometry.plain((50, 40, 1)), folder / "picture.npy")
    wanted = Classifier.open(flat, "cpu").classify([path])
    assert len(np.unique(wanted.label_map.array)) > 1  # else orientation would not show
    from_file = _ask(worker, flat, [FileSource(str(path))], tmp_path / "file")
    _assert_same(from_file, wanted)
    assert (np.load(from_file.label_file).shape, from_file.volume_unit) == ((40, 50), "mm2")
    from_map = _ask(worker, flat, [source], tmp_path / "map")
    np.testing.assert_array_equal(np.load(from_map.label_file), wanted.label_map.array[None])
    assert from_map.probabilities == from_file.probabilities
    assert from_map.volume_unit == "ml"


GRID = Geometry.plain((12, 10, 8))
NOISE = blobs(GRID.shape).astype(np.float32)


def _spoiled(value: float) -> np.ndarray:
    array = NOISE.copy()
    array[3, 3, 3] = value
    return array


def _truncated(path: Path) -> VolumeSource:
    source = map_source(NOISE, GRID, path)
    os.truncate(path, path.stat().st_size - 100)
    return source


class Bomb:
    """Does harm when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def _pickled(path: Path) -> VolumeSource:
    source = map_source(NOISE, GRID, path, "MRHead")
    path.write_bytes(pickle.dumps(Bomb(path.with_name("exploded"))))
    return source


def _several(path: Path) -> VolumeSource:
    source = map_source(NOISE, GRID, path, "MRHead")
    with path.open("wb") as file:
        np.savez(file, NOISE)
    return source


BAD: dict[str, tuple[Callable[[Path], VolumeSource | FileSource], str]] = {
    "not a number": (lambda p: map_source(_spoiled(np.nan), GRID, p, "MRHead"), "MRHead has 1 of its 960 voxels not"),
    "all the same": (lambda p: map_source(NOISE * 0, GRID, p, "MRHead"), "MRHead has the same value"),
    "complex": (lambda p: map_source(NOISE * 1j, GRID, p, "MRHead"), "MRHead holds values that are no real numbers"),
    "colour": (lambda p: map_source(np.stack([NOISE] * 3, 3), GRID, p, "MRHead"), "MRHead has 4 dimensions"),
    "empty": (lambda p: map_source(NOISE[:0], GRID, p, "MRHead"), "MRHead has no voxels"),
    "no file": (lambda p: replace(map_source(NOISE, GRID, p, "MRHead"), array="/nowhere.npy"), "cannot be read"),
    "truncated": (_truncated, "cannot be read from"),
    "objects": (lambda p: map_source(np.array([{}]), GRID, p, "MRHead"), "The voxels of MRHead cannot be read"),
    "pickled": (_pickled, "The voxels of MRHead cannot be read"),
    "several arrays": (_several, "The voxels of MRHead cannot be read"),
    "spacing": (lambda p: replace(map_source(NOISE, GRID, p, "MRHead"), spacing=(1.0, 0, 1)), "MRHead has a spacing"),
    "sheared": (
        lambda p: replace(map_source(NOISE, GRID, p, "MRHead"), direction=(1, 0.3, 0, 0, 1, 0, 0, 0, 1)),
        "MRHead has axes that are not at right angles",
    ),
    "one slice": (lambda p: map_source(NOISE[:1], GRID, p, "MRHead"), "MRHead is a single 2D image and Tumour type"),
    "elsewhere": (
        lambda p: replace(map_source(NOISE, GRID, p, "MRHead"), origin=(999.0, 0, 0)),
        r"shows another part of the body",
    ),
    "no image file": (lambda p: FileSource(str(p.with_suffix(".nrrd"))), "does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_a_user_can_get_wrong_is_a_sentence(
    worker: WorkerClient, deep: Path, tmp_path: Path, what: str
) -> None:
    make, sentence = BAD[what]
    good = map_source(NOISE[:1] if what == "one slice" else NOISE, GRID, tmp_path / "good.npy")
    with pytest.raises(WorkerError, match=sentence) as caught:
        _ask(worker, deep, [good, make(tmp_path / "bad.npy")][:: -1 if what == "one slice" else 1], tmp_path)
    assert caught.value.code == Code.USER_ERROR
    assert str(caught.value).endswith(".")
    assert not (tmp_path / "exploded").exists()


def test_model_device_and_output_are_checked_too(
    worker: WorkerClient, deep: Path, flat: Path, tmp_path: Path
) -> None:
    source = map_source(NOISE, GRID, tmp_path / "a.npy", "MRHead")
    for sentence, ask in {
        "1 image.s. given where Tumour type needs 2: T1, FLAIR": lambda: _ask(
            worker, deep, [source], tmp_path
        ),
        "MRHead is a volume of 12 x 10 x 8 voxels.* extract the slice": lambda: _ask(
            worker, flat, [source], tmp_path
        ),
        "nowhere is not a folder": lambda: _ask(worker, tmp_path / "nowhere", [source], tmp_path),
        "There is no device 'abacus'": lambda: _ask(worker, deep, [source] * 2, tmp_path, device="abacus"),
        "There is no device 'cpu:3'": lambda: _ask(worker, deep, [source] * 2, tmp_path, device="cpu:3"),
        "a.npy": lambda: _ask(worker, deep, [source] * 2, tmp_path / "a.npy" / "out"),
    }.items():
        with pytest.raises(WorkerError, match=sentence) as caught:
            ask()
        assert caught.value.code == Code.USER_ERROR, sentence


def test_every_phase_is_told(worker: WorkerClient, deep: Path, tmp_path: Path) -> None:
    source = map_source(NOISE, GRID, tmp_path / "a.npy")
    notes: list[JobProgress] = []
    worker.ask(ClassifyParams(str(deep), (source, source), str(tmp_path), "x"), on_progress=notes.append)
    assert list(dict.fromkeys(note.phase for note in notes)) == list(PHASES)
    assert all(note.total is None or 0 <= note.done <= note.total for note in notes)
    segmenting = next(note for note in notes if note.phase == "Segmenting")
    assert (segmenting.done, segmenting.total) == (0, 1)


def test_the_model_stays_warm_until_released_or_changed(
    worker: WorkerClient, folder: Folder, tmp_path: Path
) -> None:
    model = package(folder / "Models" / "warm")
    source = map_source(NOISE, GRID, tmp_path / "a.npy")

    def releases() -> int:
        return worker.log.count("Released the model")

    before = releases()
    first = _ask(worker, model, [source] * 2, tmp_path)
    switched = releases()  # that of the test before, if it was there
    again = _ask(worker, model, [source] * 2, tmp_path)
    assert releases() == switched <= before + 1
    worker.ask(ReleaseParams())
    assert releases() == switched + 1
    third = _ask(worker, model, [source] * 2, tmp_path)
    assert first.probabilities == again.probabilities == third.probabilities
    worker.ask(ReleaseParams())
    worker.ask(ReleaseParams())  # nothing to release is no error
    assert releases() == switched + 2


def test_a_package_that_was_changed_on_disk_is_opened_again(
    worker: WorkerClient, folder: Folder, tmp_path: Path
) -> None:
    model = package(folder / "Models" / "changing")
    source = map_source(NOISE, GRID, tmp_path / "a.npy")
    _ask(worker, model, [source] * 2, tmp_path)
    (model / "hashes.json").write_text("{}", encoding="utf-8")
    with pytest.raises(WorkerError, match=r"hashes\.json is damaged"):
        _ask(worker, model, [source] * 2, tmp_path)


def test_devices_are_listed_best_first(worker: WorkerClient) -> None:
    import torch

    devices = worker.ask(DevicesParams())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert devices[-1] == Device("cpu", f"Processor, {cores} core{'s' if cores > 1 else ''}")
    assert sum(d.name.startswith("cuda:") for d in devices) == (
        torch.cuda.device_count() if torch.cuda.is_available() else 0
    )
