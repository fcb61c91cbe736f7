"""How often cases of other patients were at least as strange: the p-value behind sets and novelty."""

from __future__ import annotations

import numpy as np


def conformal_p_values(found: np.ndarray, known: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Conformal p-values of new cases among known ones, patients counting alike however many cases they have.

    ``p = (1 + Σ_g share of the cases of patient g whose score is at least the new one's) / (G + 1)``: at most α with a
    probability of about α for a case of a new patient drawn like the G known ones (Lee, Barber, Willett,
    *Distribution-free inference with hierarchical data*, arXiv 2306.06342; Vovk et al., *Algorithmic learning in a
    random world*, 2005).

    Args:
        found: scores of M new cases, high is strange: ``(M,)``, or ``(M, N)`` where a new case's score depends on
            which known case it is compared with.
        known: scores of N known cases ``(N,)``, each from a fit without its patient.
        groups: their patients ``(N,)``.

    Returns:
        ``(M,)`` float64 above 0.
    """
    found = np.asarray(found, np.float64)
    found = found if found.ndim == 2 else found[:, None]
    patients, code = np.unique(groups, return_inverse=True)
    share = 1 / np.bincount(code.reshape(-1))[code.reshape(-1)]
    at_least = np.asarray(known)[None] >= found
    return np.asarray((1 + at_least @ share) / (len(patients) + 1))
