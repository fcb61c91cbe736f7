"""Images as pictures, features of ImageNet networks, and fine-tuning them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from SegClassifyLib.features.imagenet import imagenet_features, imagenet_names, to_colour
from SegClassifyLib.features.pictures import PictureLayout, pictures
from SegClassifyLib.networks.imagenet import IMAGENET, open_imagenet
from SegClassifyLib.progress import Progress, ProgressEvent
from SegClassifyLib.training.image_training import spare_fold, train_on_images
from SegClassifyLib.training.pretrained import PretrainedClassifier
from SegClassifyLib.training.settings import ImageTrainingSettings, PretrainedSettings
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image


def image(array: np.ndarray) -> Image:
    ndim = array.ndim - 1
    geometry = Geometry(array.shape[:0:-1], (1.0,) * ndim, (0.0,) * ndim, tuple(np.eye(ndim).ravel()))
    return Image(array.astype(np.float32), geometry)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ResNet-18 with weights that were never trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(IMAGENET["resnet18"].build().state_dict(), path)
    return path


def test_pictures_keep_proportions_and_eight_bit_values() -> None:
    grey = np.zeros((1, 20, 40))
    grey[0, :, 20:] = 255
    stack = pictures(image(grey), PictureLayout.of(["US"], 2, 32, 6))
    assert stack.shape == (1, 1, 32, 32)
    assert stack[0, 0, :8].max() == 0 and stack[0, 0, 24:].max() == 0
    assert stack[0, 0, 16, 4] == 0 and stack[0, 0, 16, 28] == pytest.approx(1)
    dim = pictures(image(grey / 2), PictureLayout.of(["US"], 2, 32, 6))
    assert dim.max() == pytest.approx(0.5, abs=1e-3)
    assert pictures(image(grey * 4 - 300), PictureLayout.of(["CT"], 2, 32, 6)).max() == pytest.approx(1)


def test_volumes_give_slices_from_end_to_end() -> None:
    volume = np.broadcast_to(np.arange(9.0)[None, :, None, None], (1, 9, 16, 16))
    stack = pictures(image(volume), PictureLayout.of(["CT"], 3, 32, 5))
    assert stack.shape == (1, 5, 32, 32)
    assert np.allclose(stack[0, :, 16, 16], [0, 0.25, 0.5, 0.75, 1], atol=0.02)


def test_features_are_pooled_over_slices_and_named(weights: Path) -> None:
    backbone = open_imagenet(weights)
    layout = PictureLayout.of(["T1", "FLAIR"], 3, 32, 3)
    stack = np.random.default_rng(0).random((2, 3, 32, 32), np.float32)
    found, names = imagenet_features(backbone, stack, layout), imagenet_names(backbone, layout)
    assert len(found) == len(names) == 2 * 2 * 512
    with torch.inference_mode():
        flair = backbone(torch.from_numpy(stack[1])[:, None].expand(-1, 3, -1, -1)).double().numpy()
    place = {str(n): i for i, n in enumerate(names)}
    assert found[place["resnet18:FLAIR/all/mean[7]"]] == pytest.approx(flair[:, 7].mean(), abs=1e-5)
    assert found[place["resnet18:FLAIR/all/spread[7]"]] == pytest.approx(flair[:, 7].std(), abs=1e-5)
    assert {n.network for n in names} == {"resnet18"}


def test_three_channels_of_a_2d_image_are_one_colour_picture() -> None:
    layout = PictureLayout.of(["red", "green", "blue"], 2, 8, 1)
    stack = torch.rand(4, 3, 1, 8, 8)
    assert torch.equal(to_colour(stack, layout), stack[:, :, 0])


def test_tuning_learns_and_starts_from_the_linear_head(weights: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    stacks = 0.2 * rng.random((24, 1, 1, 32, 32), np.float32)
    stacks[y == 1, :, :, 8:16, 8:16] += 0.5
    groups = np.arange(24)
    layout = PictureLayout.of(["US"], 2, 32, 1)
    settings = PretrainedSettings(steps=4, check_every=2, hold_out_from=5, batch=4)
    tuned = PretrainedClassifier(weights, layout, settings).fit(stacks[:20], y[:20], groups[:20], seed=1)
    logits = tuned.logits(stacks[20:])
    assert (logits[:, 1] - logits[:, 0])[y[20:] == 1].min() > (logits[:, 1] - logits[:, 0])[y[20:] == 0].max()
    assert tuned.held_out_ is not None and tuned.held_out_.logits.shape == (4, 2)
    again = PretrainedClassifier(weights, layout, settings).fit(stacks[:20], y[:20], groups[:20], seed=1)
    assert np.array_equal(again.logits(stacks[20:]), logits)
    one = PretrainedSettings(steps=1, learning_rate=1e-12, network_rate=1e-12)
    start = PretrainedClassifier(weights, layout, one).fit(stacks[:20], y[:20], groups[:20])
    assert (start.logits(stacks[:20]).argmax(1) == y[:20]).all()


def test_patients_are_held_out_whole_and_only_where_there_are_enough() -> None:
    y, groups = np.arange(40) % 2, np.arange(40) // 4
    fold = spare_fold(y, groups, 10, seed=0)
    assert fold is not None and not set(groups[fold.train]) & set(groups[fold.test])
    assert spare_fold(y, groups, 11, seed=0) is None
    assert spare_fold(y, None, 2, seed=0) is None


def test_training_stops_by_the_held_out_cases_and_keeps_the_best_weights() -> None:
    """A network that can only grow worse on the held-out cases, because their classes are the other way round."""
    torch.manual_seed(0)
    y = np.arange(40) % 2
    groups = np.arange(40)
    fold = spare_fold(y, groups, 10, seed=0)
    assert fold is not None
    images = torch.from_numpy(np.where(y, 1.0, -1.0)).float().view(40, 1, 1, 1).repeat(1, 1, 4, 4)
    images[fold.test] *= -1
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    test, truth = images[fold.test], torch.from_numpy(y[fold.test]).long()
    seen: list[float] = []

    def look(_: ProgressEvent) -> None:
        with torch.no_grad():
            seen.append(float(F.cross_entropy(model(test), truth)))

    settings = ImageTrainingSettings(steps=200, check_every=1, patience=3, learning_rate=0.01)
    told = train_on_images(model, images, y, settings, 8, groups=groups, progress=Progress(look))
    assert told is not None
    assert len(seen) < 20, "stopped long before its last step"
    assert seen[-1] > seen[1]
    kept = float(F.cross_entropy(torch.from_numpy(told.logits), truth))
    assert kept == pytest.approx(min(seen[1:]), rel=1e-4)
