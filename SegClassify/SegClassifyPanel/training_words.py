"""Trainings in the user's words: phases, times, Dice and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from SegClassifyLib.worker.protocol import JobProgress
    from SegClassifyLib.worker.score_messages import ScoreInfo
    from SegClassifyLib.worker.segmenter_messages import EpochInfo


def progress_words(note: JobProgress) -> tuple[str, float | None]:
    """What a job does, as text with the time left, and how far it is, 0 to 1; ``None`` where that is not known."""
    parts = [_phase(note.phase)]
    if note.total:
        if note.total > 1 and float(note.total).is_integer() and float(note.done).is_integer():
            parts.append(_("{done} of {total}").format(done=int(note.done), total=int(note.total)))
        fraction = min(1.0, max(0.0, note.done / note.total))
    else:
        fraction = None
    if note.seconds_left is not None and note.seconds_left >= 1.0:
        parts.append(time_left(note.seconds_left))
    return ", ".join(parts), fraction


def time_left(seconds: float) -> str:
    """75 → "about 1 min left"."""
    return _("about {time} left").format(time=duration(seconds))


def duration(seconds: float) -> str:
    """75 → "1 min"; rounded as people do."""
    if seconds < 55:
        return _("{seconds} s").format(seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 100:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def epoch_words(epoch: EpochInfo) -> str:
    """ "Epoch 12: loss 0.41; Dice tumour 0.71, oedema 0.64"."""
    text = _("Epoch {number}: loss {loss}").format(number=epoch.epoch, loss=f"{epoch.loss:.3g}")
    if epoch.dice:
        text += "; " + dice_words(epoch.dice)
    return f"{part_words(epoch.part)} – {text}" if epoch.part else text


def part_words(part: str) -> str:
    """A part of a training: the segmenter itself, or one of the networks for cross-fitting."""
    return _("Extra network for honest scores ({part})").format(part=part) if part else ""


def dice_words(dice: Mapping[str, float]) -> str:
    """ "Dice tumour 0.71, oedema 0.64"."""
    return _("Dice {values}").format(values=", ".join(f"{name} {value:.2f}" for name, value in dice.items()))


def score_words(score: ScoreInfo) -> str:
    """ "82 % (95 % interval 71 to 90 %)"; AUC as a number; what is not defined is said to be so."""
    if score.value is None:
        return _("not defined")
    show = _shown_as(score)
    if score.low is None or score.high is None:
        return show(score.value)
    return _("{value} (95 % interval {low} to {high})").format(
        value=show(score.value), low=show(score.low).removesuffix(" %"), high=show(score.high)
    )


def score_lines(score: ScoreInfo) -> str:
    """The same for a narrow cell: "82 %", and below it "71 – 90 %"."""
    if score.value is None:
        return _("not defined")
    show = _shown_as(score)
    if score.low is None or score.high is None:
        return show(score.value)
    return f"{show(score.value)}\n{show(score.low).removesuffix(' %')} – {show(score.high)}"


def score_name(name: str) -> str:
    """A score in the user's language."""
    known = {
        "balanced accuracy": _("Balanced accuracy"),
        "accuracy": _("Accuracy"),
        "AUC": _("AUC, mean"),
        "mean AUC": _("AUC, mean"),
    }
    return known.get(name, name)


def points_words(score: ScoreInfo) -> str:
    """A difference of shares: "+4 points (−2 to +10)"."""
    if score.value is None:
        return _("not defined")
    if score.low is None or score.high is None:
        return _("{value} points").format(value=_signed(score.value))
    return _("{value} points ({low} to {high})").format(
        value=_signed(score.value), low=_signed(score.low), high=_signed(score.high)
    )


def _signed(value: float) -> str:
    number = round(100 * value)
    return f"+{number}" if number > 0 else f"−{-number}" if number < 0 else "0"


def _shown_as(score: ScoreInfo) -> Callable[[float], str]:
    return _number if "AUC" in score.name else _percent


def _number(value: float) -> str:
    return f"{value:.2f}"


def _percent(value: float) -> str:
    return _("{number} %").format(number=round(100 * value))


def _phase(phase: str) -> str:
    """A phase in the user's language; one that is not known by its name."""
    return {
        "Starting": _("Waiting for the worker"),
        "Opening the model": _("Opening the segmentation network"),
        "Looking at the images": _("Looking at the images"),
        "Looking at the cases": _("Looking at the images"),
        "Looking at cases": _("Looking at the cases"),
        "Looking at cases without a class": _("Looking at cases without a class"),
        "Preparing images": _("Preparing the images"),
        "Training the segmenter": _("Training"),
        "Reading features": _("Reading what the network sees in each image"),
        "Comparing classifiers": _("Trying kinds of classifiers"),
        "Training the linear classifier": _("Training the classifier"),
        "Training the conv classifier": _("Training the classifier"),
        "Fine-tuning": _("Fine-tuning"),
        "Cross-validating": _("Testing on cases it has not seen"),
        "Drawing the learning curve": _("Drawing the learning curve"),
        "Training from scratch": _("Training from scratch"),
        "Classifying": _("Classifying"),
        "Segmenting": _("Segmenting"),
        "Saving": _("Saving"),
    }.get(phase, phase)
