"""``segclassify compare``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from SegClassifyLib.cli.console import console, duration, guarded, print_json, progress_bar
from SegClassifyLib.cli.options import Device, DeviceOption, JsonOption, SeedOption

if TYPE_CHECKING:
    from SegClassifyLib.experiment.ready import Ready
    from SegClassifyLib.experiment.result import CompareResult
    from SegClassifyLib.experiment.settings import CompareSettings
    from SegClassifyLib.progress import Progress


class TestOn(str, Enum):
    """Which cases are tested on."""

    auto = "auto"
    own_split = "split"
    halves = "halves"
    rest = "rest"


class Seen(str, Enum):
    """What becomes of cases that trained a segmenter."""

    crossfit = "crossfit"
    exclude = "exclude"
    include = "include"


@guarded
def compare(
    dataset: Annotated[Path, typer.Argument(help="Training-set folder whose cases have a class.")],
    segmenter: Annotated[
        list[str],
        typer.Option(help="What train-segmenter left, or a model package; repeat it for several."),
    ],
    output: Annotated[
        Path, typer.Option(help="Folder for the results; started again with it, the comparison goes on.")
    ],
    arms: Annotated[
        str,
        typer.Option(
            help="Ways to classify, with commas between: linear, linear-taps, conv, fine-tuned, descriptors, shape, "
            "scratch-encoder …; a family (segmenter, labels, scratch, imagenet, both); fast; all."
        ),
    ] = "fast",
    sizes: Annotated[
        str, typer.Option(help="Training cases of each class, with commas between; all takes what there is.")
    ] = "5,10,20,50",
    draws: Annotated[int, typer.Option(min=1, help="Of the training cases, for each size.")] = 10,
    slow_draws: Annotated[
        int, typer.Option(min=1, help="How many of them the slow arms are trained on.")
    ] = 3,
    test: Annotated[
        TestOn,
        typer.Option(
            help="split: the set's test cases; halves: half of the patients, anew for each draw; rest: all patients "
            "that a draw did not take; auto: split where there are test cases, else rest."
        ),
    ] = TestOn.auto,
    seen: Annotated[
        Seen,
        typer.Option(
            help="Cases that trained the segmenter. crossfit: features by a fold segmenter, or left out; exclude: left "
            "out; include: they train classifiers, and are never tested on."
        ),
    ] = Seen.crossfit,
    imagenet: Annotated[
        list[str] | None,
        typer.Option(
            help="ImageNet network to compare with, downloaded once: resnet18, densenet121. May be repeated."
        ),
    ] = None,
    imagenet_weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="The same from a file you have (.pth or .safetensors): ResNet-18, DenseNet-121, EfficientNet-Lite0."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Most steps of networks trained from scratch (200) or fine-tuned (100)."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes side by side; 0: one for each core.")] = 0,
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask scheduler (tcp://host:8786): run on its workers instead.")
    ] = "",
    cache: Annotated[Path | None, typer.Option(help="Folder for cached features; DATASET/.features.")] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Say what would be run and how long it takes, and stop.")
    ] = False,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Compare ways to classify on the same cases: the segmenter's features, networks from scratch, ImageNet networks.

    Writes tables (CSV, Markdown, JSON) and a report, with 95 % intervals and differences between the arms. It may be
    stopped at any time: the same command goes on where it was.
    """
    from SegClassifyLib.cases.training_set import TrainingSet
    from SegClassifyLib.devices import resolve_device
    from SegClassifyLib.experiment.processes import cores
    from SegClassifyLib.experiment.ready import make_ready
    from SegClassifyLib.experiment.run import run_ready
    from SegClassifyLib.experiment.tables import score_table, to_json, write_tables
    from SegClassifyLib.features.cache import FeatureCache
    from SegClassifyLib.networks.imagenet import imagenet_file
    from SegClassifyLib.package.library import find_package

    training_set = TrainingSet.open(dataset)
    settings = _settings(sizes, draws, slow_draws, test, seen, steps, seed)
    runs = [path if (path := Path(name)).is_dir() else find_package(name) for name in segmenter]
    processes = jobs or cores()
    with progress_bar(quiet=as_json) as progress:
        files = [
            *(imagenet_weights or ()),
            *(imagenet_file(name, progress=progress) for name in imagenet or ()),
        ]
        ready = make_ready(
            training_set,
            runs,
            output,
            settings,
            [name.strip() for name in arms.split(",") if name.strip()],
            files,
            resolve_device(device.value),
            FeatureCache(cache or training_set.features_folder),
            progress,
        )
    if not as_json:
        _announce(ready, processes)
    if list_only:
        return
    with progress_bar(quiet=as_json) as progress:
        result = run_ready(ready, processes, scheduler, progress)
        write_tables(result, output)
        report = _report(result, output, progress)
    if as_json:
        print_json(to_json(result))
        return
    console.print("Balanced accuracy, mean of the draws (95 % interval):", markup=False)
    console.print(score_table(result, "balanced_accuracy"), markup=False, soft_wrap=True)
    for arm, size, draw, error in result.failures:
        console.print(f"  {arm}, {size} per class, draw {draw} failed: {error}", markup=False, soft_wrap=True)
    console.print(f"The report is {report}", markup=False, soft_wrap=True)


def _report(result: CompareResult, output: Path, progress: Progress) -> Path:
    from SegClassifyLib.experiment.report import write_compare_report

    progress.report("Drawing the report")
    return write_compare_report(result, output)


def _settings(
    sizes: str, draws: int, slow_draws: int, test: TestOn, seen: Seen, steps: int | None, seed: int
) -> CompareSettings:
    from SegClassifyLib.experiment.settings import CompareSettings
    from SegClassifyLib.training.settings import PretrainedSettings, ScratchSettings

    more = {"steps": steps} if steps else {}
    return CompareSettings(
        sizes=_sizes(sizes),
        draws=draws,
        slow_draws=slow_draws,
        test=test.value,
        seen=seen.value,
        scratch=ScratchSettings.model_validate(more),
        pretrained=PretrainedSettings.model_validate(more),
        seed=seed,
    )


def _sizes(text: str) -> tuple[int, ...]:
    from SegClassifyLib.errors import SegClassifyError
    from SegClassifyLib.experiment.settings import ALL

    found = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        if part != "all" and not (part.isdecimal() and int(part) >= 2):
            raise SegClassifyError(
                f"--sizes takes numbers from 2 on and the word all, not {part!r}: 5,10,20,all."
            )
        found.append(ALL if part == "all" else int(part))
    if not found:
        raise SegClassifyError("--sizes is empty: name numbers of training cases per class, such as 5,10,20.")
    return tuple(dict.fromkeys(found))


def _announce(ready: Ready, jobs: int) -> None:
    """What will be run, what is left out, and how long it takes, roughly."""

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    kept = len(ready.units) - len(ready.todo)
    say(f"{len(ready.units)} trainings of {', '.join(a.key for a in ready.arms)}.")
    for note in ready.notes:
        say(f"  {note}")
    if kept:
        say(f"  {kept} are there from an earlier run.")
    if ready.replaced:
        say(f"  {ready.replaced} were made with other settings, cases or code, and are made again.")
    if ready.todo:
        say(
            f"  To be run: {len(ready.todo)}, about {duration(ready.expected_seconds(jobs))} with {jobs} processes."
        )
    if ready.slow:
        trainings = len(ready.folds) * ready.study.settings.slow_draws
        times = ", ".join(
            f"{a.key} about {duration(a.seconds * trainings / max(jobs, 1))}" for a in ready.slow
        )
        say(f"  Left out because they are slow (--arms all, or by name): {times}.")
