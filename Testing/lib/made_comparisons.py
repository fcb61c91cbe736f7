"""Results of comparisons with made-up numbers, for the looks of reports."""

from __future__ import annotations

import math

import numpy as np

from SegClassifyLib.evaluation.folds import Fold
from SegClassifyLib.evaluation.intervals import Interval
from SegClassifyLib.evaluation.metrics import METRICS
from SegClassifyLib.evaluation.reliability import reliability
from SegClassifyLib.experiment.arms import Arm
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.scores import ArmDifference, ArmScore, SetScore
from SegClassifyLib.experiment.settings import CompareSettings

CASES = 90
NAN = Interval(math.nan, math.nan, math.nan)
LONG = "the segmenter's own features and those of a very large network that was trained on photographs, linear, arm {}"


def made_comparison(
    arms: int = 3,
    sizes: tuple[int, ...] = (10,),
    classes: int = 3,
    title: str = "segmenter features, linear, number {}",
    draws: int = 10,
    class_name: str = "class {}",
    undefined: frozenset[str] = frozenset(),
    by_chance: bool = False,
    seed: int = 0,
) -> CompareResult:
    """A comparison as it comes out of :func:`~SegClassifyLib.experiment.summing.sum_up`.

    Args:
        arms: how many; the second half of four and more has but a third of the draws.
        sizes: training cases of each class; none where nothing is trained yet.
        classes: how many.
        title: of an arm, with its number.
        draws: of the training cases.
        class_name: of a class, with its number.
        undefined: keys of arms ("arm-1") whose scores are not defined.
        by_chance: scores are near to what guessing gets.
        seed: of the numbers.
    """
    rng = np.random.default_rng(seed)
    told = tuple(Arm(f"arm-{i}", title.format(i), "segmenter", "linear", ("run",)) for i in range(arms))
    y = np.arange(CASES) % classes
    scores = []
    for number, arm in enumerate(told):
        own = max(draws // 3, 1) if number >= max(arms / 2, 2) else draws
        for size in sizes:
            better = 0.02 if by_chance else 0.15 + 0.12 * math.log2(max(size, 1) + 2) / 3 - 0.02 * number
            scores.append(_score(arm.key, size, own, y, classes, better, arm.key in undefined, rng))
    return CompareResult(
        name="made-up lesions",
        classes=tuple(class_name.format(k) for k in range(classes)),
        cases=tuple(f"case-{i}" for i in range(CASES)),
        y=y,
        groups=np.arange(CASES),
        arms=told,
        folds={size: (Fold(np.arange(30), np.arange(30, CASES)),) * draws for size in sizes},
        scores=tuple(scores),
        differences=tuple(_differences(told, scores, rng)),
        feature_seconds={arm.key: 0.4 for arm in told},
        failures=(),
        unfinished=0,
        notes=("Made-up numbers.",),
        provenance=[("seed", str(seed))],
        settings=CompareSettings(sizes=sizes or (5,), draws=draws),
    )


def _score(
    arm: str, size: int, draws: int, y: np.ndarray, classes: int, better: float, undefined: bool,
    rng: np.random.Generator,
) -> ArmScore:  # fmt: skip
    proba = rng.dirichlet(np.ones(classes), len(y)) + better * np.eye(classes)[y] * rng.random((len(y), 1))
    proba /= proba.sum(1, keepdims=True)
    found = reliability(y, proba, np.arange(len(y)), draws=50)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (y, proba.argmax(1)), draws)
    value = min(1 / classes + better + 0.2 * (1 - 1 / classes), 0.97)
    around = Interval(value, value - 0.35 / math.sqrt(size + 3), min(value + 0.3 / math.sqrt(size + 3), 1.0))
    return ArmScore(
        arm=arm,
        size=size,
        draws=tuple(range(draws)),
        scores=dict.fromkeys(METRICS, NAN if undefined else around),
        by_draw=dict.fromkeys(METRICS, (math.nan if undefined else value,) * draws),
        confusion=confusion,
        reliability=found,
        calibration=found.error,
        if_true=0.05,
        uncalibrated=0.2,
        temperature=math.nan if undefined else 1.3,
        seconds=2.5,
        test_cases=len(y),
        sets=SetScore(Interval(0.9, 0.85, 0.95), 1.8, 0.4),
    )


def _differences(
    arms: tuple[Arm, ...], scores: list[ArmScore], rng: np.random.Generator
) -> list[ArmDifference]:
    by_place = {(s.arm, s.size): s for s in scores}
    found = []
    for i, one in enumerate(arms):
        for other in arms[i + 1 :]:
            for size in dict.fromkeys(s.size for s in scores):
                a, b = by_place[one.key, size], by_place[other.key, size]
                for metric in METRICS:
                    gap = a.scores[metric].value - b.scores[metric].value + rng.normal(0, 0.02)
                    spread = 0.2 / math.sqrt(size + 3)
                    found.append(
                        ArmDifference(
                            one.key, other.key, size, metric, min(len(a.draws), len(b.draws)),
                            Interval(gap, gap - spread, gap + spread),
                        )
                    )  # fmt: skip
    return found
