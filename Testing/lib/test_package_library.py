"""Models on this computer: installed, listed and found."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from package_data import assert_same_model

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files, library
from SegClassifyLib.package.archive import export_zip
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package, save_package


def test_install_list_and_find(
    model: Model, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    monkeypatch.setenv(library.ENVIRONMENT, str(models))
    assert library.models_folder() == models
    zipped = export_zip(package, tmp_path / "t.zip")
    installed = library.install_package(zipped)
    assert installed == models / "Tumour-type"
    assert_same_model(model, open_package(installed))
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


def test_extra_files_are_ignored_and_not_installed(package: Path, tmp_path: Path) -> None:
    (package / "notes.txt").write_text("mine", encoding="utf-8")
    open_package(package)
    installed = library.install_package(package, tmp_path / "models")
    assert not (installed / "notes.txt").exists()
    with zipfile.ZipFile(export_zip(package, tmp_path / "p.zip")) as zipped:
        assert not any(name.endswith("notes.txt") for name in zipped.namelist())
