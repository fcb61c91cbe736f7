"""Patches: where they are cut, how they are varied, and that seed and step alone decide."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import numpy as np
import pytest
import torch

from SegClassifyLib.training import augment
from SegClassifyLib.training.batches import Batch, PatchSource, batches, choose_patch
from SegClassifyLib.training.holdout import hold_out
from SegClassifyLib.training.sample import Sample
from SegClassifyLib.training.schedule import Budget, learning_rate
from SegClassifyLib.training.settings import AugmentationSettings, SegmenterSettings
from SegClassifyLib.training.survey import SampleSurvey, survey_samples
from SegClassifyLib.training.validation import Validator, pad_to_multiple
from SegClassifyLib.volumes.image import Label

LABELS = tuple(Label(i, f"label{i}") for i in range(4))
STILL = AugmentationSettings(strength=0, flip=())


def source(samples: list[Sample], patch: tuple[int, ...], **changed: object) -> PatchSource:
    n = samples[0].labels.ndim
    surveys = survey_samples(samples, LABELS, samples[0].image.shape[0], n)
    chosen: dict[str, object] = {
        "samples": samples,
        "surveys": surveys,
        "cases": tuple(range(len(samples))),
        "patch": patch,
        "batch": 4,
        "foreground": 0.5,
        "augmentation": STILL,
        "spacing": (1.0,) * n,
        "pad": "minimum",
        "seed": 0,
        **changed,
    }
    return PatchSource(**chosen)  # type: ignore[arg-type]


def numbered(shape: tuple[int, ...]) -> torch.Tensor:
    """``(1, *shape)``: each voxel its own number, from 1."""
    return torch.arange(1, math.prod(shape) + 1, dtype=torch.float32).view(1, *shape)


def test_cut_takes_what_is_there_and_pads_the_rest() -> None:
    image, labels = numbered((5, 6)), torch.ones(5, 6, dtype=torch.uint8)
    patch, mask = augment.cut(image, labels, (2, 3), (3, 3), torch.tensor([-7.0]))
    assert torch.equal(patch, image[:, 1:4, 2:5])
    patch, mask = augment.cut(image, labels, (2, 2.5), (7, 6), torch.tensor([-7.0]))
    assert torch.equal(patch[0, 1:6], image[0])
    assert (patch[0, [0, 6]] == -7).all()
    assert mask.sum() == 30
    assert (mask[[0, 6]] == 0).all()
    patch, mask = augment.cut(image, labels, (2, 2.5), (7, 6), None)
    assert torch.equal(patch[0, 0], image[0, 0])
    assert (mask == 1).all()


@pytest.mark.parametrize("floor", [None, torch.tensor([0.0])])
def test_a_warp_that_does_nothing_is_a_cut(floor: torch.Tensor | None) -> None:
    image = torch.randn(2, 9, 10, 11).abs()
    labels = torch.randint(0, 4, (9, 10, 11), dtype=torch.uint8)
    if floor is not None:
        floor = floor.repeat(2)
    for centre, size in (((4, 5, 5), (5, 5, 7)), ((4, 4.5, 5), (13, 12, 15))):
        plain = augment.cut(image, labels, centre, size, floor)
        warped = augment.cut_warped(image, labels, centre, size, floor, np.eye(3))
        assert torch.allclose(plain[0], warped[0], atol=1e-4)
        assert torch.equal(plain[1], warped[1])


def test_a_warp_moves_image_and_labels_alike() -> None:
    image = torch.zeros(1, 40, 48)
    image[0, 12:28, 10:30] = 1
    labels = image[0].to(torch.uint8)
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    patch, mask = augment.cut_warped(image, labels, (20, 20), (33, 33), torch.zeros(1), turn)
    # Patch offset (a, b) looks at image offset (-b, a).
    expected = torch.zeros(33, 33, dtype=torch.uint8)
    for a in range(33):
        for b in range(33):
            expected[a, b] = labels[20 - (b - 16), 20 + (a - 16)]
    assert torch.equal(mask, expected)
    assert torch.equal((patch[0] > 0.5).to(torch.uint8), expected)
    shift = torch.zeros(2, 5, 5)
    shift[0] = 3.0
    moved, mask = augment.cut_warped(image, labels, (20, 20), (17, 17), torch.zeros(1), np.eye(2), shift)
    straight, _ = augment.cut(image, labels, (23, 20), (17, 17), torch.zeros(1))
    assert torch.allclose(moved, straight, atol=1e-4)


def test_rotations_are_rigid_in_millimetres() -> None:
    settings = AugmentationSettings(spatial_share=1, scaling=0, rotation=40)
    spacing = (3.0, 1.0)
    matrix = augment.random_warp(settings, 2, spacing, np.random.default_rng(0))
    assert matrix is not None
    in_mm = np.diag(spacing) @ matrix @ np.diag([1 / s for s in spacing])
    assert np.allclose(in_mm @ in_mm.T, np.eye(2))
    assert not np.allclose(matrix, np.eye(2))


def test_flips_follow_the_named_axes() -> None:
    image, labels = numbered((4, 5, 6)), numbered((4, 5, 6))[0].to(torch.uint8)
    seen = set()
    for seed in range(20):
        flipped, mask = augment.flip(image, labels, ("x",), np.random.default_rng(seed))
        assert torch.equal(flipped[0].to(torch.uint8), mask)
        seen.add(
            "same" if torch.equal(flipped, image) else "x" if torch.equal(flipped, image.flip(3)) else "other"
        )
    assert seen == {"same", "x"}


def test_grey_values_change_but_stay_finite_even_in_a_flat_patch() -> None:
    settings = AugmentationSettings(intensity_share=1, strength=2)
    for image in (torch.randn(2, 8, 9, 10), torch.zeros(2, 8, 9, 10), torch.randn(1, 2, 3)):
        changed = augment.vary_intensity(
            image.clone(), settings, np.random.default_rng(1), torch.Generator().manual_seed(1)
        )
        assert changed.shape == image.shape
        assert torch.isfinite(changed).all()
    rng, generator = np.random.default_rng(1), torch.Generator()
    assert torch.equal(augment.vary_intensity(image, STILL, rng, generator), image)


def rare(shape: tuple[int, ...] = (24, 24)) -> list[Sample]:
    """Six cases full of label 1; one of them has a dot of label 2."""
    samples = []
    for i in range(6):
        labels = np.zeros(shape, np.uint8)
        labels[4:16, 4:16] = 1
        if i == 3:
            labels[20, 21] = 2
        samples.append(Sample(f"case{i}", f"p{i}", labels[None].astype(np.float32) + i * 10, labels))
    return samples


def test_rare_labels_are_seen_as_often_as_common_ones() -> None:
    found = [source(rare(), (8, 8), foreground=1.0)(step).labels for step in range(30)]
    patches = torch.cat(found)
    assert 0.3 < (patches == 2).flatten(1).any(1).float().mean() < 0.7
    scarce = torch.cat([source(rare(), (8, 8), foreground=0.0)(step).labels for step in range(30)])
    assert (scarce == 2).flatten(1).any(1).float().mean() < 0.15


def test_cases_without_a_label_keep_their_turn() -> None:
    samples = rare()
    empty = [
        Sample(f"healthy{i}", f"h{i}", np.full((1, 24, 24), 100.0, np.float32), np.zeros((24, 24), np.uint8))
        for i in range(6)
    ]
    drawn = source([*samples, *empty], (8, 8), foreground=1.0, batch=4)
    healthy = torch.cat([(drawn(step).image.amin((1, 2, 3)) > 90) for step in range(60)])
    assert 0.4 < healthy.float().mean() < 0.6


def test_every_case_comes_once_a_round() -> None:
    drawn = source(rare(), (24, 24), foreground=0.0, batch=2)
    cases = [int(x) for step in range(6) for x in drawn(step).image.amin((1, 2, 3)) // 10]
    assert sorted(cases[:6]) == sorted(cases[6:]) == list(range(6))
    assert cases[:6] != cases[6:]


def test_seed_and_step_alone_decide() -> None:
    augmentation = AugmentationSettings(strength=1, spatial_share=1, intensity_share=1)
    one = source(rare(), (16, 16), augmentation=augmentation)
    two = source(rare(), (16, 16), augmentation=augmentation)
    two(0)
    a, b = one(5), two(5)
    assert torch.equal(a.image, b.image)
    assert torch.equal(a.labels, b.labels)
    assert not torch.equal(a.image, one(6).image)
    assert not torch.equal(a.image, source(rare(), (16, 16), augmentation=augmentation, seed=1)(5).image)


def test_batches_prepared_ahead_come_in_order() -> None:
    asked = []

    def numbers(step: int) -> Batch:
        asked.append(step)
        return Batch(torch.tensor([float(step)]), torch.zeros(1))

    for ahead in (0, 3):
        stream = batches(numbers, 7, ahead)
        assert [int(b.image) for b in islice(stream, 5)] == [7, 8, 9, 10, 11]
        stream.close()
    assert asked[:5] == [7, 8, 9, 10, 11]


def test_patches_have_the_images_proportions_and_fit_the_network() -> None:
    assert choose_patch([(50, 60, 45)] * 3, (8, 8, 8), 64**3) == (56, 64, 48)
    shrunk = choose_patch([(40, 320, 320)], (16, 16, 16), 64**3)
    assert math.prod(shrunk) <= 64**3
    assert all(n % 16 == 0 for n in shrunk)
    assert shrunk[0] < shrunk[1]
    assert choose_patch([(5, 200, 200)], (1, 16, 16), 10**6) == (5, 208, 208)
    assert choose_patch([(4, 4)], (16, 16), 100) == (32, 32)


def _survey(group: str, *labels: int) -> SampleSurvey:
    counts = np.array([10, *[int(i in labels) for i in (1, 2, 3)]])
    return SampleSurvey("c", group, (4, 4), counts, (), np.zeros(1), "")


def test_held_out_groups_are_whole_and_leave_every_label_to_learn_from() -> None:
    surveys = [
        _survey(f"p{i // 2}", 1, *([2] if i < 4 else []), *([3] if i == 10 else [])) for i in range(20)
    ]
    for seed in range(10):
        held = hold_out(surveys, 0.3, 30, seed)
        assert len(held.validation) == 6
        assert not {surveys[i].group for i in held.train} & {surveys[i].group for i in held.validation}
        assert sorted(held.train + held.validation) == list(range(20))
        assert 10 in held.train  # the only case with label 3
        assert any(surveys[i].counts[2] for i in held.validation)  # the rarer label is looked at, too
        assert held.warnings == ()
    assert len(hold_out(surveys, 0.3, 2, 0).validation) == 4
    assert hold_out(surveys, 0.0, 30, 0).validation == ()


def test_few_groups_are_told() -> None:
    one_group = hold_out([_survey("p", 1) for _ in range(5)], 0.2, 30, 0)
    assert len(one_group.validation) == 1
    assert "one group" in one_group.warnings[0]
    one_case = hold_out([_survey("p", 1)], 0.2, 30, 0)
    assert one_case.train == one_case.validation == (0,)
    assert "its own validation" in one_case.warnings[0]
    nothing_spare = hold_out([_survey("a", 1), _survey("b", 2)], 0.5, 30, 0)
    assert nothing_spare.validation == ()
    assert "last weights" in nothing_spare.warnings[0]


def test_validation_is_dice_where_the_label_is() -> None:
    class Reader(torch.nn.Module):
        """Labels a voxel by its grey value."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[2] % 4 == x.shape[3] % 4 == 0
            return -(x - torch.arange(4.0).view(1, 4, 1, 1)).abs()

    samples = rare((21, 22))
    read = [Sample(s.name, s.group, s.labels[None].astype(np.float32), s.labels.copy()) for s in samples]
    read[0].labels[4:10, 4:16] = 0  # half of what the image shows is not in the reference: Dice 2/3
    surveys = survey_samples(read, LABELS, 1, 2)
    from SegClassifyLib.progress import Progress

    for whole in (10**6, 100):
        validator = Validator(read, surveys, (0, 1, 3), LABELS, (4, 4), (16, 16), whole, 2000, edge=False)
        dice = validator.dice(Reader(), torch.device("cpu"), Progress())
        assert dice == pytest.approx({"label1": (2 / 3 + 1 + 1) / 3, "label2": 1.0})


def test_padding_is_at_the_far_end() -> None:
    image = numbered((3, 4))
    padded = pad_to_multiple(image, (4, 4), torch.tensor([-1.0]))
    assert padded.shape == (1, 4, 4)
    assert torch.equal(padded[:, :3], image)
    assert (padded[:, 3] == -1).all()
    assert torch.equal(pad_to_multiple(image, (4, 1), None)[:, 3], image[:, 2])


def test_the_learning_rate_rises_and_falls_to_zero() -> None:
    rates = [learning_rate(1.0, f / 100) for f in range(101)]
    assert 0 < rates[0] < 0.1
    assert max(rates) > 0.95
    assert rates[-1] == pytest.approx(0)
    assert all(a > b for a, b in pairwise(rates[10:]))


def test_the_budget_is_whichever_ends_first() -> None:
    both = SegmenterSettings(epochs=10, minutes=1.0)
    assert Budget(both, 10, seconds=6.0).fraction(50) == pytest.approx(0.5)
    assert Budget(both, 10, seconds=54.0).fraction(50) == pytest.approx(0.9, abs=1e-3)
    budget = Budget(SegmenterSettings(epochs=None, minutes=1.0), 10, seconds=30.0)
    budget.reserve(20)
    assert budget.fraction(0) == pytest.approx(0.75, abs=1e-3)


def test_settings_refuse_what_makes_no_sense() -> None:
    assert SegmenterSettings().epoch_limit == 40
    assert SegmenterSettings(minutes=1).epoch_limit is None
    for wrong in ({"epochs": 0}, {"patch": (0, 4)}, {"deep_supervision": (0.0,)}, {"learning_rates": 1}):
        with pytest.raises(ValueError):
            SegmenterSettings(**wrong)  # type: ignore[arg-type]
