"""Workers that a test plays, under the real logic of trainings, and things that workers answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

THREE = ("glioblastoma", "metastasis", "meningioma")
NINE = tuple(f"level {n} of the heart" for n in range(1, 10))


@dataclass
class Asked:
    """A request, and who wants to know of it."""

    params: Any
    done: Callable[[Any], None]
    failed: Callable[[Any], None]
    progress: Callable[[Any], None] | None
    epoch: Callable[[Any], None] | None
    cancelled: bool = False
    over: bool = False


@dataclass
class ScriptedWorker:
    """Keeps what it is asked until the test answers."""

    asked: list[Asked] = field(default_factory=list)
    log: str = ""
    log_changed: Callable[[], None] | None = None
    stops: int = 0

    def call(self, params: Any, done: Any, failed: Any, progress: Any = None, epoch: Any = None) -> int:
        """Keep it."""
        self.asked.append(Asked(params, done, failed, progress, epoch))
        return len(self.asked) - 1

    def cancel(self, identity: int) -> None:
        """Keep that, too."""
        self.asked[identity].cancelled = True

    def stop(self) -> None:
        """End."""
        self.stops += 1

    def waiting(self, kind: type) -> list[Asked]:
        """Requests of a kind that are not answered."""
        return [one for one in self.asked if isinstance(one.params, kind) and not one.over]

    def answer(self, kind: type, answer: Any) -> None:
        """Answer the oldest request of a kind."""
        one = self.waiting(kind)[0]
        one.over = True
        one.done(answer)

    def fail(self, kind: type, sentence: str, cancelled: bool = False) -> None:
        """Let it go wrong, or be cancelled."""
        from SegClassifyPanel.worker_call import WorkerFailure

        from SegClassifyLib.worker.protocol import Code

        one = self.waiting(kind)[0]
        one.over = True
        one.failed(WorkerFailure(Code.CANCELLED if cancelled else Code.INTERNAL_ERROR, sentence))

    def tell(
        self, kind: type, phase: str, done: float, total: float | None, left: float | None = None
    ) -> None:
        """Progress of the oldest request of a kind."""
        from SegClassifyLib.worker.protocol import JobProgress

        one = self.waiting(kind)[0]
        assert one.progress is not None
        one.progress(JobProgress(1, phase, done, total, "", left))

    def tell_epoch(self, epoch: Any) -> None:
        """An epoch of the training that runs."""
        from SegClassifyLib.worker.segmenter_messages import TrainSegmenterParams

        one = self.waiting(TrainSegmenterParams)[0]
        assert one.epoch is not None
        one.epoch(epoch)


class FakeHost:
    """The page: keeps what it was asked."""

    def __init__(self) -> None:
        self.info: Any = None
        self.device = "auto"
        self.opened: list[Any] = []
        self.selected: list[tuple[str, ...]] = []
        self.said: list[str] = []
        self.used: list[str] = []
        self.reloads = 0
        self.known: tuple[Any, ...] = ()

    def open_case(self, name: str) -> None:
        """Keep it."""
        self.opened.append(name)

    def open_files(self, paths: Sequence[str], name: str, group: str) -> None:
        """Keep it."""
        self.opened.append((tuple(paths), name, group))

    def select_cases(self, names: Sequence[str]) -> None:
        """Keep it."""
        self.selected.append(tuple(names))

    def reload(self) -> None:
        """Count it."""
        self.reloads += 1

    def say(self, sentence: str, error: bool = False) -> None:
        """Keep it."""
        self.said.append(sentence)

    def models(self) -> tuple[Any, ...]:
        """As given."""
        return self.known

    def use_model(self, path: str) -> None:
        """Keep it."""
        self.used.append(path)


def training_logic() -> Any:
    """The real logic of trainings over two scripted workers."""
    from SegClassifyPanel.training_logic import TrainingLogic

    worker, background = ScriptedWorker(), ScriptedWorker()
    training = TrainingLogic(worker, background, lambda: "/models")  # type: ignore[arg-type]
    return SimpleNamespace(worker=worker, background=background, training=training)


def set_info(classes: Sequence[str] = THREE, cases: int = 30, drawn: int = 20, **changes: Any) -> Any:
    """A training set; every tenth case has no class, the first ``drawn`` have a segmentation."""
    from SegClassifyLib.worker.set_messages import CaseRow, SetInfo

    rows = tuple(
        CaseRow(
            name=f"case {n:03d}",
            class_name="" if n % 10 == 9 else classes[n % len(classes)],
            group=f"patient {n:03d}",
            role="both",
            split="train",
            segmentation="drawn" if n < drawn else "none",
            images=(f"/data/heads/images/case{n:03d}.nrrd",),
            segmentation_file="",
        )
        for n in range(cases)
    )
    from SegClassifyLib.worker.protocol import LabelInfo

    labels = (LabelInfo(1, "tumour", (0.9, 0.2, 0.2)), LabelInfo(2, "oedema", (0.2, 0.6, 0.9)))
    info = SetInfo("/data/heads", "Heads", "1", 3, ("T1c",), labels, tuple(classes), rows)
    return replace(info, **changes)


def epochs(count: int, part: str = "") -> tuple[Any, ...]:
    """Epochs of a training that goes well."""
    from SegClassifyLib.worker.segmenter_messages import EpochInfo

    noise = np.random.default_rng(3).normal(0, 0.02, (count, 3))
    return tuple(
        EpochInfo(
            part,
            n + 1,
            float(1.6 * np.exp(-n / 9) + 0.25 + noise[n, 0]),
            {
                "tumour": float(0.78 * (1 - np.exp(-n / 6)) + noise[n, 1]),
                "oedema": float(0.66 * (1 - np.exp(-n / 10)) + noise[n, 2]),
            },
            60.0 * n,
        )
        for n in range(count)
    )


def segmenter_run(
    state: str = "finished", name: str = "Heads segmenter", count: int = 24, **changes: Any
) -> Any:
    """A training of a segmenter, as the worker tells of it."""
    from SegClassifyLib.worker.segmenter_messages import SegmenterRun

    done = epochs(count)
    sentence = {
        "finished": "Finished after 30 minutes, Dice tumour 0.77, oedema 0.61.",
        "paused": "Paused after 12 minutes, Dice tumour 0.71, oedema 0.52.",
        "running": "Being trained.",
    }[state]
    run = SegmenterRun(
        path=f"/data/heads/trainings/segmenters/20260301-140500 {name}",
        name=name,
        state=state,
        started="2026-03-01 14:05",
        package="" if state != "finished" else f"/data/heads/trainings/segmenters/{name}/model",
        usable=state == "finished",
        can_keep=state == "paused" and count > 0,
        dice=done[-1].dice if done else {},
        epochs=done,
        sentence=sentence,
    )
    return replace(run, **changes)


def outlook() -> Any:
    """What a training would do."""
    from SegClassifyLib.worker.segmenter_messages import SegmenterOutlook

    return SegmenterOutlook(
        cases=20,
        network="authors",
        grid=(96, 112, 96),
        patch=(64, 64, 64),
        spacing=(2.0, 2.0, 2.0),
        folds=3,
        sentence=(
            "20 cases with a segmentation; images are brought to 2.0 × 2.0 × 2.0 mm (96 × 112 × 96 voxels) and "
            "looked at in pieces of 64 × 64 × 64; 3 extra networks for honest scores."
        ),
        networks=("authors", "unet", "segresnet"),
    )


_numbers = itertools.count(1)


def trained(classes: Sequence[str] = THREE, cases: int = 90, **changes: Any) -> Any:
    """A classifier that is right in about three of four cases."""
    from SegClassifyLib.worker.classifier_messages import ClassifierTrained, CurvePoint
    from SegClassifyLib.worker.score_messages import CaseAnswer, CaseDoubt, ScoreInfo

    draw = np.random.default_rng(1)
    answers = []
    for n in range(cases):
        true = n % len(classes)
        said = true if draw.random() < 0.75 else int(draw.integers(len(classes)))
        shares = draw.random(len(classes)) * 0.5
        shares[said] += 1.0
        shares = shares / shares.sum()
        answers.append(
            CaseAnswer(f"case {n:03d}", classes[true], classes[said], tuple(float(s) for s in shares))
        )
    confusion = np.zeros((len(classes), len(classes)), int)
    for answer in answers:
        confusion[classes.index(answer.class_name), classes.index(answer.predicted)] += 1
    wrong = [a for a in answers if a.predicted != a.class_name]
    result = ClassifierTrained(
        run=f"/data/heads/trainings/classifiers/20260301-15{next(_numbers):02d}00 Heads",
        name="Heads",
        head="linear",
        classes=tuple(classes),
        cases=cases,
        groups=cases - 3,
        scores=(
            ScoreInfo("balanced accuracy", 0.78, 0.69, 0.86),
            ScoreInfo("accuracy", 0.79, 0.70, 0.87),
            ScoreInfo("mean AUC", 0.90, 0.84, 0.95),
        ),
        auc=tuple(ScoreInfo(f"AUC of {name}", 0.88, 0.80, 0.95) for name in classes),
        how="Found by 5-fold cross-validation by patient, repeated 5 times.",
        confusion=tuple(tuple(int(c) for c in row) for row in confusion),
        answers=tuple(answers),
        suspects=tuple(
            CaseDoubt(
                a.case,
                f"Its class is {a.class_name}, and it looks like {a.predicted} (91 %): look at it again.",
                a.predicted,
            )
            for a in wrong[:3]
        ),
        suspects_note="",
        doubtful=tuple(
            CaseDoubt(a.case, f"{a.predicted} 41 %, {a.class_name} 39 %: hardly more than a guess.")
            for a in answers[5:13]
        ),
        curve=tuple(
            CurvePoint(
                n,
                0.5 + 0.28 * (1 - np.exp(-n / 30)),
                0.4 + 0.28 * (1 - np.exp(-n / 30)),
                0.62 + 0.28 * (1 - np.exp(-n / 30)),
            )
            for n in (9, 18, 36, 60, 90)
        ),
        outlook=("50 more cases: about +3 points of balanced accuracy, ±4.",),
        outlook_curve=(CurvePoint(115, 0.79, 0.76, 0.83), CurvePoint(140, 0.81, 0.77, 0.85)),
        warnings=(),
        notes=("60 cases that trained the network were looked at by extra networks that had not seen them.",),
        seconds=4.2,
    )
    return replace(result, **changes)


def baseline(kind: str = "shape") -> Any:
    """A simpler way that is worse."""
    from SegClassifyLib.worker.comparison_messages import BaselineResult
    from SegClassifyLib.worker.score_messages import ScoreInfo

    names = {
        "shape": "shape and grey values of the segmentation",
        "scratch": "a network trained from scratch",
    }
    return BaselineResult(
        kind,
        names[kind],
        (
            ScoreInfo("balanced accuracy", 0.61, 0.51, 0.71),
            ScoreInfo("accuracy", 0.63, 0.53, 0.72),
            ScoreInfo("mean AUC", 0.77, 0.69, 0.84),
        ),
        ScoreInfo("difference", 0.17, 0.06, 0.27),
        f"Better than {names[kind]} by 17 points (6 to 27): more than chance.",
    )


def comparison() -> Any:
    """The new model is better by more than noise."""
    from SegClassifyLib.worker.comparison_messages import ModelComparison, ScorePair
    from SegClassifyLib.worker.score_messages import CaseDoubt, ScoreInfo

    return ModelComparison(
        first="Heads, last week",
        second="Heads",
        scores=(
            ScorePair(
                ScoreInfo("balanced accuracy", 0.70, 0.61, 0.79),
                ScoreInfo("balanced accuracy", 0.78, 0.69, 0.86),
                ScoreInfo("balanced accuracy", 0.08, 0.01, 0.15),
            ),
            ScorePair(
                ScoreInfo("mean AUC", 0.85, 0.78, 0.91),
                ScoreInfo("mean AUC", 0.90, 0.84, 0.95),
                ScoreInfo("mean AUC", 0.05, -0.01, 0.11),
            ),
        ),
        sentence="“Heads” is better than “Heads, last week” by 8 points (1 to 15): more than chance.",
        notes=("Both were trained anew on the same folds of 90 cases.",),
        disagreements=(
            CaseDoubt(
                "case 004", "“Heads” says metastasis, which it is; “Heads, last week” says glioblastoma."
            ),
            CaseDoubt(
                "case 017", "“Heads” says meningioma; “Heads, last week” says metastasis, which it is."
            ),
        ),
    )


def evaluation() -> Any:
    """A test on fifteen cases."""
    from SegClassifyLib.worker.comparison_messages import EvaluationInfo
    from SegClassifyLib.worker.score_messages import CaseAnswer, ScoreInfo

    answers = tuple(
        CaseAnswer(f"case {n:03d}", THREE[n % 3], THREE[0] if n == 5 else THREE[n % 3], (0.5, 0.3, 0.2))
        for n in range(5, 90, 6)
    )
    return EvaluationInfo(
        model="Heads",
        classes=THREE,
        cases=15,
        scores=(ScoreInfo("balanced accuracy", 0.81, 0.62, 0.96), ScoreInfo("mean AUC", 0.91, 0.76, 1.0)),
        auc=(),
        confusion=((5, 0, 0), (0, 5, 0), (1, 0, 4)),
        answers=answers,
        notes=("15 cases are few: the intervals are wide.",),
    )


def suggestions(in_set: bool = True) -> Any:
    """Three cases to label."""
    from SegClassifyLib.worker.next_case_messages import SuggestedCase, SuggestedCases

    reasons = (
        "The classifier is unsure of it, and no case with a class looks like it.",
        "The classifier is unsure of it.",
        "No case with a class looks like it.",
    )
    cases = tuple(
        SuggestedCase(
            f"case {9 + 10 * n:03d}",
            in_set,
            (f"/new/case{n}.nrrd",),
            f"patient {n}",
            (0.4, 0.35, 0.25),
            reason,
        )
        for n, reason in enumerate(reasons)
    )
    return SuggestedCases(cases, THREE, 9, ())
