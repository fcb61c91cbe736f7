"""The page Train in the stand-in, with a training set that is kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import standin
from panel_fakes import FakeLogic, model_info
from panel_stage import Stage, stage
from set_fakes import set_info


@contextmanager
def train_page(info: Any = None, *, models: Sequence[Any] | None = None, **worker: Any) -> Iterator[Stage]:
    """The page, seen, with a set open.

    Args:
        info: the set; ``None`` for none.
        models: in the list of the page Classify; a usual one unless given.
        worker: fields of the worker that keeps the set.
    """
    logic = FakeLogic((model_info(),) if models is None else tuple(models))
    for name, value in worker.items():
        setattr(logic.set_worker, name, value)
    with stage(logic) as shown:
        shown.settle()
        shown.widget.panel.ui.tabs.setCurrentIndex(1)
        if info is not None:
            logic.set_worker.put(info)
            shown.train.set.open(info.folder)
        settle(shown)
        yield shown
        standin.raise_recorded()


def settle(shown: Stage) -> None:
    """Let requests be answered and the guide look."""
    standin.spin(0.02)
    standin.wait_until(lambda: not shown.train.guide._delay.active, 5, "the guide")
    shown.settle()


def rows(shown: Stage, columns: int = 6) -> list[list[str]]:
    """The texts of the table, as it is sorted and filtered."""
    model = shown.train.cases.ui.casesTable.model()
    return [[str(model.index(r, c).data() or "") for c in range(columns)] for r in range(model.rowCount())]


def names(shown: Stage) -> list[str]:
    """Of the cases in the table."""
    return [row[0] for row in rows(shown, 1)]


def small_set(**changes: Any) -> Any:
    """Three cases: drawn, predicted and wrong, without a class."""
    from set_fakes import case_row

    cases = (
        case_row(
            "alpha", "glioma", segmentation="drawn", segmentation_file="/sets/heads/labels/alpha.seg.nrrd"
        ),
        case_row(
            "beta",
            "meningioma",
            role="classifier",
            segmentation="predicted",
            segmentation_file="/sets/heads/labels/beta.seg.nrrd",
            predicted="glioma",
            probability=0.83,
        ),
        case_row("case 10", group="patient alpha", split="test"),
    )
    return set_info(cases, **changes)
