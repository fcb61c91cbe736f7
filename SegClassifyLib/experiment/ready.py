"""A comparison made ready: cases, draws and arms chosen, features computed, and what is left to be trained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import TrainingError
from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.experiment.arms import FAST, Arm, choose_arms, known_arms
from SegClassifyLib.experiment.code import code_fingerprint
from SegClassifyLib.experiment.draws import plan_draws, test_mode
from SegClassifyLib.experiment.learn import learner_settings
from SegClassifyLib.experiment.material import MaterialStore
from SegClassifyLib.experiment.people import People, find_people
from SegClassifyLib.experiment.settings import CompareSettings, size_name
from SegClassifyLib.experiment.study import Study
from SegClassifyLib.experiment.units import Unit, has_other_result, read_result, unit_key
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.networks.imagenet import open_imagenet
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.family import SegmenterFamily, open_family

_PLAN = "settings.json"


@dataclass(frozen=True)
class Ready:
    """A comparison made ready: everything but the trainings.

    Args:
        study: what the units need.
        arms: that are compared.
        slow: arms that were left out because they are slow.
        folds: the draws by size.
        units: all trainings, quick arms first.
        todo: those without a stored result.
        replaced: how many of these have a result of other settings or cases.
        notes: sentences on how it is done.
    """

    study: Study
    arms: tuple[Arm, ...]
    slow: tuple[Arm, ...]
    folds: Mapping[int, tuple[Fold, ...]]
    units: tuple[Unit, ...]
    todo: tuple[Unit, ...]
    replaced: int
    notes: tuple[str, ...]

    def expected_seconds(self, jobs: int = 1) -> float:
        """Rough time for what is left to do."""
        return sum(u.expected_seconds for u in self.todo) / max(jobs, 1)


def make_ready(
    training_set: TrainingSet,
    segmenters: Sequence[Path],
    folder: Path,
    settings: CompareSettings | None = None,
    arms: Sequence[str] = (FAST,),
    weights: Sequence[Path] = (),
    device: str = "cpu",
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Ready:
    """Choose cases, draws and arms, and compute what the arms learn from.

    Args:
        training_set: whose labelled cases are learned from and tested on.
        segmenters: what ``train-segmenter`` left, or model packages.
        folder: of the output; an earlier run there is gone on with.
        settings: what is compared.
        arms: keys, families, "fast" or "all".
        weights: files of ImageNet networks.
        device: where networks run.
        cache: of segmenter features; in the output folder if not given.
        progress: told of every case; may cancel.

    Raises:
        TrainingError: too few cases, no such arm.
        ModelPackageError, NetworkError, ImageError: something cannot be read.
    """
    settings, progress = settings or CompareSettings(), progress or Progress()
    folder = folder.resolve()
    families = {name: open_family(path) for name, path in _named(segmenters).items()}
    networks = {open_imagenet(path).name: path.resolve() for path in weights}
    people = find_people(training_set, families, settings)
    known = known_arms(tuple(families), tuple(networks))
    chosen, notes = _possible(choose_arms(known, arms), people)
    folds = {n: plan for n in settings.sizes if (plan := plan_draws(people.pool, n, settings))}
    if not folds:
        raise TrainingError(
            f"{training_set.name} has too few cases for {', '.join(map(size_name, settings.sizes))} of each class to "
            "learn from and some to test on: label more, or choose smaller --sizes."
        )
    study = Study(
        folder=folder,
        training_set=training_set.folder.resolve(),
        name=training_set.name,
        classes=tuple(training_set.classes),
        cases=tuple(c.name for c in people.cases),
        pool=people.pool,
        channels=tuple(training_set.channels),
        ndim=training_set.ndim,
        settings=settings,
        device=device,
        segmenters={name: path.resolve() for name, path in _named(segmenters).items()},
        networks={name: family.full.segmenter.network for name, family in families.items()},
        weights=networks,
        untested=people.untested,
    )
    cache = cache or FeatureCache(folder / "features")
    store = MaterialStore(folder, training_set, people.cases, device, cache, progress)
    study = _with_material(study, chosen, families, store, people.others)
    units = _units(study, chosen, folds, families)
    todo = tuple(u for u in units if read_result(u, folder) is None)
    left_out = [size_name(n) for n in settings.sizes if n not in folds]
    if left_out:
        notes.append(f"Some class has too few cases for {', '.join(left_out)} cases of each.")
    with disk_errors(folder):
        write_text(folder / _PLAN, json.dumps(settings.model_dump(mode="json"), indent=1))
    return Ready(
        study=study,
        arms=chosen,
        slow=tuple(a for a in known if a.slow and a not in chosen),
        folds=folds,
        units=units,
        todo=todo,
        replaced=sum(has_other_result(u, folder) for u in todo),
        notes=(*people.notes, *notes, _how_tested(people, settings), *_shown(settings, chosen)),
    )


def _named(segmenters: Sequence[Path]) -> dict[str, Path]:
    """A name for each run: that of its folder, made different where two are alike."""
    if not segmenters:
        raise TrainingError(
            "Name at least one segmenter: a folder that train-segmenter left, or a model package."
        )
    names: dict[str, Path] = {}
    for path in segmenters:
        base = path.resolve().name.replace("@", "-")
        name, number = base, 2
        while name in names:
            name, number = f"{base}{number}", number + 1
        names[name] = path
    return names


def _possible(chosen: Sequence[Arm], people: People) -> tuple[tuple[Arm, ...], list[str]]:
    """The arms that can be trained without flattering themselves."""
    refused = [a for a in chosen if a.kind == "fine-tuned" and a.sources[0] not in people.untested]
    kept = tuple(a for a in chosen if a not in refused)
    if not kept:
        raise TrainingError(
            "A segmenter can only be fine-tuned and tested on cases that it was not trained on: mark such cases as "
            "test cases, or choose --seen include."
        )
    if not refused:
        return kept, []
    names = ", ".join(a.key for a in refused)
    return kept, [f"Left out: {names}; some cases to test on had trained the segmenter that would be tuned."]


def _with_material(
    study: Study,
    arms: Sequence[Arm],
    families: Mapping[str, SegmenterFamily],
    store: MaterialStore,
    others: Sequence[Case],
) -> Study:
    """Compute what the arms learn from."""
    found: dict[str, str] = {}
    seconds: dict[str, float] = {}
    settings = study.settings
    for source in {
        s: None for arm in arms if arm.kind in ("linear", "conv", "fine-tuned") for s in arm.sources
    }:
        if source in families:
            name, seconds[source] = store.segmenter_table(families[source], settings)
        else:
            name, seconds[source] = store.imagenet_table(study.weights[source], settings)
        found[f"table:{source}"] = name
    shown = others if settings.unlabelled else ()
    for source in {s: None for arm in arms if arm.kind == "linear" for s in arm.sources}:
        if source in families:
            more = store.segmenter_others(families[source].full.segmenter, shown)
        else:
            more = store.imagenet_others(study.weights[source], settings, shown)
        if more is not None:
            found[f"others:{source}"] = more
    for run in {arm.sources[0]: None for arm in arms if arm.kind == "scratch"}:
        found[f"images:{run}"] = store.images(families[run].full.segmenter)
    if any(arm.kind == "pretrained" for arm in arms):
        found["pictures"] = store.pictures(study.tuned_layout)
    store.tidy(found.values())
    return replace(study, material=found, seconds=seconds)


def _units(
    study: Study,
    arms: Sequence[Arm],
    folds: Mapping[int, tuple[Fold, ...]],
    families: Mapping[str, SegmenterFamily],
) -> tuple[Unit, ...]:
    """Every training there is; quick arms first, then draw by draw: a run that is stopped has something of all."""
    settings = study.settings
    weights = {name: open_imagenet(path).fingerprint for name, path in study.weights.items()}
    units = []
    for arm in arms:
        learner, material = learner_settings(study, arm), _material_of(study, arm, families, weights)
        for size, plan in folds.items():
            for draw, fold in enumerate(plan[: settings.slow_draws] if arm.slow else plan):
                pool, seed = study.pool, settings.seed + draw
                key = unit_key(arm, learner, material, fold, pool.y, pool.groups, study.cases, seed)
                units.append(Unit(arm, size, draw, fold, key))
    return tuple(sorted(units, key=lambda u: (u.arm.slow, u.draw)))


def _material_of(
    study: Study, arm: Arm, families: Mapping[str, SegmenterFamily], weights: Mapping[str, str]
) -> str:
    """Fingerprints of all that an arm learns from, and of the code that it learns by."""
    code = code_fingerprint(arm.kind)
    if arm.kind == "scratch":
        return f"{study.material[f'images:{arm.sources[0]}']} {code}"
    if arm.kind == "pretrained":
        return f"{study.material['pictures']} {weights[arm.sources[0]]} {code}"
    tables = " ".join(study.material[f"table:{s}"] for s in arm.sources)
    if arm.kind == "linear":
        tables += " ".join(study.material.get(f"others:{s}", "") for s in arm.sources)
    tuned = families[arm.sources[0]].full.segmenter.fingerprint if arm.kind == "fine-tuned" else ""
    return f"{tables} {tuned} {code}"


def _shown(settings: CompareSettings, arms: Sequence[Arm]) -> list[str]:
    if not settings.unlabelled or not any(arm.kind == "linear" for arm in arms):
        return []
    return [
        f"Linear heads were also shown up to {settings.unlabelled} images, without their classes, of patients that a "
        "draw neither trained nor tested on."
    ]


def _how_tested(people: People, settings: CompareSettings) -> str:
    return {
        "split": "Tested on the set's test cases.",
        "halves": "For each draw a random half of the patients is tested on, and no patient is on both sides.",
        "rest": "For each draw all patients are tested on that it did not take.",
    }[test_mode(people.pool, settings)]
