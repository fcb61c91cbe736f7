"""The next case to annotate: unsure and unlike what is known first, for the reason that is given."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from untrained import fresh_family, quick_model, slice_set

from SegClassifyLib.annotation.next_case import NextCases, next_cases
from SegClassifyLib.annotation.order import annotation_order, nearest
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import Cancelled, ModelPackageError, TrainingSetError
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.store import save_package
from SegClassifyLib.progress import Progress

FAMILY = fresh_family()


def places(*x: float) -> np.ndarray:
    return np.array(x, float)[:, None]


def two(*p: float) -> np.ndarray:
    return np.c_[p, 1 - np.array(p)]


def order(
    proba: np.ndarray, Z: np.ndarray, labelled: np.ndarray, groups: str = "", count: int = 99
) -> list[int]:
    names = np.array(list(groups or "abcdefgh"[: len(Z)]))
    return [p.index for p in annotation_order(proba, Z, labelled, names, count)]


def test_of_equally_unsure_cases_the_farthest_comes_first_and_then_what_is_far_from_that() -> None:
    torn = two(0.5, 0.5, 0.5, 0.5)
    Z, labelled = places(1.0, 9.0, 10.0, -4.0), places(0.0)
    assert order(torn, Z, labelled) == [2, 3, 0, 1], "9 is next to 10 once that is picked"
    assert order(torn, Z, np.r_[labelled, places(10.0)]) == [3, 0, 1, 2]
    picks = annotation_order(torn, Z, labelled, np.array(list("abcd")), 2)
    assert [p.unsure for p in picks] == [1.0, 1.0]
    assert picks[0].distance == pytest.approx(100 / np.median([1, 81, 100, 16]))
    assert picks[0].farther_than == 1.0 and len(picks) == 2


def test_of_equally_far_cases_the_unsure_comes_first_and_the_two_are_weighed() -> None:
    Z, labelled = np.eye(4) * 3, np.zeros((1, 4))
    assert order(two(0.9, 0.55, 0.99, 0.7), Z, labelled) == [1, 3, 0, 2]
    unsure = annotation_order(two(0.9, 0.55, 0.99, 0.7), Z, labelled, np.array(list("abcd")), 1)[0].unsure
    assert unsure == pytest.approx(1 - 0.1)
    assert order(two(0.75, 0.5), places(3.0, -1.0), places(0.0)) == [0, 1], "0.5 * 9 against 1 * 1"
    assert order(two(0.97, 0.5), places(3.0, -1.0), places(0.0)) == [1, 0], "0.06 * 9 against 1 * 1"
    three = np.array([[0.4, 0.3, 0.3], [0.45, 0.45, 0.1]])
    assert order(three, places(2.0, -2.0), places(0.0)) == [1, 0], "torn between two of three"


def test_patients_take_turns_and_known_ones_wait() -> None:
    torn, Z = two(0.5, 0.5, 0.5), places(10.0, -9.0, 1.0)
    assert order(torn, Z, places(0.0), "aab") == [0, 2, 1]
    known = annotation_order(torn, Z, places(0.0), np.array(list("aab")), 9, frozenset("a"))
    assert [p.index for p in known] == [2, 0, 1]


def test_without_labelled_cases_the_most_unsure_begins() -> None:
    picks = annotation_order(
        two(0.9, 0.6, 0.8), places(0.0, 1.0, 5.0), np.zeros((0, 1)), np.array(list("abc")), 9
    )
    assert [p.index for p in picks] == [1, 2, 0] and np.isnan(picks[0].distance)


def test_copies_of_what_is_known_come_last_and_distances_are_those_of_mathematics() -> None:
    assert order(two(0.5, 0.6, 0.5), places(0.0, 2.0, 0.0), places(0.0)) == [1, 0, 2]
    A, B = np.random.default_rng(0).normal(size=(2, 7, 5))
    expected = ((A[:, None] - B) ** 2).sum(-1).min(1)
    np.testing.assert_allclose(nearest(A, B), expected)
    assert np.isinf(nearest(A, B[:0])).all()


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """Fourteen lesions, eight of them labelled, and two test cases of each class."""
    made = slice_set(tmp_path_factory.mktemp("next") / "set", classified=7, test=2)
    train = [c for c in made.cases if c.split == "train"]
    for case in [*train[4:7], *train[11:]]:
        made.change(case.name, label_class=None)
    return made


@pytest.fixture(scope="module")
def model(slices: TrainingSet) -> Model:
    return quick_model(slices, FAMILY, slices.folder.parent / "cache")


@pytest.fixture
def cache(slices: TrainingSet) -> FeatureCache:
    return FeatureCache(slices.folder.parent / "cache")


@pytest.fixture
def folder(slices: TrainingSet, tmp_path: Path) -> Path:
    """Three new images, one of them twice, a labelled, an unlabelled and a test image of the set, a broken one."""
    more = slice_set(tmp_path / "more", classified=2, seed=77)
    into = tmp_path / "folder"
    into.mkdir()
    new = [more.image_paths(c)[0] for c in more.cases[:3]]
    mine = [slices.image_paths(next(c for c in slices.cases if wanted(c)))[0] for wanted in (
        lambda c: c.label_class and c.split == "train",
        lambda c: c.label_class is None,
        lambda c: c.split == "test",
    )]  # fmt: skip
    for number, path in enumerate([*new, new[0], *mine]):
        shutil.copy(path, into / f"image{number}{path.suffix}")
    (into / "broken.png").write_bytes(b"no picture")
    return into


def test_only_cases_without_a_class_are_named_with_reasons_and_probabilities(
    slices: TrainingSet, model: Model, cache: FeatureCache
) -> None:
    found = next_cases(model, slices, count=10, cache=cache)
    open_ones = {c.name for c in slices.cases if c.label_class is None}
    assert {s.name for s in found.suggestions} == open_ones and len(found.suggestions) == 6
    assert (found.candidates, found.labelled, found.skipped) == (6, 8, ())
    for suggestion in found.suggestions:
        assert suggestion.origin == "set" and suggestion.paths[0].exists()
        ranked = sorted(suggestion.probabilities, reverse=True)
        assert sum(ranked) == pytest.approx(1)
        assert suggestion.unsure == pytest.approx(1 - ranked[0] + ranked[1])
        best = found.classes[int(np.argmax(suggestion.probabilities))]
        hesitates = "hesitates between" in suggestion.reason
        assert best in suggestion.reason and f"{ranked[0]:.0%}" in suggestion.reason
        assert hesitates == (suggestion.unsure >= 0.5)
        assert ("less like those with a class" in suggestion.reason) == (suggestion.farther_than >= 0.5)
        assert ("than any other case." in suggestion.reason) == (suggestion.farther_than == 1)
    assert found == next_cases(model, slices, count=10, cache=None), "the same with and without the cache"


def test_probabilities_are_those_of_classify(slices: TrainingSet, model: Model, cache: FeatureCache) -> None:
    from SegClassifyLib.classify.classifier import Classifier

    assert model.temperature == 1
    model = replace(model, temperature=2.5)
    first = next_cases(model, slices, count=1, cache=cache).suggestions[0]
    np.testing.assert_allclose(
        first.probabilities, Classifier(model, "cpu").classify(first.paths).probabilities, atol=1e-6
    )


def test_a_folder_adds_what_is_new_to_the_set(
    slices: TrainingSet, model: Model, cache: FeatureCache, folder: Path
) -> None:
    for kept in (cache, None):
        found = next_cases(model, slices, folder, count=99, cache=kept)
        new = [s for s in found.suggestions if s.origin == "folder"]
        assert {s.name for s in new} == {"image0", "image1", "image2"}, (
            "twins, labelled and test images are known"
        )
        assert found.candidates == 9
        assert (
            len(found.skipped) == 1
            and found.skipped[0][0] == "broken"
            and "broken.png" in found.skipped[0][1]
        )


def test_nothing_to_choose_from_is_said(
    slices: TrainingSet, model: Model, cache: FeatureCache, tmp_path: Path
) -> None:
    full = slice_set(tmp_path / "full", classified=2)
    with pytest.raises(TrainingSetError, match="has no case without a class: add cases"):
        next_cases(model, full, cache=cache)
    shutil.copytree(full.folder / "images", tmp_path / "same")
    with pytest.raises(TrainingSetError, match="all images of the folder are in the training set"):
        next_cases(model, full, tmp_path / "same", cache=cache)
    with pytest.raises(TrainingSetError, match="There is no folder"):
        next_cases(model, slices, tmp_path / "gone", cache=cache)
    with pytest.raises(ModelPackageError, match="has no classifier"):
        next_cases(replace(model, head=None, classes=(), trust=None), slices, cache=cache)
    with pytest.raises(Cancelled):
        next_cases(model, slices, cache=cache, progress=Progress(is_cancelled=lambda: True))


def test_the_command_names_what_the_library_names(
    slices: TrainingSet, model: Model, cache: FeatureCache, tmp_path: Path
) -> None:
    package = save_package(model, tmp_path / "model")
    command = [
        "next",
        str(package),
        str(slices.folder),
        "--cache",
        str(cache.folder),
        "-n",
        "3",
        "--device",
        "cpu",
    ]
    run = CliRunner().invoke(app, [*command, "--json"])
    assert run.exit_code == 0, run.output
    content = json.loads(run.stdout)
    known: NextCases = next_cases(model, slices, count=3, cache=cache)
    assert [s["name"] for s in content["suggestions"]] == [s.name for s in known.suggestions]
    assert list(content["suggestions"][0]["probabilities"].values()) == list(
        known.suggestions[0].probabilities
    )
    shown = CliRunner().invoke(app, command).output
    assert known.suggestions[2].reason in shown and "Chosen from 6 cases without a class beside 8" in shown
