"""``segclassify explain``: where an answer comes from."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption

if TYPE_CHECKING:
    from SegClassifyLib.evidence.files import SavedExplanation
    from SegClassifyLib.evidence.spec import Explanation


class MapFormat(str, Enum):
    """Of evidence maps."""

    nrrd = ".nrrd"
    nii_gz = ".nii.gz"
    mha = ".mha"


@guarded
def explain(
    model: Annotated[
        str, typer.Argument(help="Model package: a folder, a zip, or the name of an installed model.")
    ],
    images: Annotated[
        list[str],
        typer.Argument(
            help="Image files or DICOM folders. For a model with several channels join one case's files with commas, "
            "in the model's order: t1c.nii.gz,flair.nii.gz"
        ),
    ],
    class_name: Annotated[
        list[str] | None,
        typer.Option("--class", help="Explain this class; may be repeated. The likeliest one."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="What speaks for the class rather than for this one; all others together."),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Map only what was read in or round this label; list the rest by name.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for maps, pictures and numbers.")
    ] = Path("explained"),
    map_format: Annotated[MapFormat, typer.Option("--format", help="Of the maps.")] = MapFormat.nrrd,
    device: DeviceOption = Device.auto,
    as_json: JsonOption = False,
) -> None:
    """Show where in an image an answer comes from, in a map, a picture and words.

    With a linear classifier the map and the listed numbers add up to what the classifier says.
    """
    from SegClassifyLib.classify.batch import unique_stems
    from SegClassifyLib.classify.classifier import Classifier
    from SegClassifyLib.evidence.explain import explain as explain_image
    from SegClassifyLib.evidence.files import explanation_json, save_explanation
    from SegClassifyLib.package.library import find_package

    cases = [tuple(Path(part) for part in image.split(",")) for image in images]
    classifier = Classifier.open(find_package(model), device.value)
    answers: list[dict[str, Any]] = []
    with progress_bar(quiet=as_json) as progress:
        for paths, stem in zip(cases, unique_stems(cases), strict=True):
            image = classifier.read(paths)
            explanation = explain_image(classifier, image, class_name or (), against, label, progress)
            saved = save_explanation(explanation, image, output, stem, map_format.value)
            answers.append({"name": stem, "folder": str(output), **explanation_json(explanation, saved.maps)})
            if not as_json:
                _print(stem, explanation, saved)
    if as_json:
        print_json({"explanations": answers})


def _print(stem: str, explanation: Explanation, saved: SavedExplanation) -> None:
    from SegClassifyLib.evidence.words import describe

    for warning in explanation.warnings:
        console.print(f"{stem}: {warning}", markup=False, soft_wrap=True, style="yellow")
    for found, files in zip(explanation.maps, saved.maps, strict=True):
        first, *rest = describe(found, explanation.channels)
        console.print(f"{stem}: {first}", markup=False, soft_wrap=True)
        for sentence in (*rest, *explanation.notes, str(files.picture), str(files.volume)):
            console.print(f"    {sentence}", markup=False, soft_wrap=True)
