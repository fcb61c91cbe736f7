"""How a review of a training is printed: labels to doubt, AUC of each class, learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SegClassifyLib.cli.console import console

if TYPE_CHECKING:
    from SegClassifyLib.evaluation.intervals import Interval
    from SegClassifyLib.evaluation.learning_curve import LearningCurve
    from SegClassifyLib.training.baselines import Baseline
    from SegClassifyLib.training.classifier import TrainedClassifier
    from SegClassifyLib.training.review import Review

_SHOWN = 5


def review_json(trained: TrainedClassifier, review: Review) -> dict[str, Any]:
    """For programs; numbers that are not defined are null."""
    cases, classes, curve = trained.cases, trained.model.classes, review.curve
    return {
        "auc": {c: interval_json(i) for c, i in zip(classes, review.auc, strict=True)},
        "calibration_error": interval_json(trained.reliability.error),
        "calibration_error_by_chance": trained.reliability.by_chance,
        "suspect_labels": [
            {
                "case": cases[s.index],
                "class": classes[s.given],
                "looks_like": classes[s.suggested],
                "p_class": s.p_given,
                "p_looks_like": s.p_suggested,
                "repeats": s.repeats,
                "sentence": s.sentence,
            }
            for s in review.doubts.suspects
        ],
        "suspect_labels_note": review.doubts.note,
        "doubtful_cases": [
            {"case": cases[d.index], "classes": [classes[d.first], classes[d.second]], "sentence": d.sentence}
            for d in review.doubts.doubtful
        ],
        "learning_curve": None if curve is None else _curve_json(curve),
    }


def _curve_json(curve: LearningCurve) -> dict[str, Any]:
    return {
        "points": [{"cases": p.cases, **interval_json(p.balanced_accuracy)} for p in curve.points],
        "outlook": [
            {
                "further": o.further,
                "gain": interval_json(o.gain),
                "reached": interval_json(o.reached),
                "sentence": o.sentence,
            }
            for o in curve.outlook
        ],
        "refusal": curve.refusal,
    }


def print_review(trained: TrainedClassifier, review: Review) -> None:
    """For people."""
    each = [f"{c} {i}" for c, i in zip(trained.model.classes, review.auc, strict=True)]
    lines = [f"AUC of each class: {', '.join(each)}", trained.reliability.sentence]
    doubts, curve = review.doubts, review.curve
    if doubts.suspects:
        lines += ["Labels to look at again:", *(f"  {s.sentence}" for s in doubts.suspects[:_SHOWN])]
    elif doubts.note:
        lines.append(doubts.note)
    if doubts.doubtful:
        lines += ["Least sure answers:", *(f"  {d.sentence}" for d in doubts.doubtful[:_SHOWN])]
    lines += [] if curve is None else _curve_lines(curve)
    for line in lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _curve_lines(curve: LearningCurve) -> list[str]:
    lines = []
    if curve.points:
        points = ", ".join(f"{p.cases} cases {p.balanced_accuracy}" for p in curve.points)
        lines.append(f"Learning curve, balanced accuracy: {points}")
    lines += [o.sentence for o in curve.outlook]
    return [*lines, curve.refusal] if curve.refusal else lines


def baseline_json(baseline: Baseline) -> dict[str, Any]:
    """For programs."""
    scores = baseline.scores
    return {
        "name": baseline.name,
        "scores": {
            "balanced_accuracy": interval_json(scores.balanced_accuracy),
            "accuracy": interval_json(scores.accuracy),
            "macro_auc": interval_json(scores.macro_auc),
        },
        "difference": interval_json(baseline.comparison.scores[0].difference),
        "sentence": baseline.comparison.sentence,
    }


def print_baseline(baseline: Baseline) -> None:
    """For people."""
    line = f"{baseline.name}: balanced accuracy {baseline.scores.balanced_accuracy}. {baseline.comparison.sentence}"
    console.print(f"  Beside it, {line}", markup=False, soft_wrap=True)


def interval_json(interval: Interval) -> dict[str, float | None]:
    """A value and its 95 % interval for programs; what is not defined is null, because NaN is no JSON."""
    return {
        name: value if value == value else None
        for name, value in (("value", interval.value), ("low", interval.low), ("high", interval.high))
    }
