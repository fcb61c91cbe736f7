"""One thread, one line: order, cancelling at every moment, and what happens when nothing is to do."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from SegClassifyLib.worker import lane
from SegClassifyLib.worker.lane import Job, Lane
from SegClassifyLib.worker.protocol import Code, Request, Response

PATIENCE = 30.0


class Recorder:
    """What a lane sends, and a way to wait for it."""

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self._more = threading.Condition()

    def send(self, response: Response) -> None:
        with self._more:
            self.responses.append(response)
            self._more.notify_all()

    def wait(self, count: int) -> list[Response]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.responses) >= count, PATIENCE)
        return self.responses


class Gate:
    """Work that is done when it is let go; it does not look at whether it was cancelled."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def run(self, job: Job) -> Response:
        self.entered.release()
        assert self.open.acquire(timeout=PATIENCE)
        return Response(job.request.id, "done")


@pytest.fixture
def out() -> Recorder:
    return Recorder()


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_requests_are_done_one_at_a_time_in_order(out: Recorder, gate: Gate) -> None:
    line = Lane("test", gate.run, out.send)
    for number in range(5):
        assert line.submit(Request(number, "x")) is None
    assert gate.entered.acquire(timeout=PATIENCE)
    assert not gate.entered.acquire(timeout=0.05)  # not two at a time
    gate.open.release(5)
    assert [r.id for r in out.wait(5)] == [0, 1, 2, 3, 4]


def test_who_was_told_accepted_gets_cancelled_even_when_the_work_was_done(out: Recorder, gate: Gate) -> None:
    line = Lane("test", gate.run, out.send)
    line.submit(Request(1, "x"))
    assert gate.entered.acquire(timeout=PATIENCE)
    assert line.cancel(1)
    gate.open.release()
    (response,) = out.wait(1)
    assert response.error is not None and response.error.code == Code.CANCELLED
    assert not line.cancel(1)


def test_a_waiting_request_is_taken_out_of_the_line(out: Recorder, gate: Gate) -> None:
    line = Lane("test", gate.run, out.send)
    for number in range(3):
        line.submit(Request(number, "x"))
    assert gate.entered.acquire(timeout=PATIENCE)
    assert line.cancel(1) and not line.cancel(1) and not line.cancel("1")
    (first,) = out.wait(1)
    assert (first.id, first.error and first.error.code) == (1, Code.CANCELLED)
    gate.open.release(2)
    assert [r.id for r in out.wait(3)] == [1, 0, 2]


def test_ids_in_use_and_lines_too_long_are_refused(
    out: Recorder, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "LONGEST_QUEUE", 2)
    line = Lane("test", gate.run, out.send)
    line.submit(Request(1, "x"))
    assert gate.entered.acquire(timeout=PATIENCE)  # runs, does not wait any more
    assert line.submit(Request(2, "x")) is None
    for running_or_waiting in (1, 2):
        refused = line.submit(Request(running_or_waiting, "x"))
        assert refused is not None and refused.code == Code.INVALID_REQUEST
    assert line.submit(Request(3, "x")) is None
    refused = line.submit(Request(4, "x"))
    assert refused is not None and refused.code == Code.BUSY
    gate.open.release(3)
    assert [r.id for r in out.wait(3)] == [1, 2, 3]
    assert line.submit(Request(1, "x")) is None  # free again
    gate.open.release()
    out.wait(4)


def test_idle_is_told_once_after_work_and_not_before(out: Recorder, gate: Gate) -> None:
    idle = threading.Semaphore(0)
    release: Callable[[], None] = idle.release
    line = Lane("test", gate.run, out.send, release, idle_seconds=0.05)
    assert not idle.acquire(timeout=0.2)  # nothing was done yet
    for number in range(2):
        line.submit(Request(number, "x"))
        assert gate.entered.acquire(timeout=PATIENCE)
        assert not idle.acquire(timeout=0.2)  # busy is not idle
        gate.open.release()
        assert idle.acquire(timeout=PATIENCE)
        assert not idle.acquire(timeout=0.2)  # once
