"""Are images unlike the training cases noticed? Real foreign images and spoilt ones, and false alarms on neither.

    python Testing/Benchmarks/novelty.py --data DATA-FOLDER --work WORK-FOLDER [--sets busi lidc …]

WORK-FOLDER is that of real_data.py, which leaves its segmenters there. The half of each set that the segmenter has not
seen is used: 40 of its cases are asked about, as they are and spoilt; the novelty is learned from others, 30 drawn five
times, and all; what images look like also from those that trained the segmenter. Images of the other sets are asked
about too. Prints, for each kind of image, the area under the ROC curve against the 40 as they are, and the share that
is flagged; for the 40 themselves this is the rate of false alarms.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.ndimage as ndi
from real_sets import SETS, make_set
from sklearn.metrics import roc_auc_score

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.evaluation.summary import table
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.features.spec import CaseFeatures, FeatureTable
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.package.store import open_package
from SegClassifyLib.training.honest_features import image_source
from SegClassifyLib.trust.novelty import Novelty, learn_novelty
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.observation import Observation

ASKED, FOREIGN, FEW, DRAWS = 40, 40, 30, 5
Spoil = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _span(array: np.ndarray) -> float:
    low, high = np.percentile(array, [1, 99])
    return float(high - low)


SPOILT: dict[str, Spoil] = {
    "noise, 10 % of the span": lambda a, r: a + 0.1 * _span(a) * r.normal(size=a.shape),
    "noise, 30 %": lambda a, r: a + 0.3 * _span(a) * r.normal(size=a.shape),
    "blur, 1 voxel": lambda a, r: np.stack([ndi.gaussian_filter(c, 1) for c in a]),
    "blur, 3 voxels": lambda a, r: np.stack([ndi.gaussian_filter(c, 3) for c in a]),
    "grey values inverted": lambda a, r: a.max() + a.min() - a,
    "gamma 2": lambda a, r: ((a - a.min()) / np.ptp(a)) ** 2 * np.ptp(a) + a.min(),
    "brightness rising left to right": lambda a, r: a * np.linspace(0.3, 1.7, a.shape[-1]),
    "stripes": lambda a, r: a + 0.3 * _span(a) * (np.arange(a.shape[-2]) % 8 < 2)[:, None],
    "left and right exchanged": lambda a, r: a[..., ::-1],
    "upside down": lambda a, r: a[..., ::-1, :],
    "turned by 90 degrees": lambda a, r: np.rot90(a, axes=(-2, -1)),
    "nothing but noise": lambda a, r: a.mean() + a.std() * r.normal(size=a.shape),
}


def main() -> None:
    """Run the sets whose segmenter is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, nargs="+", required=True, help="folders that real_data.py wrote")
    parser.add_argument("--sets", nargs="+", default=["busi", "lidc", "hippocampus"])
    parser.add_argument(
        "--alone",
        action="store_true",
        help="the look of images is learned without those that trained the segmenter",
    )
    options = parser.parse_args()
    for name in options.sets:
        folder = next((w / name for w in options.work if (w / name / "segmenter" / "model").is_dir()), None)
        if folder is None:
            print(f"{name}: skipped, no segmenter in {', '.join(map(str, options.work))}", flush=True)
            continue
        _measure(name, folder, options.data, options.alone)


def _measure(name: str, folder: Path, data: Path, alone: bool) -> None:
    training_set = make_set(data, name, folder / "set")
    segmenter = open_package(folder / "segmenter" / "model").segmenter
    extractor = FeatureExtractor(segmenter, "cpu", FeatureCache(folder / "features"))
    unseen = [c for c in training_set.cases if c.label_class and c.split == "test"]
    features = extractor.extract([image_source(training_set, c) for c in unseen])
    more = []
    if not alone:
        known = [c for c in training_set.cases if c.split == "train"]
        more = [f.observation for f in extractor.extract([image_source(training_set, c) for c in known])]
    rng = np.random.default_rng(0)
    asked = sorted(rng.choice(len(unseen), min(ASKED, len(unseen) // 3), replace=False).tolist())
    patients = {unseen[i].group_name for i in asked}
    others = [i for i, c in enumerate(unseen) if c.group_name not in patients]
    kinds = {"as they are": [features[i] for i in asked]}
    for kind, spoil in SPOILT.items():
        kinds[kind] = [_spoilt(extractor, training_set, unseen[i], kind, spoil) for i in asked]
    kinds |= _foreign(name, data, folder.parent, segmenter.network.ndim, extractor)
    rows = []
    few = [
        _learn(unseen, features, rng.choice(others, FEW, replace=False).tolist(), more) for _ in range(DRAWS)
    ]
    everything = [_learn(unseen, features, others, more)]
    for kind, images in kinds.items():
        cells = [kind, str(len(images))]
        for learned in (few, everything):
            cells += _cells(learned, images, kinds["as they are"])
        rows.append(cells)
    header = ["images", "number", f"AUROC, {FEW}", "flagged", f"AUROC, {len(others)}", "flagged"]
    print(f"\n## {name}\n\n{table(header, rows)}", flush=True)


def _learn(
    cases: list[Case], features: list[CaseFeatures], which: list[int], more: list[Observation]
) -> Novelty:
    chosen = [features[i] for i in which]
    groups = np.array([cases[i].group_name for i in which])
    found = learn_novelty(FeatureTable.stack(chosen), chosen, groups, more=more)
    assert found is not None
    return found


def _cells(learned: list[Novelty], images: list[CaseFeatures], usual: list[CaseFeatures]) -> list[str]:
    areas, flagged = [], []
    for novelty in learned:
        scores = [novelty.strangeness(f).max() for f in images]
        clean = [novelty.strangeness(f).max() for f in usual]
        areas.append(roc_auc_score(np.r_[np.zeros(len(clean)), np.ones(len(scores))], np.r_[clean, scores]))
        channels = [str(n) for n in range(len(usual[0].observation.quantiles))]
        answers = [novelty.ask(f, channels) for f in images]
        flagged.append(np.mean([a.novel or a.mirrored for a in answers]))
    return ["–" if images is usual else f"{np.mean(areas):.2f}", f"{100 * np.mean(flagged):.0f} %"]


def _spoilt(
    extractor: FeatureExtractor, training_set: TrainingSet, case: Case, kind: str, spoil: Spoil
) -> CaseFeatures:
    image = training_set.load_image(case)
    rng = np.random.default_rng(zlib.crc32(f"{kind} {case.name}".encode()))
    array = np.ascontiguousarray(spoil(np.asarray(image.array, np.float32), rng), np.float32)
    geometry = image.geometry
    if array.shape != image.array.shape:
        geometry = Geometry.plain(tuple(array.shape[:0:-1]), tuple(geometry.spacing))
    return extractor.run(Image(array, geometry))[2]


def _foreign(
    name: str, data: Path, work: Path, ndim: int, extractor: FeatureExtractor
) -> dict[str, list[CaseFeatures]]:
    """Features of images of the other sets; a 2D model sees the middle slice of volumes, a 3D model no 2D images."""
    found = {}
    for other in ("busi", "lidc", "hippocampus"):
        if SETS[other].folder == SETS[name].folder:
            continue
        foreign = make_set(data, other, work / f"foreign-{other}")
        images = []
        for case in foreign.cases[:FOREIGN]:
            image = foreign.load_image(case)
            if image.geometry.ndim < ndim:
                break
            if image.geometry.ndim > ndim:
                size, spacing = image.geometry.size[:2], tuple(image.geometry.spacing[:2])
                middle = image.array[:, image.array.shape[1] // 2]
                image = Image(np.ascontiguousarray(middle), Geometry.plain(size, spacing))
            try:
                images.append(extractor.run(image)[2])
            except SegClassifyError as error:
                print(f"{name}: {other} left out: {error}", file=sys.stderr, flush=True)
                break
        if images:
            found[f"images of {other}"] = images
        else:
            print(f"{name}: images of {other} skipped, they do not fit the model", flush=True)
    return found


if __name__ == "__main__":
    main()
