"""The whole chain on real data: how good is it with 5, 10, 20, 50 cases per class, beside what one would do instead.

    python Testing/Benchmarks/real_data.py --data DATA-FOLDER --work WORK-FOLDER [--sets busi lidc …]

For each set half of the groups (patients, near-duplicates) train the segmenter and are drawn from to train
classifiers; the other half is tested on and was seen by nothing. All arms see the same draws. Prints Markdown tables
of balanced accuracy and AUC, means over the draws with 95 % intervals over draws and test groups, and writes them to
WORK-FOLDER/results.md and .json. Segmenters and features are kept in WORK-FOLDER: a second run is quick.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from real_arms import Arms
from real_sets import SETS, make_set, rows_of

from SegClassifyLib.evaluation.draws import DrawResult
from SegClassifyLib.evaluation.summary import few_shot_summary
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.progress import Progress, ProgressEvent
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.family import open_family
from SegClassifyLib.training.segmenter_from_set import train_segmenter_from_set
from SegClassifyLib.training.segmenter_plan import SegmenterPlan
from SegClassifyLib.training.settings import SegmenterSettings

IMAGENET = Path("pretrained") / "efficientnet_lite0_imagenet" / "efficientnet_lite0.safetensors"
FEATURES_2D, FEATURES_3D = [16, 16, 32, 64, 128, 16], [8, 8, 16, 32, 64, 8]
LIGHT = {"spatial_share": 0.2, "intensity_share": 0.1}
PLANS = {
    "busi": (FEATURES_2D, {"patch": [128, 128], "batch": 8, "augmentation": LIGHT}, 128 * 128),
    "lidc": (FEATURES_3D, {"patch": [16, 48, 48], "batch": 4, "augmentation": LIGHT}, None),
    "hippocampus": (FEATURES_3D, {"patch": [32, 48, 32], "batch": 2, "augmentation": LIGHT}, None),
}
"""Channels of MONAI's BasicUNet, training settings, largest model grid: what two processor cores train in minutes."""


def main() -> None:
    """Run the sets that were asked for."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    parts, stored = [], {}
    for name in options.sets:
        started = time.perf_counter()
        results, facts = _run(name, options)
        facts.append(f"took {time.perf_counter() - started:.0f} s")
        part = f"## {name}\n\n" + "; ".join(facts) + "\n\n" + few_shot_summary(results)
        print("\n" + part, flush=True)
        parts.append(part)
        stored[name] = {arm: [asdict(r) for r in rows] for arm, rows in results.items()}
        (options.work / "results.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        (options.work / "results.json").write_text(json.dumps(stored, indent=1), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("benchmark-output") / "real-data")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--minutes", type=float, default=7.5, help="training time of each segmenter")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument(
        "--slow-draws", type=int, default=3, help="of the conv head and the from-scratch network"
    )
    parser.add_argument("--scratch-steps", type=int, default=150)
    parser.add_argument("--per-class", type=int, nargs="+", default=[5, 10, 20, 50])
    parser.add_argument("--arms", nargs="+", default=[], help="only these; all if not given")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _run(name: str, options: argparse.Namespace) -> tuple[dict[str, Sequence[DrawResult]], list[str]]:
    # The size-matched nodules are part of all nodules: the segmenter is that of all, and has seen no test patient
    # because both sets split their patients alike.
    source = "lidc" if name.startswith("lidc") else name
    progress = Progress(_Printer(name))
    training_set = make_set(options.data, source, options.work / source / "set", options.seed)
    segmenter, facts = _segmenter(source, training_set, options, progress)
    kept = None if name == source else {row["case_id"] for row in rows_of(options.data, name)}
    arms = Arms(
        training_set,
        segmenter,
        options.work / source / "features",
        options.per_class,
        options.seed,
        progress,
        kept,
    )
    facts.append(f"{len(arms.cases) - len(arms.test)} cases to draw from, {len(arms.test)} test cases")
    slow = options.slow_draws
    wanted = {
        "segmenter features, linear": lambda: arms.features(options.draws),
        "segmenter features without descriptors, linear": lambda: arms.taps_only(options.draws),
        f"segmenter feature maps, conv ({slow} draws)": lambda: arms.conv(slow),
        "shape of the predicted labels only": lambda: arms.shape(options.draws),
        f"from scratch ({slow} draws)": lambda: arms.scratch(slow, options.scratch_steps),
    }
    weights = options.data / IMAGENET
    if training_set.ndim == 2 and weights.exists():
        alone, both = arms.imagenet(weights, options.work / source / "imagenet.npy")
        wanted["ImageNet features, linear"] = lambda: alone(options.draws)
        wanted["segmenter and ImageNet features, linear"] = lambda: both(options.draws)
    if options.arms:
        wanted = {arm: run for arm, run in wanted.items() if any(part in arm for part in options.arms)}
    return {arm: run() for arm, run in wanted.items()}, facts


def _segmenter(
    source: str, training_set, options: argparse.Namespace, progress: Progress
) -> tuple[Segmenter, list[str]]:  # type: ignore[no-untyped-def]
    folder = options.work / source / "segmenter"
    if not (folder / "model").is_dir():
        features, chosen, max_voxels = PLANS[source]
        spec = NetworkSpec(
            name="BasicUNet",
            ndim=training_set.ndim,
            in_channels=len(training_set.channels),
            out_channels=len(training_set.labels),
            arguments={"features": features, "norm": ["group", {"num_groups": 4}]},
        )
        training = SegmenterSettings.model_validate(
            {"epochs": None, "minutes": options.minutes, "seed": options.seed, "steps_per_epoch": 50} | chosen
        )
        plan = SegmenterPlan(network=spec, training=training, folds=0, max_voxels=max_voxels)
        train_segmenter_from_set(training_set, folder, plan, progress=progress)
    model = open_family(folder).full
    dice = [f"{s.metric} {s.value:.2f}" for s in model.provenance.scores]
    return model.segmenter, [
        f"segmenter trained on {model.provenance.segmenter_cases} cases ({', '.join(dice)})"
    ]


class _Printer:
    """A line a phase, and one every half minute."""

    def __init__(self, name: str) -> None:
        self._name, self._phase, self._last = name, "", 0.0

    def __call__(self, event: ProgressEvent) -> None:
        if event.phase == self._phase and time.monotonic() - self._last < 30:
            return
        self._phase, self._last = event.phase, time.monotonic()
        share = "" if event.fraction is None else f" {event.fraction:.0%}"
        print(f"{self._name}: {event.phase}{share} {event.note}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
