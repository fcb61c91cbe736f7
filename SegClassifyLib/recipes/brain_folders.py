"""Brain tumours in 3D: a folder for each class, patient folders below it, named as BraTS or UCSF-PDGM name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.candidates import Candidate, Found, Loaded
from SegClassifyLib.recipes.label_values import in_our_values
from SegClassifyLib.recipes.recipe import SourceSpec
from SegClassifyLib.volumes.formats import file_stem
from SegClassifyLib.volumes.image import LabelMap
from SegClassifyLib.volumes.read import read_channels, read_label_map

_ENDINGS = {
    "T1c": ("t1c", "t1ce", "t1gd", "t1c_bias"),
    "FLAIR": ("t2f", "flair", "flair_bias"),
}
"""How file names end for each channel, the best first."""

_SEGMENTATION = ("seg", "tumor_segmentation")
_PATIENT = re.compile(r"(BraTS-[A-Za-z]+-\d+|UCSF-PDGM-\d+)", re.IGNORECASE)
"""What comes after is the number of the examination."""


def find_brains(root: Path, spec: SourceSpec, progress: Progress) -> Found:
    """Patients with all channels and a segmentation; the folder below ``root`` that holds them is their class.

    Raises:
        SegClassifyError: no class folders, or nobody in one.
    """
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    candidates: list[Candidate] = []
    incomplete: list[str] = []
    for number, folder in enumerate(folders):
        progress.report("Looking for cases", number, len(folders), folder.name)
        before = len(candidates)
        for home in sorted({p.parent for p in folder.rglob("*.nii*") if p.is_file()}):
            files = _files(home, spec.channels)
            if files is None:
                incomplete.append(str(home.relative_to(root)))
                continue
            images, mask = files
            match = _PATIENT.match(home.name)
            candidates.append(
                Candidate(
                    name=_name(home),
                    label_class=folder.name,
                    group=match[1] if match else _name(home),
                    load=partial(_load, images, mask, spec),
                )
            )
        if len(candidates) == before:
            raise SegClassifyError(
                f"{folder} holds no patient folder with {', '.join(spec.channels)} and a segmentation. {spec.layout}"
            )
    if not folders:
        raise SegClassifyError(f"{root} holds no folders. {spec.layout}")
    return Found(tuple(candidates), tuple(f.name for f in folders), _notes(incomplete))


def _notes(incomplete: Sequence[str]) -> tuple[str, ...]:
    if not incomplete:
        return ()
    return (
        f"{len(incomplete)} folders lack a channel or the segmentation and were passed over ({incomplete[0]}, …).",
    )


def _name(home: Path) -> str:
    return home.name.removesuffix("_nifti")


def _files(home: Path, channels: Sequence[str]) -> tuple[list[Path], Path] | None:
    """One file a channel, and the segmentation; ``None`` where one is missing."""
    by_ending: dict[str, Path] = {}
    for path in sorted(home.glob("*.nii*")):
        stem = file_stem(path).casefold()
        for ending in (*(e for c in channels for e in _ENDINGS[c]), *_SEGMENTATION):
            if stem == ending or stem.endswith((f"-{ending}", f"_{ending}")):
                by_ending.setdefault(ending, path)

    def best(endings: Sequence[str]) -> Path | None:
        return next((by_ending[e] for e in endings if e in by_ending), None)

    found = [best(_ENDINGS[channel]) for channel in channels]
    mask = best(_SEGMENTATION)
    images = [path for path in found if path is not None]
    return (images, mask) if mask is not None and len(images) == len(channels) else None


def _load(images: Sequence[Path], mask: Path, spec: SourceSpec) -> Loaded:
    image = read_channels(images, spec.channels)
    label_map = read_label_map(mask, like=image.geometry)
    return Loaded(image, LabelMap(in_our_values(label_map.array, spec.labels, mask), image.geometry))
