"""The look of an image in a few numbers: levels of its grey values and texture, channel by channel; and in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from SegClassifyLib.features.spec import FeatureName
from SegClassifyLib.volumes.observation import Observation

LEAST_SPREAD = 0.02
"""Numbers of the look differ by this much for no reason; training images that agree better are no yardstick."""

_AXES = ("left to right", "front to back", "head to feet")
_LEVELS = ("dark quarter", "middle", "bright quarter")
_WORDS = {
    "span": ("a wider range of grey values", "a narrower range of grey values"),
    "dark quarter": ("brighter dark parts", "darker dark parts"),
    "middle": ("brighter middle grey values", "darker middle grey values"),
    "bright quarter": ("brighter bright parts", "darker bright parts"),
    "detail": ("more detail or noise", "less detail (blurred, or of coarser resolution)"),
    "grain": ("more noise", "smoother grey values"),
}
_MARKED = 4.0
"""Standard deviations from the mean of the training images at which a number is named."""
_SWAPPED, _FITS = 9.0, 0.4


def look_names(observation: Observation) -> tuple[FeatureName, ...]:
    """Names of :func:`look_of`."""
    axes = _AXES[: len(observation.texture[0]) // 2]
    texture = [f"{what} {axis}" for axis in axes for what in ("detail", "grain")]
    return tuple(
        FeatureName("look", "all", name, channel)
        for channel in range(len(observation.quantiles))
        for name in ("span", *_LEVELS, *texture)
    )


def look_of(observation: Observation) -> np.ndarray:
    """``(F,)`` float64: for each channel the log span of its grey values, its quartiles in parts of it, its texture."""
    numbers: list[float] = []
    for levels, texture in zip(observation.quantiles, observation.texture, strict=True):
        low, *quartiles, high = levels
        span = max(high - low, 1e-9)
        numbers += [float(np.log(span)), *((q - low) / span for q in quartiles), *texture]
    return np.asarray(numbers)


def look_in_words(
    deviations: np.ndarray, names: Sequence[FeatureName], channels: Sequence[str], most: int = 2
) -> tuple[str, ...]:
    """What is most unusual about the look, "less detail in FLAIR"; nothing where no number is far off.

    Args:
        deviations: of each number from the training images, in their standard deviations ``(F,)``.
        names: of the numbers.
        channels: names.
        most: how much to say.
    """
    said: list[str] = []
    for column in np.argsort(-np.abs(deviations), kind="stable"):
        if abs(deviations[column]) < _MARKED or len(said) == most:
            break
        name = names[column]
        kind = next(k for k in _WORDS if name.statistic.startswith(k))
        where = f" in {channels[name.channel]}" if len(channels) > 1 else ""
        sentence = _WORDS[kind][0 if deviations[column] > 0 else 1] + where
        if sentence not in said:
            said.append(sentence)
    return tuple(said)


def exchanged_channels(
    look: np.ndarray, mean: np.ndarray, spread: np.ndarray, count: int
) -> tuple[int, int] | None:
    """Two channels that look like each other's training images rather than like their own; ``None`` where none do.

    Args:
        look: of an image with ``count`` channels ``(F,)``.
        mean, spread: of the training images ``(F,)``.
        count: of channels.
    """
    own, means, spreads = (np.reshape(v, (count, -1)) for v in (look, mean, spread))
    # Mean squared deviation of channel c when taken for channel r: about 1 where it is.
    off = ((own[:, None] - means[None]) ** 2 / spreads[None] ** 2).mean(2)
    best: tuple[float, tuple[int, int]] | None = None
    for a in range(count):
        for b in range(a + 1, count):
            straight, crossed = off[a, a] + off[b, b], off[a, b] + off[b, a]
            if straight > _SWAPPED and crossed < _FITS * straight and (best is None or crossed < best[0]):
                best = (float(crossed), (a, b))
    return best[1] if best else None
