"""Which kind of image file a path names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from SegClassifyLib.errors import ImageError

Kind = Literal["NIfTI", "NRRD", "MetaImage", "DICOM", "picture"]

_ENDINGS: dict[str, Kind] = {
    ".nii": "NIfTI",
    ".nii.gz": "NIfTI",
    ".nrrd": "NRRD",
    ".nhdr": "NRRD",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
    ".dcm": "DICOM",
    ".ima": "DICOM",
    ".png": "picture",
    ".jpg": "picture",
    ".jpeg": "picture",
    ".tif": "picture",
    ".tiff": "picture",
}
READABLE = "NIfTI (.nii, .nii.gz), NRRD, MetaImage (.mha, .mhd), DICOM, PNG, JPEG or TIFF"


def ending(path: Path) -> str:
    """The lower-case ending that tells the format: ".nii.gz", ".seg.nrrd", ".png"."""
    name = path.name.lower()
    double = next((e for e in (".nii.gz", ".seg.nrrd") if name.endswith(e)), None)
    return double or path.suffix.lower()


def file_stem(path: Path) -> str:
    """A file's name without its ending (``.nii.gz`` as a whole); a folder's name as it is."""
    suffix = "" if path.is_dir() else ending(path)
    return path.name[: len(path.name) - len(suffix)]


def kind_by_ending(path: Path) -> Kind | None:
    """The kind that the file's ending promises; ``None`` for an ending we do not know."""
    found = ending(path)
    return _ENDINGS.get(".nrrd" if found == ".seg.nrrd" else found)


def kind_of(path: Path) -> Kind:
    """The kind of an existing file; DICOM files are known by their content, since many have no ending.

    Raises:
        ImageError: the file cannot be opened, is empty, or is no image that we read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise ImageError(f"{path} cannot be opened ({reason}): check that you may read it.") from error
    if not start:
        raise ImageError(f"{path} is empty (0 bytes): copy or export it again.")
    kind = kind_by_ending(path)
    if kind is None and start[128:] == b"DICM":
        kind = "DICOM"
    if kind is None:
        raise ImageError(f"{path} is no image file known here: give {READABLE}.")
    return kind
