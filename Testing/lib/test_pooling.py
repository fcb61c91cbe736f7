"""Pooling against its definition, written out with a loop over regions and channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import maximum_filter

from SegClassifyLib.features.pooling import PRIOR_VOXELS, Pooler, average
from SegClassifyLib.features.spec import TapSpec

TAPS = (
    TapSpec(name="deep", module="", channels=5, reduction=(4, 4, 4)),
    TapSpec(name="fine", module="", channels=3, reduction=(1, 1, 1)),
)
LABELS = ("background", "a", "b", "c")


def _inputs(
    shape: tuple[int, ...], labels: int = 4
) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    taps = {
        t.name: torch.randn(
            t.channels, *(n // r for n, r in zip(shape, t.reduction, strict=False)), generator=g
        )
        for t in TAPS
    }
    return torch.randn(2, *shape, generator=g), taps, 3 * torch.randn(labels, *shape, generator=g)


def _whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in shape)


def _blocks(values: np.ndarray, step: int) -> np.ndarray:
    """Mean over blocks of ``step`` voxels an axis, one block after another."""
    shape = tuple(n // step for n in values.shape)
    found = np.empty(shape)
    for cell in np.ndindex(*shape):
        found[cell] = values[tuple(slice(i * step, (i + 1) * step) for i in cell)].mean()
    return found


@pytest.mark.parametrize("shape", [(8, 12, 16), (16, 12)])
def test_pooled_numbers_are_their_definition(shape: tuple[int, ...]) -> None:
    image, taps, logits = _inputs(shape)
    inside = (*_whole(shape)[:-1], slice(0, 8))
    pooler = Pooler(TAPS, 2, LABELS)
    pooler.add(image, taps, logits, _whole(shape), inside)
    value = {str(n): v for n, v in zip(pooler.names(), pooler.vector(), strict=True)}

    smooth = np.stack([_blocks(channel, 2) for channel in logits.double().numpy()])
    p = np.exp(smooth) / np.exp(smooth).sum(0)
    for name, tap, step in (("image", image, 2), ("fine", taps["fine"], 2), ("deep", taps["deep"], 4)):
        own = name == "deep"
        x = np.stack([c if own else _blocks(c, 2) for c in tap.double().numpy()])
        share = np.stack([_blocks(q, 2) if own else q for q in p])
        covered = np.zeros(x.shape[1:])
        covered[..., : 8 // step] = 1
        prior = PRIOR_VOXELS / step ** len(shape)
        for channel, plane in enumerate(x):
            mean = (covered * plane).sum() / covered.sum()
            square = (covered * plane**2).sum() / covered.sum()
            assert value[f"{name}/all/mean[{channel}]"] == pytest.approx(mean, abs=1e-5)
            assert value[f"{name}/all/spread[{channel}]"] == pytest.approx(
                (square - mean**2) ** 0.5, abs=1e-5
            )
            for number, label in enumerate(LABELS):
                w = covered * share[number]
                inner = ((w * plane).sum() + prior * mean) / (w.sum() + prior)
                assert value[f"{name}/{label}/mean[{channel}]"] == pytest.approx(inner, abs=1e-5)
                if number == 0:
                    continue
                spread = ((w * plane**2).sum() + prior * square) / (w.sum() + prior) - inner**2
                assert value[f"{name}/{label}/spread[{channel}]"] == pytest.approx(spread**0.5, abs=1e-5)
                w = covered * (maximum_filter(share[number], 3, mode="nearest") - share[number])
                outer = ((w * plane).sum() + prior * mean) / (w.sum() + prior)
                assert value[f"{name}/margin of {label}/mean[{channel}]"] == pytest.approx(outer, abs=1e-5)
    covered = np.zeros(p.shape[1:])
    covered[..., :4] = 1
    for number, label in enumerate(LABELS):
        mass = (covered * p[number]).sum()
        assert value[f"probability/{label}/share"] == pytest.approx(mass / covered.sum(), abs=1e-5)
        assert value[f"probability/{label}/peak"] == pytest.approx((covered * p[number]).max(), abs=1e-5)
        assert value[f"probability/{label}/confidence"] == pytest.approx(
            (covered * p[number] ** 2).sum() / mass, abs=1e-5
        )


def test_two_cores_add_up_to_the_whole() -> None:
    shape = (8, 12, 16)
    image, taps, logits = _inputs(shape)
    whole, halves = Pooler(TAPS, 2, LABELS), Pooler(TAPS, 2, LABELS)
    whole.add(image, taps, logits, _whole(shape), _whole(shape))
    for core in (slice(0, 4), slice(4, 12)):
        halves.add(image, taps, logits, (slice(0, 8), core, slice(0, 16)), _whole(shape))
    np.testing.assert_allclose(halves.vector(), whole.vector(), atol=1e-5)


def test_gradients_reach_the_logits_and_the_taps() -> None:
    shape = (8, 8, 8)
    image, taps, logits = _inputs(shape)
    for tensor in (logits, *taps.values()):
        tensor.requires_grad_()
    pooler = Pooler(TAPS, 2, LABELS)
    pooler.add(image, taps, logits, _whole(shape), _whole(shape))
    pooler.tensor().sum().backward()
    for tensor in (logits, *taps.values()):
        assert tensor.grad is not None and tensor.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((8, 12, 20), (4, 4, 5)),
        ((8, 12, 20), (8, 1, 20)),
        ((9, 7), (3, 7)),
        ((9, 7), (4, 3)),
        ((5, 6, 7), (2, 3, 3)),
    ],
)
def test_average_is_torch_s_pooling(size: tuple[int, ...], shape: tuple[int, ...]) -> None:
    values = torch.randn(3, *size, dtype=torch.float64)
    pool = torch.nn.AdaptiveAvgPool3d if len(size) == 3 else torch.nn.AdaptiveAvgPool2d
    torch.testing.assert_close(average(values, shape), pool(shape)(values))


def test_labels_without_foreground_and_a_single_slice() -> None:
    image, _, logits = _inputs((1, 6, 6), labels=2)
    pooler = Pooler((), 2, LABELS[:2])
    pooler.add(image, {}, logits, _whole((1, 6, 6)), _whole((1, 6, 6)))
    assert np.isfinite(pooler.vector()).all()
    alone = Pooler((), 2, LABELS[:1])
    alone.add(image, {}, logits[:1], _whole((1, 6, 6)), _whole((1, 6, 6)))
    assert np.isfinite(alone.vector()).all()
