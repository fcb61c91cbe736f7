"""A model package as one .zip, written whole and read with suspicion."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zlib import error as DeflateError

from SegClassifyLib.atomic import Overwrite, whole_file
from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package import files
from SegClassifyLib.package.atomic import explain_write_error
from SegClassifyLib.package.files import FileList, parse_file_list, read_file_list, verify_file

MAX_MEMBERS = 1_000
MAX_BYTES = 16 << 30
"""Of all unpacked files together."""
MAX_RATIO = 200
"""Unpacked to packed size of a file; weights shrink by a tenth, descriptions by ten."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def export_zip(folder: Path | str, zip_path: Path | str, overwrite: Overwrite = "refuse") -> Path:
    """Pack a model package into one file, after verifying it; files it does not list stay out.

    The same package gives the same bytes.

    Raises:
        ModelPackageError: the package is damaged, or the file cannot be written.
    """
    source, target = Path(folder).expanduser().resolve(), Path(zip_path).expanduser().absolute()
    listed = read_file_list(source)
    names = [*listed.files, files.HASHES]
    for name, entry in listed.files.items():
        verify_file(source, name, entry)
    if overwrite == "refuse" and target.exists():
        raise ModelPackageError(
            f"{target} exists already: choose another name, or ask for it to be replaced."
        )
    try:
        with whole_file(target) as work, zipfile.ZipFile(work, "w") as archive:
            for name in sorted(names):
                member = zipfile.ZipInfo(f"{source.name}/{name}", _EARLIEST)
                member.compress_type = (
                    zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED
                )
                member.external_attr = 0o644 << 16
                with (source / name).open("rb") as read, archive.open(member, "w", force_zip64=True) as write:
                    while piece := read.read(1 << 20):
                        write.write(piece)
    except OSError as error:
        raise ModelPackageError(explain_write_error(error, "The zip of the model package", target)) from error
    return target


@contextmanager
def unpacked(zip_path: Path) -> Iterator[Path]:
    """The listed files of a zipped package in a temporary folder, which goes away with the block.

    Raises:
        ModelPackageError: not a zip, not a package, or one that tries to write elsewhere or to fill the disk.
    """
    what = f"The model package {zip_path.name}"
    with tempfile.TemporaryDirectory(prefix="segclassify-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) / "package"
        try:
            with zipfile.ZipFile(zip_path) as archive:
                _unpack(archive, folder, zip_path)
        except (zipfile.BadZipFile, DeflateError, EOFError, NotImplementedError, UnicodeDecodeError) as error:
            raise ModelPackageError(
                f"{zip_path} is not a readable zip file ({error}): fetch the model package again."
            ) from error
        except OSError as error:
            raise ModelPackageError(explain_write_error(error, what, folder)) from error
        yield folder


def _unpack(archive: zipfile.ZipFile, folder: Path, zip_path: Path) -> None:
    members = _members(archive, zip_path)
    top = _top(members, zip_path)
    text = _read_small(archive, members[f"{top}{files.HASHES}"], zip_path)
    listed = parse_file_list(text, zip_path / files.HASHES)
    _check_sizes(listed, members, top, zip_path)
    for name, entry in listed.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        left = entry.bytes
        with archive.open(members[top + name]) as read, path.open("wb") as write:
            while piece := read.read(1 << 20):
                left -= len(piece)
                if left < 0:
                    raise ModelPackageError(f"{zip_path} holds more in {name} than it lists: do not use it.")
                write.write(piece)
    files.write_text(folder / files.HASHES, text)


def _members(archive: zipfile.ZipFile, zip_path: Path) -> dict[str, zipfile.ZipInfo]:
    """The plain files of a zip, by name, after refusing whatever an honest package never holds."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise ModelPackageError(f"{zip_path} holds {len(infos)} files: that is no model package.")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.rstrip("/")
        if not files.is_safe_name(name):
            raise ModelPackageError(
                f"{zip_path} holds a file that would land outside ({name!r}): do not use it."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ModelPackageError(f"{zip_path} holds a link ({name!r}): do not use it.")
        if info.flag_bits & 1:
            raise ModelPackageError(f"{zip_path} is encrypted: unpack it first and give the folder.")
        if info.is_dir():
            continue
        if name in members:
            raise ModelPackageError(f"{zip_path} holds {name!r} twice: do not use it.")
        members[name] = info
    return members


def _top(members: dict[str, zipfile.ZipInfo], zip_path: Path) -> str:
    """Empty, or "<folder>/": where the package begins inside its zip."""
    if files.HASHES in members:
        return ""
    found = [name for name in members if PurePosixPath(name).name == files.HASHES and name.count("/") == 1]
    if len(found) != 1:
        raise ModelPackageError(f"{zip_path} is not a model package: it holds no {files.HASHES}.")
    return found[0].removesuffix(files.HASHES)


def _read_small(archive: zipfile.ZipFile, info: zipfile.ZipInfo, zip_path: Path) -> str:
    with archive.open(info) as read:
        data = read.read(files.MAX_TEXT_BYTES + 1)
    if len(data) > files.MAX_TEXT_BYTES:
        raise ModelPackageError(f"{zip_path} has a {files.HASHES} that is too large: do not use it.")
    return data.decode("utf-8")


def _check_sizes(listed: FileList, members: dict[str, zipfile.ZipInfo], top: str, zip_path: Path) -> None:
    """Before a byte is unpacked: everything listed is there, of its size, and no bomb."""
    total = 0
    for name, entry in listed.files.items():
        info = members.get(top + name)
        if info is None:
            raise ModelPackageError(f"{zip_path} lacks {name}: fetch the model package again.")
        if info.file_size != entry.bytes:
            raise ModelPackageError(
                f"{zip_path} holds {info.file_size} bytes of {name} instead of {entry.bytes}: fetch it again."
            )
        if info.file_size > (1 << 20) and info.file_size > MAX_RATIO * max(1, info.compress_size):
            raise ModelPackageError(f"{zip_path} is packed implausibly tightly ({name}): do not use it.")
        total += info.file_size
    if total > MAX_BYTES:
        raise ModelPackageError(f"{zip_path} would unpack to {total >> 30} GiB: that is no model package.")
