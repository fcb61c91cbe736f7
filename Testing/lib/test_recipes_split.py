"""The cases of a recipe: numbers exact, classes in proportion, no patient on two sides, the same every time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.recipes.candidates import Candidate, Found, Loaded
from SegClassifyLib.recipes.made_up import phantoms_of
from SegClassifyLib.recipes.recipe import RECIPES, Recipe, Sizes, read_recipe
from SegClassifyLib.recipes.split import split_candidates


def never() -> Loaded:
    raise AssertionError("no image is needed for a split")


def cases(*patients: str) -> list[Candidate]:
    """A patient a word, a case a letter: the letter is the class."""
    return [
        Candidate(f"{number}-{position}", letter, f"patient{number}", never)
        for number, word in enumerate(patients)
        for position, letter in enumerate(word)
    ]


@pytest.mark.parametrize("name", RECIPES)
class TestTheTwoTasks:
    @pytest.fixture
    def recipe(self, name: str) -> Recipe:
        return read_recipe(name)

    def test_numbers_are_those_of_the_abstract(self, recipe: Recipe) -> None:
        wanted = {"brain-tumour": (91, 191, 3), "cardiac-level": (108, 263, 9)}[recipe.name]
        for scale in (recipe.phantoms, recipe.data):
            assert (scale.sizes.train, scale.sizes.test, recipe.class_count) == wanted
        assert (recipe.published.train, recipe.published.test) == wanted[:2]

    @pytest.mark.parametrize("seed", range(3))
    def test_made_up_cases_fill_them_exactly(self, recipe: Recipe, seed: int) -> None:
        scale = recipe.phantoms
        found: Found = phantoms_of(recipe).find(scale, seed)
        parts = split_candidates(found.candidates, found.classes, scale.sizes, seed)
        assert Counter(parts.values()) == scale.sizes.model_dump()
        home = {c.name: c for c in found.candidates}
        sides: dict[str, set[str]] = {}
        for case, part in parts.items():
            sides.setdefault(home[case].group, set()).add(part)
        assert all(len(s) == 1 for s in sides.values())
        for part in ("train", "test"):
            counts = Counter(home[case].label_class for case in parts if parts[case] == part)
            assert len(counts) == recipe.class_count and max(counts.values()) - min(counts.values()) <= 1
        assert parts == split_candidates(found.candidates, found.classes, scale.sizes, seed)
        assert parts != split_candidates(found.candidates, found.classes, scale.sizes, seed + 1)


def test_classes_are_in_proportion() -> None:
    found = cases(*["a"] * 60, *["b"] * 30, *["c"] * 10)
    parts = split_candidates(found, "abc", Sizes(segmenter=10, train=30, test=60), 0)
    classes = {c.name: c.label_class for c in found}
    counts = {
        part: Counter(classes[name] for name in parts if parts[name] == part)
        for part in ("segmenter", "train", "test")
    }
    assert counts["segmenter"] == {"a": 6, "b": 3, "c": 1}
    assert counts["train"] == {"a": 18, "b": 9, "c": 3}
    assert counts["test"] == {"a": 36, "b": 18, "c": 6}


def test_patients_of_many_cases_stay_together_and_spare_cases_are_left_out() -> None:
    rng = np.random.default_rng(0)
    found = cases(*("".join(rng.choice(list("abc"), rng.integers(1, 9))) for _ in range(60)))
    parts = split_candidates(found, "abc", Sizes(segmenter=20, train=41, test=73), 1)
    assert Counter(parts.values()) == {"segmenter": 20, "train": 41, "test": 73}
    sides: dict[str, set[str]] = {}
    for name, part in parts.items():
        sides.setdefault(name.split("-")[0], set()).add(part)
    assert all(len(s) == 1 for s in sides.values())


def test_many_patients_give_a_few_cases_each_rather_than_few_patients_all() -> None:
    found = cases(*["aabbccabc"] * 100)
    parts = split_candidates(found, "abc", Sizes(segmenter=30, train=50, test=90), 0)
    used = Counter(name.split("-")[0] for name in parts)
    assert len(used) > 80 and max(used.values()) == 2


def test_too_few_are_refused_in_a_sentence() -> None:
    with pytest.raises(SegClassifyError, match=r"takes 312 cases \(30 for the segmenter, 91 .* there are 20"):
        split_candidates(cases(*["ab"] * 10), "ab", Sizes(segmenter=30, train=91, test=191), 0)
    with pytest.raises(SegClassifyError, match=r"The 2 patients cannot be parted .* Add patients"):
        split_candidates(cases("aabb" * 5, "aabb" * 5), "ab", Sizes(segmenter=4, train=4, test=4), 0)


def test_a_recipe_of_one_s_own(tmp_path: Path) -> None:
    recipe = read_recipe("brain-tumour")
    own = tmp_path / "own.json"
    own.write_text(recipe.model_copy(update={"name": "own"}).model_dump_json(), encoding="utf-8")
    assert read_recipe(str(own)).name == "own"
    own.write_text(recipe.model_dump_json().replace('"class_count":3', '"class_count":1'), encoding="utf-8")
    with pytest.raises(
        SegClassifyError, match=r"own\.json is no recipe: class_count: .*greater than or equal to 2"
    ):
        read_recipe(str(own))
    with pytest.raises(SegClassifyError, match=r"cannot be read"):
        read_recipe(str(tmp_path / "none.json"))
    with pytest.raises(
        SegClassifyError, match=r"There is no recipe 'heart': choose of brain-tumour, cardiac-level"
    ):
        read_recipe("heart")
