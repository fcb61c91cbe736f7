"""An image file as a SimpleITK image, with everything checked that a header can get wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.bridge import geometry_of
from SegClassifyLib.volumes.formats import Kind, kind_of
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.integrity import (
    check_length,
    check_nifti_spacing,
    check_size,
    check_spacing,
    check_stream,
)

SHEAR_TOLERANCE = 1e-2
"""Largest error of the axes' dot products that is taken for rounding and put right; more is refused."""


@dataclass(frozen=True)
class Loaded:
    """What a file holds.

    Args:
        array: ``(D, H, W)`` or ``(H, W)`` in the file's own dtype, with a trailing axis where a voxel has several
            components (colours, layers).
        geometry: its grid; pictures have no position or voxel size worth believing (dots per inch are for
            printers), so theirs is plain, 1 mm.
        kind: of the file.
        metadata: the header's other entries.
    """

    array: np.ndarray
    geometry: Geometry
    kind: Kind
    metadata: dict[str, str]

    @property
    def components(self) -> int:
        """Values a voxel; 1 for a grey image."""
        return self.array.shape[-1] if self.array.ndim > self.geometry.ndim else 1


def load(path: Path) -> Loaded:
    """Read an image file or a folder with one DICOM series.

    Raises:
        ImageError: it is missing, damaged, of an unknown format, too large, of more than three dimensions, or its
            header makes no sense.
    """
    if not path.exists():
        raise ImageError(f"{path} does not exist: check its name and folder.")
    if path.is_dir():
        from SegClassifyLib.volumes.dicom import load_series

        image = load_series(path)
        return _loaded(image, "DICOM", path)
    kind = kind_of(path)
    if kind == "NIfTI":
        check_nifti_spacing(path)
    with _sheared_nifti_allowed(kind):
        reader = read_header(path, kind)
        size = _checked_size(path, reader)
        width = bytes_per_voxel(reader)
        payload = check_length(path, kind, reader.GetSize(), stored_bytes_per_voxel(reader))
        check_size(path, size, width)
        # zlib and ITK both let go of the interpreter, so that verifying costs no time beside reading.
        with ThreadPoolExecutor(1) as pool:
            verified = pool.submit(check_stream, path, payload)
            try:
                image = _voxels(reader, path, kind)
            finally:
                verified.result()  # says better what is wrong than ITK does
    if kind == "NIfTI":
        _check_sform(path, reader)
    return _loaded(image, kind, path)


def _voxels(reader: sitk.ImageFileReader, path: Path, kind: Kind) -> sitk.Image:
    size = reader.GetSize()
    if len(size) > 3:
        reader.SetExtractSize([*size[:3], *(0 for _ in size[3:])])
    try:
        return reader.Execute()
    except RuntimeError as error:
        if "Bad direction" in str(error):
            raise ImageError(
                f"{path} has directions that its {len(size)} dimensions cannot hold: save it as a volume of one "
                "slice, or as PNG."
            ) from error
        raise _unreadable(path, kind) from error


def read_header(path: Path, kind: Kind) -> sitk.ImageFileReader:
    """A reader that has read the header only.

    Raises:
        ImageError: ITK cannot make sense of the file.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise _sheared(path) from error
        raise _unreadable(path, kind) from error
    return reader


def bytes_per_voxel(reader: sitk.ImageFileReader) -> int:
    """Of the image in memory, all components together."""
    width = np.dtype(_dtype_of(reader.GetPixelID())).itemsize
    return width * reader.GetNumberOfComponents()


def stored_bytes_per_voxel(reader: sitk.ImageFileReader) -> int:
    """Of the image on disk: scaled NIfTI files hold integers where ITK gives floats."""
    if reader.HasMetaDataKey("bitpix") and reader.HasMetaDataKey("dim[5]"):
        components = max(1, int(reader.GetMetaData("dim[5]")))
        return int(reader.GetMetaData("bitpix")) * components // 8
    return bytes_per_voxel(reader)


def _dtype_of(pixel: int) -> str:
    """numpy's name for SimpleITK's pixel type; label and vector pixels by their elements."""
    words = (
        sitk.GetPixelIDValueAsString(pixel)
        .removeprefix("vector of ")
        .removeprefix("label of ")
        .split("-bit ")
    )
    bits = int(words[0]) if words[0].isdigit() else 64
    kinds = {"unsigned integer": "u", "signed integer": "i", "float": "f"}
    return f"{kinds[words[1]]}{bits // 8}" if len(words) == 2 and words[1] in kinds else "c16"


def _checked_size(path: Path, reader: sitk.ImageFileReader) -> tuple[int, ...]:
    """Size along x, y (, z), the axes beyond the third being a single voxel long."""
    size = reader.GetSize()
    if len(size) > 3 and any(n != 1 for n in size[3:]):
        raise ImageError(
            f"{path} has {len(size)} dimensions ({' x '.join(map(str, size))}): extract the one 3D volume you "
            "want, or give each volume as a channel of its own."
        )
    if len(size) < 2 or 0 in size:
        raise ImageError(f"{path} is no 2D or 3D image (its size is {' x '.join(map(str, size))}).")
    if _dtype_of(reader.GetPixelID()) == "c16":
        raise ImageError(f"{path} holds complex numbers: save their magnitude as an image of its own.")
    check_spacing(path, reader.GetSpacing()[:3])
    return size[:3]


def _loaded(image: sitk.Image, kind: Kind, path: Path) -> Loaded:
    geometry = upright(geometry_of(image), path)
    if kind == "picture":
        geometry = Geometry.plain(geometry.size)
    metadata = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    return Loaded(sitk.GetArrayFromImage(image), geometry, kind, metadata)


def upright(geometry: Geometry, path: Path) -> Geometry:
    """The same grid with axes exactly at right angles.

    Args:
        geometry: as a header or another program gave it.
        path: what to call it in the sentence.

    Raises:
        ImageError: they are off by more than rounding.
    """
    error = shear(geometry.matrix)
    if not error < SHEAR_TOLERANCE:
        raise _sheared(path)
    if error < 1e-9:
        return geometry
    u, _, v = np.linalg.svd(geometry.matrix)
    return Geometry(geometry.size, geometry.spacing, geometry.origin, tuple((u @ v).ravel().tolist()))


def shear(matrix: np.ndarray) -> float:
    """How far the columns are from unit vectors at right angles: the largest error of their dot products."""
    return float(np.abs(matrix.T @ matrix - np.eye(matrix.shape[1])).max())


def _check_sform(path: Path, reader: sitk.ImageFileReader) -> None:
    """In its permissive mode ITK straightens any shear; only what is rounding may pass."""
    rows = [reader.GetMetaData(f"srow_{axis}") for axis in "xyz" if reader.HasMetaDataKey(f"srow_{axis}")]
    if len(rows) != 3 or int(reader.GetMetaData("sform_code")) <= 0:
        return
    matrix = np.array([[float(x) for x in row.split()[:3]] for row in rows])
    lengths = np.linalg.norm(matrix, axis=0)
    n = min(3, reader.GetDimension())
    if (lengths[:n] > 0).all() and not shear((matrix / np.maximum(lengths, 1e-30))[:, :n]) < SHEAR_TOLERANCE:
        raise _sheared(path)


@contextmanager
def _sheared_nifti_allowed(kind: Kind) -> Iterator[None]:
    """ITK refuses NIfTI axes that are off by rounding unless this environment variable is set."""
    name = "ITK_NIFTI_SFORM_PERMISSIVE"
    if kind != "NIfTI" or name in os.environ:
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        del os.environ[name]


def _sheared(path: Path) -> ImageError:
    return ImageError(
        f"{path} has axes that are not at right angles (a sheared or tilted scan): resample it to an ordinary grid "
        "first, for example in 3D Slicer with Resample Scalar/Vector/DWI Volume."
    )


def _unreadable(path: Path, kind: Kind) -> ImageError:
    with path.open("rb") as file:
        head = file.read(26)
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[25:] == b"\x04":
        return ImageError(f"{path} is a grey picture with transparency: save it without transparency.")
    what = "PNG, JPEG or TIFF picture" if kind == "picture" else f"{kind} file"
    return ImageError(
        f"{path} cannot be read as a {what}: it is damaged or has the wrong ending; copy or export it again."
    )
