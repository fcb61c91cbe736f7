"""The worker's life: starts light, stops when asked, dies with its parent, and tells how it died. Real processes."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from worker_data import blobs, map_source, package, running_worker

import SegClassifyLib
from SegClassifyLib.errors import Cancelled
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.worker.client import WorkerClient, WorkerEndedError
from SegClassifyLib.worker.hello import NEEDED
from SegClassifyLib.worker.protocol import (
    PROTOCOL,
    ClassifyParams,
    Code,
    HelloParams,
    JobProgress,
    LineDecoder,
    Notification,
    Received,
    ReleaseParams,
    Request,
    Response,
    encode,
)

REPO = Path(SegClassifyLib.__file__).resolve().parents[1]
PATIENCE = 60.0
"""Seconds after which a test gives up: never reached where all is well, whatever the machine is doing."""

needs_posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("models") / "tiles")


@pytest.fixture(scope="module")
def short(model: Path, tmp_path_factory: pytest.TempPathFactory) -> ClassifyParams:
    """A job of a single tile."""
    folder = tmp_path_factory.mktemp("short")
    grid = Geometry.plain((12, 12, 12))
    source = map_source(blobs(grid.shape), grid, folder / "a.npy")
    return ClassifyParams(str(model), (source, source), str(folder), "short")


@pytest.fixture(scope="module")
def long(model: Path, tmp_path_factory: pytest.TempPathFactory) -> ClassifyParams:
    """A job of a thousand tiles: longer than any test."""
    folder = tmp_path_factory.mktemp("long")
    grid = Geometry.plain((150, 150, 150), (2.0, 2.0, 2.0))
    source = map_source(blobs(grid.shape).astype(np.uint8), grid, folder / "a.npy")
    return ClassifyParams(str(model), (source, source), str(folder), "long")


NOISE = """
import os, subprocess, sys, threading, time

def noise():
    while "SegClassifyLib.worker.classify_job" not in sys.modules:
        time.sleep(0.001)
    asked = sys.stdin.read(), os.read(0, 10)  # empty, and not the protocol's
    sys.stderr.write(f"stdin held {asked}\\n")
    while True:
        print("a library chats", flush=True)
        os.write(1, b"a C library chats\\n")
        subprocess.run(["echo", "a child chats"])
        time.sleep(0.1)

threading.Thread(target=noise, daemon=True).start()
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerClient]:
    """One for all tests that leave it alive; its libraries chat all the time, and it soon releases its model."""
    folder = tmp_path_factory.mktemp("noise")
    (folder / "sitecustomize.py").write_text(NOISE, encoding="utf-8")
    with running_worker("--idle-seconds", "0.5", PYTHONPATH=str(folder)) as client:
        yield client
    assert "A line that is no message" not in client.log


def _start(worker: WorkerClient, params: ClassifyParams) -> tuple[int | str, threading.Event]:
    """A job, and what is set once its network runs."""
    running = threading.Event()

    def listen(note: JobProgress) -> None:
        if note.phase == "Segmenting" and note.done > 0:
            running.set()

    return worker.start(params.METHOD, params.to_json(), listen), running


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}, after {PATIENCE} seconds"
        time.sleep(0.02)


def _is_gone(pid: int) -> bool:
    """Ended, whether or not somebody has taken notice (a zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path("/proc/self").exists()


def _raw(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "SegClassifyLib.worker", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=REPO)


def _send(pipe: IO[bytes] | None, *lines: bytes) -> None:
    assert pipe is not None
    pipe.write(b"".join(lines))
    pipe.flush()


def _messages(pipe: IO[bytes] | None) -> Iterator[Received]:
    assert pipe is not None
    decoder = LineDecoder()
    for line in pipe:
        yield from decoder.feed(line)


def test_hello_comes_before_anything_heavy_is_imported() -> None:
    code = (
        "import sys, threading; from SegClassifyLib.worker import streams, __main__ as door\n"
        "def leave(code):\n"
        "    print('HEAVY', sorted({'torch', 'numpy', 'pydantic', 'SimpleITK', 'scipy'} & set(sys.modules)), "
        "file=sys.stderr, flush=True); streams.os._exit(code)\n"
        "door.leave = leave; sys.argv = ['worker']; door.main()"
    )
    sent = encode(HelloParams().request("first"))
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True, cwd=REPO)
    (response,) = LineDecoder().feed(done.stdout)
    assert isinstance(response, Response) and response.id == "first"
    answer = HelloParams().read_answer(response.result)
    assert (answer.protocol, answer.version, answer.missing) == (PROTOCOL, SegClassifyLib.__version__, ())
    assert answer.python == ".".join(map(str, sys.version_info[:3]))
    assert b"HEAVY []" in done.stderr


def test_missing_packages_are_named_as_pip_names_them(tmp_path: Path) -> None:
    code = "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; "
    code += f"sys.path.insert(0, {str(REPO)!r}); from SegClassifyLib.worker.hello import hello; print(hello().missing)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == str(tuple(NEEDED.values()))


def test_a_missing_package_is_a_sentence(short: ClassifyParams) -> None:
    command = [sys.executable, "-S", "-m", "SegClassifyLib.worker"]  # without site-packages
    pipe = subprocess.PIPE
    worker = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=REPO)
    _send(worker.stdin, encode(short.request(1)), encode(Request(2, "models")))
    answers = [m for m in itertools.islice(_messages(worker.stdout), 3) if isinstance(m, Response)]
    assert sorted(a.id for a in answers if a.id) == [1, 2]
    for answer in answers:
        assert answer.error is not None and answer.error.code == Code.USER_ERROR
        assert "lacks the package" in answer.error.message
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(PATIENCE) == 0


def test_what_is_needed_is_what_the_library_depends_on() -> None:
    import re

    text = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL)
    assert block
    listed = set(re.findall(r'"([\w-]+)', block.group(1)))
    assert set(NEEDED.values()) == listed - {"typer", "rich", "matplotlib"}  # command line and figures


def test_garbage_is_answered_and_survived() -> None:
    process = _raw()
    lines = [
        b"garbage\n",
        b"\x00\xff\n",
        b"[]\n",
        b'{"jsonrpc": "2.0", "id": 1, "method": "dance"}\n',
        b'{"jsonrpc": "2.0", "id": 2, "method": "classify", "params": {"model": 1}}\n',
        b'{"jsonrpc": "2.0", "method": "hello"}\n',  # asks for no answer
        encode(Response(77, {})),  # answers nothing
        encode(HelloParams().request(3)),
    ]
    out, _ = process.communicate(b"".join(lines), timeout=PATIENCE)
    answers = [m for m in LineDecoder().feed(out) if isinstance(m, Response)]
    assert [(a.id, a.error and a.error.code) for a in answers] == [
        (None, Code.PARSE_ERROR),
        (None, Code.PARSE_ERROR),
        (None, Code.INVALID_REQUEST),
        (1, Code.METHOD_NOT_FOUND),
        (2, Code.INVALID_PARAMS),
        (3, None),
    ]
    assert answers[4].error is not None and "model should be a string" in answers[4].error.message
    assert process.returncode == 0  # stdin was closed


@needs_posix
def test_what_libraries_print_goes_to_the_log(
    worker: WorkerClient, short: ClassifyParams, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert worker.ask(short, timeout=PATIENCE).name == "short"
    for voice in ("a library chats", "a C library chats", "a child chats"):
        _until(lambda voice=voice: voice in worker.log, f"{voice}: not heard")  # type: ignore[misc]
    assert worker.ask(HelloParams()).protocol == PROTOCOL
    assert not caplog.records  # the client passed over no line


def test_a_running_job_is_cancelled_and_the_next_one_runs(
    worker: WorkerClient, short: ClassifyParams, long: ClassifyParams
) -> None:
    job, running = _start(worker, long)
    assert running.wait(PATIENCE)
    assert worker.ask(HelloParams()).protocol == PROTOCOL  # answered meanwhile
    assert worker.cancel(job)
    with pytest.raises(Cancelled):
        worker.wait(job, PATIENCE)
    assert not worker.cancel(job)
    assert worker.ask(short, timeout=PATIENCE).predicted in ("ring", "solid")
    assert not list(Path(long.output).glob("long_*"))


def test_jobs_wait_in_line_and_can_be_cancelled_there(
    worker: WorkerClient, short: ClassifyParams, long: ClassifyParams
) -> None:
    first, running = _start(worker, long)
    waiting = [worker.start(short.METHOD, short.to_json()) for _ in range(2)]
    release = worker.start(ReleaseParams.METHOD)
    assert running.wait(PATIENCE)
    assert worker.cancel(waiting[0])
    with pytest.raises(Cancelled):
        worker.wait(waiting[0], PATIENCE)  # now, not when its turn comes
    with pytest.raises(TimeoutError):
        worker.wait(waiting[1], 0.3)  # behind the first
    with pytest.raises(TimeoutError):
        worker.wait(release, 0.01)
    assert worker.cancel(first)
    with pytest.raises(Cancelled):
        worker.wait(first, PATIENCE)
    assert worker.wait(waiting[1], PATIENCE)["name"] == "short"
    assert worker.wait(release, PATIENCE) == {}


CHILD = """
import os, subprocess
child = subprocess.Popen(["sleep", "1000"])
with open(os.environ["CHILD_PID"], "w") as file:
    file.write(str(child.pid))
"""


@needs_posix
def test_a_worker_that_does_not_answer_a_cancel_is_killed_with_its_children(
    long: ClassifyParams, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(CHILD, encoding="utf-8")
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "CHILD_PID": str(tmp_path / "pid")}
    with WorkerClient(env=variables, grace=0.5) as worker:
        job, _ = _start(worker, long)
        assert worker.ask(HelloParams()).pid == worker.process.pid
        child = int((tmp_path / "pid").read_text(encoding="utf-8"))
        assert not _is_gone(child)
        os.kill(worker.process.pid, signal.SIGSTOP)  # as if stuck for ever
        assert worker.cancel(job)
        with pytest.raises(Cancelled):
            worker.wait(job, PATIENCE)
        assert worker.process.wait(PATIENCE) == -signal.SIGKILL
        _until(lambda: _is_gone(child), "the child outlived the worker")


@needs_posix
@pytest.mark.parametrize(
    "name, trace", [("SIGKILL", ""), ("SIGSEGV", "Fatal Python error: Segmentation fault")]
)
def test_a_crash_is_told_with_the_last_lines_of_the_log(
    short: ClassifyParams, long: ClassifyParams, name: str, trace: str
) -> None:
    with WorkerClient() as worker:
        worker.call("models", {"folders": ["/nowhere"]}, timeout=PATIENCE)
        jobs = [worker.start(p.METHOD, p.to_json()) for p in (long, short)]
        os.kill(worker.process.pid, signal.Signals[name])
        for job in jobs:
            with pytest.raises(WorkerEndedError, match=f"killed by {name}") as caught:
                worker.wait(job, PATIENCE)
            assert "models 1" in str(caught.value) and trace in str(caught.value)
        with pytest.raises(WorkerEndedError, match=f"killed by {name}"):
            worker.ask(HelloParams())


@pytest.mark.parametrize("way", ["shutdown", "stdin closed"])
def test_it_ends_when_told_to_in_the_middle_of_a_job(long: ClassifyParams, way: str) -> None:
    process = _raw()
    _send(process.stdin, encode(long.request(1)))
    messages = _messages(process.stdout)
    assert isinstance(next(messages), Notification)
    if way == "shutdown":
        _send(process.stdin, encode(Request(2, "shutdown")))
    else:
        assert process.stdin is not None
        process.stdin.close()
    answers = [m for m in messages if isinstance(m, Response)]
    assert answers == ([Response(2, {})] if way == "shutdown" else [])
    assert process.wait(PATIENCE) == 0


@needs_posix
def test_it_dies_with_its_parent_in_the_middle_of_a_job(long: ClassifyParams) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, str(Path(__file__).with_name("worker_middle.py"))]
    middle = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=REPO)
    assert middle.stderr is not None
    pid = int(middle.stderr.readline())
    _send(middle.stdin, encode(long.request(1)))
    messages = _messages(middle.stdout)
    assert any(isinstance(m, Notification) and m.params["phase"] == "Preparing" for m in messages)
    assert not _is_gone(pid)
    middle.kill()
    middle.wait()
    # Our ends of its stdin and stdout are still open: only the parent's death can tell it.
    _until(lambda: _is_gone(pid), "the worker outlived its parent")
    assert all(isinstance(m, Notification) for m in messages)


@needs_posix
def test_it_dies_with_a_process_that_is_not_its_direct_parent() -> None:
    watched = subprocess.Popen(["sleep", "1000"])
    process = _raw("--parent-pid", str(watched.pid))
    _send(process.stdin, encode(HelloParams().request(1)))
    assert isinstance(next(_messages(process.stdout)), Response)
    assert process.poll() is None
    watched.kill()
    watched.wait()
    assert process.wait(PATIENCE) == 0


def test_memory_is_given_back_after_a_while_without_a_job(
    worker: WorkerClient, short: ClassifyParams
) -> None:
    job = worker.start(short.METHOD, short.to_json())
    first = short.read_answer(worker.wait(job, PATIENCE))
    done = f"classify {job},"
    _until(lambda: done in worker.log, "the job is not in the log")
    _until(lambda: "Released the model" in worker.log.rpartition(done)[2], "the model was kept")
    assert worker.ask(short, timeout=PATIENCE).probabilities == first.probabilities


def test_what_a_listener_raises_reaches_the_caller_and_waiting_in_it_is_refused(
    worker: WorkerClient, short: ClassifyParams
) -> None:
    def listen(_note: JobProgress) -> None:
        worker.ask(HelloParams())

    with pytest.raises(RuntimeError, match="must not wait"):
        worker.ask(short, on_progress=listen, timeout=PATIENCE)
    assert worker.ask(short, timeout=PATIENCE).name == "short"
