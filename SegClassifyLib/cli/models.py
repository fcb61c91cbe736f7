"""``segclassify models``: the model packages on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from SegClassifyLib.cli.console import console, guarded, print_json, print_table
from SegClassifyLib.cli.options import JsonOption, ModelArgument

app = typer.Typer(help="List, show, install, remove and convert model packages.", no_args_is_help=True)


@app.command("list")
@guarded
def list_models(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of models; the installed ones if not given.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List model packages with what they tell apart."""
    from SegClassifyLib.package.library import list_packages, models_folder

    found = list_packages(folder)
    if as_json:
        print_json(
            [
                {
                    "name": i.name,
                    "path": str(i.path),
                    "description": i.description,
                    "classes": list(i.classes),
                    "labels": list(i.labels),
                    "channels": list(i.channels),
                    "problem": i.problem or None,
                }
                for i in found
            ]
        )
        return
    if not found:
        console.print(
            f"No models yet. Install one with: segclassify models install PACKAGE (into {models_folder()})"
        )
        return
    table = Table("model", "classes", "labels", "images", "folder")
    for info in found:
        if info.problem:
            table.add_row(info.name, f"[red]{info.problem}[/red]", "", "", str(info.path))
        else:
            classes = ", ".join(info.classes) or "(only segments)"
            table.add_row(
                info.name, classes, ", ".join(info.labels), ", ".join(info.channels), str(info.path)
            )
    print_table(table)


@app.command("show")
@guarded
def show(package: ModelArgument) -> None:
    """Verify a model package and print its card."""
    from SegClassifyLib.package.card import model_card
    from SegClassifyLib.package.library import find_package
    from SegClassifyLib.package.store import open_package

    console.print(model_card(open_package(find_package(package))), markup=False, soft_wrap=True)


@app.command("install")
@guarded
def install(
    package: Annotated[Path, typer.Argument(help="Model package: a folder or a zip.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an installed model of the same name.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify a model package and copy it to the installed models."""
    from SegClassifyLib.package.library import install_package

    path = install_package(package, overwrite="replace" if replace else "refuse")
    if as_json:
        print_json({"path": str(path)})
    else:
        console.print(f"Installed: {path}")


@app.command("remove")
@guarded
def remove(
    name: Annotated[str, typer.Argument(help="Name of an installed model, as `models list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete an installed model."""
    import shutil

    from SegClassifyLib.errors import ModelPackageError
    from SegClassifyLib.package.library import find_package, models_folder

    path = find_package(name).resolve()
    if models_folder().resolve() not in path.parents:
        raise ModelPackageError(
            f"{path} is not one of the installed models: delete it yourself if you mean to."
        )
    if not yes:
        typer.confirm(f"Delete {path}?", abort=True)
    shutil.rmtree(path)
    console.print(f"Deleted: {path}")


@app.command("export")
@guarded
def export(
    package: ModelArgument, target: Annotated[Path, typer.Argument(help="The .zip to write.")]
) -> None:
    """Pack a model package into one file to pass on."""
    from SegClassifyLib.package.archive import export_zip
    from SegClassifyLib.package.library import find_package

    console.print(f"Written: {export_zip(find_package(package), target)}")


@app.command("import-bundle")
@guarded
def import_bundle(
    bundle: Annotated[Path, typer.Argument(help="A MONAI bundle's folder.")],
    output: Annotated[Path, typer.Argument(help="Folder for the model package.")],
    name: Annotated[str, typer.Option(help="Of the model; the bundle's folder name if not given.")] = "",
) -> None:
    """Make a segmenter of a MONAI bundle; nothing in the bundle is executed.

    Only networks that SegClassify knows and arguments that are plain values are taken over; anything else is
    refused with the reason.
    """
    from SegClassifyLib.package.foreign_bundle import inspect_monai_bundle
    from SegClassifyLib.package.model import Model
    from SegClassifyLib.package.store import save_package

    found = inspect_monai_bundle(bundle)
    title = name or bundle.resolve().name
    model = Model(title, f"Segmenter read from the MONAI bundle {bundle.resolve().name}.", found.segmenter)
    console.print(f"Written: {save_package(model, output)}")
    for warning in found.warnings:
        console.print(f"  {warning}", markup=False)


@app.command("import-weights")
@guarded
def import_weights(
    weights: Annotated[
        Path,
        typer.Argument(
            help="Published weights of deepbet, MeshNet (its .json beside it) or LWNet, as .safetensors."
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Folder for the model package.")],
    name: Annotated[str, typer.Option(help="Of the model.")] = "",
) -> None:
    """Make a segmenter of published weights of a network that SegClassify defines."""
    from SegClassifyLib.package.model import Model
    from SegClassifyLib.package.published import load_foreign
    from SegClassifyLib.package.store import save_package

    segmenter = load_foreign(weights)
    title = name or weights.stem
    model = Model(title, f"{segmenter.network.name} with the published weights {weights.name}.", segmenter)
    console.print(f"Written: {save_package(model, output)}")
