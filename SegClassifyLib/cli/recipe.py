"""``segclassify recipe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from SegClassifyLib.cli.console import console, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, SeedOption

if TYPE_CHECKING:
    from SegClassifyLib.recipes.recipe import Recipe, Scale


@guarded
def recipe(
    name: Annotated[
        str, typer.Argument(help="brain-tumour or cardiac-level, or a JSON file like theirs.", metavar="NAME")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for everything; started again with it, the run goes on."),
    ],
    data: Annotated[
        Path | None, typer.Option(help="Folder of your images; docs/recipes.md says what it must look like.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="What they are: brats-folders, cheng-slices; totalsegmentator, mm-whs.")
    ] = "",
    phantoms: Annotated[bool, typer.Option("--phantoms", help="Made-up images instead.")] = False,
    small: Annotated[
        bool, typer.Option("--small", help="Fewer cases and short trainings: a quick look, no figures.")
    ] = False,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="For the segmenter's training, instead of the recipe's budget."),
    ] = None,
    arms: Annotated[
        str, typer.Option(help="Ways to classify, with commas between, instead of the recipe's; see compare.")
    ] = "",
    imagenet: Annotated[
        list[str] | None,
        typer.Option(help="ImageNet network, downloaded once: resnet18, densenet121. May be repeated."),
    ] = None,
    imagenet_weights: Annotated[
        list[Path] | None, typer.Option(help="The same from a file you have (.pth or .safetensors).")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes side by side; 0: one for each core.")] = 0,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Run one of the two tasks of the paper's abstract on your images, or on made-up ones: 91 cases to train on and 191
    to test on, or 108 and 263.

    Makes the training set, trains the segmenter on cases of its own, compares the ways to classify on the same test
    cases, and writes tables and a report. It may be stopped at any time: the same command goes on where it was.
    """
    from SegClassifyLib.errors import SegClassifyError
    from SegClassifyLib.experiment.processes import cores
    from SegClassifyLib.networks.imagenet import imagenet_file
    from SegClassifyLib.recipes.recipe import read_recipe
    from SegClassifyLib.recipes.report import recipe_json, recipe_table, write_recipe
    from SegClassifyLib.recipes.run import Order, run_recipe
    from SegClassifyLib.recipes.sources import described

    chosen = read_recipe(name)
    if (data is None) == (not phantoms):
        known = "\n".join(described(s) for s in chosen.sources)
        raise SegClassifyError(
            f"Give the folder of your images with --data, or --phantoms. Data it knows:\n{known}"
        )
    with progress_bar(quiet=as_json) as progress:
        weights = [
            *(imagenet_weights or ()),
            *(imagenet_file(network, progress=progress) for network in imagenet or ()),
        ]
        order = Order(
            recipe=chosen,
            scale=_scale(chosen, data, small, minutes),
            folder=output,
            data=data,
            source=source,
            arms=tuple(part.strip() for part in arms.split(",") if part.strip()),
            weights=tuple(weights),
            jobs=jobs or cores(),
            device=device.value,
            seed=seed,
        )
        result = run_recipe(order, progress)
        progress.report("Writing the report")
        paths = write_recipe(result)
    if as_json:
        print_json(recipe_json(result) | {"files": [str(path) for path in paths]})
        return
    console.print(result.remark, markup=False, soft_wrap=True)
    console.print(recipe_table(result), markup=False, soft_wrap=True)
    for arm, size, draw, error in result.comparison.failures:
        console.print(f"  {arm}, {size}, draw {draw} failed: {error}", markup=False, soft_wrap=True)
    console.print(f"The report is {paths[-1]}", markup=False, soft_wrap=True)


def _scale(recipe: Recipe, data: Path | None, small: bool, minutes: float | None) -> Scale:
    scale = recipe.small if small else recipe.phantoms if data is None else recipe.data
    return scale if minutes is None else scale.model_copy(update={"minutes": minutes, "epochs": None})
