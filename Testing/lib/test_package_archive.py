"""Zipped model packages: the same as their folder, and read with suspicion."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from package_data import assert_same_model, rehash_package

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import archive, files, library
from SegClassifyLib.package.archive import export_zip
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import open_package


def test_a_zip_opens_like_its_folder(model: Model, package: Path, tmp_path: Path) -> None:
    zipped = export_zip(package, tmp_path / "tumour.zip")
    assert_same_model(model, open_package(zipped))
    assert export_zip(package, tmp_path / "again.zip").read_bytes() == zipped.read_bytes()
    with pytest.raises(ModelPackageError, match="exists already"):
        export_zip(package, zipped)
    flat = tmp_path / "flat.zip"
    with zipfile.ZipFile(flat, "w") as made:
        for path in package.rglob("*"):
            made.write(path, path.relative_to(package))
    assert_same_model(model, open_package(flat))


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
    rehash_package(package)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for path in package.rglob("*"):
            made.write(path, path.relative_to(package))
    with pytest.raises(ModelPackageError, match="implausibly tightly"):
        open_package(bomb)
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    with pytest.raises(ModelPackageError, match="would unpack to"):
        open_package(_zip_with(package, tmp_path / "large.zip", lambda made: None))
