"""A recipe from end to end: training set, segmenter, arms, tables and report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.devices import resolve_device
from SegClassifyLib.experiment.ready import Ready, make_ready
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.experiment.settings import ALL, CompareSettings
from SegClassifyLib.networks.imagenet import open_imagenet
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.build import build_set, choose_cases
from SegClassifyLib.recipes.recipe import Recipe, Scale
from SegClassifyLib.recipes.record import Begun, read_begun, write_begun
from SegClassifyLib.recipes.sources import Supply, supply_of
from SegClassifyLib.training.family import MODEL_FOLDER, open_family
from SegClassifyLib.training.finetune_settings import FineTuneSettings
from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set
from SegClassifyLib.training.segmenter_plan import SegmenterPlan
from SegClassifyLib.training.settings import PretrainedSettings, ScratchSettings, SegmenterSettings

_IMAGENET = {"imagenet": "imagenet-{}", "imagenet-tuned": "imagenet-{}-tuned", "both": "both-{}"}
"""Arms of a recipe that stand for one of each ImageNet network."""


@dataclass(frozen=True)
class Order:
    """What is to be run.

    Args:
        recipe: the task.
        scale: how large.
        folder: of the output; an earlier run there is gone on with.
        data: folder of the user's data; ``None``: made-up images.
        source: key of the data; the recipe's first where empty.
        arms: instead of the recipe's.
        weights: files of ImageNet networks; without one there are no ImageNet arms.
        jobs: processes.
        device: "auto", "cpu", "cuda" or "mps".
        seed: of everything random.
    """

    recipe: Recipe
    scale: Scale
    folder: Path
    data: Path | None = None
    source: str = ""
    arms: tuple[str, ...] = ()
    weights: tuple[Path, ...] = ()
    jobs: int = 1
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class RecipeResult:
    """What came of it.

    Args:
        order: what was run.
        begun: which cases took part in what.
        remark: what to keep in mind when the figures are read.
        dice: of the segmenter on held-out patients, by label.
        comparison: the arms.
    """

    order: Order
    begun: Begun
    remark: str
    dice: dict[str, float] = field(hash=False)
    comparison: CompareResult


def run_recipe(order: Order, progress: Progress | None = None) -> RecipeResult:
    """Run what is not there yet.

    Raises:
        SegClassifyError: the data do not fit the recipe, or an earlier run there had other settings.
        Cancelled: asked to stop; the same order goes on where it was.
    """
    progress = progress or Progress()
    folder = order.folder.resolve()
    recipe, scale = order.recipe, order.scale
    supply = supply_of(recipe, order.data, order.source, scale, order.seed)
    begun = read_begun(folder, recipe.name, supply.key, scale, order.seed)
    if begun is None:
        empty = Begun(
            recipe=recipe.name,
            source=supply.key,
            scale=scale,
            seed=order.seed,
            classes=(),
            notes=(),
            parts={},
        )
        begun = choose_cases(recipe, supply, empty, progress)
        write_begun(begun, folder)
    training_set = build_set(folder / "set", recipe, supply, begun, progress)
    device = resolve_device(order.device)
    dice = _segmenter(order, supply, training_set, folder / "segmenter", device, progress)
    ready = _ready(order, training_set, folder, device, progress)
    comparison = run_ready(ready, order.jobs, "", progress)
    return RecipeResult(order, begun, supply.remark, dice, comparison)


def _segmenter(
    order: Order, supply: Supply, training_set: TrainingSet, folder: Path, device: str, progress: Progress
) -> dict[str, float]:
    """Train it unless it is there; Dice by label."""
    if not (folder / MODEL_FOLDER).is_dir():
        plan = segmenter_plan(order.scale, training_set, order.seed)
        train_segmenter_from_set(
            training_set, folder, plan, f"{order.recipe.title}, segmenter", device, progress
        )
    scores = open_family(folder).full.provenance.scores
    return {score.metric.removeprefix("Dice of "): score.value for score in scores}


def segmenter_plan(scale: Scale, training_set: TrainingSet, seed: int) -> SegmenterPlan:
    """How the segmenter of a run is trained: the authors-style network, without fold segmenters, for its cases train
    no classifier."""
    network = None
    if scale.network is not None:
        network = NetworkSpec(
            name="VNetDS",
            ndim=training_set.ndim,
            in_channels=len(training_set.channels),
            out_channels=len(training_set.labels),
            arguments=scale.network,
        )
    training = SegmenterSettings(
        minutes=scale.minutes,
        epochs=scale.epochs,
        steps_per_epoch=scale.steps_per_epoch,
        patch=scale.patch,
        learning_rate=scale.learning_rate,
        seed=seed,
    )
    return SegmenterPlan(network=network, training=training, folds=0, max_voxels=scale.max_voxels)


def _ready(order: Order, training_set: TrainingSet, folder: Path, device: str, progress: Progress) -> Ready:
    scale = order.scale
    settings = CompareSettings(
        sizes=(ALL,),
        draws=1,
        slow_draws=1,
        test="split",
        seen="exclude",
        scratch=ScratchSettings(steps=scale.scratch_steps),
        fine_tune=FineTuneSettings(epochs=scale.fine_tune_epochs),
        pretrained=PretrainedSettings(edge=scale.edge),
        edge=scale.edge,
        slices=scale.slices,
        seed=order.seed,
    )
    arms = order.arms or arms_of(order.recipe, order.weights)
    return make_ready(
        training_set,
        [folder / "segmenter"],
        folder / "compare",
        settings,
        arms,
        order.weights,
        device,
        progress=progress,
    )


def arms_of(recipe: Recipe, weights: Sequence[Path]) -> tuple[str, ...]:
    """The recipe's arms by their own names; those of ImageNet for each network that there is."""
    names = [open_imagenet(path).name for path in weights]
    arms: list[str] = []
    for arm in recipe.arms:
        arms += [_IMAGENET[arm].format(name) for name in names] if arm in _IMAGENET else [arm]
    return tuple(arms)
