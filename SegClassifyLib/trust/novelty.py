"""Whether an image is unlike the training cases, so that its probabilities should not be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.features.spec import CaseFeatures, FeatureName, FeatureTable
from SegClassifyLib.trust.distance import Distance, held_out_distances
from SegClassifyLib.trust.look import (
    LEAST_SPREAD,
    exchanged_channels,
    look_in_words,
    look_names,
    look_of,
)
from SegClassifyLib.trust.mirrored import Sides, learn_sides
from SegClassifyLib.trust.patients import conformal_p_values
from SegClassifyLib.volumes.observation import Observation

FALSE_ALARMS = 0.05
"""Share of images like the training cases that are called unlike them all the same."""
FEWEST_PATIENTS = 5

_NETWORK, _LOOK = "network", "look"
_WHERE = {_NETWORK: "in what the network sees in it", _LOOK: "in its grey values and their texture"}


@dataclass(frozen=True)
class Novelty:
    """How unlike the others the training cases are, and how to ask the same of an image.

    Two distances are asked: in the segmenter's pooled features, whether the classifier uses them or not, and in plain
    numbers of the image (:mod:`.look`), in which noise, blur and another contrast show long before they show in the
    features. An image is as strange as the stranger of the two, each in standard deviations of the training cases'.

    Args:
        distances: by name, "network" (where new images get features as training cases did) and "look" (where
            texture was measured).
        known: logarithms of the training cases' distances, learned without their patient ``(D, N)`` float64.
        groups: numbers of their patients ``(N,)`` int64.
        false_alarms: share of images like the training cases that are called novel.
        sides: what sets left apart from right in the training images; ``None`` where nothing does in nearly all.
    """

    distances: dict[str, Distance]
    known: np.ndarray
    groups: np.ndarray
    false_alarms: float = FALSE_ALARMS
    sides: Sides | None = None

    def __post_init__(self) -> None:
        if self.known.shape != (len(self.distances), len(self.groups)) or not self.distances:
            raise ValueError("distances of training cases and their patients differ in number")
        if not set(self.distances) <= set(_WHERE):
            raise ValueError(f"unknown distance among {', '.join(self.distances)}")

    def strangeness(self, features: CaseFeatures) -> np.ndarray:
        """Log distance of an image, in standard deviations of the training cases' ``(D,)``.

        Raises:
            ModelPackageError: the segmenter gives other features than those of the training cases.
        """
        vectors = {}
        if _NETWORK in self.distances:
            vectors[_NETWORK] = features.vector[network_columns(features.names)]
        if _LOOK in self.distances:
            vectors[_LOOK] = look_of(features.observation)
        for name, vector in vectors.items():
            if len(vector) != len(self.distances[name].mean):
                raise ModelPackageError(
                    f"The model compares {len(self.distances[name].mean)} numbers of an image with its training cases "
                    f"and its segmenter gives {len(vector)}: train the classifier again."
                )
        found = np.array([float(self.distances[n](vectors[n][None])[0]) for n in self.distances])
        return np.asarray((found - self._centre) / self._spread)

    def ask(self, features: CaseFeatures, channels: Sequence[str]) -> NoveltyAnswer:
        """Compare an image with the training cases.

        Args:
            features: of the image.
            channels: names, for what is said.

        Raises:
            ModelPackageError: see :meth:`strangeness`.
        """
        found, known = (
            self.strangeness(features),
            (self.known - self._centre[:, None]) / self._spread[:, None],
        )
        strangest = known.max(0)
        novel = self._p_value(float(found.max()), strangest) <= self.false_alarms
        where = [
            _WHERE[name]
            for name, value, others in zip(self.distances, found, known, strict=True)
            if self._p_value(float(value), others) <= self.false_alarms
        ]
        exchanged = self._exchanged(features, channels)
        return NoveltyAnswer(
            percentile=100 * self._share_below(float(found.max()), strangest),
            novel=novel,
            where=tuple(where) if novel else (),
            looks=self._words(features, channels) if novel else (),
            exchanged=exchanged,
            mirrored=not exchanged and self.sides is not None and self.sides.mirrored(features.observation),
        )

    @property
    def _centre(self) -> np.ndarray:
        return np.asarray(self.known.mean(1))

    @property
    def _spread(self) -> np.ndarray:
        return np.maximum(self.known.std(1), 1e-3)

    def _p_value(self, found: float, known: np.ndarray) -> float:
        """Conformal; the tail of a t distribution where the patients are too few to show so small a share."""
        patients = len(np.unique(self.groups))
        if 1 / (patients + 1) <= self.false_alarms:
            return float(conformal_p_values(np.array([found]), known, self.groups)[0])
        from scipy.stats import t

        spread = max(float(known.std(ddof=1)), 1e-3) * np.sqrt(1 + 1 / patients)
        return float(t.sf((found - known.mean()) / spread, patients - 1))

    def _share_below(self, found: float, known: np.ndarray) -> float:
        """Share of the training cases that are less strange, 0 to 1, patients counting alike."""
        patients = len(np.unique(self.groups))
        p = float(conformal_p_values(np.array([found]), known, self.groups)[0])
        return 1 - (p * (patients + 1) - 1) / patients

    def _deviations(self, features: CaseFeatures) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The look of an image, and mean and standard deviation of the training images' ``(F,)``."""
        distance = self.distances[_LOOK]
        spread = np.sqrt(1 / len(distance.mean)) / distance.scale
        return look_of(features.observation), distance.mean, spread

    def _words(self, features: CaseFeatures, channels: Sequence[str]) -> tuple[str, ...]:
        if _LOOK not in self.distances:
            return ()
        look, mean, spread = self._deviations(features)
        return look_in_words((look - mean) / spread, look_names(features.observation), channels)

    def _exchanged(self, features: CaseFeatures, channels: Sequence[str]) -> tuple[str, str] | None:
        if _LOOK not in self.distances or len(channels) < 2:
            return None
        pair = exchanged_channels(*self._deviations(features), len(channels))
        return (channels[pair[0]], channels[pair[1]]) if pair else None


@dataclass(frozen=True)
class NoveltyAnswer:
    """How unlike the training cases an image is.

    Args:
        percentile: share of the training cases that are less unlike the others than the image is, 0 to 100.
        novel: too unlike them to believe its probabilities.
        where: in what respects, in words; empty unless novel.
        looks: what is most unusual about its look; empty unless novel, or where nothing stands out.
        exchanged: names of two channels that look like each other's training images.
        mirrored: left and right look exchanged.
    """

    percentile: float
    novel: bool
    where: tuple[str, ...]
    looks: tuple[str, ...]
    exchanged: tuple[str, str] | None
    mirrored: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to tell a person; nothing about an image like the training cases."""
        said = []
        if self.exchanged:
            a, b = self.exchanged
            said.append(
                f"The channels look exchanged: {a} looks like {b} in training, and {b} like {a}. Check their order."
            )
        if self.mirrored:
            said.append(
                "Left and right look exchanged: what training images have on one side, this one has on the other. "
                "Check its orientation; if it shows the organ of the other side, the model does not know that side."
            )
        if self.novel:
            said.append(f"{self.summary} Do not rely on the probabilities.")
        return tuple(said)

    @property
    def summary(self) -> str:
        """One sentence: how unlike, and in what."""
        others = "all" if self.percentile > 99.99 else f"{int(self.percentile)} % of"
        text = f"This image is less like the training cases than {others} these are among themselves"
        if self.where:
            text += ", " + " and ".join(self.where)
        if self.looks:
            text += f": {', '.join(self.looks)}"
        return text + "."


def learn_novelty(
    table: FeatureTable | None,
    cases: Sequence[CaseFeatures],
    groups: np.ndarray,
    seed: int = 0,
    more: Sequence[Observation] = (),
) -> Novelty | None:
    """Learn what the training cases are like; ``None`` with fewer than five patients, or nothing to compare.

    Args:
        table: all pooled features and descriptors of N cases, not only those that the classifier uses; ``None``
            where the segmenter will give others.
        cases: the same cases, for what was observed of their images.
        groups: patients ``(N,)``.
        seed: decides which patients are left out together.
        more: observed of training images of other patients that are not among the cases: what images look like is
            learned from these too. A few dozen cases alone know little of it.
    """
    code = np.unique(groups, return_inverse=True)[1].reshape(-1).astype(np.int64)
    if int(code.max()) + 1 < FEWEST_PATIENTS:
        return None
    distances, known = {}, []
    if table is not None:
        seen = table.columns(network_columns(table.names))
        distances[_NETWORK] = Distance.of(seen.X, seen.names)
        known.append(held_out_distances(seen.X, seen.names, code, seed))
    if all(c.observation.texture for c in cases):
        looks, names = np.stack([look_of(c.observation) for c in cases]), look_names(cases[0].observation)
        others = [look_of(o) for o in more if o.texture]
        further = np.reshape(others, (len(others), looks.shape[1]))
        distances[_LOOK] = Distance.of(np.concatenate([looks, further]), names, LEAST_SPREAD)
        known.append(held_out_distances(looks, names, code, seed, LEAST_SPREAD, further))
    if not distances:
        return None
    return Novelty(
        distances, np.stack(known), code, sides=learn_sides([c.observation for c in cases], groups)
    )


def network_columns(names: Sequence[FeatureName]) -> np.ndarray:
    """Which features the network's distance looks at, ``(F,)`` bool: those of taps, where there are any."""
    from_taps = np.asarray([not n.is_descriptor for n in names])
    return from_taps if from_taps.any() else ~from_taps
