"""Models through the worker: listed with what is wrong, added only when sound, removed only where they lie."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from package_data import small_model
from worker_data import running_worker

from SegClassifyLib.package import files, library
from SegClassifyLib.package.archive import export_zip
from SegClassifyLib.package.store import save_package
from SegClassifyLib.worker import model_list
from SegClassifyLib.worker.client import WorkerClient, WorkerError
from SegClassifyLib.worker.protocol import (
    AddModelParams,
    ChannelInfo,
    Code,
    LabelInfo,
    ModelInfo,
    ModelsParams,
    RemoveModelParams,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder of models; not made yet."""
    return tmp_path_factory.mktemp("home") / "модели"


@pytest.fixture(scope="module")
def worker(home: Path) -> Iterator[WorkerClient]:
    with running_worker(SEGCLASSIFY_MODELS=str(home)) as client:
        yield client


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound package."""
    return save_package(small_model(), tmp_path_factory.mktemp("original") / "package")


@pytest.fixture
def package(original: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(original, tmp_path / "päckchen"))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models ü"


def _list(worker: WorkerClient, *folders: Path) -> tuple[ModelInfo, ...]:
    return worker.ask(ModelsParams(tuple(map(str, folders))))


def _add(worker: WorkerClient, path: Path, folder: Path) -> ModelInfo:
    return worker.ask(AddModelParams(str(path), str(folder)))


def _refused(worker: WorkerClient, params: AddModelParams | RemoveModelParams, sentence: str) -> None:
    with pytest.raises(WorkerError, match=sentence) as caught:
        worker.ask(params)  # type: ignore[arg-type]
    assert caught.value.code == Code.USER_ERROR
    assert str(caught.value).endswith(".")


def _zip(folder: Path, *more: tuple[str, bytes]) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            if file.is_file():
                archive.write(file, f"top/{file.relative_to(folder).as_posix()}")
        for name, content in more:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_a_sound_package_is_added_listed_and_removed(
    worker: WorkerClient, package: Path, models: Path, zipped: bool
) -> None:
    source = export_zip(package, package.with_name("ein päckchen.zip")) if zipped else package
    added = _add(worker, source, models)
    assert _list(worker, models) == (added,)
    assert Path(added.path).parent == models
    assert (added.name, added.ndim, added.problem, added.shipped) == ("Tumour type", 3, "", False)
    assert added.channels == (ChannelInfo("T1"), ChannelInfo("FLAIR"))
    assert added.classes == ("ring", "solid")
    assert added.labels == (LabelInfo(1, "tumour", (0.1, 0.2, 0.3)), LabelInfo(2, "œdema", (0.9, 0.3, 0.2)))
    assert added.balanced_accuracy == "80 % (95 % interval 60 to 90 %)"
    assert added.summary.startswith(
        "Tells three tumours apart.\n\nSecond paragraph.\n\nFor research use only."
    )
    assert added.summary.endswith("on features of that network.") or "classifies the image" in added.summary
    assert not set("#*`") & set(added.summary)
    worker.ask(RemoveModelParams(added.path, str(models)))
    assert _list(worker, models) == () and list(models.iterdir()) == []


def test_without_folders_the_users_are_listed_then_the_shipped_ones(
    worker: WorkerClient, package: Path, home: Path
) -> None:
    assert all(model.shipped for model in _list(worker))  # whatever comes with the software
    added = worker.ask(AddModelParams(str(package)))
    try:
        assert Path(added.path).parent == home
        first, *others = _list(worker)
        assert first == added
        assert all(model.shipped for model in others)
    finally:
        worker.ask(RemoveModelParams(added.path))
    assert list(home.iterdir()) == []


def test_shipped_models_are_said_to_be(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(library.ENVIRONMENT, str(tmp_path / "nowhere"))
    monkeypatch.setattr(library, "_SHIPPED", package.parent)
    (found,) = model_list.list_models([])
    assert found.shipped and found.path == str(package)


def test_folders_come_in_order_and_a_model_in_two_of_them_once(
    worker: WorkerClient, package: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    other = save_package(replace(small_model(), name="A first name"), second / "other")
    for folder in (first, second):
        shutil.copytree(package, folder / "copy")
    found = _list(worker, tmp_path / "not there", first, second)
    assert [Path(m.path) for m in found] == [first / "copy", other]
    weights = first / "copy" / files.SEGMENTER_WEIGHTS
    weights.rename(weights.with_suffix(".lost"))
    found = _list(worker, first, second)  # a damaged one does not hide its sound copy
    assert [(Path(m.path), bool(m.problem)) for m in found] == [
        (first / "copy", True),
        (other, False),
        (second / "copy", False),
    ]
    weights.with_suffix(".lost").rename(weights)
    changed = replace(small_model(), description="Another one of that name.")
    save_package(changed, second / "copy", overwrite="replace")
    found = _list(worker, first, second)
    assert [Path(m.path) for m in found] == [first / "copy", other, second / "copy"]
    assert found[0].name == found[2].name and found[0].version != found[2].version


def test_packages_that_cannot_be_used_are_listed_with_what_is_wrong(
    worker: WorkerClient, package: Path, tmp_path: Path
) -> None:
    models = tmp_path / "bad"
    for name in ("no weights", "newer", "no list", "sound"):
        shutil.copytree(package, models / name)
    (models / "no weights" / files.SEGMENTER_WEIGHTS).unlink()
    (models / "no list" / files.HASHES).unlink()
    description = models / "newer" / files.DESCRIPTION
    content = json.loads(description.read_text(encoding="utf-8"))
    description.write_text(json.dumps({**content, "format": 99}), encoding="utf-8")
    (models / "newer" / files.HASHES).unlink()
    files.write_file_list(models / "newer")
    (models / "just a folder").mkdir()
    problems = {Path(m.path).name: m.problem for m in _list(worker, models)}
    assert set(problems) == {"no weights", "newer", "no list", "sound"}
    assert "segmenter.safetensors is missing" in problems["no weights"]
    assert "update SegClassify" in problems["newer"]
    assert "not a model package" in problems["no list"]
    assert problems["sound"] == ""


def test_what_is_no_sound_package_is_not_added(worker: WorkerClient, package: Path, models: Path) -> None:
    garbage = package.with_name("garbage.zip")
    garbage.write_bytes(b"PK\x03\x04 this is no zip")
    weights = package / files.SEGMENTER_WEIGHTS
    traversal = _zip(package, ("../../evil.txt", b"gotcha"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    tampered = _zip(Path(shutil.copytree(package, package.with_name("tampered"))))
    for path, sentence in {
        garbage: r"garbage\.zip is not a readable zip",
        traversal: r"päckchen\.zip holds a file that would land outside",
        package: r"päckchen.segmenter|päckchen.*segmenter.safetensors has been changed or damaged",
        tampered: r"tampered\.zip.*segmenter.safetensors has been changed or damaged",
        package.with_name("nowhere"): "nowhere is not a folder",
    }.items():
        _refused(worker, AddModelParams(str(path), str(models)), sentence)
    assert not models.exists() or list(models.iterdir()) == []
    assert not list(package.parent.parent.rglob("evil.txt"))


def test_a_name_that_is_there_already_is_refused_with_the_remedy(
    worker: WorkerClient, package: Path, models: Path
) -> None:
    added = _add(worker, package, models)
    other = save_package(replace(small_model(), name="TUMOUR Type"), package.with_name("other"))
    for source in (package, other, export_zip(other, other.with_suffix(".zip"))):
        _refused(worker, AddModelParams(str(source), str(models)), r"is there already .*: remove it first")
    Path(added.path).rename(models / "renamed by hand")
    _refused(worker, AddModelParams(str(package), str(models)), "renamed by hand.*: remove it first")
    assert len(_list(worker, models)) == 1


def test_only_packages_right_in_the_folder_are_removed(
    worker: WorkerClient, package: Path, models: Path, tmp_path: Path
) -> None:
    added = Path(_add(worker, package, models).path)
    outside = tmp_path / "outside"
    shutil.copytree(package, outside)
    (models / "link").symlink_to(outside, target_is_directory=True)
    (models / "inner link").symlink_to(added, target_is_directory=True)
    (models / "letters").mkdir()
    (models / "letters" / "dear.txt").write_text("…", encoding="utf-8")
    for path, sentence in {
        outside: "does not lie in the folder",
        models / ".." / "outside": "does not lie in the folder",
        models: "does not lie in the folder",
        models / "link": "does not lie in the folder",
        models / "inner link": "does not lie in the folder",
        added / "models": "does not lie in the folder",
        models / "letters": "is not a model package",
        models / "nowhere": "is not a model package",
    }.items():
        _refused(worker, RemoveModelParams(str(path), str(models)), sentence)
    assert outside.is_dir() and added.is_dir() and (models / "letters" / "dear.txt").is_file()
    (added / files.HASHES).unlink()  # a damaged one can be got rid of
    worker.ask(RemoveModelParams(str(added), str(models)))
    assert not added.exists()


def test_scores_without_an_interval_and_none_at_all(tmp_path: Path) -> None:
    model = small_model()
    score = model.provenance.scores[0].model_copy(update={"low": None, "high": None})
    for scores, text in (((score,), "80 %"), ((), "")):
        provenance = model.provenance.model_copy(update={"scores": scores})
        folder = save_package(replace(model, provenance=provenance), tmp_path / f"m{len(scores)}")
        assert model_list.model_info(folder).balanced_accuracy == text
