"""The conv head: small convolutional networks over the segmenter's feature maps, in the authors' manner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from SegClassifyLib.evaluation.folds import Fold, groups_per_class, make_folds
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import HeadState, class_count, probabilities
from SegClassifyLib.heads.map_input import MapInput
from SegClassifyLib.progress import Progress

if TYPE_CHECKING:
    import torch

    from SegClassifyLib.heads.map_network import MapNetwork

_BATCH_OF_ANSWERS = 64


class ConvSettings(BaseModel):
    """How a conv head learns.

    Args:
        components: channels that the maps of all taps are reduced to, without labels.
        width: channels of the networks.
        members: networks whose logits are averaged.
        steps: of training for each.
        batch, dropout, rate, decay, noise, mixup: see :class:`~.map_network.Schedule`.
        hold_out_from: groups that every class must have for each member to stop by a fold it does not train on;
            with fewer all steps are run on all cases.
        patience: steps without a better look at that fold after which a member stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    components: int = Field(default=32, ge=1, le=512)
    width: int = Field(default=24, ge=4, le=512, multiple_of=4)
    members: int = Field(default=3, ge=1, le=50)
    steps: int = Field(default=120, ge=1)
    batch: int = Field(default=16, ge=2)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    rate: float = Field(default=2e-3, gt=0)
    decay: float = Field(default=0.05, ge=0)
    noise: float = Field(default=0.3, ge=0)
    mixup: float = Field(default=0.3, ge=0)
    hold_out_from: int = Field(default=15, ge=5)
    patience: int = Field(default=50, ge=1)


class ConvHead:
    """A few small convolutional networks over the feature maps of a table; sees where things are.

    Args:
        settings: how it learns.
    """

    kind = "conv"

    def __init__(self, settings: ConvSettings | None = None) -> None:
        self.settings = settings or ConvSettings()
        self.n_classes = 0
        self._input: MapInput | None = None
        self._members: list[MapNetwork] = []

    def fresh(self) -> ConvHead:
        """An unfitted head with the same settings."""
        return ConvHead(self.settings)

    def fit(
        self,
        table: FeatureTable,
        y: np.ndarray,
        groups: np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> ConvHead:
        """Learn from the maps of N cases; see :class:`~SegClassifyLib.evaluation.learner.Learner`."""
        import torch

        progress = progress or Progress()
        y = np.asarray(y, np.int64)
        self.n_classes = class_count(y)
        self._input = MapInput.of(table, self.settings.components, seed)
        maps, target = torch.from_numpy(self._input.apply(table)), torch.from_numpy(y)
        folds = self._folds(y, np.asarray(groups), seed)
        self._members = []
        # Layers draw their first weights from the global generator: borrowed here, and given back as it was.
        with torch.random.fork_rng(devices=[]):
            for number in range(self.settings.members):
                torch.manual_seed(seed * 1000 + number)
                member = self._new_member(self._input)
                self._train(member, maps, target, folds[number % len(folds)], number, progress)
                self._members.append(member)
        return self

    def logits(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64, mean over the members.

        Raises:
            ModelPackageError: other taps than those it was trained on.
        """
        import torch

        if self._input is None:
            raise RuntimeError("ConvHead.fit has not been called")
        result = np.zeros((len(table), self.n_classes))
        with torch.no_grad():
            for start in range(0, len(table), _BATCH_OF_ANSWERS):
                rows = np.arange(start, min(start + _BATCH_OF_ANSWERS, len(table)))
                maps = torch.from_numpy(self._input.apply(table.rows(rows)))
                result[rows] = np.mean([m(maps).double().numpy() for m in self._members], axis=0)
        return result

    def contributions(self, table: FeatureTable, steps: int = 64) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """What every cell of every tap's map contributes to one case's logits, by integrated gradients.

        The gradient is averaged along the straight way from the average training maps to the case's own; its product
        with the way adds up to the difference of the logits (Sundararajan et al., ICML 2017), up to what ``steps``
        steps leave.

        Args:
            table: of one case.
            steps: along the way.

        Returns:
            ``(K, *cells)`` float64 by tap name, and the logits ``(K,)`` at the beginning.
        """
        import torch

        if self._input is None:
            raise RuntimeError("ConvHead.fit has not been called")
        maps = torch.from_numpy(self._input.apply(table))
        gradient = np.zeros((self.n_classes, *maps.shape[1:]))
        for step in range(steps):
            at = (maps * ((step + 0.5) / steps)).requires_grad_()
            logits = torch.stack([m(at)[0] for m in self._members]).mean(0)
            for number, logit in enumerate(logits):
                found = torch.autograd.grad(logit, at, retain_graph=True)[0]
                gradient[number] += found[0].double().numpy() / steps
        with torch.no_grad():
            start = np.mean([m(torch.zeros_like(maps))[0].double().numpy() for m in self._members], axis=0)
        return self._input.split(table, gradient), start

    def predict_proba(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64, rows summing to 1."""
        return probabilities(self.logits(table))

    def to_state(self) -> HeadState:
        """Settings and taps as JSON; the reduction and every member's weights as arrays."""
        if self._input is None:
            raise RuntimeError("ConvHead.fit has not been called")
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "classes": self.n_classes,
            "members": len(self._members),
            "taps": [[name, channels] for name, channels in self._input.taps],
            "cells": list(self._input.cells),
        }
        arrays = {"mean": self._input.mean, "scale": self._input.scale, "axes": self._input.axes}
        for number, member in enumerate(self._members):
            for name, value in member.state_dict().items():
                arrays[f"member{number}.{name}"] = value.cpu().numpy()
        return HeadState(self.kind, config, arrays)

    @classmethod
    def from_state(cls, state: HeadState) -> ConvHead:
        """The head that was stored."""
        import torch

        config, arrays = state.config, state.arrays
        head = cls(ConvSettings.model_validate(config["settings"]))
        head.n_classes = int(config["classes"])
        taps = tuple((str(name), int(channels)) for name, channels in config["taps"])
        total = sum(channels for _, channels in taps)
        if {arrays["mean"].shape, arrays["scale"].shape} != {(total,)} or len(arrays["axes"]) != total:
            raise ValueError(f"arrays do not fit {total} channels")
        cells = tuple(int(n) for n in config["cells"])
        head._input = MapInput(taps, cells, arrays["mean"], arrays["scale"], arrays["axes"])
        for number in range(int(config["members"])):
            prefix = f"member{number}."
            stored = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            with torch.random.fork_rng(devices=[]):
                member = head._new_member(head._input)
            member.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in stored.items()})
            head._members.append(member.eval())
        return head

    def _new_member(self, source: MapInput) -> MapNetwork:
        from SegClassifyLib.heads.map_network import MapNetwork

        settings = self.settings
        channels = source.axes.shape[1]
        return MapNetwork(len(source.cells), channels, self.n_classes, settings.width, settings.dropout)

    def _folds(self, y: np.ndarray, groups: np.ndarray, seed: int) -> tuple[Fold | None, ...]:
        """A fold to stop by for each member, or none where there are too few groups to spare one."""
        if groups_per_class(y, groups).min() < self.settings.hold_out_from:
            return (None,)
        return make_folds(y, groups, 5, seed)

    def _train(
        self,
        member: MapNetwork,
        maps: torch.Tensor,
        y: torch.Tensor,
        fold: Fold | None,
        number: int,
        progress: Progress,
    ) -> None:
        import torch

        from SegClassifyLib.heads.map_network import Schedule, train_network

        s = self.settings

        def after_step(step: int) -> None:
            progress.report("Training the conv classifier", number * s.steps + step, s.members * s.steps)

        train_network(
            member,
            maps if fold is None else maps[fold.train],
            y if fold is None else y[fold.train],
            Schedule(s.steps, s.batch, s.rate, s.decay, s.noise, s.mixup, s.patience),
            torch.Generator().manual_seed(torch.initial_seed()),
            None if fold is None else (maps[fold.test], y[fold.test]),
            after_step,
        )
