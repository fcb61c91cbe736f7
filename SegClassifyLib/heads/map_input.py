"""Feature maps of all taps as one stack of few channels: standardised, taps balanced, reduced without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegClassifyLib.errors import ModelPackageError, TrainingError
from SegClassifyLib.features.spec import FeatureTable

CLIP = 8.0
"""Standard deviations from the training mean at which a map value is cut off."""

_SAMPLED_CELLS = 4096
"""Map cells that the reduction is learned from: the covariance of hundreds of channels needs no more."""


@dataclass(frozen=True)
class MapInput:
    """A fixed 1×1 reduction: ``(clip((x - mean) * scale) @ axes)`` at every cell, over the channels of all taps.

    Args:
        taps: name and channels of every tap, in the order of the channels.
        cells: size of the maps along each axis, array order.
        mean: of each channel in the training cases ``(C,)`` float32.
        scale: ``(C,)`` float32; 0 for constant channels.
        axes: principal axes of the scaled channels ``(C, P)`` float32, each tap having the same total variance.
    """

    taps: tuple[tuple[str, int], ...]
    cells: tuple[int, ...]
    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, table: FeatureTable, components: int, seed: int) -> MapInput:
        """Learn from the maps of training cases; ``components`` is the most P may be.

        Raises:
            TrainingError: no maps, maps of different sizes, or values that are not numbers.
        """
        from sklearn.decomposition import PCA
        from threadpoolctl import threadpool_limits

        if not table.maps:
            raise TrainingError(
                "The conv classifier needs feature maps and the cases have none: extract the features again with "
                "maps, or choose the linear classifier."
            )
        sizes = {maps.shape[2:] for maps in table.maps.values()}
        if len(sizes) > 1:
            raise TrainingError(
                f"Feature maps of the taps differ in size ({sorted(sizes)}): extract them again."
            )
        taps = tuple((name, maps.shape[1]) for name, maps in sorted(table.maps.items()))
        moments = [_moments(table.maps[name]) for name, _ in taps]
        mean, spread = (np.concatenate(part) for part in zip(*moments, strict=True))
        if not np.isfinite(mean).all():
            raise TrainingError(
                "Some feature map holds values that are not numbers: look for a damaged image."
            )
        varies = spread > 1e-4 * np.abs(mean) + 1e-6
        scale = np.where(varies, 1 / np.where(varies, spread, 1), 0).astype(np.float32)
        plain = cls(taps, next(iter(sizes)), mean, scale, np.zeros((0, 0), np.float32))
        sample = plain._sampled(table, seed) * plain._tap_weight(varies)
        components = min(components, *sample.shape)
        with threadpool_limits(1, user_api="blas"):  # as in the linear head: threads would only wait
            pca = PCA(components, svd_solver="randomized", random_state=seed).fit(sample)
        # Half-way to whitening: the strongest components lead, but do not silence the rest.
        strength = np.sqrt(np.maximum(pca.explained_variance_, 1e-8))
        axes = plain._tap_weight(varies)[:, None] * pca.components_.T / np.sqrt(strength)
        axes /= np.sqrt(strength.mean())
        return cls(taps, plain.cells, mean, scale, axes.astype(np.float32))

    def apply(self, table: FeatureTable) -> np.ndarray:
        """``(N, P, *cells)`` float32.

        Raises:
            ModelPackageError: other taps or sizes than those it was learned from.
        """
        for name, channels in self.taps:
            found = table.maps[name].shape[1:] if name in table.maps else None
            if found != (channels, *self.cells):
                raise ModelPackageError(
                    f"The conv classifier was trained on maps {(channels, *self.cells)} of tap {name!r} and is given "
                    f"{found or 'none'}: use it with the segmenter and taps it was trained with, or train it again."
                )
        result = np.empty((len(table), self.axes.shape[1], *self.cells), np.float32)
        for case in range(len(table)):
            result[case] = (self._scaled(table, case) @ self.axes).T.reshape(-1, *self.cells)
        return result

    def split(self, table: FeatureTable, gradient: np.ndarray) -> dict[str, np.ndarray]:
        """Each tap's part of gradient times map.

        Args:
            table: of one case.
            gradient: ``(K, P, *cells)``, with respect to what :meth:`apply` gives.

        Returns:
            ``(K, *cells)`` float64 by tap name; together they are the product summed over P.
        """
        scaled = self._scaled(table, 0).astype(np.float64)
        back = np.einsum("cp,kpv->kvc", self.axes, gradient.reshape(*gradient.shape[:2], -1)) * scaled
        ends = np.cumsum([channels for _, channels in self.taps])[:-1]
        parts = np.split(back, ends, axis=2)
        return {
            name: part.sum(2).reshape(len(gradient), *self.cells)
            for (name, _), part in zip(self.taps, parts, strict=True)
        }

    def _scaled(self, table: FeatureTable, case: int) -> np.ndarray:
        """All channels of one case ``(cells, C)`` float32."""
        stacked = [table.maps[name][case].reshape(channels, -1) for name, channels in self.taps]
        values = np.concatenate(stacked).astype(np.float32).T
        return np.clip((values - self.mean) * self.scale, -CLIP, CLIP)

    def _sampled(self, table: FeatureTable, seed: int) -> np.ndarray:
        """The same number of random cells of every case ``(M, C)`` float32."""
        rng = np.random.default_rng(seed)
        total = int(np.prod(self.cells))
        each = min(total, -(-_SAMPLED_CELLS // len(table)))
        cases = range(len(table)) if len(table) <= _SAMPLED_CELLS else range(_SAMPLED_CELLS)
        return np.concatenate([self._scaled(table, i)[rng.choice(total, each, replace=False)] for i in cases])

    def _tap_weight(self, varies: np.ndarray) -> np.ndarray:
        """``(C,)`` float32 giving every tap a total variance of 1, whatever its number of channels."""
        tap = np.repeat(np.arange(len(self.taps)), [channels for _, channels in self.taps])
        varying = np.maximum(np.bincount(tap, weights=varies), 1)
        return (1 / np.sqrt(varying[tap])).astype(np.float32)


def _moments(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel of ``(N, C, …)``, ``(C,)`` float32 each, case by case."""
    flat = maps.reshape(*maps.shape[:2], -1)
    total, square = np.zeros(maps.shape[1]), np.zeros(maps.shape[1])
    for case in flat:
        values = case.astype(np.float64)
        total += values.mean(1)
        square += (values**2).mean(1)
    mean = total / len(flat)
    spread = np.sqrt(np.maximum(square / len(flat) - mean**2, 0))
    return mean.astype(np.float32), spread.astype(np.float32)
