"""The whole chain on real data: how good is it with 5, 10, 20, 50 cases per class, beside what one would do instead.

    python Testing/Benchmarks/real_data.py --data DATA-FOLDER --work WORK-FOLDER [--sets busi lidc …] [--update PAGE]

For each set half of the groups (patients, near-duplicates) train the segmenter and are drawn from to train
classifiers; the other half is tested on and was seen by nothing. Then it is ``segclassify compare`` with every arm.
Leaves in WORK-FOLDER the sets, the segmenters, for each set the tables and the report of the comparison, and
``tables.md``: what ``docs/evidence.md`` holds; ``--update docs/evidence.md`` writes it there, between the marks. It may
be stopped at any time; the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from real_segmenters import train_real_segmenter
from real_sets import SETS, make_set

from SegClassifyLib.atomic import write_text
from SegClassifyLib.cases.training_set import TrainingSet
from SegClassifyLib.experiment.processes import cores
from SegClassifyLib.experiment.ready import make_ready
from SegClassifyLib.experiment.report import write_compare_report
from SegClassifyLib.experiment.result import CompareResult
from SegClassifyLib.experiment.run import run_ready
from SegClassifyLib.experiment.settings import CompareSettings
from SegClassifyLib.experiment.summing import sum_up
from SegClassifyLib.experiment.tables import (
    CALIBRATION_NOTE,
    SETS_NOTE,
    calibration_table,
    difference_table,
    score_table,
    sets_table,
    write_tables,
)
from SegClassifyLib.features.cache import FeatureCache
from SegClassifyLib.networks.imagenet import imagenet_file
from SegClassifyLib.progress import Progress, ProgressEvent
from SegClassifyLib.training.settings import PretrainedSettings, ScratchSettings

IMAGENET = Path("pretrained") / "efficientnet_lite0_imagenet" / "efficientnet_lite0.safetensors"
SOURCES = {"lidc_size_matched": "lidc"}
"""Sets that are part of another one: its segmenter is theirs too, and both part their patients alike."""


def main() -> None:
    """Run the sets that were asked for."""
    options = _options()
    parts: dict[str, str] = {}
    for name in options.sets:
        result, facts = _run(name, options)
        parts[name] = _part(result, facts)
        print(f"\n## {name}\n\n{parts[name]}", flush=True)
        write_text(options.work / "tables.md", "\n\n".join(f"## {n}\n\n{p}" for n, p in parts.items()) + "\n")
        if options.update is not None:
            write_text(options.update, updated(options.update.read_text(encoding="utf-8"), name, parts[name]))


def updated(page: str, name: str, part: str) -> str:
    """The page with new tables between ``<!-- tables: name -->`` and ``<!-- end: name -->``."""
    marks = re.compile(rf"(<!-- tables: {name} -->\n).*?(<!-- end: {name} -->)", flags=re.DOTALL)
    if not marks.search(page):
        raise SystemExit(
            f"The page has no marks for {name}: <!-- tables: {name} --> and <!-- end: {name} -->"
        )
    return marks.sub(lambda found: f"{found.group(1)}\n{part}\n\n{found.group(2)}", page)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("benchmark-output") / "real-data")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--minutes", type=float, default=14.0, help="training time of each segmenter")
    parser.add_argument(
        "--segmenters",
        nargs="+",
        default=[],
        metavar="SET=FOLDER",
        help="trained before, instead of training",
    )
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--slow-draws", type=int, default=3, help="of all networks that are trained")
    parser.add_argument("--steps", type=int, default=None, help="most steps of networks trained on images")
    parser.add_argument("--per-class", type=int, nargs="+", default=[5, 10, 20, 50])
    parser.add_argument("--arms", nargs="+", default=["all"], help="as those of segclassify compare")
    parser.add_argument(
        "--imagenet", nargs="+", default=[], help="networks to download: resnet18 densenet121"
    )
    parser.add_argument(
        "--sum-up", action="store_true", help="train nothing: tables of what was trained up to now"
    )
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--scheduler", default="", help="address of a Dask scheduler")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--update", type=Path, default=None, help="page whose tables are written anew")
    return parser.parse_args()


def _run(name: str, options: argparse.Namespace) -> tuple[CompareResult, list[str]]:
    source, progress = SOURCES.get(name, name), Progress(_Printer(name))
    training_set = make_set(options.data, source, options.work / source / "set", options.seed)
    folder = _folders(options).get(source, options.work / source / "segmenter")
    family = train_real_segmenter(source, training_set, folder, options.minutes, options.seed, progress)
    compared = training_set if name == source else _part_of(training_set, name, options)
    more = {} if options.steps is None else {"steps": options.steps}
    settings = CompareSettings(
        sizes=tuple(options.per_class),
        draws=options.draws,
        slow_draws=options.slow_draws,
        test="split",
        seen="include",
        scratch=ScratchSettings.model_validate(more),
        pretrained=PretrainedSettings.model_validate(more),
        seed=options.seed,
    )
    weights = [options.data / IMAGENET] if (options.data / IMAGENET).exists() else []
    weights += [imagenet_file(network, progress=progress) for network in options.imagenet]
    output = options.work / name / "compare"
    ready = make_ready(
        compared, [folder], output, settings, options.arms, weights,
        cache=FeatureCache(options.work / source / "features"), progress=progress,
    )  # fmt: skip
    if options.sum_up:
        result = sum_up(ready, [], progress)
    else:
        result = run_ready(ready, options.jobs or cores(), options.scheduler, progress)
    write_tables(result, output)
    write_compare_report(result, output)
    dice = ", ".join(f"{s.metric} {s.value:.2f}" for s in family.full.provenance.scores)
    facts = [
        f"segmenter trained on {family.full.provenance.segmenter_cases} cases ({dice})",
        f"{len(result.cases) - len(ready.study.pool.test)} cases to draw from, {len(ready.study.pool.test)} test cases",
    ]
    return result, facts


def _folders(options: argparse.Namespace) -> dict[str, Path]:
    return {name: Path(path) for name, path in (text.split("=", 1) for text in options.segmenters)}


def _part_of(whole: TrainingSet, name: str, options: argparse.Namespace) -> TrainingSet:
    """Some of the cases of a set as a set of their own, parted as there."""
    test = {c.name for c in whole.cases if c.split == "test"}
    return make_set(options.data, name, options.work / name / "set", options.seed, test_cases=test)


def _part(result: CompareResult, facts: list[str]) -> str:
    """Facts and tables of one set."""
    guess = 1 / len(result.classes)
    parts = [
        "; ".join(facts) + ".",
        f"Balanced accuracy (guessing gets {guess:.2f}):",
        score_table(result, "balanced_accuracy"),
        "AUC, mean over classes:" if len(result.classes) > 2 else "AUC:",
        score_table(result, "macro_auc"),
        f"“{result.arms[0].title}” less each other way, balanced accuracy; bold where the interval does not hold 0:",
        difference_table(result),
        CALIBRATION_NOTE,
        calibration_table(result),
        SETS_NOTE,
        sets_table(result),
    ]
    return "\n\n".join(parts)


class _Printer:
    """A line a phase, and one every half minute."""

    def __init__(self, name: str) -> None:
        self._name, self._phase, self._last = name, "", 0.0

    def __call__(self, event: ProgressEvent) -> None:
        if event.phase == self._phase and time.monotonic() - self._last < 30:
            return
        self._phase, self._last = event.phase, time.monotonic()
        share = "" if event.fraction is None else f" {event.fraction:.0%}"
        left = "" if event.seconds_left is None else f", {event.seconds_left / 60:.0f} min left"
        print(f"{self._name}: {event.phase}{share}{left} {event.note}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
