"""Runs units here, in several processes, or on a Dask cluster: the same numbers whichever way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.experiment.learn import run_unit
from SegClassifyLib.experiment.study import MATERIAL, Study
from SegClassifyLib.experiment.units import Unit, store_result
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

CONNECT_SECONDS = 20
"""That a scheduler may take to answer."""
_POLL = 0.2
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_ONE_AT_A_TIME = threading.Lock()
"""Networks draw their first weights from torch's one generator: two threads of a process must not share it."""


@dataclass(frozen=True)
class Outcome:
    """How a unit ended.

    Args:
        number: of the unit in the list that was given.
        seconds: it took; NaN where it failed.
        error: the sentence, where it failed.
    """

    number: int
    seconds: float
    error: str = ""


Done = Callable[[Outcome], None]


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_units(
    study: Study, units: Sequence[Unit], jobs: int, scheduler: str, done: Done, progress: Progress
) -> None:
    """Run all units and store their results; what is finished is on the disk when ``done`` is told of it.

    Args:
        study: what they need.
        units: to be run.
        jobs: processes, each with one thread.
        scheduler: address of a Dask scheduler; empty for processes on this machine.
        done: told of every outcome, in this thread.
        progress: may cancel.

    Raises:
        Cancelled: asked to stop.
        SegClassifyError: a process died, or the cluster cannot be reached.
    """
    if not units:
        return
    if scheduler:
        _on_cluster(study, units, scheduler, done, progress)
    elif jobs <= 1:
        for number, unit in enumerate(units):
            progress.check()
            done(_work(study, number, unit, progress.is_cancelled))
            progress.check()
    else:
        _in_processes(study, units, min(jobs, len(units)), done, progress)


def _work(study: Study, number: int, unit: Unit, is_cancelled: Callable[[], bool]) -> Outcome:
    """One unit in this process, on one thread; errors are given back as sentences."""
    if not (study.folder / MATERIAL).is_dir():
        where = f"A process on {os.uname().nodename if hasattr(os, 'uname') else 'another machine'}"
        return Outcome(
            number,
            float("nan"),
            f"{where} does not see the folder {study.folder}: choose an --output that all machines share.",
        )
    try:
        with _ONE_AT_A_TIME, _one_thread():
            result = run_unit(study, unit, Progress(is_cancelled=is_cancelled))
        store_result(unit, result, study.folder)
    except Cancelled:
        return Outcome(number, float("nan"), "cancelled")
    except SegClassifyError as error:
        return Outcome(number, float("nan"), str(error))
    return Outcome(number, result.seconds)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch and linear algebra: units run side by side, and sums are alike to the last bit."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


_cancel: Event | None = None
_study: Study | None = None


def _start_process(study: Study, cancel: Event) -> None:
    """In a new process: ends with its parent, leaves Ctrl-C to it, and stops when it says so."""
    import multiprocessing
    from multiprocessing.connection import wait as wait_for

    global _cancel, _study
    _cancel, _study = cancel, study
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def end_with_parent() -> None:
            wait_for([sentinel])
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()


def _work_in_process(number: int, unit: Unit) -> Outcome:
    assert _study is not None and _cancel is not None
    return _work(_study, number, unit, _cancel.is_set)


def _in_processes(study: Study, units: Sequence[Unit], jobs: int, done: Done, progress: Progress) -> None:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    cancel = context.Event()
    with _thread_variables():
        pool = ProcessPoolExecutor(jobs, context, _start_process, (study, cancel))
        try:
            # Processes are started as work comes in: inside the block.
            waiting = {pool.submit(_work_in_process, n, unit) for n, unit in enumerate(units)}
            _collect(waiting, done, progress)
        except BrokenProcessPool as error:
            raise SegClassifyError(
                "A process ended unexpectedly, often for lack of memory: try fewer --jobs; what was finished is kept."
            ) from error
        finally:
            cancel.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _collect(waiting: set[Future[Outcome]], done: Done, progress: Progress) -> None:
    while waiting:
        progress.check()
        finished, waiting = wait(waiting, timeout=_POLL, return_when=FIRST_COMPLETED)
        for future in finished:
            done(future.result())


@contextmanager
def _thread_variables() -> Iterator[None]:
    """Processes started meanwhile use one thread each, from the libraries' first moment on."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _never() -> bool:
    return False


def _work_on_cluster(study: Study, number: int, unit: Unit) -> Outcome:
    return _work(study, number, unit, _never)


def _on_cluster(study: Study, units: Sequence[Unit], scheduler: str, done: Done, progress: Progress) -> None:
    try:
        from distributed import Client
    except ImportError as error:
        raise SegClassifyError(
            "A Dask scheduler needs the package 'distributed', which is not installed: pip install "
            "'segclassify[cluster]', or leave --scheduler out."
        ) from error
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise SegClassifyError(
            f"There is no Dask scheduler at {scheduler} ({error or 'no answer'}): check the address, such as "
            "tcp://host:8786."
        ) from error
    with client:
        shared = client.scatter(study, broadcast=True)
        waiting: set[Any] = {
            client.submit(_work_on_cluster, shared, n, unit, pure=False) for n, unit in enumerate(units)
        }
        try:
            _collect_cluster(waiting, done, progress)
        finally:
            client.cancel(list(waiting), force=True)


def _collect_cluster(waiting: set[Any], done: Done, progress: Progress) -> None:
    import time

    while waiting:
        progress.check()
        finished = {future for future in waiting if future.done()}
        for future in finished:
            waiting.discard(future)
            if future.status != "finished":
                reason = future.exception() if future.status == "error" else future.status
                raise SegClassifyError(
                    f"A machine of the cluster failed ({reason}): look at its log; what was finished is kept."
                )
            done(future.result())
        if not finished:
            time.sleep(_POLL)
