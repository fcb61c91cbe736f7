"""Whatever is wrong with a model package is said and named, and nothing in it is executed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from package_data import edit_package, rehash_package

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files, library
from SegClassifyLib.package import format as package_format
from SegClassifyLib.package.store import open_package


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
    rehash_package(package)
    with pytest.raises(ModelPackageError, match=f"{path.name} is not a readable safetensors"):
        open_package(package)


def test_a_newer_format_asks_for_an_update(package: Path) -> None:
    edit_package(package, lambda d: d.update(format=package_format.FORMAT + 1, something_new={}))
    with pytest.raises(ModelPackageError, match=rf"format {package_format.FORMAT + 1} .* update SegClassify"):
        open_package(package)
    assert not library.look(package).ok


def test_an_older_format_keeps_opening(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def from_zero(document: dict) -> dict:
        document = dict(document)
        document["description"] = document.pop("summary")
        return document

    edit_package(package, lambda d: d.update(format=0, summary=d.pop("description")))
    with pytest.raises(ModelPackageError, match="unknown format 0"):
        open_package(package)
    monkeypatch.setitem(package_format.UPGRADES, 0, from_zero)
    assert open_package(package).description.startswith("Tells three")
    edit_package(package, lambda d: d.pop("summary"))
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
    edit_package(package, change)
    with pytest.raises(ModelPackageError, match=says):
        open_package(package)


def test_deeply_nested_json_is_refused(package: Path) -> None:
    (package / files.DESCRIPTION).write_text("[" * 200_000, encoding="utf-8")
    rehash_package(package)
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
    edit_package(package, lambda d: d["network"]["arguments"].update(act="$" + code))
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
