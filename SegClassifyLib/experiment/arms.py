"""The ways to classify that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.networks.imagenet import IMAGENET

Kind = Literal["linear", "conv", "fine-tuned", "scratch", "pretrained"]
View = Literal["all", "taps", "descriptors", "shape"]
Family = Literal["segmenter", "labels", "scratch", "imagenet", "both"]

FAST, EVERY = "fast", "all"


@dataclass(frozen=True)
class Arm:
    """One way to classify.

    Args:
        key: its name on the command line and in files.
        title: for people.
        family: what it rests on.
        kind: what learns.
        sources: whose features it learns from, names of segmenter runs and ImageNet networks; for networks trained on
            images, whose network it is.
        view: which of the features.
        architecture: of a network trained from scratch.
        slow: left out unless asked for.
        seconds: what one training takes on one core, roughly.
    """

    key: str
    title: str
    family: Family
    kind: Kind
    sources: tuple[str, ...]
    view: View = "all"
    architecture: str = ""
    slow: bool = False
    seconds: float = 2.0


def known_arms(runs: Sequence[str], networks: Sequence[str]) -> tuple[Arm, ...]:
    """All arms there are with these segmenters and ImageNet networks, the first segmenter's linear head first."""
    arms: list[Arm] = []
    for run in runs:
        arms += _of_segmenter(run, f"@{run}" if len(runs) > 1 else "")
    first = tuple(runs[:1])
    for name, title, seconds in (("resnet18", "ResNet-18", 60.0), ("densenet121", "DenseNet-121", 150.0)):
        arms.append(
            Arm(
                f"scratch-{name}",
                f"{title} from scratch",
                "scratch",
                "scratch",
                first,
                architecture=name,
                slow=True,
                seconds=seconds,
            )
        )
    for network in networks:
        title = IMAGENET[network].title
        arms += [
            Arm(f"imagenet-{network}", f"ImageNet {title}, frozen, linear", "imagenet", "linear", (network,)),
            Arm(
                f"imagenet-{network}-tuned",
                f"ImageNet {title}, fine-tuned",
                "imagenet",
                "pretrained",
                (network,),
                slow=True,
                seconds=240,
            ),
        ]
        arms += [
            Arm(
                f"both-{network}" + (f"@{run}" if len(runs) > 1 else ""),
                f"segmenter and ImageNet {title} features, linear" + _of(run, runs),
                "both",
                "linear",
                (run, network),
            )
            for run in runs
        ]
    return tuple(arms)


def choose_arms(known: Sequence[Arm], wanted: Sequence[str]) -> tuple[Arm, ...]:
    """The arms that ``wanted`` names: keys, families, "fast" or "all"; in the order of ``known``.

    Raises:
        TrainingError: a name that is none of them.
    """
    families = {arm.family for arm in known}
    keys = {arm.key for arm in known}
    for name in wanted:
        if name not in keys | families | {FAST, EVERY}:
            hint = " (ImageNet networks need --imagenet or --imagenet-weights)" if "imagenet" in name else ""
            raise TrainingError(
                f"There is no arm {name!r}{hint}: choose of {', '.join(a.key for a in known)}, a family "
                f"({', '.join(sorted(families))}), {FAST} or {EVERY}."
            )

    def is_wanted(arm: Arm) -> bool:
        return bool({arm.key, arm.family, EVERY} & set(wanted)) or (FAST in wanted and not arm.slow)

    return tuple(arm for arm in known if is_wanted(arm))


def _of_segmenter(run: str, tail: str) -> list[Arm]:
    of = f" ({run})" if tail else ""
    one = (run,)
    return [
        Arm(f"linear{tail}", f"segmenter features, linear{of}", "segmenter", "linear", one),
        Arm(
            f"linear-taps{tail}",
            f"segmenter features without descriptors, linear{of}",
            "segmenter",
            "linear",
            one,
            "taps",
        ),
        Arm(
            f"conv{tail}",
            f"segmenter feature maps, conv{of}",
            "segmenter",
            "conv",
            one,
            slow=True,
            seconds=30,
        ),
        Arm(
            f"fine-tuned{tail}",
            f"segmenter fine-tuned{of}",
            "segmenter",
            "fine-tuned",
            one,
            slow=True,
            seconds=150,
        ),
        Arm(
            f"fine-tuned-taps{tail}",
            f"segmenter fine-tuned, without descriptors{of}",
            "segmenter",
            "fine-tuned",
            one,
            "taps",
            slow=True,
            seconds=150,
        ),
        Arm(
            f"descriptors{tail}",
            f"shape and intensity of the predicted labels{of}",
            "labels",
            "linear",
            one,
            "descriptors",
        ),
        Arm(
            f"shape{tail}",
            f"shape of the predicted labels only{of}",
            "labels",
            "linear",
            one,
            "shape",
        ),
        Arm(
            f"scratch-encoder{tail}",
            f"the segmenter's encoder from scratch{of}",
            "scratch",
            "scratch",
            one,
            architecture="encoder",
            slow=True,
            seconds=60,
        ),
    ]


def _of(run: str, runs: Sequence[str]) -> str:
    return f" ({run})" if len(runs) > 1 else ""
