"""The faster gradients of 3D convolutions are torch's own gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from SegClassifyLib.training import conv3d


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv3d(3, 4, 3, padding=1),
        nn.Conv3d(3, 4, 3, padding=1, stride=2, bias=False),
        nn.Conv3d(3, 4, (5, 3, 1), padding=(2, 1, 0), stride=(1, 2, 1)),
        nn.Conv3d(3, 4, 3, padding="same"),
        nn.Conv3d(3, 3, 3, padding=1, groups=3),
        nn.Conv3d(3, 4, 3, padding=2, dilation=2),
        nn.Conv3d(3, 4, 3),
        nn.Conv3d(3, 4, 3, padding=1, padding_mode="replicate"),
    ],
)
def test_gradients_are_the_same(layer: nn.Module) -> None:
    x = torch.randn(2, 3, 6, 7, 8, requires_grad=True)
    direction = torch.randn_like(layer(x))

    def gradients() -> list[torch.Tensor]:
        (layer(x) * direction).sum().backward()
        found = [p.grad.clone() for p in (x, *layer.parameters())]
        for p in (x, *layer.parameters()):
            p.grad = None
        return found

    plain = gradients()
    with conv3d._PaddedConv3d():
        other = gradients()
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(plain, other, strict=True))


def test_padded_convolutions_take_the_other_way_where_that_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = nn.Conv3d(1, 2, 3, padding=1), torch.randn(1, 1, 4, 4, 4)
    for capability, device, expected in (
        ("AVX2", "cpu", True),
        ("AVX512", "cpu", False),
        ("AVX2", "cuda", False),
    ):
        monkeypatch.setattr(conv3d.torch.backends.cpu, "get_cpu_capability", lambda c=capability: c)
        with conv3d.faster_conv3d(torch.device(device)):
            assert ("_Conv3d" in type(layer(x).grad_fn).__name__) == expected
    assert "_Conv3d" not in type(layer(x).grad_fn).__name__
