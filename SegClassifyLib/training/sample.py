"""What a segmenter is trained on: an image on the model grid with its label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One case, preprocessed.

    Args:
        name: the case, for sentences.
        group: what must not be split between training and validation: the patient.
        image: ``(C, D, H, W)`` or ``(C, H, W)`` float32 on the model grid, intensities already scaled.
        labels: ``(D, H, W)`` or ``(H, W)`` uint8 on the same grid, values 0 … L-1.
    """

    name: str
    group: str
    image: np.ndarray
    labels: np.ndarray
