"""Model packages: what is saved is what is opened; whatever is wrong is said and named; nothing is executed."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from package_data import small_model

from SegClassifyLib.atomic import ARRIVING
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.package import archive, files, library
from SegClassifyLib.package import format as package_format
from SegClassifyLib.package.archive import export_zip
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package, save_package


@pytest.fixture(scope="module")
def model() -> Model:
    return small_model()


@pytest.fixture
def package(model: Model, tmp_path: Path) -> Path:
    return save_package(model, tmp_path / "packages" / "tumour")


def _rehash(folder: Path) -> None:
    """What someone who knows the format can do: change a file and the hashes with it."""
    (folder / files.HASHES).unlink()
    files.write_file_list(folder)


def _edit(folder: Path, change: Callable[[dict], None], name: str = files.DESCRIPTION) -> None:
    document = json.loads((folder / name).read_text(encoding="utf-8"))
    change(document)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    _rehash(folder)


def _assert_same(a: Model, b: Model) -> None:
    assert (a.name, a.description, a.classes, a.temperature) == (
        b.name,
        b.description,
        b.classes,
        b.temperature,
    )
    assert (a.training, a.provenance) == (b.training, b.provenance)
    assert a.segmenter.fingerprint == b.segmenter.fingerprint
    for field in ("network", "preprocessing", "labels", "taps", "inference"):
        assert getattr(a.segmenter, field) == getattr(b.segmenter, field)
    assert a.segmenter.state.keys() == b.segmenter.state.keys()
    assert all(torch.equal(v, b.segmenter.state[k]) for k, v in a.segmenter.state.items())
    assert a.head is not None and b.head is not None
    assert (a.head.kind, a.head.config) == (b.head.kind, b.head.config)
    for name, array in a.head.arrays.items():
        assert array.dtype == b.head.arrays[name].dtype
        np.testing.assert_array_equal(array, b.head.arrays[name])


def test_what_is_saved_is_what_is_opened(model: Model, package: Path) -> None:
    opened = open_package(package)
    _assert_same(model, opened)
    network = build_network(opened.segmenter.network)
    network.load_state_dict(opened.segmenter.state)
    assert stat.S_IMODE(package.stat().st_mode) & 0o500 == 0o500
    assert (package / "LICENSE").read_text(encoding="utf-8") == "The whole text.\n"
    assert [p.name for p in package.parent.iterdir()] == ["tumour"]  # no work folder left behind


def test_weights_come_back_after_the_package_is_gone(model: Model, package: Path) -> None:
    opened = open_package(package)
    with (package / files.SEGMENTER_WEIGHTS).open("r+b") as file:
        file.write(b"\xff" * 4096)
    assert opened.segmenter.fingerprint == model.segmenter.fingerprint


def test_segmenter_only_and_shared_weights(model: Model, tmp_path: Path) -> None:
    tied = dict(model.segmenter.state)
    first = next(iter(tied))
    tied["alias"] = tied[first].transpose(0, 1)
    only = Model("Segmenter", "", replace(model.segmenter, state=tied))
    opened = open_package(save_package(only, tmp_path / "p"))
    assert opened.head is None and opened.classes == ()
    assert torch.equal(opened.segmenter.state["alias"], tied["alias"])
    assert not (tmp_path / "p" / files.HEAD_ARRAYS).exists()


@pytest.mark.parametrize(
    "name",
    [
        files.DESCRIPTION,
        files.METADATA,
        files.INFERENCE,
        files.CARD,
        files.LICENCE,
        files.SEGMENTER_WEIGHTS,
        files.HEAD_ARRAYS,
        files.HASHES,
    ],
)
def test_a_changed_byte_anywhere_is_found_and_named(package: Path, name: str) -> None:
    path = package / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelPackageError, match=path.name):
        open_package(package)


@pytest.mark.parametrize("name", [files.SEGMENTER_WEIGHTS, files.HEAD_ARRAYS, files.DESCRIPTION])
def test_a_truncated_or_missing_file_is_named(package: Path, name: str) -> None:
    path = package / name
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelPackageError, match=f"{path.name} has .* bytes"):
        open_package(package)
    path.unlink()
    with pytest.raises(ModelPackageError, match=f"{path.name} is missing"):
        open_package(package)


@pytest.mark.parametrize("name", [files.SEGMENTER_WEIGHTS, files.HEAD_ARRAYS])
def test_a_file_damaged_before_it_was_hashed_is_named(package: Path, name: str) -> None:
    path = package / name
    path.write_bytes(path.read_bytes()[:-10])
    _rehash(package)
    with pytest.raises(ModelPackageError, match=f"{path.name} is not a readable safetensors"):
        open_package(package)


def test_a_newer_format_asks_for_an_update(package: Path) -> None:
    _edit(package, lambda d: d.update(format=package_format.FORMAT + 1, something_new={}))
    with pytest.raises(ModelPackageError, match=r"format 2 .* update SegClassify"):
        open_package(package)
    assert not library.look(package).ok


def test_an_older_format_keeps_opening(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def from_zero(document: dict) -> dict:
        document = dict(document)
        document["description"] = document.pop("summary")
        return document

    _edit(package, lambda d: d.update(format=0, summary=d.pop("description")))
    with pytest.raises(ModelPackageError, match="unknown format 0"):
        open_package(package)
    monkeypatch.setitem(package_format.UPGRADES, 0, from_zero)
    assert open_package(package).description.startswith("Tells three")
    _edit(package, lambda d: d.pop("summary"))
    with pytest.raises(ModelPackageError, match="damaged document of format 0"):
        open_package(package)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("format"), "format number"),
        (lambda d: d.update(format=True), "format number"),
        (lambda d: d.update(temperature=0), "temperature"),
        (lambda d: d.update(surprise=1), "surprise"),
        (lambda d: d["labels"].pop(), "contradicts itself"),
        (lambda d: d.update(classes=[]), "contradicts itself"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(
    package: Path, change: Callable[[dict], None], says: str
) -> None:
    _edit(package, change)
    with pytest.raises(ModelPackageError, match=says):
        open_package(package)


def test_deeply_nested_json_is_refused(package: Path) -> None:
    (package / files.DESCRIPTION).write_text("[" * 200_000, encoding="utf-8")
    _rehash(package)
    with pytest.raises(ModelPackageError, match=r"segclassify\.json is not valid JSON"):
        open_package(package)


def test_what_is_no_package_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="is not a folder"):
        open_package(tmp_path / "nowhere")
    with pytest.raises(ModelPackageError, match="is not a model package"):
        open_package(tmp_path)
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    with pytest.raises(ModelPackageError, match=r"text\.zip is not a readable zip"):
        open_package(tmp_path / "text.zip")


def test_links_and_other_special_files_are_refused(package: Path, tmp_path: Path) -> None:
    path = package / files.CARD
    outside = tmp_path / "outside.md"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(ModelPackageError, match=r"README\.md is a link"):
        open_package(package)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelPackageError, match=r"README\.md is not a plain file"):
        open_package(package)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "C:/x", "a\\b", "a//b", "./a", "", "a\nb", "a/"]
)
def test_names_that_lead_elsewhere_are_not_safe(name: str, package: Path) -> None:
    assert not files.is_safe_name(name)
    listed = files.FileList.of(package)
    entries = {k: v for k, v in listed.files.items() if k != files.HASHES}
    entries[name] = next(iter(entries.values()))
    forged = files.FileList(files=entries, digest=files._digest(entries))
    (package / files.HASHES).write_text(forged.model_dump_json(), encoding="utf-8")
    with pytest.raises(ModelPackageError, match="outside the package"):
        open_package(package)


def test_opening_runs_nothing_of_the_package(package: Path, tmp_path: Path) -> None:
    """Every door that foreign tools leave open, at once; in a process of its own, so that imports count too."""
    sentinel = tmp_path / "executed"
    code = f"__import__('pathlib').Path({str(sentinel)!r}).touch()"
    bomb = {"_target_": "os.system", "command": f"touch {sentinel}"}
    (package / files.INFERENCE).write_text(
        json.dumps({"network_def": bomb, "run": ["$" + code], "imports": ["$" + code]})
    )
    _edit(package, lambda d: d["network"]["arguments"].update(act="$" + code))
    for name in ("conftest.py", "sitecustomize.py", "torch.py", "configs/evil.py", "models/__init__.py"):
        (package / name).write_text(code, encoding="utf-8")
    (package / "models" / "model.pt").write_bytes(
        b"cos\nsystem\n(S'touch " + str(sentinel).encode() + b"'\ntR."
    )
    (package / "configs" / "logging.conf").write_text(
        f"[formatters]\nkeys=x\n[formatter_x]\nclass={code}\n", encoding="utf-8"
    )
    script = (
        "import sys; from SegClassifyLib.package.store import open_package\n"
        "from SegClassifyLib.package.library import look, install_package\n"
        "print(open_package(sys.argv[1]).name, look(__import__('pathlib').Path(sys.argv[1])).ok)\n"
        "install_package(sys.argv[1], sys.argv[2])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script, str(package), str(tmp_path / "models")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["Tumour", "type", "True"], done.stderr
    assert not sentinel.exists()
    installed = tmp_path / "models" / "Tumour-type"
    assert installed.is_dir() and not (installed / "torch.py").exists()


def test_extra_files_are_ignored_and_not_installed(package: Path, tmp_path: Path) -> None:
    (package / "notes.txt").write_text("mine", encoding="utf-8")
    open_package(package)
    installed = library.install_package(package, tmp_path / "models")
    assert not (installed / "notes.txt").exists()
    with zipfile.ZipFile(export_zip(package, tmp_path / "p.zip")) as zipped:
        assert not any(name.endswith("notes.txt") for name in zipped.namelist())


def test_an_existing_folder_is_replaced_only_when_asked_and_only_if_it_is_a_package(
    model: Model, package: Path, tmp_path: Path
) -> None:
    other = replace(model, name="Other")
    with pytest.raises(ModelPackageError, match="exists already"):
        save_package(other, package)
    assert open_package(package).name == model.name
    save_package(other, package, overwrite="replace")
    assert open_package(package).name == "Other"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years", encoding="utf-8")
    with pytest.raises(ModelPackageError, match="not a model package"):
        save_package(model, precious, overwrite="replace")
    assert (precious / "thesis.txt").exists()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ModelPackageError, match="a file of that name"):
        save_package(model, tmp_path / "file", overwrite="replace")
    assert [p.name for p in package.parent.iterdir()] == ["tumour"]


def _fail_after(count: int, code: int) -> Callable[..., int]:
    calls = [0]
    original = Path.write_bytes

    def write(self: Path, data: bytes) -> int:
        calls[0] += 1
        if calls[0] > count:
            self.touch()
            raise OSError(code, os.strerror(code))
        return original(self, data)

    return write


@pytest.mark.parametrize("count", [0, 3, 5])
def test_a_full_disk_leaves_nothing_half_written(
    model: Model, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(Path, "write_bytes", _fail_after(count, errno.ENOSPC))
    with pytest.raises(ModelPackageError, match="disk is full"):
        save_package(model, tmp_path / "new" / "p")
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(ModelPackageError, match="disk is full"):
        save_package(replace(model, name="Other"), package, overwrite="replace")
    assert open_package(package).name == model.name
    assert [p.name for p in package.parent.iterdir()] == ["tumour"]


def test_a_full_disk_while_writing_weights_is_said(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """safetensors reports it with an error of its own."""
    import safetensors
    import safetensors.torch

    def full(state: dict, path: Path) -> None:
        raise safetensors.SafetensorError("Error: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ModelPackageError, match="disk is full"):
        save_package(model, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_swap_keeps_the_old_package(
    model: Model, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name.startswith(ARRIVING):
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(ModelPackageError, match="Permission denied"):
        save_package(replace(model, name="Other"), package, overwrite="replace")
    assert open_package(package).name == model.name


def test_a_zip_opens_like_its_folder(model: Model, package: Path, tmp_path: Path) -> None:
    zipped = export_zip(package, tmp_path / "tumour.zip")
    _assert_same(model, open_package(zipped))
    assert export_zip(package, tmp_path / "again.zip").read_bytes() == zipped.read_bytes()
    with pytest.raises(ModelPackageError, match="exists already"):
        export_zip(package, zipped)
    flat = tmp_path / "flat.zip"
    with zipfile.ZipFile(flat, "w") as made:
        for path in package.rglob("*"):
            made.write(path, path.relative_to(package))
    _assert_same(model, open_package(flat))


def _zip_with(package: Path, target: Path, change: Callable[[zipfile.ZipFile], None], skip: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as made:
        for path in sorted(package.rglob("*")):
            if path.is_file() and path.relative_to(package).as_posix() != skip:
                made.write(path, f"p/{path.relative_to(package).as_posix()}")
        change(made)
    return target


def _link(made: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("p/configs/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    made.writestr(info, "/etc/passwd")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: made.writestr("../escaped.txt", "x"), "land outside"),
        (lambda made: made.writestr("/absolute.txt", "x"), "land outside"),
        (lambda made: made.writestr("p/../../escaped.txt", "x"), "land outside"),
        (_link, "a link"),
        (lambda made: made.writestr("p/hashes.json", "{}"), "twice"),
        (lambda made: [made.writestr(f"p/{i}", "") for i in range(archive.MAX_MEMBERS)], "no model package"),
    ],
)
def test_a_zip_with_a_trick_in_it_is_refused(
    package: Path, tmp_path: Path, change: Callable[[zipfile.ZipFile], None], says: str
) -> None:
    zipped = _zip_with(package, tmp_path / "trick.zip", change)
    for action in (open_package, lambda p: library.install_package(p, tmp_path / "models")):
        with pytest.raises(ModelPackageError, match=says):
            action(zipped)
    assert not list(tmp_path.rglob("escaped.txt")) and not (tmp_path / "models").exists()


def test_zips_that_lack_or_lie_about_files_are_refused(package: Path, tmp_path: Path) -> None:
    lacking = _zip_with(package, tmp_path / "a.zip", lambda made: None, skip=files.SEGMENTER_WEIGHTS)
    with pytest.raises(ModelPackageError, match=r"a\.zip lacks models/segmenter"):
        open_package(lacking)
    no_list = _zip_with(package, tmp_path / "b.zip", lambda made: None, skip=files.HASHES)
    with pytest.raises(ModelPackageError, match=r"holds no hashes\.json"):
        open_package(no_list)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "c.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelPackageError, match=r"c\.zip is not a readable zip"):
        open_package(tmp_path / "c.zip")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "models" / "zeros").write_bytes(b"\0" * (4 << 20))
    _rehash(package)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for path in package.rglob("*"):
            made.write(path, path.relative_to(package))
    with pytest.raises(ModelPackageError, match="implausibly tightly"):
        open_package(bomb)
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    with pytest.raises(ModelPackageError, match="would unpack to"):
        open_package(_zip_with(package, tmp_path / "large.zip", lambda made: None))


def test_install_list_and_find(
    model: Model, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    monkeypatch.setenv(library.ENVIRONMENT, str(models))
    assert library.models_folder() == models
    zipped = export_zip(package, tmp_path / "t.zip")
    installed = library.install_package(zipped)
    assert installed == models / "Tumour-type"
    _assert_same(model, open_package(installed))
    assert library.install_package(package) == installed  # the same again is no error
    changed = save_package(replace(model, temperature=2.0), tmp_path / "changed")
    with pytest.raises(ModelPackageError, match="exists already"):
        library.install_package(changed)
    library.install_package(changed, overwrite="replace")
    assert open_package(installed).temperature == 2.0

    (found,) = library.list_packages(models)
    assert found.ok and found.name == "Tumour type" and found.description == "Tells three tumours apart."
    assert (found.classes, found.labels) == (("ring", "solid"), ("tumour", "œdema"))
    assert (found.channels, found.ndim) == (("T1", "FLAIR"), 3)
    assert library.find_package("tumour TYPE") == library.find_package("Tumour-type") == installed
    assert library.find_package(str(package)) == package
    with pytest.raises(ModelPackageError, match=r"no model 'nothing'.*Tumour type"):
        library.find_package("nothing")


def test_damaged_packages_are_listed_with_what_is_wrong(model: Model, tmp_path: Path) -> None:
    weights = save_package(model, tmp_path / "a") / files.SEGMENTER_WEIGHTS
    weights.write_bytes(weights.read_bytes()[:100])
    (save_package(model, tmp_path / "b") / files.DESCRIPTION).write_text("{}", encoding="utf-8")
    (tmp_path / "holiday pictures").mkdir()
    listed = {info.path.name: info for info in library.list_packages(tmp_path)}
    assert listed.keys() == {"a", "b"}
    assert "segmenter.safetensors" in listed["a"].problem and listed["a"].name == "Tumour type"
    assert "segclassify.json" in listed["b"].problem and listed["b"].name == "b"
    with pytest.raises(ModelPackageError, match="cannot be read"):
        library.list_packages(tmp_path / "nowhere")


def test_listing_loads_neither_torch_nor_weights(package: Path) -> None:
    script = (
        "import sys; from SegClassifyLib.package.library import list_packages\n"
        "assert list_packages(sys.argv[1])[0].ok\n"
        "print([m for m in ('torch', 'monai', 'sklearn', 'scipy', 'SimpleITK') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(package.parent)], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_damaged_source_is_not_installed(package: Path, tmp_path: Path) -> None:
    path = package / files.SEGMENTER_WEIGHTS
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelPackageError, match="wrong hash"):
        library.install_package(package, tmp_path / "models")
    with pytest.raises(ModelPackageError, match="wrong hash"):
        export_zip(package, tmp_path / "p.zip")
    assert not (tmp_path / "models").exists() and not (tmp_path / "p.zip").exists()


@pytest.mark.parametrize(
    "changes",
    [{"classes": ("one",)}, {"classes": ()}, {"classes": ("a", "a")}, {"temperature": 0.0}, {"name": " "}],
)
def test_a_model_that_makes_no_sense_cannot_be_made(model: Model, changes: dict) -> None:
    with pytest.raises(ValueError, match=r"class|name|temperature"):
        replace(model, **changes)


def test_text_in_head_arrays_is_refused(model: Model, tmp_path: Path) -> None:
    assert model.head is not None
    bad = replace(model, head=replace(model.head, arrays={"names": np.array(["a"])}))
    with pytest.raises(ValueError, match="only numbers"):
        save_package(bad, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []
