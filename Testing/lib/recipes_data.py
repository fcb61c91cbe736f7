"""Small folders laid out as the data sets that recipes read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap
from SegClassifyLib.volumes.write import write_image, write_label_map

SHAPE = (6, 8, 7)


def volume(path: Path, seed: int, geometry: Geometry | None = None) -> None:
    """An image of noise."""
    geometry = geometry or Geometry.plain((SHAPE[2], SHAPE[1], SHAPE[0]), (1.0, 1.0, 2.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(seed).integers(0, 999, geometry.shape, dtype=np.int16)
    write_image(Image(array[None], geometry), path)


def labels(path: Path, array: np.ndarray, geometry: Geometry | None = None) -> None:
    """A label map."""
    geometry = geometry or Geometry.plain(tuple(reversed(array.shape)), (1.0, 1.0, 2.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_label_map(LabelMap(array.astype(np.uint16), geometry), path)


def brats(root: Path, label_class: str, case: str, seed: int, enhancing: int = 3) -> Path:
    """A patient of BraTS 2023 and later."""
    home = root / label_class / "TrainingData" / case
    for number, ending in enumerate(("t1n", "t1c", "t2w", "t2f")):
        volume(home / f"{case}-{ending}.nii.gz", 10 * seed + number)
    mask = np.zeros(SHAPE)
    mask[2, 2:5, 2:5], mask[2, 3, 3], mask[3, 3, 3] = 2, 1, enhancing
    labels(home / f"{case}-seg.nii.gz", mask)
    return home


def ucsf(root: Path, label_class: str, case: str, seed: int) -> Path:
    """An examination of UCSF-PDGM."""
    home = root / label_class / f"{case}_nifti"
    for number, ending in enumerate(("T1", "T1c_bias", "T1c", "FLAIR", "FLAIR_bias", "brain_segmentation")):
        volume(home / f"{case}_{ending}.nii.gz", 1000 + 10 * seed + number)
    mask = np.zeros(SHAPE)
    mask[1, 1:4, 1:4], mask[1, 2, 2] = 2, 4
    labels(home / f"{case}_tumor_segmentation.nii.gz", mask)
    return home


def cheng(path: Path, label: int, patient: str, hdf5: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A file of Cheng et al., of MATLAB 7.3 or older; returns image and mask as MATLAB shows them."""
    rng = np.random.default_rng(int(path.stem))
    image = rng.integers(0, 4000, (10, 16), dtype=np.int16)
    mask = np.zeros((10, 16), np.uint8)
    mask[2:5, 6:12] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    if not hdf5:
        from scipy.io import savemat

        fields = {"label": float(label), "PID": patient, "image": image, "tumorMask": mask}
        savemat(path, {"cjdata": fields})
        return image, mask
    import h5py

    # MATLAB writes 512 bytes of its own before the HDF5 content
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("cjdata")
        group["label"] = np.array([[float(label)]])
        group["PID"] = np.array([[ord(c)] for c in patient], np.uint16)
        group["image"], group["tumorMask"] = image.T, mask.T
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: PCWIN64".ljust(128))
    return image, mask


def heart(depth: int = 24, low: int = 3, high: int = 21) -> np.ndarray:
    """A label map ``(D, H, W)`` of our values 1 to 7: ventricles below, atria above, vessels still higher."""
    array = np.zeros((depth, 12, 10), np.uint8)
    middle = (low + high) // 2
    array[low:middle, 2:6, 2:5], array[low:middle, 2:6, 6:9], array[low:middle, 7, 2:9] = 1, 2, 5
    array[middle:high, 2:6, 2:5], array[middle:high, 2:6, 6:9] = 3, 4
    array[middle : min(high + 2, depth), 9, 2:4], array[middle : min(high + 2, depth), 9, 6:8] = 6, 7
    return array
