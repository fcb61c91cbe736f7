"""How far and how fast a network is fine-tuned."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

STAGES = 4
"""Equal parts of the network, and of the tuning, in which it is unfrozen from the output towards the input."""


class FineTuneSettings(BaseModel):
    """How far and how fast.

    Args:
        epochs: passes over the cases; the first of ``STAGES`` equal parts tunes the head and the last layers only,
            each later part also the layers before.
        head_rate: learning rate of the head, on standardised features.
        network_rate: of the last layers of the network.
        decay: each earlier stage of the network learns this much slower.
        keep_labels: weight of staying with the labels that the untuned segmenter predicts.
        batch: cases per step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=12, ge=1)
    head_rate: float = 2e-3
    network_rate: float = 1e-4
    decay: float = 0.4
    keep_labels: float = 1.0
    batch: int = Field(default=4, ge=1)
