"""A job for the worker where the end crosses with Cancel: no real worker can be made to answer at that moment."""

from __future__ import annotations

from typing import Any

import pytest
import standin


class Worker:
    """Answers when a test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.cancelled: list[int] = []

    def call(self, *call: Any) -> int:
        """Keep it."""
        self.calls.append(call)
        return 7

    def cancel(self, identity: int) -> None:
        """Keep that too; what was answered already still comes."""
        self.cancelled.append(identity)


def started(kind: str) -> tuple[Any, Worker, list[tuple[str, Any]]]:
    """A job in the worker's hands, and what it says of its end."""
    from SegClassifyPanel.set_job import SetJob
    from SegClassifyPanel.worker_job import JobListener, WorkerJob

    class Import(WorkerJob):
        """Brings its answer into the scene."""

        def _answered(self, answer: Any) -> None:
            self._bring_in(steps(answer))

    def steps(value: Any) -> Any:
        yield 0.5
        return value

    said: list[tuple[str, Any]] = []
    worker = Worker()
    listener: JobListener[Any] = JobListener(
        lambda answer: said.append(("done", answer)),
        lambda sentence: said.append(("failed", sentence)),
        lambda: said.append(("cancelled", None)),
    )
    job = {"import": Import, "set": SetJob}[kind](worker, steps("please"), None, listener)  # type: ignore[arg-type]
    standin.wait_until(lambda: bool(worker.calls), 10, "the request")
    assert worker.calls[0][0] == "please" and not job.over
    return job, worker, said


@pytest.mark.parametrize(("kind", "end"), [("import", ("cancelled", None)), ("set", ("done", 3))])
def test_an_answer_after_cancel_counts_only_where_it_is_on_the_disk(kind: str, end: tuple[str, Any]) -> None:
    job, worker, said = started(kind)
    job.cancel()
    job.cancel()
    assert worker.cancelled == [7] and said == []
    worker.calls[0][1](3)
    assert job.over and said == [end]
    job.cancel()
    job.finish()
    assert worker.cancelled == [7] and said == [end]


def test_a_script_may_wait_for_the_import() -> None:
    job, worker, said = started("import")
    worker.calls[0][1](3)
    assert said == []
    job.finish()
    assert said == [("done", 3)]


def test_a_script_that_waits_for_a_cancelled_import_is_told_at_once() -> None:
    job, worker, said = started("import")
    worker.calls[0][1](3)
    job.cancel()
    job.finish()
    standin.wait_until(lambda: job.over, 10, "the end")
    assert said == [("cancelled", None)] and worker.cancelled == []
