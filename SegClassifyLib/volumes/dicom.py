"""A folder with a DICOM series as one volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.integrity import check_size

_POSITION, _ORIENTATION, _DESCRIPTION, _NUMBER = "0020|0032", "0020|0037", "0008|103e", "0020|0011"


def load_series(folder: Path) -> sitk.Image:
    """Read the one DICOM series in a folder.

    Raises:
        ImageError: the folder holds none or several, slices are missing, or the scanner was tilted.
    """
    files = _files_of_the_series(folder)
    first = _header(files[0], folder)
    check_size(folder, (*first.GetSize()[:2], len(files)), 8)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise ImageError(
            f"{folder} holds DICOM slices that do not form one volume or are damaged: export the series again."
        ) from error
    if len(files) > 1:
        _check_positions(folder, reader, len(files))
    return image


def _files_of_the_series(folder: Path) -> tuple[str, ...]:
    try:
        names = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        raise ImageError(f"{folder} cannot be opened: check that you may read it.") from error
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)) if names else ()
    if not series:
        content = (
            f"what is there: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}"
            if names
            else "it is empty"
        )
        raise ImageError(
            f"{folder} is a folder without DICOM images ({content}): give an image file, or the folder that holds "
            "the slices of one series."
        )
    found = [sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid) for uid in series]
    if len(found) > 1:
        listed = "; ".join(_described(files) for files in found)
        raise ImageError(
            f"{folder} holds {len(found)} DICOM series ({listed}): move the files of the one you want to a folder of "
            "their own."
        )
    return found[0]


def _described(files: tuple[str, ...]) -> str:
    reader = _header(files[0], Path(files[0]))
    number = reader.GetMetaData(_NUMBER).strip() if reader.HasMetaDataKey(_NUMBER) else ""
    text = reader.GetMetaData(_DESCRIPTION).strip() if reader.HasMetaDataKey(_DESCRIPTION) else ""
    title = " ".join(part for part in (number, f'"{text}"' if text else "") if part) or "without a name"
    return f"{title}, {len(files)} image{'s' if len(files) > 1 else ''}, first {Path(files[0]).name}"


def _header(file: str, where: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    reader.SetImageIO("GDCMImageIO")
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise ImageError(
            f"{where} holds a DICOM file without a readable image ({Path(file).name})."
        ) from error
    return reader


def _check_positions(folder: Path, reader: sitk.ImageSeriesReader, count: int) -> None:
    """ITK places slices evenly along the normal, whatever their headers say; so they must lie there."""
    if not all(reader.HasMetaDataKey(i, k) for i in range(count) for k in (_POSITION, _ORIENTATION)):
        return
    positions = np.array([_numbers(reader.GetMetaData(i, _POSITION)) for i in range(count)])
    axes = np.array([_numbers(reader.GetMetaData(i, _ORIENTATION)) for i in range(count)])
    normal = np.cross(axes[0, :3], axes[0, 3:])
    if np.abs(axes - axes[0]).max() > 1e-2:
        raise ImageError(
            f"{folder} holds slices in different directions (a scout or a radial scan): keep only parallel slices."
        )
    steps = np.diff(positions @ normal)
    typical = float(np.median(np.abs(steps)))
    if np.abs(steps).min() < 1e-3:
        raise ImageError(
            f"{folder} holds several images at the same position (a series over time or with several contrasts): "
            "keep the files of one volume only."
        )
    if np.abs(np.abs(steps) - typical).max() > max(0.1 * typical, 0.01):
        raise ImageError(
            f"{folder} has slices missing or unevenly spaced (gaps of {np.abs(steps).min():.2f} to "
            f"{np.abs(steps).max():.2f} mm): export the whole series again, or resample it evenly."
        )
    travel = positions[-1] - positions[0]
    sideways = np.linalg.norm(travel - normal * (travel @ normal))
    if sideways > 0.01 * np.linalg.norm(travel):
        raise ImageError(
            f"{folder} was scanned with a tilted gantry (its slices are stacked aslant): resample it to an ordinary "
            "grid first, for example with 3D Slicer's DICOM import."
        )


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split("\\")]
