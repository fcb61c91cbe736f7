"""``segclassify recipe brain-tumour --phantoms --small``: parts, what learned from what, files, and going on."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from SegClassifyLib.cases.schema import Case
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.experiment.settings import ALL
from SegClassifyLib.recipes.made_up import phantoms_of
from SegClassifyLib.recipes.recipe import RECIPES, Recipe, read_recipe
from SegClassifyLib.recipes.run import Order, RecipeResult, run_recipe
from SegClassifyLib.recipes.split import split_candidates
from SegClassifyLib.training.family import open_family

ARMS = ("linear", "shape")


@dataclass(frozen=True)
class Run:
    """A run of the shipped recipe but for its segmenter, which here is smaller and trained for two steps."""

    recipe: Recipe
    file: Path
    folder: Path
    printed: str

    @property
    def training_set(self) -> TrainingSet:
        return TrainingSet.open(self.folder / "set")

    def parts(self) -> dict[str, list[Case]]:
        """Cases by what they are for, as the training set has them."""
        found: dict[str, list[Case]] = {"segmenter": [], "train": [], "test": []}
        for case in self.training_set.cases:
            found["segmenter" if case.role == "segmenter" else case.split].append(case)
        return found

    def again(self) -> RecipeResult:
        """The same order; what is there is taken as it is."""
        order = Order(self.recipe, self.recipe.small, self.folder, arms=ARMS, device="cpu")
        return run_recipe(order)

    def files(self) -> dict[str, str]:
        """What is written for people, by name."""
        names = ("recipe.md", "recipe.csv", "report.html")
        return {name: (self.folder / name).read_text(encoding="utf-8") for name in names}


def command(file: Path, folder: Path, *more: str) -> tuple[int, str]:
    """Exit code and all that was printed, in one line."""
    line = ["recipe", str(file), "--phantoms", "--output", str(folder), "--jobs", "1", "--device", "cpu"]
    done = CliRunner().invoke(app, [*line, "--arms", ",".join(ARMS), *more])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("small")
    shipped = read_recipe("brain-tumour")
    network = {"base_filters": 2, "num_blocks": [1, 1]}
    quick = shipped.small.model_copy(update={"epochs": 1, "steps_per_epoch": 2, "network": network})
    recipe = shipped.model_copy(update={"small": quick})
    (home / "quick.json").write_text(recipe.model_dump_json(), encoding="utf-8")
    code, printed = command(home / "quick.json", home / "run", "--small")
    assert code == 0, printed
    return Run(recipe, home / "quick.json", home / "run", printed)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("seed", range(2))
def test_small_numbers_are_exact_and_no_patient_is_in_two_parts(name: str, seed: int) -> None:
    recipe = read_recipe(name)
    found = phantoms_of(recipe).find(recipe.small, seed)
    parts = split_candidates(found.candidates, found.classes, recipe.small.sizes, seed)
    assert Counter(parts.values()) == recipe.small.sizes.model_dump()
    home = {c.name: c for c in found.candidates}
    assert len({(home[case].group, part) for case, part in parts.items()}) == len(
        {home[case].group for case in parts}
    )
    for part in ("train", "test"):
        counts = Counter(home[case].label_class for case in parts if parts[case] == part)
        assert len(counts) == recipe.class_count and max(counts.values()) - min(counts.values()) <= 1


def test_cases_are_those_of_the_small_scale_and_know_only_what_they_are_for(run: Run) -> None:
    parts, sizes = run.parts(), read_recipe("brain-tumour").small.sizes
    assert {name: len(cases) for name, cases in parts.items()} == sizes.model_dump()
    assert all(c.segmentation and not c.label_class for c in parts["segmenter"])
    assert all(c.label_class and not c.segmentation for c in parts["train"] + parts["test"])
    for part in ("train", "test"):
        assert set(Counter(c.label_class for c in parts[part]).values()) == {6}
    patients = [{c.group for c in cases} for cases in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == sizes.all, "every head is another person"
    images = [c.image_hash for cases in parts.values() for c in cases]
    assert len(set(images)) == len(images)
    assert run.training_set.ndim == 3 and run.training_set.channels == ("T1c", "FLAIR")
    written = json.loads((run.folder / "recipe.json").read_text(encoding="utf-8"))["parts"]
    assert written == {c.name: part for part, cases in parts.items() for c in cases}


def test_the_segmenter_has_seen_its_own_cases_only(run: Run) -> None:
    family = open_family(run.folder / "segmenter")
    seen, parts = set(family.full.provenance.segmenter_images), run.parts()
    assert seen and seen <= {c.image_hash for c in parts["segmenter"]}
    assert not family.folds, "its cases train no classifier"


def test_arms_learn_from_the_training_cases_and_their_figures_are_of_the_test_cases(run: Run) -> None:
    comparison, parts = run.again().comparison, run.parts()
    ((fold,),) = comparison.folds.values()
    for part, rows in (("train", fold.train), ("test", fold.test)):
        assert sorted(comparison.cases[i] for i in rows) == sorted(c.name for c in parts[part])
    truth = {c.name: run.training_set.classes.index(str(c.label_class)) for c in parts["test"]}
    y = np.array([truth[comparison.cases[i]] for i in fold.test])
    table = list(csv.DictReader(run.files()["recipe.csv"].splitlines()))
    for arm in ARMS:
        (file,) = (run.folder / "compare" / "units" / arm).rglob("*.json")
        said = np.array(json.loads(file.read_text(encoding="utf-8"))["proba"]).argmax(1)
        score = comparison.score(arm, ALL)
        assert score is not None and score.scores["accuracy"].value == pytest.approx(np.mean(said == y))
        (told,) = (r for r in table if r["arm"] == arm and r["metric"] == "accuracy")
        assert float(told["value"]) == pytest.approx(np.mean(said == y), abs=1e-6)
        assert (told["train"], told["test"], told["cases"]) == ("18", "18", "phantoms")


def test_the_abstract_stands_beside_and_it_is_said_what_these_figures_are(run: Run) -> None:
    files, published = run.files(), run.recipe.published
    (paper,) = (r for r in csv.DictReader(files["recipe.csv"].splitlines()) if r["arm"] == "abstract")
    figures = [float(paper[name]) for name in ("value", "low", "high")]
    assert figures == [published.accuracy, published.low, published.high] == [0.82, 0.76, 0.87]
    assert (paper["metric"], paper["train"], paper["test"], paper["cases"]) == (
        "accuracy", "91", "191", "the paper's",
    )  # fmt: skip
    row = "| the paper's abstract, its own cases | 0.82 (0.76–0.87) | – | – |"
    for text in (" ".join(files["recipe.md"].split()), run.printed):
        assert row in text and "say nothing about patients or about the figures of the paper" in text
    assert "18 cases trained the classifiers and 18 were tested on; 6 others trained the segmenter" in (
        " ".join(files["recipe.md"].split())
    )
    page = files["report.html"].replace("&#x27;", "'")
    assert "the paper's abstract, its own cases" in page and "0.82 (0.76–0.87)" in page
    for text in (files["recipe.md"], page):
        assert "not those of the abstract: this was a quick look" in text


def test_the_same_command_goes_on_and_comes_to_the_same_figures(run: Run) -> None:
    before = run.files()
    kept = [run.folder / "segmenter" / "model" / "configs" / "metadata.json"]
    kept += sorted((run.folder / "compare" / "units" / "linear").rglob("*.json"))
    times = [path.stat().st_mtime_ns for path in kept]
    for path in [*(run.folder / "compare" / "units" / "shape").rglob("*.json"), run.folder / "recipe.md"]:
        path.unlink()
    code, printed = command(run.file, run.folder, "--small")
    assert code == 0, printed
    assert len(kept) == 2 and [path.stat().st_mtime_ns for path in kept] == times
    after = run.files()
    assert after["recipe.md"] == before["recipe.md"] and after["recipe.csv"] == before["recipe.csv"]


def test_another_scale_wants_another_folder_and_a_damaged_record_is_said(run: Run, tmp_path: Path) -> None:
    code, printed = command(run.file, run.folder)
    assert code == 1 and "begun with another scale" in printed
    code, printed = command(run.file, run.folder, "--small", "--minutes", "1")
    assert code == 1 and "begun with another scale" in printed
    (tmp_path / "recipe.json").write_text('{"version": 1,', encoding="utf-8")
    code, printed = command(run.file, tmp_path, "--small")
    assert code == 1 and "is damaged: choose a new folder" in printed
