"""Classifiers trained by a real worker, and what is done with them: the same numbers as by the command."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from untrained import fresh_family, slice_set
from worker_data import running_worker

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import Cancelled
from SegClassifyLib.package.store import open_package, save_package
from SegClassifyLib.training.family import SegmenterFamily, save_family
from SegClassifyLib.worker.client import WorkerClient, WorkerError
from SegClassifyLib.worker.protocol import (
    TRAINING_PHASES,
    BaselineParams,
    ClassifierTrained,
    Code,
    CompareModelsParams,
    EvaluateModelParams,
    JobProgress,
    LastClassifierParams,
    ModelsParams,
    NextCasesParams,
    OpenSetParams,
    Params,
    SaveModelParams,
    ScoreInfo,
    TrainClassifierParams,
)


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """Six of each of two classes to train on and two to test, one without a class."""
    training_set = slice_set(tmp_path_factory.mktemp("classifier") / "set", classified=6, test=2)
    training_set.change(training_set.cases[0].name, label_class=None)
    return training_set


@pytest.fixture(scope="module")
def segmenter(slices: TrainingSet) -> str:
    """It learned nothing and says so; what trains it is not asked here."""
    return str(save_package(fresh_family().full, slices.folder.parent / "segmenter"))


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerClient]:
    with running_worker() as client:
        yield client


@pytest.fixture(scope="module")
def trained(slices: TrainingSet, segmenter: str, worker: WorkerClient) -> ClassifierTrained:
    notes: list[JobProgress] = []
    params = TrainClassifierParams(
        str(slices.folder), segmenter, "Lesions", head="linear", further=(8,), device="cpu"
    )
    result = worker.ask(params, notes.append)
    assert {note.phase for note in notes} <= set(TRAINING_PHASES)
    return result


def command(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def ends(score: ScoreInfo) -> tuple[float | None, float | None, float | None]:
    return score.value, score.low, score.high


def test_every_number_is_that_of_the_command(
    slices: TrainingSet, segmenter: str, trained: ClassifierTrained, worker: WorkerClient, tmp_path: Path
) -> None:
    known = command(
        *("train-classifier", str(slices.folder), segmenter, str(tmp_path / "model")),
        *("--name", "Lesions", "--head", "linear", "--further", "8", "--baseline", "shape"),
    )
    told = {s["metric"]: (s["value"], s["low"], s["high"]) for s in known["scores"]}
    assert [ends(s) for s in trained.scores] == list(told.values())[:3]
    assert [ends(s) for s in trained.auc] == [tuple(v.values()) for v in known["auc"].values()]
    assert [list(row) for row in trained.confusion] == known["confusion"]
    assert [d.sentence for d in trained.doubtful] == [d["sentence"] for d in known["doubtful_cases"]]
    curve = known["learning_curve"]
    assert [(p.cases, p.value, p.low, p.high) for p in trained.curve] == [
        (p["cases"], p["value"], p["low"], p["high"]) for p in curve["points"]
    ]
    assert list(trained.outlook) == [o["sentence"] for o in curve["outlook"]] + [
        r for r in [curve["refusal"]] if r
    ]
    shape = worker.ask(BaselineParams(str(slices.folder), trained.run, "shape", "cpu"))
    (same,) = known["baselines"]
    assert (same["name"], same["sentence"]) == (shape.name, shape.sentence)
    assert [ends(s) for s in shape.scores] == [tuple(s.values()) for s in same["scores"].values()]
    one, other = open_package(trained.run), open_package(known["package"])
    assert one.head is not None and other.head is not None and one.temperature == other.temperature
    assert all((v == other.head.arrays[k]).all() for k, v in one.head.arrays.items())


def test_answers_make_up_the_table_and_are_remembered(
    slices: TrainingSet, trained: ClassifierTrained, worker: WorkerClient
) -> None:
    assert (trained.cases, trained.groups, trained.head, trained.classes) == (
        11,
        11,
        "linear",
        slices.classes,
    )
    counted = Counter((a.class_name, a.predicted) for a in trained.answers)
    for i, true in enumerate(trained.classes):
        for j, said in enumerate(trained.classes):
            assert trained.confusion[i][j] == counted[true, said]
    rows = {row.name: row for row in worker.ask(OpenSetParams(str(slices.folder))).cases}
    for answer in trained.answers:
        assert answer.class_name == rows[answer.case].class_name
        assert rows[answer.case].predicted == answer.predicted
        assert rows[answer.case].probability == max(answer.probabilities)
    assert sum(bool(row.predicted) for row in rows.values()) == 11
    assert any("Only 11 cases" in w for w in trained.warnings)
    assert any("Fresh does not say on which images" in w for w in trained.warnings)
    assert "orphan file" not in {f.kind for f in slices.validate()}
    with running_worker() as later:
        assert later.ask(LastClassifierParams(str(slices.folder))) == (trained,)


def test_flattering_and_thin_numbers_are_warned_about(
    slices: TrainingSet, worker: WorkerClient, tmp_path: Path
) -> None:
    copy = slice_set(tmp_path / "thin", classified=4)
    seen = frozenset(str(c.image_hash) for c in copy.cases[:3])
    path = save_family(SegmenterFamily(fresh_family(seen).full), tmp_path / "family").parent
    params = TrainClassifierParams(
        str(copy.folder), str(path), head="linear", seen="include", further=(), device="cpu"
    )
    found = worker.ask(params)
    assert "trained on 3 of the 8 cases" in found.warnings[0] and "numbers flatter" in found.warnings[0]
    assert "Fewer than five patients in round (4) and spiculated (4)" in found.warnings[1]
    assert found.curve == () and found.outlook == () and not any("flatters" in n for n in found.notes)


def test_a_baseline_is_compared_on_the_same_folds(
    slices: TrainingSet, trained: ClassifierTrained, worker: WorkerClient
) -> None:
    found = worker.ask(BaselineParams(str(slices.folder), trained.run, "shape", "cpu"))
    own, other = trained.scores[0].value, found.scores[0].value
    assert own is not None and other is not None
    assert found.difference.value == pytest.approx(own - other)
    assert "Lesions" in found.sentence and found.name in found.sentence
    identities: list[int | str] = []

    def on_progress(note: JobProgress) -> None:
        if note.phase == "Training from scratch" and not identities:
            identities.append(note.id)
            threading.Thread(target=worker.cancel, args=(note.id,)).start()

    with pytest.raises(Cancelled):
        worker.ask(BaselineParams(str(slices.folder), trained.run, "scratch", "cpu"), on_progress)
    assert identities and worker.process.poll() is None, "it stopped by itself"


def test_saving_twice_keeps_both_versions(
    trained: ClassifierTrained, worker: WorkerClient, tmp_path: Path
) -> None:
    models = str(tmp_path / "models")
    first = worker.ask(SaveModelParams(trained.run, "Lesion type", "Tells *two* shapes apart.", models))
    second = worker.ask(SaveModelParams(trained.run, "Lesion type", "Better words.", models))
    again = worker.ask(SaveModelParams(trained.run, "Lesion type", "Better words.", models))
    assert first.path != second.path == again.path and first.version != second.version
    assert first.name == second.name == "Lesion type" and not first.problem
    assert [m.path for m in worker.ask(ModelsParams((models,)))] == [second.path, first.path], "newest first"
    source, saved = open_package(trained.run), open_package(first.path)
    assert saved.provenance == source.provenance and saved.training == source.training
    card = Path(first.path, "docs", "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Lesion type") and "Tells *two* shapes apart." in card
    assert first.balanced_accuracy


def test_comparing_evaluating_and_choosing_give_what_the_commands_give(
    slices: TrainingSet, trained: ClassifierTrained, worker: WorkerClient, tmp_path: Path
) -> None:
    folder = str(slices.folder)
    other = worker.ask(SaveModelParams(trained.run, "Other", "", str(tmp_path))).path
    compared = worker.ask(CompareModelsParams(folder, trained.run, other, "cpu"))
    known = command("compare-models", trained.run, other, folder)
    assert compared.sentence == known["sentence"] and list(compared.notes) == known["notes"]
    assert [ends(p.first) for p in compared.scores] == [tuple(s["first"].values()) for s in known["scores"]]
    assert (compared.first, compared.second, compared.disagreements) == ("Lesions", "Other", ())
    evaluated = worker.ask(EvaluateModelParams(folder, other, "cpu"))
    known = command("evaluate", other, folder)
    assert [ends(s) for s in evaluated.scores] == [tuple(s.values()) for s in known["scores"].values()]
    assert [list(row) for row in evaluated.confusion] == known["confusion"]
    assert evaluated.cases == len(evaluated.answers) == 4 and len(evaluated.auc) == 2
    suggested = worker.ask(NextCasesParams(folder, trained.run, count=3, device="cpu"))
    known = command("next", trained.run, folder, "-n", "3")
    assert [s.reason for s in suggested.suggestions] == [s["reason"] for s in known["suggestions"]]
    (case,) = suggested.suggestions
    assert case.in_set and case.name == slices.cases[0].name and Path(case.images[0]).is_file()
    row = next(r for r in worker.ask(OpenSetParams(folder)).cases if r.name == case.name)
    assert row.predicted and row.probability == max(case.probabilities)


def test_what_cannot_be_done_is_a_sentence(
    slices: TrainingSet, segmenter: str, trained: ClassifierTrained, worker: WorkerClient, tmp_path: Path
) -> None:
    folder, nowhere = str(slices.folder), str(tmp_path / "nowhere")
    few = slice_set(tmp_path / "few", classified=1)
    wrong: list[tuple[Params[Any], str]] = [
        (TrainClassifierParams(folder, nowhere), "nowhere"),
        (TrainClassifierParams(folder, segmenter, head="cubic"), "no classifier 'cubic': choose one of auto"),
        (TrainClassifierParams(folder, segmenter, seen="some"), "choose one of crossfit"),
        (TrainClassifierParams(str(few.folder), segmenter), "one case"),
        (BaselineParams(folder, trained.run, "luck"), "no baseline 'luck'"),
        (BaselineParams(folder, nowhere, "shape"), "no training of a classifier"),
        (SaveModelParams(trained.run, "  ", ""), "needs a name"),
        (SaveModelParams(nowhere, "Name", ""), "nowhere"),
        (CompareModelsParams(folder, trained.run, segmenter), "Fresh has no classifier"),
        (EvaluateModelParams(folder, segmenter), "Fresh has no classifier"),
        (EvaluateModelParams(str(few.folder), trained.run), "no test case"),
        (NextCasesParams(folder, segmenter), "Fresh has no classifier"),
        (NextCasesParams(folder, trained.run, count=0), "0 cases cannot be named"),
    ]
    for params, words in wrong:
        with pytest.raises(WorkerError, match=words) as error:
            worker.ask(params)
        assert error.value.code == Code.USER_ERROR, params
    assert worker.ask(LastClassifierParams(str(few.folder))) == ()
    changed = slices.case(trained.answers[0].case)
    slices.change(changed.name, label_class=next(c for c in slices.classes if c != changed.label_class))
    with pytest.raises(WorkerError, match=f"The case '{changed.name}' was removed or changed"):
        worker.ask(BaselineParams(folder, trained.run, "shape"))
    slices.change(changed.name, label_class=changed.label_class)
