"""Small image files for the tests of reading and writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SegClassifyLib.volumes.geometry import Geometry

OBLIQUE = Geometry(
    (6, 5, 4),
    (0.8, 1.1, 2.5),
    (-31.0, 12.5, 140.25),
    # Turned by 20 degrees about z, then 10 about x.
    (0.9396926, -0.3420201, 0.0, 0.3368241, 0.9254166, -0.1736482, 0.0593912, 0.1631759, 0.9848078),
)


def ramp(geometry: Geometry = OBLIQUE, dtype: str = "int16") -> np.ndarray:
    """``(*shape)``: every voxel has its own value, so that any mix-up shows."""
    count = int(np.prod(geometry.shape))
    return np.random.default_rng(0).permutation(count).reshape(geometry.shape).astype(dtype)


def sitk_image(array: np.ndarray, geometry: Geometry, vector: bool = False) -> sitk.Image:
    """Made by SimpleITK alone, without the code under test."""
    image = sitk.GetImageFromArray(array, isVector=vector)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image


def save(path: Path, array: np.ndarray, geometry: Geometry | None = None, vector: bool = False) -> Path:
    """Write with SimpleITK; a plain grid unless one is given."""
    spatial = array.shape[:-1] if vector else array.shape
    sitk.WriteImage(sitk_image(array, geometry or Geometry.plain(spatial[::-1]), vector), str(path))
    return path


def dicom_series(
    folder: Path,
    array: np.ndarray,
    geometry: Geometry,
    number: int = 1,
    description: str = "phantom",
    places: list[float] | None = None,
    aslant: float = 0.0,
) -> Path:
    """Write ``(D, H, W)`` as one CT file a slice.

    ``places`` puts slices elsewhere than 0, 1, 2, … along the normal; ``aslant`` shifts each sideways, mm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    uid = f"1.2.826.0.1.3680043.8.498.{number}"
    for k, plane in enumerate(array):
        place = k if places is None else places[k]
        position = geometry.world((0, 0, place)) + aslant * k * geometry.matrix[:, 1]
        image = sitk.GetImageFromArray(plane)
        image.SetSpacing(geometry.spacing[:2])
        tags = {
            "0008|0060": "CT",
            "0008|0018": f"{uid}.{k + 1}",
            "0008|103e": description,
            "0020|000d": "1.2.826.0.1.3680043.8.498.99",
            "0020|000e": uid,
            "0020|0011": str(number),
            "0020|0013": str(k + 1),
            "0020|0032": "\\".join(f"{v:.6f}" for v in position),
            "0020|0037": "\\".join(f"{v:.8f}" for v in geometry.matrix[:, :2].T.ravel()),
        }
        for tag, value in tags.items():
            image.SetMetaData(tag, value)
        # Names that do not sort like the slices do.
        writer.SetFileName(str(folder / f"IM{number}_{(k * 7) % 10}{k}"))
        writer.SetImageIO("GDCMImageIO")
        writer.Execute(image)
    return folder
