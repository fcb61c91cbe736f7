"""Grey values to the range a network expects."""

from __future__ import annotations

import numpy as np

from SegClassifyLib.preprocessing.spec import IntensitySpec

_SAMPLE = 1_000_000


def scale_intensity(channel: np.ndarray, spec: IntensitySpec) -> np.ndarray:
    """Clip, scale and standardise one channel.

    Args:
        channel: ``(D, H, W)`` or ``(H, W)`` float32, finite; left as it is.
        spec: what to do.

    Returns:
        float32 of the same shape. Percentiles, mean and deviation come from at most a million voxels, evenly
        spread over the channel: the numbers differ in the fourth digit, the time by two orders.
    """
    sample = channel.ravel()
    sample = sample[:: max(1, sample.size // _SAMPLE)]
    if spec.nonzero and np.any(sample):
        sample = sample[sample != 0]
    low, high = _limits(sample, spec)
    out = np.clip(channel, low, high) if spec.clip != "none" else channel.astype(np.float32, copy=True)
    sample = np.clip(sample, low, high)
    gain, offset = 1.0, 0.0
    if spec.scale in ("unit", "unit_zscore"):
        span = max(high - low, 1e-6)
        gain, offset = 1.0 / span, -low / span
    if spec.scale in ("zscore", "unit_zscore"):
        # In float64: a sum over a million float32 grey values of a few thousand loses digits.
        values = sample.astype(np.float64) * gain + offset
        deviation = max(float(values.std()), 1e-6)
        gain, offset = gain / deviation, (offset - float(values.mean())) / deviation
    gain, offset = gain * spec.gain, offset * spec.gain + spec.offset
    out *= np.float32(gain)
    out += np.float32(offset)
    return out


def _limits(sample: np.ndarray, spec: IntensitySpec) -> tuple[float, float]:
    if spec.clip == "percentile":
        low, high = np.percentile(sample, [spec.lower, spec.upper])
    elif spec.clip == "window":
        low, high = spec.lower, spec.upper
    else:
        low, high = sample.min(), sample.max()
    return float(low), float(high)
