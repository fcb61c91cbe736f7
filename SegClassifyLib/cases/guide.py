"""What a training set has, and what it still lacks before a segmenter or a classifier can be trained on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from SegClassifyLib.cases.checks import Depth, validate
from SegClassifyLib.cases.findings import Finding, Kind, by_severity
from SegClassifyLib.cases.schema import Case
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    from SegClassifyLib.cases.reader import TrainingSetReader

FEWEST_GROUPS = 5
"""Groups of a class from which on an estimate begins to be worth reading."""


@dataclass(frozen=True)
class ClassCount:
    """How many cases of a class there are.

    Args:
        name: of the class.
        cases: that may train the classifier.
        groups: different patients among these.
        test_cases: kept for a final test.
    """

    name: str
    cases: int
    groups: int
    test_cases: int


@dataclass(frozen=True)
class Counts:
    """What a training set holds.

    Args:
        classes: in the order of the set.
        cases, groups: in all.
        unlabelled: cases that could train the classifier and have no class yet.
        segmented: cases that may train the segmenter, with a segmentation that a person made or corrected.
        predicted: cases that could train it, with a segmentation that nobody has corrected yet.
        test_cases: kept for a final test.
    """

    classes: tuple[ClassCount, ...]
    cases: int
    groups: int
    unlabelled: int
    segmented: int
    predicted: int
    test_cases: int


@dataclass(frozen=True)
class Guide:
    """Counts and findings.

    Args:
        counts: of cases and groups.
        segmenter_lacks, classifier_lacks: what keeps each from being trained; empty where it can be.
        findings: everything, those two included, errors first.
    """

    counts: Counts
    segmenter_lacks: tuple[Finding, ...]
    classifier_lacks: tuple[Finding, ...]
    findings: tuple[Finding, ...]


def guide(
    training_set: TrainingSetReader, deep: Depth = "headers", progress: Progress | None = None
) -> Guide:
    """Count and check a training set; arguments as in :func:`.checks.validate`."""
    segmenter, classifier = tuple(segmenter_lacks(training_set)), tuple(classifier_lacks(training_set))
    thin = tuple(few_groups(training_set))
    found = validate(training_set, deep, progress)
    everything = tuple(by_severity([*segmenter, *classifier, *thin, *found]))
    return Guide(count(training_set), segmenter, classifier, everything)


def count(training_set: TrainingSetReader) -> Counts:
    """Cases and groups; reads no file."""
    cases, trains = training_set.cases, _classified(training_set)
    classes = []
    for name in training_set.classes:
        own = [c for c in trains if c.label_class == name]
        tests = sum(c.label_class == name and c.split == "test" for c in cases)
        classes.append(ClassCount(name, len(own), _groups(own), tests))
    drawn = _may_be_drawn(training_set)
    return Counts(
        classes=tuple(classes),
        cases=len(cases),
        groups=_groups(cases),
        unlabelled=sum(c.label_class is None and c.may_train_classifier for c in cases),
        segmented=sum(not c.segmentation_is_prediction for c in drawn),
        predicted=sum(c.segmentation_is_prediction for c in drawn),
        test_cases=sum(c.split == "test" for c in cases),
    )


def segmenter_lacks(training_set: TrainingSetReader) -> Iterator[Finding]:
    """What keeps a segmenter from being trained."""
    kind: Kind = "segmenter cannot be trained"
    if len(training_set.labels) < 2:
        yield Finding(
            "warning",
            kind,
            "The training set has no label but background, so there is nothing to segment",
            "make a set with the labels to be drawn, or use a segmenter that is already trained",
        )
        return
    drawn = _may_be_drawn(training_set)
    if any(not c.segmentation_is_prediction for c in drawn):
        return
    if drawn:
        what = f"The {len(drawn)} segmentation(s) are predictions that nobody has corrected, which train no segmenter"
        yield Finding("warning", kind, what, "correct some of them", tuple(c.name for c in drawn))
        return
    yield Finding(
        "warning",
        kind,
        "No case has a segmentation that may train a segmenter",
        "draw some, or use a segmenter that is already trained",
    )


def classifier_lacks(training_set: TrainingSetReader) -> Iterator[Finding]:
    """What keeps a classifier from being trained, or from being checked on a patient it was not trained on."""
    kind: Kind = "classifier cannot be trained"
    if len(training_set.classes) < 2:
        have = ", ".join(training_set.classes) or "none yet"
        what = f"A classifier tells two or more classes apart and the training set has {have}"
        yield Finding("warning", kind, what, "add classes")
    trains = _classified(training_set)
    for name in training_set.classes:
        own = [c for c in trains if c.label_class == name]
        names = tuple(c.name for c in own)
        if len(own) < 2:
            some = "a single training case" if own else "no training case"
            what, remedy = f"The class {name!r} has {some}", f"add {'one' if own else 'two'} or more"
            yield Finding("warning", kind, what, remedy, names)
        elif _groups(own) < 2:
            what = f"All {len(own)} cases of the class {name!r} are of one patient (group); none is left to test on"
            yield Finding("warning", kind, what, "add a case of another patient", names)


def few_groups(training_set: TrainingSetReader) -> Iterator[Finding]:
    """Classes that can be trained and whose scores will say little."""
    trains = _classified(training_set)
    for name in training_set.classes:
        own = [c for c in trains if c.label_class == name]
        groups = _groups(own)
        if 2 <= groups < FEWEST_GROUPS:
            yield Finding(
                "warning",
                "few groups",
                f"The class {name!r} has {len(own)} cases of {groups} patients (groups), so scores may be far off",
                f"add cases of {FEWEST_GROUPS - groups} or more other patients",
                tuple(c.name for c in own),
            )


def _classified(training_set: TrainingSetReader) -> list[Case]:
    """Cases that train a classifier."""
    return [c for c in training_set.cases if c.trains_classifier]


def _may_be_drawn(training_set: TrainingSetReader) -> list[Case]:
    """Cases with a segmentation that train a segmenter, once a person has looked at it."""
    return [c for c in training_set.cases if c.may_train_segmenter]


def _groups(cases: Iterable[Case]) -> int:
    return len({c.group_name for c in cases})
