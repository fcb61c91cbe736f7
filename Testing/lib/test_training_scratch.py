"""The from-scratch classifier learns what a small network can learn, the same way each time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from SegClassifyLib.errors import Cancelled, TrainingError
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.progress import Progress
from SegClassifyLib.training.scratch import ScratchClassifier
from SegClassifyLib.training.settings import ScratchSettings


def discs(count: int, shape: tuple[int, ...], seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Class 1: a bright disc; class 0: a dark one; anywhere, on noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 2
    images = []
    for bright in y:
        axes = np.meshgrid(*[np.arange(n, dtype=float) for n in shape], indexing="ij")
        centre = [rng.uniform(0.35, 0.65) * n for n in shape]
        disc = sum((a - c) ** 2 for a, c in zip(axes, centre, strict=True)) < (min(shape) / 5) ** 2
        image = 0.3 * rng.normal(size=shape) + disc * (1.0 if bright else -1.0)
        images.append(image[None].astype(np.float32))
    return images, y


def network(ndim: int) -> NetworkSpec:
    return NetworkSpec(
        name="VNetDS",
        ndim=ndim,
        in_channels=1,
        out_channels=2,
        arguments={"base_filters": 4, "num_blocks": [1, 1, 1]},
    )


@pytest.mark.parametrize(
    ("shape", "steps"),
    [((40, 48), 60), ((16, 20, 24), 40)],
)
def test_it_tells_bright_from_dark_discs(shape: tuple[int, ...], steps: int) -> None:
    settings = ScratchSettings(steps=steps, learning_rate=3e-3, batch=8)
    images, y = discs(16, shape, seed=0)
    classifier = ScratchClassifier(network(len(shape)), settings).fit(images, y + 3, seed=1)
    assert classifier.classes_.tolist() == [3, 4]
    unseen, truth = discs(12, tuple(n + 4 for n in shape), seed=9)
    p = classifier.predict_proba(unseen)
    assert p.shape == (12, 2)
    assert np.allclose(p.sum(1), 1)
    assert (p.argmax(1) == truth).mean() >= 0.9


@pytest.mark.parametrize("architecture", ["resnet18", "densenet121"])
def test_networks_of_monai_run(architecture: str) -> None:
    images, y = discs(4, (32, 32), seed=0)
    settings = ScratchSettings(architecture=architecture, steps=1, batch=2)
    assert ScratchClassifier(network(2), settings).fit(images, y).predict_proba(images).shape == (4, 2)


def test_densenet_takes_thin_volumes() -> None:
    images, y = discs(4, (8, 32, 32), seed=0)
    settings = ScratchSettings(architecture="densenet121", steps=1, batch=2)
    classifier = ScratchClassifier(network(3), settings).fit(images, y)
    assert classifier.size_ == (32, 32, 32)
    with pytest.raises(TrainingError, match="no side may be below 32"):
        ScratchClassifier(network(3), settings.model_copy(update={"size": (16, 32, 32)})).fit(images, y)


def test_the_seed_decides_and_the_callers_random_numbers_stay() -> None:
    images, y = discs(6, (24, 24), seed=0)
    settings = ScratchSettings(steps=3, batch=2)
    before = torch.random.get_rng_state()
    one, two, other = (
        ScratchClassifier(network(2), settings).fit(images, y, seed=s).predict_proba(images)
        for s in (0, 0, 1)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_rare_classes_weigh_as_much_as_common_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    cross_entropy = torch.nn.functional.cross_entropy

    def spy(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        seen.append(weight)
        return cross_entropy(logits, target, weight=weight)

    monkeypatch.setattr("SegClassifyLib.training.scratch.F.cross_entropy", spy)
    images, _ = discs(8, (24, 24), seed=0)
    y = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    ScratchClassifier(network(2), ScratchSettings(steps=1, batch=2)).fit(images, y)
    assert torch.allclose(seen[0], torch.tensor([8 / 12, 8 / 4]))


def test_only_the_encoder_is_computed() -> None:
    from SegClassifyLib.training.encoder import EncoderClassifier

    model = EncoderClassifier(network(2), 2)
    model(torch.zeros(1, 1, 32, 32)).sum().backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None}
    assert any("encoder" in name for name in trained)
    assert not any("decoder" in name or "right_leg" in name for name in trained)


def test_bad_input_is_a_sentence() -> None:
    images, y = discs(4, (24, 24), seed=0)
    with pytest.raises(TrainingError, match="one class"):
        ScratchClassifier(network(2)).fit(images, y * 0)
    with pytest.raises(TrainingError, match="4 images but 3 classes"):
        ScratchClassifier(network(2)).fit(images, y[:3])
    with pytest.raises(TrainingError, match="multiples of"):
        ScratchClassifier(network(2), ScratchSettings(size=(30, 30))).fit(images, y)
    with pytest.raises(Cancelled):
        ScratchClassifier(network(2)).fit(images, y, progress=Progress(is_cancelled=lambda: True))
