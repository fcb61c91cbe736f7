"""The loop of a segmenter training: epochs, each with a look at the held-out cases and a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from SegClassifyLib.progress import Progress
from SegClassifyLib.training import checkpoint as disk
from SegClassifyLib.training.batches import batches
from SegClassifyLib.training.checkpoint import Checkpoint
from SegClassifyLib.training.history import EpochRecord, best_epoch
from SegClassifyLib.training.run import Run
from SegClassifyLib.training.schedule import Budget, learning_rate

TRAINING_PHASE = "Training the segmenter"

OnEpoch = Callable[[EpochRecord], None]


class Loop:
    """Epochs until the budget or the patience ends.

    Args:
        run: what to train.
        folder: where checkpoints go.
        progress: told of every step, and asked whether to stop.
        start: where to go on from.
        on_epoch: told of every epoch once it is on the disk.
        late: see :class:`.schedule.Budget`.
    """

    def __init__(
        self,
        run: Run,
        folder: Path,
        progress: Progress,
        start: Checkpoint,
        on_epoch: OnEpoch | None = None,
        late: float = 0.0,
    ) -> None:
        self._run, self._folder, self._progress = run, folder, progress
        self._on_epoch = on_epoch
        self._budget = Budget(run.settings, run.steps_per_epoch, start.seconds, late)
        self._step, self._loss_sum, self._history = start.step, start.loss_sum, start.history
        self._rate = 0.0

    def run(self) -> None:
        """Train to the end.

        Raises:
            Cancelled: asked to stop, between two steps; :meth:`save` then keeps what was done.
            TrainingError: the loss diverged, or the disk is full.
        """
        ahead = 4 if self._run.device.type == "cuda" else 0
        with closing(batches(self._run.source, self._step, ahead)) as stream:
            while True:
                first = self._history[-1].step if self._history else 0
                last = first + self._run.steps_per_epoch
                # At least one step, however short the budget: a training always leaves a segmenter.
                while self._step < last and (self._step == first or self._budget.fraction(self._step) < 1):
                    self._report()
                    self._rate = learning_rate(
                        self._run.settings.learning_rate, self._budget.fraction(self._step)
                    )
                    self._loss_sum += self._run.trainer.step(next(stream), self._step, self._rate)
                    self._step += 1
                self._close_epoch(self._step - first)
                finished = self._is_finished()
                self.save(finished)
                if self._on_epoch is not None:
                    self._on_epoch(self._history[-1])
                if finished:
                    return

    def save(self, finished: bool = False) -> None:
        """Write a checkpoint of this moment; ``finished`` says that nothing is left to do."""
        disk.save_checkpoint(
            self._folder,
            Checkpoint(
                step=self._step,
                loss_sum=self._loss_sum,
                seconds=self._budget.seconds,
                history=self._history,
                finished=finished,
                tensors=self._run.trainer.state(),
            ),
        )

    def _close_epoch(self, steps: int) -> None:
        started = self._budget.seconds
        dice = self._run.validator.dice(self._run.trainer.judged(), self._run.device, self._progress)
        self._budget.reserve(1.2 * (self._budget.seconds - started))
        record = EpochRecord(
            epoch=len(self._history) + 1,
            step=self._step,
            loss=self._loss_sum / steps,
            dice=dice,
            learning_rate=self._rate,
            seconds=self._budget.seconds,
        )
        history = (*self._history, record)
        if best_epoch(history) is record:
            disk.save_best(self._folder, self._run.trainer.weights(), record)
        self._history, self._loss_sum = history, 0.0

    def _is_finished(self) -> bool:
        best, patience = best_epoch(self._history), self._run.settings.patience
        waited = len(self._history) - (best.epoch if best else 0)
        return self._budget.fraction(self._step) >= 1 or (patience is not None and waited >= patience)

    def _report(self) -> None:
        note = f"epoch {len(self._history) + 1}"
        if self._history:
            last = self._history[-1]
            note += f", loss {last.loss:.3f}"
            if last.mean_dice is not None:
                note += f", Dice {last.mean_dice:.3f}"
        self._progress.report(TRAINING_PHASE, self._budget.fraction(self._step), 1, note)
