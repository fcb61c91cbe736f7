"""In which order cases without a label should be annotated: unsure ones, unlike those that have a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pick:
    """One case of the order.

    Args:
        index: of the candidate.
        unsure: 1 less the gap between the two most probable classes: 0 sure, 1 torn between two.
        distance: to the nearest labelled or earlier picked case, squared, as a multiple of the candidates' median
            distance to the nearest labelled case; NaN where there is nothing to be far from.
        farther_than: share of the other candidates, not picked before, that are nearer, 0 to 1.
    """

    index: int
    unsure: float
    distance: float
    farther_than: float


def annotation_order(
    proba: np.ndarray,
    Z: np.ndarray,
    labelled: np.ndarray,
    groups: np.ndarray,
    count: int,
    known_groups: frozenset[str] = frozenset(),
) -> tuple[Pick, ...]:
    """Pick case after case the one with the largest *unsure × squared distance*.

    Unsure cases are where the classifier learns; a case far from all that have a label, and from those picked before,
    brings news. This is the greedy k-centre choice (Sener and Savarese, *Active learning for convolutional neural
    networks: a core-set approach*, ICLR 2018) with distances weighted by uncertainty, and draws no random number.
    A second case of a patient waits until all other patients have had their turn.

    Args:
        proba: class probabilities of the M candidates ``(M, K)``.
        Z: their scaled features ``(M, F)``.
        labelled: scaled features of the cases with a label ``(N, F)``; N may be 0.
        groups: patients of the candidates ``(M,)`` str.
        count: how many are picked at most.
        known_groups: patients of the labelled cases.
    """
    ranked = np.sort(proba, axis=1)
    unsure = 1 - (ranked[:, -1] - ranked[:, -2])
    near = nearest(Z, labelled)
    usual = float(np.median(near)) if len(labelled) and len(near) else float("nan")
    left = np.ones(len(Z), bool)
    fresh = np.array([g not in known_groups for g in groups], bool)
    picks: list[Pick] = []
    while left.any() and len(picks) < count:
        candidates = left & fresh if (left & fresh).any() else left
        # With nothing to be far from, the most unsure case begins.
        value = np.where(candidates, unsure * np.where(np.isfinite(near), near, 1.0), -1.0)
        index = int(value.argmax())
        left[index] = False
        farther = float((near[left] < near[index]).mean()) if left.any() else 1.0
        distance = float(near[index]) / usual if usual > 0 else float("nan")
        picks.append(Pick(index, float(unsure[index]), distance, farther))
        fresh &= np.asarray(groups) != groups[index]
        near = np.minimum(near, nearest(Z, Z[index : index + 1]))
    return tuple(picks)


def nearest(Z: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distance of each row of ``Z (M, F)`` to the nearest row of ``others (N, F)``, ``(M,)``; inf for none.

    Row by row, so that no matrix product, which rounds as the number of threads has it, decides a tie.
    """
    found = np.full(len(Z), np.inf)
    for row in others:
        found = np.minimum(found, ((Z - row) ** 2).sum(1))
    return found
