"""Sums up what is stored of a comparison, however much that is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from SegClassifyLib.experiment.ready import Ready
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.scores import ArmDifference, ArmScore, SizeScores
from SegClassifyLib.experiment.study import Study
from SegClassifyLib.experiment.units import UnitResult, read_result
from SegClassifyLib.package.provenance import software_versions
from SegClassifyLib.progress import Progress


def sum_up(
    ready: Ready,
    failures: Sequence[tuple[str, str, int, str]] = (),
    progress: Progress | None = None,
) -> CompareResult:
    """The result of what is stored so far."""
    progress, study = progress or Progress(), ready.study
    stored: dict[tuple[str, int], dict[int, UnitResult]] = {}
    missing = 0
    for unit in ready.units:
        result = read_result(unit, study.folder)
        if result is None:
            missing += 1
        else:
            stored.setdefault((unit.arm.key, unit.size), {})[unit.draw] = result
    scores: list[ArmScore] = []
    differences: list[ArmDifference] = []
    for number, (size, folds) in enumerate(ready.folds.items()):
        progress.report("Summing up", number, len(ready.folds))
        results = {arm.key: stored.get((arm.key, size), {}) for arm in ready.arms}
        at_size = SizeScores(size, folds, study.pool, results, study.settings.seed, progress)
        scores += at_size.scores()
        differences += at_size.differences()
    return CompareResult(
        name=study.name,
        classes=study.classes,
        cases=study.cases,
        y=study.pool.y,
        groups=study.pool.groups,
        arms=ready.arms,
        folds=ready.folds,
        scores=tuple(scores),
        differences=tuple(differences),
        feature_seconds={
            arm.key: sum(study.seconds.get(s, 0.0) for s in arm.sources)
            if arm.kind in ("linear", "conv")
            else 0.0
            for arm in ready.arms
        },
        failures=tuple(failures),
        unfinished=missing,
        notes=ready.notes,
        provenance=_provenance(study),
        settings=study.settings,
    )


def _provenance(study: Study) -> list[tuple[str, str]]:
    facts = [("training set", study.name), ("seed", str(study.settings.seed)), ("device", study.device)]
    facts += [(f"segmenter {name}", str(path.name)) for name, path in study.segmenters.items()]
    facts += [("made", time.strftime("%Y-%m-%d %H:%M"))]
    return [*facts, *((f"version of {name}", version) for name, version in software_versions().items())]
