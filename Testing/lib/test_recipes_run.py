"""A recipe from end to end: training set, segmenter, arms, tables, report; stopped and gone on with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from recipes_data import brats
from typer.testing import CliRunner

from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.cli.main import app
from SegClassifyLib.errors import Cancelled, SegClassifyError
from SegClassifyLib.progress import Progress, ProgressEvent
from SegClassifyLib.recipes.build import build_set, choose_cases
from SegClassifyLib.recipes.recipe import Recipe, Scale, Sizes, read_recipe
from SegClassifyLib.recipes.record import Begun
from SegClassifyLib.recipes.run import Order, arms_of, run_recipe, segmenter_plan
from SegClassifyLib.recipes.sources import Supply, supply_of

TINY = Scale(
    sizes=Sizes(segmenter=9, train=18, test=27),
    shape=(24, 28),
    epochs=1,
    steps_per_epoch=2,
    network={"base_filters": 4, "num_blocks": [1, 1]},
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A tiny run of the nine levels through the command, and what it printed."""
    home = tmp_path_factory.mktemp("recipe")
    recipe = read_recipe("cardiac-level").model_copy(
        update={"phantoms": TINY, "arms": ("linear", "shape", "imagenet")}
    )
    (home / "tiny.json").write_text(recipe.model_dump_json(), encoding="utf-8")
    return home, command(home)


def command(home: Path, *more: str) -> str:
    line = [
        "recipe",
        str(home / "tiny.json"),
        "--phantoms",
        "--output",
        str(home / "run"),
        "--jobs",
        "1",
        *more,
    ]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    return done.output


def test_cases_are_where_they_belong(run: tuple[Path, str]) -> None:
    training_set = TrainingSet.open(run[0] / "run" / "set")
    segmenter = [c for c in training_set.cases if c.role == "segmenter"]
    train = [c for c in training_set.cases if c.role == "classifier" and c.split == "train"]
    test = [c for c in training_set.cases if c.split == "test"]
    assert (len(segmenter), len(train), len(test), len(training_set.cases)) == (9, 18, 27, 54)
    assert all(c.segmentation and not c.label_class for c in segmenter)
    assert all(c.label_class and not c.segmentation for c in [*train, *test])
    groups = [{c.group for c in part} for part in (segmenter, train, test)]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert training_set.ndim == 2 and len(training_set.classes) == 9


def test_tables_hold_every_arm_and_the_abstract(run: tuple[Path, str]) -> None:
    home, printed = run
    text = (home / "run" / "recipe.md").read_text(encoding="utf-8")
    assert "| the paper's abstract, its own cases | 0.86 (0.81–0.90) |" in " ".join(text.split())
    assert "segmenter features, linear" in text and "shape of the predicted labels only" in text
    assert "made-up images" in text and "made-up images" in printed
    assert "18 cases trained the classifiers and 27 were tested on; 9 others trained the segmenter" in text
    assert "not those of the abstract: this was a quick look" in text
    with (home / "run" / "recipe.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(r["arm"], r["metric"]) for r in rows} == {
        *((arm, m) for arm in ("linear", "shape") for m in ("accuracy", "balanced_accuracy", "macro_auc")),
        ("abstract", "accuracy"),
    }
    linear = next(r for r in rows if r["arm"] == "linear" and r["metric"] == "accuracy")
    assert (linear["train"], linear["test"], linear["cases"]) == ("18", "27", "phantoms")
    assert float(linear["value"]) * 27 == pytest.approx(round(float(linear["value"]) * 27), abs=1e-4)
    assert float(linear["low"]) <= float(linear["value"]) <= float(linear["high"])
    page = (home / "run" / "report.html").read_text(encoding="utf-8")
    assert "Beside the paper&#x27;s abstract" in page or "Beside the paper's abstract" in page
    assert (home / "run" / "compare" / "scores.csv").is_file()
    assert "are in the folder compare" in page and (home / "run" / "compare" / "compare.json").is_file()
    assert "Balanced accuracy with all cases (line" in page and "AUC with all cases (line" in page
    assert "against the number of training cases" not in page


def test_it_goes_on_where_it_was(run: tuple[Path, str]) -> None:
    home, _ = run
    kept = [home / "run" / "segmenter" / "model" / "configs" / "metadata.json"]
    kept += sorted((home / "run" / "compare" / "units").rglob("*.json"))
    before = [path.stat().st_mtime_ns for path in kept]
    content = json.loads(command(home, "--json", "--arms", "linear,shape,descriptors"))
    assert len(kept) == 3 and [path.stat().st_mtime_ns for path in kept] == before
    assert content["cases"] == {"segmenter": 9, "train": 18, "test": 27}
    assert set(content["arms"]) == {"linear", "shape", "descriptors"} and content["unfinished"] == 0


def test_other_settings_want_another_folder(run: tuple[Path, str]) -> None:
    home, _ = run
    line = ["recipe", str(home / "tiny.json"), "--phantoms", "--output", str(home / "run"), "--seed", "1"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 1 and "begun with another seed" in " ".join(done.output.split())
    other = CliRunner().invoke(app, ["recipe", "brain-tumour", "--phantoms", "--output", str(home)])
    assert other.exit_code == 1 and "holds other things" in " ".join(other.output.split())
    neither = CliRunner().invoke(app, ["recipe", "brain-tumour", "--output", str(home / "new")])
    assert neither.exit_code == 1 and "figshare.com" in neither.output and not (home / "new").exists()


def test_a_set_half_made_is_gone_on_with(tmp_path: Path) -> None:
    recipe = read_recipe("cardiac-level").model_copy(update={"arms": ("shape",)})
    taken: list[str] = []

    def note(event: ProgressEvent) -> None:
        if event.phase.startswith("Taking"):
            taken.append(event.note)

    order = Order(recipe, TINY, tmp_path / "run")
    with pytest.raises(Cancelled):
        run_recipe(order, Progress(note, lambda: len(taken) >= 20))
    half = TrainingSet.open(tmp_path / "run" / "set")
    assert 15 < len(half.cases) < 54
    taken.clear()
    with pytest.raises(Cancelled):
        run_recipe(order, Progress(note, lambda: len(taken) >= 10))
    assert not {c.name for c in half.cases} & set(taken)


class TestOwnData:
    @pytest.fixture
    def brains(self, tmp_path: Path) -> Path:
        for number in range(12):
            label_class = ("glioma", "meningioma", "metastasis")[number % 3]
            brats(tmp_path / "brains", label_class, f"BraTS-XXX-{number:05d}-000", number)
        return tmp_path / "brains"

    def begin(self, brains: Path) -> tuple[Recipe, Supply, Begun]:
        recipe = read_recipe("brain-tumour")
        scale = recipe.small.model_copy(update={"sizes": Sizes(segmenter=3, train=3, test=6)})
        supply = supply_of(recipe, brains, "", scale, 0)
        empty = Begun(
            recipe=recipe.name, source=supply.key, scale=scale, seed=0, classes=(), notes=(), parts={}
        )
        return recipe, supply, choose_cases(recipe, supply, empty, Progress())

    def test_it_becomes_a_training_set(self, brains: Path, tmp_path: Path) -> None:
        recipe, supply, begun = self.begin(brains)
        training_set = build_set(tmp_path / "set", recipe, supply, begun, Progress())
        assert training_set.channels == ("T1c", "FLAIR") and len(training_set.cases) == 12
        assert [x.name for x in training_set.labels[1:]] == ["necrotic core", "oedema", "enhancing tumour"]
        assert "UCSF-PDGM: CC BY 4.0" in training_set.document.licence
        assert "not reproduced" in training_set.document.description
        case = next(c for c in training_set.cases if c.segmentation)
        image = training_set.load_image(case)
        assert image.array.shape == (2, 6, 8, 7)
        assert training_set.load_segmentation(case, image).array[3, 3, 3] == 3
        plan = segmenter_plan(begun.scale, training_set, 7)
        assert plan.network is not None and (plan.network.ndim, plan.network.in_channels) == (3, 2)
        assert (plan.network.name, plan.network.out_channels, plan.folds) == ("VNetDS", 4, 0)

    def test_two_classes_are_not_the_recipe_s_three(self, brains: Path) -> None:
        for path in (brains / "metastasis").rglob("*.nii.gz"):
            path.unlink()
        for path in sorted((brains / "metastasis").rglob("*"), reverse=True):
            path.rmdir()
        (brains / "metastasis").rmdir()
        with pytest.raises(SegClassifyError, match=r"has 3 classes and the data 2 \(glioma, meningioma\)"):
            self.begin(brains)

    def test_a_patient_that_went_away_is_named(self, brains: Path, tmp_path: Path) -> None:
        recipe, supply, begun = self.begin(brains)
        next(brains.rglob("BraTS-XXX-00004-000-seg.nii.gz")).unlink()
        with pytest.raises(
            SegClassifyError, match=r"begun with the case 'BraTS-XXX-00004-000', which is not in the data"
        ):
            build_set(tmp_path / "set", recipe, supply, begun, Progress())


def test_imagenet_arms_are_those_of_the_networks_given(real_data: Path) -> None:
    weights = real_data / "pretrained" / "efficientnet_lite0_imagenet" / "efficientnet_lite0.safetensors"
    recipe = read_recipe("brain-tumour")
    name = "efficientnet-lite0"
    assert not [arm for arm in arms_of(recipe, []) if "imagenet" in arm or "both" in arm]
    assert arms_of(recipe, [weights])[-3:] == (f"imagenet-{name}", f"imagenet-{name}-tuned", f"both-{name}")
