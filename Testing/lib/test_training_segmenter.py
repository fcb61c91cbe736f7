"""Training a segmenter on small drawn images: it learns, resumes to the bit, and complains in sentences."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from SegClassifyLib.errors import Cancelled, TrainingError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, PreprocessingSpec
from SegClassifyLib.progress import Progress, ProgressEvent
from SegClassifyLib.training import run
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.segmenter import TrainedSegmenter, recover_segmenter, train_segmenter
from SegClassifyLib.training.settings import AugmentationSettings, SegmenterSettings
from SegClassifyLib.volumes.image import Label


@pytest.fixture(autouse=True)
def _taps_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding taps takes longer than these trainings."""
    monkeypatch.setattr(run, "find_taps", lambda _, network: _taps(network.model_dump_json()))


@functools.cache
def _taps(spec_json: str) -> tuple[TapSpec, ...]:
    network = NetworkSpec.model_validate_json(spec_json)
    return find_taps(build_network(network), network)


LABELS = (Label(0, "background"), Label(1, "organ"), Label(2, "lesion"))
QUICK = SegmenterSettings(
    epochs=2, steps_per_epoch=3, batch=2, patch=(32, 32), augmentation=AugmentationSettings(strength=1.0)
)


def drawn(count: int, shape: tuple[int, ...] = (48, 48), seed: int = 0) -> list[Sample]:
    """A bright ellipsoid (1) with a dark ball inside (2), on noise."""
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(count):
        axes = np.meshgrid(*[np.arange(n, dtype=float) for n in shape], indexing="ij")
        centre = [n / 2 + rng.uniform(-n / 8, n / 8) for n in shape]
        radii = [n * rng.uniform(0.25, 0.35) for n in shape]
        outer = sum(((a - c) / r) ** 2 for a, c, r in zip(axes, centre, radii, strict=True)) < 1
        inner = sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < (min(shape) / 8) ** 2
        labels = (outer.astype(np.uint8) + (outer & inner)).astype(np.uint8)
        image = np.choose(labels, [0.0, 1.5, -1.5]) + 0.3 * rng.normal(size=shape)
        samples.append(Sample(f"case{i}", f"patient{i}", image[None].astype(np.float32), labels))
    return samples


def spec(ndim: int = 2, channels: int = 1, **arguments: object) -> NetworkSpec:
    chosen = {"base_filters": 4, "num_blocks": [1, 1, 1], "dropout": 0.1, **arguments}
    return NetworkSpec(name="VNetDS", ndim=ndim, in_channels=channels, out_channels=3, arguments=chosen)


def preprocessing(ndim: int = 2, **grid: object) -> PreprocessingSpec:
    return PreprocessingSpec(ndim=ndim, channels=(ChannelSpec(name="T1"),), grid=GridSpec(**grid))


def train(
    folder: Path,
    samples: list[Sample] | None = None,
    settings: SegmenterSettings = QUICK,
    network: NetworkSpec | None = None,
    progress: Progress | None = None,
    **more: object,
) -> TrainedSegmenter:
    network = network or spec()
    return train_segmenter(
        drawn(6) if samples is None else samples,
        settings,
        network,
        preprocessing(network.ndim),
        LABELS,
        folder,
        progress or Progress(),
        **more,
    )


def same(one: TrainedSegmenter, other: TrainedSegmenter) -> bool:
    return all(torch.equal(v, other.segmenter.state[k]) for k, v in one.segmenter.state.items())


def stop_after(steps: int) -> Progress:
    """Cancels when that many steps are done."""
    seen: list[ProgressEvent] = []
    return Progress(seen.append, lambda: sum(e.phase.startswith("Training") for e in seen) >= steps)


def test_it_learns_in_two_dimensions(tmp_path: Path) -> None:
    events: list[ProgressEvent] = []
    settings = SegmenterSettings(epochs=3, steps_per_epoch=15, batch=4, learning_rate=1e-2)
    network = spec(base_filters=8, auxiliary=True)
    result = train(tmp_path, drawn(10), settings, network, Progress(events.append))
    assert set(result.dice) == {"organ", "lesion"}
    assert min(result.dice.values()) > 0.8
    assert [r.epoch for r in result.history] == [1, 2, 3]
    assert result.history[-1].loss < result.history[0].loss
    assert result.segmenter.labels == LABELS
    assert "bottleneck" in [tap.name for tap in result.segmenter.taps]
    assert all(v.device.type == "cpu" and not v.requires_grad for v in result.segmenter.state.values())
    training = [e for e in events if e.phase == "Training the segmenter"]
    assert len(training) == 45
    assert "Dice" in training[-1].note
    assert training[-1].seconds_left is not None


def test_it_learns_in_three_dimensions_from_patches_with_the_loss_for_unequal_sizes(tmp_path: Path) -> None:
    settings = SegmenterSettings(
        epochs=2, steps_per_epoch=15, batch=2, learning_rate=1e-2, patch=(16, 16, 16), loss="exp_log"
    )
    result = train(tmp_path, drawn(6, (20, 24, 28)), settings, spec(3))
    assert result.dice["organ"] > 0.7
    assert result.dice["lesion"] > 0.3


@pytest.mark.parametrize("steps", [1, 3, 4, 6])
def test_a_cancelled_training_goes_on_to_the_very_same_weights(tmp_path: Path, steps: int) -> None:
    whole = train(tmp_path / "whole")
    folder = tmp_path / "parts"
    with pytest.raises(Cancelled):
        train(folder, progress=stop_after(steps))
    resumed = train(folder)
    assert same(whole, resumed)
    assert [(r.loss, r.dice) for r in resumed.history] == [(r.loss, r.dice) for r in whole.history]


def test_a_killed_training_goes_on_to_the_very_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written at the kill: the run goes on from the end of the last epoch."""
    from SegClassifyLib.training.trainer import Trainer

    class Killed(BaseException):
        pass

    step = Trainer.step

    def dying(self: Trainer, batch: object, number: int, rate: float) -> float:
        if number == 4:
            raise Killed
        return step(self, batch, number, rate)

    whole = train(tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", dying)
        with pytest.raises(Killed):
            train(tmp_path / "parts")
    assert len(recover_segmenter(tmp_path / "parts").history) == 1
    assert same(whole, train(tmp_path / "parts"))


def test_a_finished_training_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from SegClassifyLib.training.trainer import Trainer

    first = train(tmp_path)
    monkeypatch.setattr(Trainer, "step", lambda *_: pytest.fail("trained again"))
    assert same(first, train(tmp_path))


def test_seeds_decide(tmp_path: Path) -> None:
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    one = train(tmp_path / "one")
    assert torch.equal(before, torch.random.get_rng_state())  # the caller's random numbers are untouched
    torch.manual_seed(456)
    two = train(tmp_path / "two")
    other = train(tmp_path / "other", settings=QUICK.model_copy(update={"seed": 1}))
    assert same(one, two)
    assert not same(one, other)


def test_a_cancelled_training_gives_its_best_segmenter_so_far(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        train(tmp_path, progress=stop_after(5))
    found = recover_segmenter(tmp_path)
    assert len(found.history) == 1
    assert found.dice == found.history[0].dice
    assert found.segmenter.network == spec()


def test_nothing_can_be_recovered_before_the_first_epoch(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        train(tmp_path, progress=stop_after(2))
    with pytest.raises(TrainingError, match="no epoch was completed"):
        recover_segmenter(tmp_path)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path: Path, damage: str) -> None:
    settings = QUICK.model_copy(update={"epochs": 3})
    whole = train(tmp_path / "whole", settings=settings)
    folder = tmp_path / "parts"
    with pytest.raises(Cancelled):
        train(folder, settings=settings, progress=stop_after(8))
    newest = sorted(folder.glob("checkpoint-*.pt"))[-1]
    content = bytearray(newest.read_bytes())
    if damage == "truncate":
        newest.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[len(content) // 2] ^= 1
        newest.write_bytes(content)
    else:
        newest.unlink()
    resumed = train(folder, settings=settings)
    assert same(whole, resumed)
    assert any("damaged" in warning and newest.stem in warning for warning in resumed.warnings)


def test_two_checkpoints_are_kept(tmp_path: Path) -> None:
    train(tmp_path, settings=QUICK.model_copy(update={"epochs": 4}))
    assert len(list(tmp_path.glob("checkpoint-*.pt"))) == len(list(tmp_path.glob("checkpoint-*.json"))) == 2
    assert not list(tmp_path.glob(".arriving*"))


def test_another_training_in_the_folder_is_not_resumed(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(TrainingError, match=r"other settings \(learning_rate\)"):
        train(tmp_path, settings=QUICK.model_copy(update={"learning_rate": 0.5}))
    with pytest.raises(TrainingError, match="other cases"):
        train(tmp_path, drawn(6, seed=1))
    with pytest.raises(TrainingError, match=r"other network \(arguments\)"):
        train(tmp_path, network=spec(base_filters=6))


def test_a_full_disk_is_a_sentence_and_earlier_checkpoints_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from SegClassifyLib.training import checkpoint

    train(tmp_path / "run", settings=QUICK.model_copy(update={"epochs": 1}))
    before = sorted(p.name for p in (tmp_path / "run").iterdir())
    found, _ = checkpoint.load_checkpoint(tmp_path / "run")
    assert found is not None

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    later = checkpoint.Checkpoint(99, 0.0, 1.0, found.history, found.tensors)
    with pytest.raises(TrainingError, match=r"disk .* is full"):
        checkpoint.save_checkpoint(tmp_path / "run", later)
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == before


def test_a_budget_of_minutes_ends_by_the_clock(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"epochs": None, "minutes": 0.6 / 60, "steps_per_epoch": 1000})
    result = train(tmp_path, settings=settings)
    assert len(result.history) == 1
    assert 1 <= result.history[-1].step < 1000
    assert result.seconds >= 0.3


def test_patience_ends_a_training_that_no_longer_improves(tmp_path: Path) -> None:
    settings = SegmenterSettings(
        epochs=50, steps_per_epoch=1, batch=2, patch=(32, 32), patience=2, learning_rate=1e-12, ema=None
    )
    result = train(tmp_path, settings=settings)
    assert len(result.history) == 3


def test_the_best_epoch_is_kept_not_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from SegClassifyLib.training.validation import Validator

    given = iter([0.2, 0.9, 0.5])
    monkeypatch.setattr(Validator, "dice", lambda *_: {"organ": next(given)})
    settings = QUICK.model_copy(update={"epochs": 3})
    three = train(tmp_path / "three", settings=settings)
    assert three.dice == {"organ": 0.9}
    with pytest.raises(StopIteration):
        next(given)


def test_the_loss_of_an_epoch_is_the_mean_of_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from SegClassifyLib.training.trainer import Trainer

    monkeypatch.setattr(Trainer, "step", lambda _self, _batch, number, _rate: float(number))
    assert [r.loss for r in train(tmp_path).history] == [1.0, 4.0]


def test_training_goes_on_from_given_weights(tmp_path: Path) -> None:
    first = train(tmp_path / "first")
    settings = QUICK.model_copy(update={"learning_rate": 1e-12, "ema": None})
    weights = first.segmenter.state
    second = train(tmp_path / "second", settings=settings, start_from=weights)
    assert all(torch.allclose(v, weights[k], atol=1e-6) for k, v in second.segmenter.state.items())
    with pytest.raises(TrainingError, match="belong to another network"):
        train(tmp_path / "third", start_from={"stem.weight": torch.zeros(3)})
    with pytest.raises(TrainingError, match="other starting weights"):
        train(tmp_path / "second", settings=settings)


def _replaced(**parts: object) -> Callable[[list[Sample]], list[Sample]]:
    def change(samples: list[Sample]) -> list[Sample]:
        old = samples[2]
        new = {"name": old.name, "group": old.group, "image": old.image, "labels": old.labels, **parts}
        return [*samples[:2], Sample(**new), *samples[3:]]

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda _: [], "no cases with a segmentation"),
        (_replaced(labels=np.zeros((48, 40), np.uint8)), r"'case2'.*\(48, 40\).*same grid"),
        (_replaced(labels=np.full((48, 48), 7, np.uint8)), r"'case2'.*value 7"),
        (_replaced(image=np.full((1, 48, 48), np.nan, np.float32)), r"'case2'.*not numbers"),
        (_replaced(image=np.zeros((2, 48, 48), np.float32)), r"'case2'.*1 channel"),
        (lambda s: [Sample(x.name, x.group, x.image, x.labels * 0) for x in s], "segmentations are empty"),
        (lambda s: [Sample(x.name, x.group, x.image, x.labels & 1) for x in s], r"label 'lesion' \(2\)"),
    ],
)
def test_unusable_cases_are_named(
    tmp_path: Path, change: Callable[[list[Sample]], list[Sample]], sentence: str
) -> None:
    with pytest.raises(TrainingError, match=sentence):
        train(tmp_path, change(drawn(4)))


def test_absent_labels_can_be_allowed(tmp_path: Path) -> None:
    samples = [Sample(x.name, x.group, x.image, x.labels & 1) for x in drawn(4)]
    result = train(tmp_path, samples, QUICK.model_copy(update={"absent_labels": "allow"}))
    assert any("'lesion'" in warning for warning in result.warnings)
    assert set(result.dice) == {"organ"}


def test_a_diverging_training_is_a_sentence(tmp_path: Path) -> None:
    samples = [Sample(x.name, x.group, x.image * np.float32(1e38), x.labels) for x in drawn(4)]
    with pytest.raises(TrainingError, match=r"diverged at step 1.*learning rate"):
        train(tmp_path, samples, QUICK.model_copy(update={"augmentation": AugmentationSettings(strength=0)}))


def test_a_patch_that_the_network_cannot_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="multiples of"):
        train(tmp_path, settings=QUICK.model_copy(update={"patch": (30, 32)}))


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(TrainingError, match="Another training"):
        train(tmp_path)
