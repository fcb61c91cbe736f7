"""A worker that keeps training sets in memory, under the real logic, and answers as the real one does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

THREE = ("glioma", "meningioma", "metastasis")


def case_row(name: str, class_name: str = "", **changes: Any) -> Any:
    """A case as the worker lists it."""
    from SegClassifyLib.worker.set_messages import CaseRow

    row = CaseRow(
        name=name,
        class_name=class_name,
        group=f"patient {name}",
        role="both",
        split="train",
        segmentation="none",
        images=(f"/sets/heads/images/{name}_0000.nrrd",),
        segmentation_file="",
    )
    return replace(row, **changes)


def set_info(cases: Sequence[Any] = (), folder: str = "/sets/heads", **changes: Any) -> Any:
    """A set as the worker describes it."""
    from SegClassifyLib.worker.model_messages import LabelInfo
    from SegClassifyLib.worker.set_messages import SetInfo

    info = SetInfo(
        folder=folder,
        name=Path(folder).name,
        revision="1",
        ndim=3,
        channels=("T1c",),
        labels=(LabelInfo(1, "tumour", (0.9, 0.25, 0.2)), LabelInfo(2, "edema", (0.3, 0.6, 0.9))),
        classes=THREE,
        cases=tuple(cases),
    )
    return replace(info, **changes)


def many_cases(count: int) -> tuple[Any, ...]:
    """Cases of every kind: without class, segmented, predicted, predicted wrongly, for a test only."""
    rows = []
    for n in range(count):
        own = "" if n % 10 == 9 else THREE[n % 3]
        state = ("none", "drawn", "drawn", "predicted")[n % 4]
        seen = THREE[(n + (n % 7 == 0)) % 3] if own else ""
        rows.append(
            case_row(
                f"case {n + 1}",
                own,
                group=f"patient {n // 2 + 1}",
                role=("both", "both", "classifier", "segmenter")[n % 4],
                split="test" if n % 20 == 0 else "train",
                segmentation=state,
                segmentation_file="" if state == "none" else f"/sets/heads/labels/case {n + 1}.seg.nrrd",
                predicted=seen,
                probability=0.5 + (n % 50) / 100 if seen else 0.0,
            )
        )
    return tuple(rows)


def finding(kind: str, sentence: str, cases: Sequence[str] = (), severity: str = "warning") -> Any:
    """Something to put right."""
    from SegClassifyLib.worker.set_messages import FindingInfo

    return FindingInfo(severity, kind, sentence, tuple(cases))


@dataclass
class SetWorker:
    """Answers what concerns training sets from Qt's event loop; everything else is kept for the test.

    Args:
        sets: by folder.
        findings: what a check says beside its counts.
        deep: what it says in addition when it reads every image.
        broken: if not empty, the sentence with which requests of the kinds ``breaks`` go wrong.
        held: kinds of requests that are not answered, but kept in ``waiting``.
    """

    sets: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Any, ...] = ()
    deep: tuple[Any, ...] = ()
    broken: str = ""
    breaks: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    asked: list[Any] = field(default_factory=list)
    waiting: list[tuple[Any, Callable[..., None], Callable[..., None], Any]] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    exported: list[Any] = field(default_factory=list)
    history: list[tuple[str, Any]] = field(default_factory=list)

    def call(self, params: Any, done: Any, failed: Any, progress: Any = None, epoch: Any = None) -> int:
        """Answer soon."""
        import qt

        self.asked.append(params)
        if params.METHOD == "add_case":  # the files go with the request
            import numpy as np

            labels = params.segmentation
            array = np.load(labels.volume.array) if labels is not None else None
            self.exported.append((np.load(params.images[0].array), array))
        if params.METHOD == "save_segmentation":
            import numpy as np

            self.exported.append((None, np.load(params.segmentation.volume.array)))
        if params.METHOD in self.held:
            self.waiting.append((params, done, failed, progress))
        else:
            qt.QTimer.singleShot(0, lambda: self.answer(params, done, failed))
        return len(self.asked)

    def cancel(self, identity: int) -> None:
        """Kept; a request that is held ends."""
        self.cancelled.append(identity)
        held, self.waiting = self.waiting, []
        for _params, _done, failed, _progress in held:
            self._fail(failed, "Cancelled.", True)

    def release(self) -> None:
        """Answer what is held."""
        held, self.waiting, self.held = self.waiting, [], ()
        for params, done, failed, _progress in held:
            self.answer(params, done, failed)

    def asked_for(self, method: str) -> list[Any]:
        """Requests of a kind."""
        return [params for params in self.asked if method == params.METHOD]

    def answer(self, params: Any, done: Any, failed: Any) -> None:
        """As the real worker would, in memory."""
        method = params.METHOD
        if self.broken and (not self.breaks or method in self.breaks):
            self._fail(failed, self.broken)
            return
        if method == "create_set":
            self._create(params)
        if not hasattr(params, "folder"):
            return
        if params.folder not in self.sets:
            self._fail(failed, f"There is no training set in {params.folder}: choose another folder.")
            return
        answer = getattr(self, "_" + method)(params)
        done(answer)

    def put(self, info: Any, undo: str = "") -> None:
        """The set is like this from now on."""
        old = self.sets.get(info.folder)
        number = int(old.revision) + 1 if old is not None else 1
        self.sets[info.folder] = replace(info, revision=str(number), undo=undo)

    def _fail(self, failed: Any, sentence: str, cancelled: bool = False) -> None:
        from SegClassifyPanel.worker_call import WorkerFailure

        from SegClassifyLib.worker.protocol import Code

        failed(WorkerFailure(Code.CANCELLED if cancelled else Code.INTERNAL_ERROR, sentence))

    def _create(self, params: Any) -> None:
        from SegClassifyLib.worker.model_messages import LabelInfo

        labels = tuple(LabelInfo(n + 1, name, (0.5, 0.5, 0.1 * n)) for n, name in enumerate(params.labels))
        info = set_info((), params.folder, channels=params.channels, labels=labels, classes=params.classes)
        self.put(replace(info, name=params.name or info.name))

    def _create_set(self, params: Any) -> Any:
        return self.sets[params.folder]

    _open_set = _create_set

    def _read_set(self, params: Any) -> Any:
        from SegClassifyLib.worker.set_messages import SetLook

        info = self.sets[params.folder]
        return SetLook(None if info.revision == params.revision else info)

    def _close_set(self, params: Any) -> Any:
        from SegClassifyLib.worker.params import Nothing

        return Nothing()

    def _changed(
        self, folder: str, cases: Sequence[Any], names: Sequence[str], undo: str, **more: Any
    ) -> Any:
        from SegClassifyLib.worker.set_messages import SetChanged

        before = self.sets[folder]
        self.history.append((folder, before))
        self.put(replace(before, cases=tuple(cases), **more), undo)
        return SetChanged(self.sets[folder], tuple(names))

    def _add_case(self, params: Any) -> Any:
        info = self.sets[params.folder]
        name, number = params.name, 1
        while name in {row.name for row in info.cases}:
            number += 1
            name = f"{params.name}-{number}"
        state = "none" if params.segmentation is None else "predicted" if params.predicted else "drawn"
        row = case_row(
            name,
            params.class_name,
            group=params.group,
            role=params.role,
            split=params.split,
            segmentation=state,
            segmentation_file="" if state == "none" else f"{params.folder}/labels/{name}.seg.nrrd",
        )
        classes = (*info.classes, params.class_name) if params.new_class else info.classes
        return self._changed(params.folder, (*info.cases, row), (name,), f"add {name}", classes=classes)

    def _change_cases(self, params: Any) -> Any:
        info = self.sets[params.folder]
        given = ("class_name", "group", "role", "split")
        update = {key: getattr(params, key) for key in given if getattr(params, key) is not None}
        rows = [replace(row, **update) if row.name in params.cases else row for row in info.cases]
        classes = (*info.classes, params.class_name) if params.new_class else info.classes
        return self._changed(params.folder, rows, params.cases, "change", classes=classes)

    def _save_segmentation(self, params: Any) -> Any:
        info = self.sets[params.folder]
        file = f"{params.folder}/labels/{params.case}.seg.nrrd"
        rows = [
            replace(row, segmentation="drawn", segmentation_file=file) if row.name == params.case else row
            for row in info.cases
        ]
        return self._changed(params.folder, rows, (params.case,), f"segmentation of {params.case}")

    def _remove_cases(self, params: Any) -> Any:
        info = self.sets[params.folder]
        rows = [row for row in info.cases if row.name not in params.cases]
        return self._changed(params.folder, rows, params.cases, f"remove {', '.join(params.cases)}")

    def _undo_set(self, params: Any) -> Any:
        from SegClassifyLib.worker.set_messages import SetChanged

        _folder, before = self.history.pop()
        self.put(before)
        return SetChanged(self.sets[params.folder], ())

    def _import_cases(self, params: Any) -> Any:
        info = self.sets[params.folder]
        rows = [case_row(f"imported {n}", THREE[n % 3]) for n in range(4)]
        names = [row.name for row in rows]
        answer = self._changed(params.folder, (*info.cases, *rows), names, "import")
        return replace(answer, notes=("b.nrrd was passed over: it has only zeros.",))

    def _check_set(self, params: Any) -> Any:
        from SegClassifyLib.worker.set_messages import ClassCounts, SetGuide

        info = self.sets[params.folder]
        counts = []
        for name in info.classes:
            own = [row for row in info.cases if row.class_name == name and row.split == "train"]
            tests = sum(row.class_name == name and row.split == "test" for row in info.cases)
            counts.append(ClassCounts(name, len(own), len({row.group for row in own}), tests))
        lacks = tuple(f.sentence for f in self.findings if f.kind == "classifier cannot be trained")
        return SetGuide(
            classes=tuple(counts),
            cases=len(info.cases),
            groups=len({row.group for row in info.cases}),
            unlabelled=sum(not row.class_name for row in info.cases),
            segmented=sum(row.segmentation == "drawn" for row in info.cases),
            predicted=sum(row.segmentation == "predicted" for row in info.cases),
            test_cases=sum(row.split == "test" for row in info.cases),
            segmenter_lacks=(),
            classifier_lacks=lacks,
            findings=(*self.deep, *self.findings) if params.pixels else self.findings,
        )


def set_logic(worker: SetWorker) -> Any:
    """The real logic of training sets over a worker of a test."""
    from SegClassifyPanel.set_logic import SetLogic

    folder = tempfile.mkdtemp(prefix="sets-")
    return SetLogic(worker, lambda: Path(folder))  # type: ignore[arg-type]
