"""Fine-tuning: start from the linear head on frozen features, then unfreeze from the output towards the input.

Linear probing first, then tuning, keeps features from being distorted by a random head: Kumar et al.,
*Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution* (ICLR 2022).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from SegClassifyLib.errors import TrainingError
from SegClassifyLib.features.pooling import Pooler
from SegClassifyLib.features.spec import FeatureTable
from SegClassifyLib.heads.base import HeadState, class_count, probabilities
from SegClassifyLib.heads.finetuned import FineTunedHead
from SegClassifyLib.heads.linear import LinearHead
from SegClassifyLib.inference.extract import case_features
from SegClassifyLib.inference.runner import Runner
from SegClassifyLib.preprocessing.apply import Prepared, preprocess
from SegClassifyLib.progress import Progress
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.training.finetune_settings import STAGES, FineTuneSettings
from SegClassifyLib.volumes.image import Image

if TYPE_CHECKING:
    import torch


class FineTuner:
    """Learns like a head, but from the images themselves; gives a tuned segmenter and an affine head on it.

    Args:
        segmenter: to start from; its weights are copied.
        material: one image for each row of the table that it will be fitted on.
        device: where to tune.
        settings: how far and how fast.
    """

    kind = "fine-tuned"

    def __init__(
        self,
        segmenter: Segmenter,
        material: Sequence[Image],
        device: str = "cpu",
        settings: FineTuneSettings | None = None,
    ) -> None:
        self._start = segmenter
        self._material = material
        self._prepared = [preprocess(image, segmenter.preprocessing) for image in material]
        self._device = device
        self._settings = settings or FineTuneSettings()
        self.n_classes = 0

    def fresh(self) -> FineTuner:
        """Unfitted, on the same material."""
        return FineTuner(self._start, self._material, self._device, self._settings)

    def fit(
        self,
        table: FeatureTable,
        y: np.ndarray,
        groups: np.ndarray,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> FineTuner:
        """Tune on the rows of ``table``; see :class:`~SegClassifyLib.evaluation.learner.Learner`.

        Raises:
            TrainingError: as a linear head, or when tuning diverges.
        """
        import torch

        progress = progress or Progress()
        self.n_classes = class_count(y)
        linear = LinearHead().fit(table, y, groups, seed=seed)
        weight, bias = linear.coefficients()
        self._middle = torch.tensor(table.X.mean(0), dtype=torch.float64)
        self._spread = torch.tensor(np.maximum(table.X.std(0), 1e-4), dtype=torch.float64)
        self._weight = torch.tensor(weight, dtype=torch.float64) * self._spread
        self._bias = (
            torch.tensor(bias, dtype=torch.float64) + torch.tensor(weight, dtype=torch.float64) @ self._middle
        )
        self._weight.requires_grad_(True)
        self._bias.requires_grad_(True)
        self._names = table.names
        runner = Runner(self._start, self._device)
        torch.manual_seed(seed)
        self._tune(runner, table, np.asarray(y), seed, progress)
        state = {k: v.detach().cpu().clone() for k, v in runner.network.state_dict().items()}
        self.tuned = replace(self._start, state=state)
        return self

    def _tune(
        self, runner: Runner, table: FeatureTable, y: np.ndarray, seed: int, progress: Progress
    ) -> None:
        import torch
        import torch.nn.functional as F

        settings = self._settings
        cases = np.arange(len(table)) if table.cases is None else table.cases
        anchor = copy.deepcopy(runner.network).requires_grad_(False)
        stages = _stages(runner.network)
        optimizer = torch.optim.AdamW(
            [{"params": [self._weight, self._bias], "lr": settings.head_rate}]
            + [
                {"params": list(p), "lr": settings.network_rate * settings.decay ** (len(stages) - 1 - i)}
                for i, p in enumerate(stages)
            ],
            weight_decay=1e-4,
        )
        class_weight = torch.tensor(len(y) / (self.n_classes * np.bincount(y)), dtype=torch.float64)
        random = np.random.default_rng(seed)
        for epoch in range(settings.epochs):
            open_stages = 1 + epoch * STAGES // settings.epochs
            for i, parameters in enumerate(stages):
                for parameter in parameters:
                    parameter.requires_grad_(i >= len(stages) - open_stages)
            order = random.permutation(len(cases))
            for start in range(0, len(order), settings.batch):
                progress.report("Fine-tuning", epoch * len(order) + start, settings.epochs * len(order))
                chosen = order[start : start + settings.batch]
                optimizer.zero_grad()
                for row in chosen:
                    prepared = self._prepared[int(cases[row])]
                    vector, logits, image = self._forward(runner, prepared, table, int(row))
                    target = torch.tensor([int(y[row])])
                    loss = F.cross_entropy(self._classes(vector)[None], target) * class_weight[int(y[row])]
                    with torch.no_grad():
                        old = torch.softmax(anchor(image), 1)
                    stay = F.kl_div(torch.log_softmax(logits, 1), old, reduction="none").sum(1).mean()
                    ((loss.to(stay.device) + settings.keep_labels * stay) / len(chosen)).backward()
                if not bool(torch.isfinite(self._weight).all()):
                    raise TrainingError(
                        "Fine-tuning diverged: use the linear head, or a smaller network rate."
                    )
                optimizer.step()
        progress.report("Fine-tuning", 1, 1)
        runner.network.requires_grad_(False)

    def _forward(
        self, runner: Runner, prepared: Prepared, table: FeatureTable, row: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Feature vector ``(F,)`` with gradients, label logits and the input; descriptors as the table has them."""
        import torch

        from SegClassifyLib.features.taps import TapReader

        image = torch.from_numpy(prepared.array)[None].to(self._device)
        full = tuple(slice(0, n) for n in image.shape[2:])
        pooler = Pooler(self._start.taps, image.shape[1], [x.name for x in self._start.labels])
        with TapReader(runner.network, self._start.taps) as reader:
            logits = runner.network(image)
            read = {name: values[0] for name, values in reader.read().items()}
            pooler.add(image[0], read, logits[0], full, prepared.path.inside)
        place = {name: column for column, name in enumerate(table.names)}
        source = [(place[n], i) for i, n in enumerate(pooler.names()) if n in place]
        columns, positions = torch.tensor(source, dtype=torch.long).reshape(-1, 2).T
        # Descriptors are no function of the weights that could be followed: they stay as the table has them.
        vector = torch.tensor(table.X[row], dtype=torch.float64)
        return vector.index_put((columns,), pooler.tensor()[positions]), logits, image

    def _classes(self, vector: torch.Tensor) -> torch.Tensor:
        return self._weight @ ((vector - self._middle) / self._spread) + self._bias

    def logits(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64 from the tuned network's own features of the rows' images."""
        cases = np.arange(len(table)) if table.cases is None else table.cases
        runner = Runner(self.tuned, self._device)
        found = []
        for case in cases:
            image, prepared = self._material[int(case)], self._prepared[int(case)]
            found.append(case_features(self.tuned, image, prepared, runner.run(prepared, maps=False)))
        return self.head().logits(FeatureTable.stack(found).select(self._names))

    def predict_proba(self, table: FeatureTable) -> np.ndarray:
        """``(N, K)`` float64, rows summing to 1."""
        return probabilities(self.logits(table))

    def head(self) -> FineTunedHead:
        """The tuned affine map in the space of plain features."""
        weight = (self._weight / self._spread).detach()
        bias = (self._bias.detach() - weight @ self._middle).numpy()
        return FineTunedHead(self._names, weight.numpy(), bias)

    def to_state(self) -> HeadState:
        """Of :meth:`head`; the tuned segmenter, :attr:`tuned`, goes with it."""
        return self.head().to_state()


def _stages(network: torch.nn.Module) -> list[list[torch.nn.Parameter]]:
    """Parameters in ``STAGES`` equal parts, input first: modules are registered in the order they are run."""
    parameters = list(network.parameters())
    bounds = np.linspace(0, len(parameters), STAGES + 1).astype(int).tolist()
    return [parameters[a:b] for a, b in pairwise(bounds) if b > a]
