"""Taps: found in every network by one mechanism, and read exactly as the network computed them."""

from __future__ import annotations

import copy

import pytest
import torch
from small_networks import CASES, SMALL, spec_of
from torch import nn

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.features.taps import TapReader, find_taps, taps_from_names
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.networks.spec import NetworkSpec

EXPECTED = {
    "AttentionUnet": "bottleneck:16/4 decoder1:8/2 decoder0:4/1",
    "BasicUNet": "bottleneck:16/16 decoder3:8/8 decoder2:8/4 decoder1:4/2 decoder0:4/1",
    "BasicUNetPlusPlus": "bottleneck:16/16 decoder3:8/8 decoder2:8/4 decoder1:4/2 decoder0:4/1",
    "DeepbetLinkNet": "bottleneck:128/32 decoder4:64/16 decoder3:32/8 decoder2:16/4 decoder1:8/2",
    "DynUNet": "bottleneck:16/4 decoder1:8/2 decoder0:4/1",
    "FlexibleUNet": "bottleneck:320/32 decoder4:16/16 decoder3:8/8 decoder2:8/4 decoder1:4/2 decoder0:4/1",
    "HighResNet": "layer4:16/1 layer8:32/1 layer12:32/1 layer16:64/1 layer20:80/1",
    "LWNet": "bottleneck:32/4 decoder1:16/2 decoder0:8/1",
    "MedNeXt": "bottleneck:16/4 decoder1:8/2 decoder0:4/1",
    "MeshNet": "layer1:5/1 layer2:5/1 layer3:5/1",
    "SegResNet": "bottleneck:32/4 decoder1:16/2 decoder0:8/1",
    "SegResNetDS": "bottleneck:16/4 decoder1:8/2 decoder0:4/1",
    "SwinUNETR": "bottleneck:192/32 decoder4:96/16 decoder3:48/8 decoder2:24/4 decoder1:12/2 decoder0:12/1",
    "UNet": "bottleneck:16/4 decoder1:4/2",
    "VNet": "bottleneck:256/16 decoder3:256/8 decoder2:128/4 decoder1:64/2 decoder0:32/1",
    "VNetDS": "bottleneck:16/4 decoder1:8/2 decoder0:4/1",
}
"""name:channels/reduction of every tap. UNet's last step up is at once its logits."""


TAPPED = [(n, d) for n, d in CASES if d == 2 or n in ("DeepbetLinkNet", "DynUNet", "SwinUNETR", "VNetDS")]
"""One number of dimensions is like the other here; some in both."""


@pytest.mark.parametrize(("name", "ndim"), TAPPED)
def test_every_network_has_its_bottleneck_and_decoder_scales(name: str, ndim: int) -> None:
    torch.manual_seed(0)
    spec = spec_of(name, ndim)
    network = build_network(spec).eval()
    taps = find_taps(network, spec)
    assert " ".join(f"{t.name}:{t.channels}/{t.reduction[0]}" for t in taps) == EXPECTED[name]
    assert all(t.reduction == (t.reduction[0],) * ndim for t in taps)
    assert {v.device.type for v in network.state_dict().values()} == {"cpu"}

    step = max(SMALL[name][0], 4)
    size = (2 * step, *(step,) * (ndim - 1))
    with torch.inference_mode(), TapReader(network, taps) as reader:
        network(torch.randn(1, 2, *size))
        maps = reader.read()
    assert list(maps) == [t.name for t in taps]
    for tap in taps:
        reduced = tuple(n // r for n, r in zip(size, tap.reduction, strict=True))
        assert maps[tap.name].shape == (1, tap.channels, *reduced)


def test_reads_what_a_hook_of_ones_own_reads() -> None:
    torch.manual_seed(0)
    spec = spec_of("VNetDS", 2)
    network = build_network(spec).eval()
    taps = find_taps(network, spec)
    own: dict[str, torch.Tensor] = {}
    for tap in taps:
        module = network.get_submodule(tap.module)
        module.register_forward_hook(lambda m, a, y, name=tap.name: own.update({name: y.clone()}))
    with torch.no_grad(), TapReader(network, taps) as reader:
        network(torch.randn(1, 2, 16, 24))
        for name, values in reader.read().items():
            assert torch.equal(values, own[name])
            assert values.data_ptr() != own[name].data_ptr()


def test_vnetds_is_read_at_its_sections() -> None:
    spec = spec_of("VNetDS", 3)
    modules = {t.name: t.module for t in find_taps(build_network(spec), spec)}
    assert modules == {"bottleneck": "encoder.2", "decoder1": "decoder.1", "decoder0": "decoder.0"}


def test_labels_as_many_as_channels_do_not_hide_the_decoder() -> None:
    """As many labels as channels: the section is read, not the convolution that makes logits of it."""
    spec = spec_of("VNetDS", 2, labels=4)
    modules = {t.name: t.module for t in find_taps(build_network(spec), spec)}
    assert modules["decoder0"] == "decoder.0"


def test_anisotropic_reductions_are_given_for_each_axis() -> None:
    spec = spec_of("VNetDS", 3, strides=[[1, 2, 2], [2, 2, 2]])
    taps = find_taps(build_network(spec), spec)
    assert [t.reduction for t in taps] == [(2, 4, 4), (1, 2, 2), (1, 1, 1)]


def test_a_coarser_working_grid_has_no_decoder0() -> None:
    spec = spec_of("VNetDS", 2, input_stride=2)
    taps = find_taps(build_network(spec), spec)
    assert [(t.name, t.reduction) for t in taps] == [
        ("bottleneck", (8, 8)),
        ("decoder2", (4, 4)),
        ("decoder1", (2, 2)),
    ]


class _Overwriting(nn.Module):
    """Two scales; in-place operations after the layers one would read."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(1, 6, 3, padding=1)
        self.down = nn.Conv2d(6, 12, 2, stride=2)
        self.norm = nn.BatchNorm2d(12)
        self.relu = nn.ReLU(inplace=True)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.join = nn.Conv2d(12, 7, 3, padding=1)
        self.last = nn.ReLU(inplace=True)
        self.logits = nn.Conv2d(7, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.fine(x)
        x = self.relu(self.norm(self.down(fine)))
        x = self.last(self.join(torch.cat([fine, self.up(x)], dim=1)))
        return self.logits(x)


SPEC = NetworkSpec(name="Own", ndim=2, in_channels=1, out_channels=2)


def test_outputs_that_are_overwritten_are_not_chosen() -> None:
    taps = find_taps(_Overwriting(), SPEC)
    assert [(t.name, t.module) for t in taps] == [("bottleneck", "relu"), ("decoder0", "last")]


def test_an_overwritten_tap_of_ones_own_is_refused_and_noticed() -> None:
    network = _Overwriting().eval()
    with pytest.raises(NetworkError, match="'norm' of Own gives is overwritten"):
        taps_from_names(network, SPEC, ["norm"])
    tap = TapSpec(name="sneaky", module="norm", channels=12, reduction=(2, 2))
    with torch.no_grad(), TapReader(network, [tap]) as reader:
        network(torch.randn(1, 1, 8, 8))
        with pytest.raises(NetworkError, match=r"'sneaky' \(norm\) was overwritten"):
            reader.read()


class _Listing(nn.Module):
    """An encoder that returns all its scales, and a network that needs real numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Scales()
        self.up = nn.Upsample(scale_factor=2)
        self.logits = nn.Conv2d(9, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine, coarse = self.encoder(x)
        if coarse.sum().item() > 1e9:
            return self.logits(fine * 0)
        return self.logits(torch.cat([fine, self.up(coarse)], dim=1))


class _Scales(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 3, 3, padding=1)
        self.second = nn.Conv2d(3, 6, 2, stride=2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.first(x)
        return x, self.second(x)


def test_networks_that_look_at_values_and_return_lists() -> None:
    torch.manual_seed(0)
    network = _Listing()
    taps = find_taps(network, SPEC)
    # Nothing but an interpolation, a concatenation and the logits comes after the bottleneck.
    assert [(t.name, t.module, t.channels) for t in taps] == [("bottleneck", "encoder.second", 6)]
    listed = TapSpec(name="coarse", module="encoder", channels=6, reduction=(2, 2))
    with torch.no_grad(), TapReader(network, [*taps, listed]) as reader:
        network(torch.randn(1, 1, 8, 8))
        maps = reader.read()
        assert maps["coarse"] is maps["bottleneck"]


def test_finding_leaves_the_network_as_it_was() -> None:
    spec = spec_of("BasicUNet", 2, norm="batch")
    network = build_network(spec).train()
    network.down_2.eval()
    before, modes = copy.deepcopy(network.state_dict()), [m.training for m in network.modules()]
    random = torch.get_rng_state()
    find_taps(network, spec)
    assert torch.equal(torch.get_rng_state(), random)
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(before[k], v) and v.device.type == "cpu" for k, v in network.state_dict().items())
    assert not any(m._forward_hooks for m in network.modules())


def test_names_of_ones_own_choice() -> None:
    spec = spec_of("VNetDS", 2)
    network = build_network(spec)
    assert taps_from_names(network, spec, ["encoder.1", "up.0"]) == (
        TapSpec(name="encoder.1", module="encoder.1", channels=8, reduction=(2, 2)),
        TapSpec(name="up.0", module="up.0", channels=4, reduction=(1, 1)),
    )
    with pytest.raises(NetworkError, match=r"no module 'encodr\.1'; near to it are .*encoder\.1"):
        taps_from_names(network, spec, ["encodr.1"])


def test_modules_that_give_no_map_are_refused() -> None:
    spec = spec_of("FlexibleUNet", 2)
    network = build_network(spec)
    pooled = next(name for name, _ in network.named_modules() if name.endswith("_se_expand"))
    with pytest.raises(NetworkError, match="gives no feature map"):
        taps_from_names(network, spec, [pooled])


def test_the_last_pass_counts_and_nothing_stays_behind() -> None:
    network = _Overwriting().eval()
    taps = find_taps(network, SPEC)
    x, y = torch.randn(2, 1, 1, 8, 8)
    with torch.no_grad(), TapReader(network, taps) as reader:
        with pytest.raises(NetworkError, match="took no part in a forward pass"):
            reader.read()
        network(x)
        first = reader.read()["decoder0"].clone()
        network(y)
        assert not torch.equal(reader.read()["decoder0"], first)
        network(x)
        assert torch.equal(reader.read()["decoder0"], first)
    with pytest.raises(NetworkError, match="took no part"):
        reader.read()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_a_pass_that_fails_leaves_no_maps_of_the_pass_before() -> None:
    network = _Overwriting().eval()
    taps = find_taps(network, SPEC)
    with torch.no_grad(), TapReader(network, taps) as reader:
        network(torch.randn(1, 1, 8, 8))
        with pytest.raises(RuntimeError):
            network(torch.randn(1, 3, 8, 8))
        with pytest.raises(NetworkError, match="took no part"):
            reader.read()


def test_maps_can_be_reduced_as_they_come() -> None:
    network = _Overwriting().eval()
    taps = find_taps(network, SPEC)

    def average(tap: TapSpec, values: torch.Tensor) -> torch.Tensor:
        return values.mean((2, 3), keepdim=True)

    with torch.no_grad(), TapReader(network, taps) as full, TapReader(network, taps, average) as small:
        network(torch.randn(1, 1, 8, 8))
        for name, values in full.read().items():
            torch.testing.assert_close(small.read()[name], values.mean((2, 3), keepdim=True))


def test_taps_of_another_network_are_noticed() -> None:
    network = _Overwriting().eval()
    with pytest.raises(NetworkError, match=r"lacks: decoder\.0"):
        TapReader(network, [TapSpec(name="a", module="decoder.0", channels=4, reduction=(1, 1))])
    wrong = TapSpec(name="a", module="last", channels=4, reduction=(1, 1))
    with TapReader(network, [wrong]), pytest.raises(NetworkError, match="gave no map of 4 channels"):
        network(torch.randn(1, 1, 8, 8))


def test_gradients_flow_through_what_is_read() -> None:
    network = _Overwriting().train()
    taps = find_taps(network, SPEC)
    with TapReader(network, taps) as reader:
        network(torch.randn(2, 1, 8, 8))
        reader.read()["bottleneck"].sum().backward()
    assert network.down.weight.grad is not None


def test_a_network_without_readable_modules_says_so() -> None:
    class Bare(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, -x], dim=1)

    with pytest.raises(NetworkError, match="Own has no module whose output could be read"):
        find_taps(Bare(), SPEC)
