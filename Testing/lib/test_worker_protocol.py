"""The protocol's messages and lines: what is written is what is read, whatever comes in, and nothing but the standard
library is needed for it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import SegClassifyLib
from SegClassifyLib.errors import Cancelled
from SegClassifyLib.worker.plain import PlainData
from SegClassifyLib.worker.protocol import (
    METHODS,
    AddModelParams,
    Broken,
    CancelParams,
    ChannelInfo,
    ClassifyParams,
    ClassifyResult,
    Code,
    Device,
    DevicesParams,
    FileSource,
    Hello,
    JobProgress,
    LabelInfo,
    LineDecoder,
    ModelInfo,
    Notification,
    Request,
    Response,
    RpcError,
    ShapeError,
    VolumeSource,
    decode,
    encode,
)
from SegClassifyLib.worker.reporter import Reporter

LIBRARY = Path(SegClassifyLib.__file__).resolve().parents[1]

VOLUME = VolumeSource(
    "T1 über", "/tmp/a.npy", (1.0, 0.1 + 0.2, 2.0), (-1e-17, 0.0, 3.5), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
)
CLASSIFY = ClassifyParams("model", (VOLUME, FileSource("b.nii.gz")), "out", "case 7")
RESULT = ClassifyResult(
    name="case 7",
    model="m",
    classes=("a", "b"),
    probabilities=(1 / 3, 2 / 3),
    predicted="b",
    sentence="b (67 %; a 33 %)",
    warnings=("Unlike.",),
    notes=(),
    device="cpu",
    seconds={"open": 0.25},
    labels=(LabelInfo(1, "tumour", (0.1, 0.2, 0.3)),),
    label_file="l.npy",
    label_volumes={"tumour": 1.5},
    features_file="f.json",
)
MODEL = ModelInfo(
    "m", "1", "/m", 3, (ChannelInfo("T1", "MR"),), ("a",), RESULT.labels, "summary", "80 %", "", True
)


@pytest.mark.parametrize(
    "message",
    [
        CLASSIFY,
        RESULT,
        MODEL,
        CancelParams("seven"),
        CancelParams(7),
        JobProgress(3, "Reading", 0.5, None, "", None),
        Hello(1, "0.1", "3.12", 4, ("torch",)),
    ],
)
def test_messages_survive_the_wire(message: PlainData) -> None:
    line = encode(Response(1, message.to_json()))
    (back,) = LineDecoder().feed(line)
    assert isinstance(back, Response)
    assert type(message).from_json(back.result) == message
    assert line.count(b"\n") == 1 and line.endswith(b"\n")


def test_every_method_has_its_parameters() -> None:
    assert set(METHODS) == {
        "hello", "devices", "models", "add_model", "remove_model", "classify", "cancel", "release", "shutdown",
        "open_set", "create_set", "read_set", "close_set", "add_case", "change_cases", "save_segmentation",
        "remove_cases", "undo_set", "rename_class", "import_cases", "check_set",
        "plan_segmenter", "train_segmenter", "segmenter_runs", "keep_segmenter", "train_classifier", "last_classifier",
        "baseline", "save_model", "compare_models", "evaluate_model", "next_cases", "evidence",
    }  # fmt: skip
    for name, kind in METHODS.items():
        assert name == kind.METHOD
    request = CLASSIFY.request(5)
    assert (request.id, request.method) == (5, "classify")
    assert ClassifyParams.from_json_strictly(request.params) == CLASSIFY
    devices = DevicesParams().read_answer([{"name": "cpu", "label": "Processor"}])
    assert devices == (Device("cpu", "Processor"),)


def test_only_the_standard_library_is_needed(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(LIBRARY)!r}); before = set(sys.modules)\n"
        "import SegClassifyLib.worker.protocol\n"
        "new = {m.split('.')[0] for m in sys.modules} - {m.split('.')[0] for m in before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    # -I -S: no site-packages, no environment variables: Slicer before anything was installed.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "['SegClassifyLib']"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_come_together_from_pieces(size: int) -> None:
    sent = [
        CLASSIFY.request(1),
        Notification("progress", {"id": 1}),
        Response("x", error=RpcError(-32601, "no")),
    ]
    data = b"".join(encode(m) for m in sent).replace(b"\n", b"\r\n", 1) + b"\n\n  \n"  # type: ignore[arg-type]
    decoder = LineDecoder()
    found = [m for i in range(0, len(data), size) for m in decoder.feed(data[i : i + size])]
    assert found == sent
    assert decoder.finish() == []


@pytest.mark.parametrize(
    "line, code, identity",
    [
        (b"nonsense", Code.PARSE_ERROR, None),
        (b"\xff\xfe\x00", Code.PARSE_ERROR, None),
        (b"[" * 100_000, Code.PARSE_ERROR, None),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"a": NaN}}', Code.PARSE_ERROR, None),
        (b"[]", Code.INVALID_REQUEST, None),
        (b'{"id": 4, "method": "hello"}', Code.INVALID_REQUEST, 4),
        (b'{"jsonrpc": "2.0", "id": 4}', Code.INVALID_REQUEST, 4),
        (b'{"jsonrpc": "2.0", "id": 4, "method": 3}', Code.INVALID_REQUEST, 4),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "hello"}', Code.INVALID_REQUEST, None),
        (b'{"jsonrpc": "2.0", "id": true, "method": "hello"}', Code.INVALID_REQUEST, None),
        (b'{"jsonrpc": "2.0", "id": 4, "method": "hello", "params": [1]}', Code.INVALID_PARAMS, 4),
        (b'{"jsonrpc": "2.0", "id": 4, "result": 1, "error": {}}', Code.INVALID_REQUEST, 4),
    ],
)
def test_broken_lines_are_errors_and_the_next_line_is_read(
    line: bytes, code: Code, identity: int | None
) -> None:
    broken, whole = LineDecoder().feed(line + b"\n" + encode(Request(9, "hello")))
    assert isinstance(broken, Broken)
    assert (broken.error.code, broken.id) == (code, identity)
    assert whole == Request(9, "hello")


def test_a_line_without_end_is_not_kept() -> None:
    decoder = LineDecoder(longest=100)
    for _ in range(50):
        assert decoder.feed(b"x" * 90) == []
    assert sum(map(len, decoder._pieces)) <= 100
    broken, whole = decoder.feed(b"\n" + encode(Request(1, "hello")))
    assert isinstance(broken, Broken) and "4500 bytes" in broken.error.message
    assert whole == Request(1, "hello")


def test_a_last_line_without_its_end_counts() -> None:
    decoder = LineDecoder()
    assert decoder.feed(encode(Request(1, "hello"))[:-1]) == []
    assert decoder.finish() == [Request(1, "hello")]
    assert decoder.finish() == []


def test_file_names_that_are_no_unicode_survive() -> None:
    name = b"caf\xe9.nii".decode("utf-8", "surrogateescape")
    back = decode(encode(AddModelParams(name).request(1)))
    assert isinstance(back, Request) and back.params["path"] == name


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(Response(1, {"p": float("nan")}))


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"model": None}, "model should be a string, not None"),
        ({"colour": 1}, "colour is not known"),
        ({"images": {}}, "images should be a list, not {}"),
        ({"images": [3]}, r"images\[0\] should be an object, not 3"),
        ({"images": [{"path": 3}]}, r"images\[0\].path should be a string, not 3"),
        ({"images": [{"array": "a", "spacing": [1, 1, 1]}]}, r"images\[0\].name is missing"),
        ({"images": [{**VOLUME.to_json(), "origin": [1, 2]}]}, "origin of 'T1 über' should be 3 numbers"),
        ({"images": [{**VOLUME.to_json(), "spacing": [1, True, 1]}]}, r"images\[0\].spacing\[1\] should be a finite"),
    ],
)  # fmt: skip
def test_parameters_of_another_shape_are_refused_by_place(change: dict, sentence: str) -> None:
    with pytest.raises(ShapeError, match=f"^{sentence}"):
        ClassifyParams.from_json_strictly({**CLASSIFY.to_json(), **change})


def test_answers_of_a_newer_worker_can_be_read() -> None:
    content = {**Hello(2, "9", "3.20", 1, ()).to_json(), "mood": "fine"}
    assert Hello.from_json(content).protocol == 2
    with pytest.raises(ShapeError, match="missing is missing"):
        Hello.from_json({k: v for k, v in content.items() if k != "missing"})


def test_all_kinds_of_fields_come_back() -> None:
    @dataclass(frozen=True)
    class Odd(PlainData):
        yes: bool
        maybe: tuple[float, ...] | None

    # Types of classes made inside functions are told by name only.
    globals()["Odd"] = Odd
    assert Odd.from_json(json.loads('{"yes": true, "maybe": null}')) == Odd(True, None)
    assert Odd.from_json({"yes": False, "maybe": [1]}) == Odd(False, (1.0,))
    with pytest.raises(ShapeError, match="yes should be true or false"):
        Odd.from_json({"yes": 1, "maybe": None})


def test_progress_is_told_ten_times_a_second_and_at_every_new_phase() -> None:
    now, sent = [0.0], []
    reporter = Reporter("job", sent.append, lambda: False, clock=lambda: now[0])
    for step in range(1000):
        now[0] = step / 500
        reporter.report("Segmenting", step, 1000, "tile")
    assert 18 <= len(sent) <= 20
    for phase in ("Classifying", "Saving"):
        reporter.report(phase)
    assert [note.params["phase"] for note in sent[-2:]] == ["Classifying", "Saving"]
    first = JobProgress.from_json(sent[0].params)
    assert (first.id, first.done, first.total, first.note) == ("job", 0, 1000, "tile")
    assert JobProgress.from_json(sent[-1].params).total is None


def test_reporting_stops_a_cancelled_job() -> None:
    with pytest.raises(Cancelled):
        Reporter(1, lambda _: None, lambda: True).report("Segmenting", 1, 2)
