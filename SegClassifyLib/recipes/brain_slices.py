"""Brain tumours in 2D slices: the MATLAB files of Cheng et al. (figshare 1512427)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.candidates import Candidate, Found, Loaded
from SegClassifyLib.recipes.recipe import SourceSpec
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, LabelMap

_FIELD_OF_VIEW = 0.49 * 512
"""mm; the authors give 0.49 mm for 512 pixels, and smaller pictures are taken to show as much."""

_STRUCT = "cjdata"


def find_slices(root: Path, spec: SourceSpec, progress: Progress) -> Found:
    """All slices; ``label`` 1, 2, 3 is their class in the order of ``spec.classes``, ``PID`` the patient.

    Raises:
        SegClassifyError: no such files, a file without these fields, or no package to read them.
    """
    paths = sorted(
        (p for p in root.rglob("*.mat") if p.name != "cvind.mat"), key=lambda p: (len(p.stem), p.stem)
    )
    if not paths:
        raise SegClassifyError(f"{root} holds no .mat files. {spec.layout}")
    candidates = []
    for number, path in enumerate(paths):
        progress.report("Looking for cases", number, len(paths), path.name)
        fields = _read(path, ("label", "PID"))
        label = int(np.asarray(fields["label"]).flat[0])
        if not 1 <= label <= len(spec.classes):
            raise SegClassifyError(
                f"{path} has the label {label}, which is none of 1 to {len(spec.classes)}."
            )
        patient = _text(fields["PID"])
        candidates.append(
            Candidate(f"slice-{path.stem}", spec.classes[label - 1], patient, partial(_load, path))
        )
    return Found(tuple(candidates), spec.classes)


def _load(path: Path) -> Loaded:
    fields = _read(path, ("image", "tumorMask"))
    array, mask = (np.asarray(fields[name]) for name in ("image", "tumorMask"))
    height, width = array.shape
    step = _FIELD_OF_VIEW / max(height, width)
    geometry = Geometry.plain((width, height), (step, step))
    return Loaded(
        Image(array.astype(np.int16)[None], geometry), LabelMap((mask > 0).astype(np.uint8), geometry)
    )


def _text(value: Any) -> str:
    """A MATLAB text: characters as numbers, or text already."""
    array = np.asarray(value)
    if array.dtype.kind in "ui":
        return "".join(chr(int(c)) for c in array.ravel())
    return str(array.ravel()[0])


def _read(path: Path, names: tuple[str, ...]) -> Mapping[str, Any]:
    """Fields of the structure in a file, arrays in their MATLAB orientation."""
    try:
        with path.open("rb") as file:
            is_hdf5 = b"MATLAB 7.3" in file.read(128)
        return _read_hdf5(path, names) if is_hdf5 else _read_older(path, names)
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise SegClassifyError(
            f"{path} holds no {_STRUCT} with {', '.join(names)} ({error}): is it one of the data set, and whole?"
        ) from error


def _read_hdf5(path: Path, names: tuple[str, ...]) -> Mapping[str, Any]:
    try:
        import h5py
    except ImportError as error:
        raise SegClassifyError(
            f"{path} is a MATLAB 7.3 file, which needs the package h5py: pip install 'segclassify[recipes]'."
        ) from error
    with h5py.File(path, "r") as file:
        # HDF5 stores MATLAB's columns as rows
        return {name: np.asarray(file[_STRUCT][name]).T for name in names}


def _read_older(path: Path, names: tuple[str, ...]) -> Mapping[str, Any]:
    from scipy.io import loadmat

    struct = loadmat(path)[_STRUCT][0, 0]
    return {name: struct[name] for name in names}
