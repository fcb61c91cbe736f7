"""VNetDS: one class in 2D and 3D, and what its description promises."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from SegClassifyLib.networks.vnetds import Section, VNetDS


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("ndim", "size"), [(2, (32, 48)), (3, (16, 32, 16))])
def test_gives_logits_of_the_input_size(ndim: int, size: tuple[int, ...]) -> None:
    network = VNetDS(ndim, 2, 5, base_filters=4, num_blocks=(1, 1, 1, 1)).eval()
    assert network(torch.randn(2, 2, *size)).shape == (2, 5, *size)


def test_sections_grow_as_described() -> None:
    network = VNetDS(3, 1, 2, base_filters=12)
    widths = [section.shortcut.out_channels for section in network.encoder]
    counts = [sum(isinstance(m, torch.nn.Conv3d) for m in section.row) for section in network.encoder]
    assert widths == [12, 24, 48, 96, 192]
    assert counts == [1, 2, 3, 3, 3]
    assert all(down.stride == (2, 2, 2) for down in network.down)


def test_a_section_adds_its_shortcut() -> None:
    section = Section(2, 3, 4, 2, (3, 3), "elu").eval()
    x = torch.randn(1, 3, 8, 8)
    expected = F.elu(section.row(x) + section.shortcut(x))
    torch.testing.assert_close(section(x), expected)
    with torch.no_grad():
        section.row[-1].weight.zero_()
        section.row[-1].bias.zero_()
    torch.testing.assert_close(section(x), F.elu(section.shortcut(x)))


def test_right_leg_is_a_reduction_of_the_concatenated_upsampled_scales() -> None:
    """Reducing each of two scales and then upsampling equals upsampling, concatenating, reducing."""
    network = VNetDS(2, 1, 3, base_filters=4, num_blocks=(1, 1, 1)).eval()
    seen: dict[int, torch.Tensor] = {}
    for level, section in enumerate(network.decoder):
        section.register_forward_hook(lambda m, a, output, level=level: seen.update({level: output}))
    with torch.no_grad():
        logits = network(torch.randn(1, 1, 16, 24))
        up = F.interpolate(seen[1], scale_factor=2, mode="bilinear", align_corners=False)
        weight = torch.cat([leg.weight for leg in network.right_leg], dim=1)
        bias = network.right_leg[0].bias + network.right_leg[1].bias
        expected = F.conv2d(torch.cat([seen[0], up], dim=1), weight, bias)
    torch.testing.assert_close(logits, expected)


def test_every_decoder_scale_is_supervised_and_every_weight_learns() -> None:
    network = VNetDS(2, 1, 3, base_filters=4).train()
    network(torch.randn(2, 1, 32, 48)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("output", ["learned", "interpolated"])
def test_works_on_a_coarser_grid_when_told(output: str) -> None:
    network = VNetDS(3, 1, 2, base_filters=4, num_blocks=(1, 1, 1), input_stride=2, output=output).eval()
    widths: list[torch.Size] = []
    network.encoder[0].register_forward_hook(lambda m, a, y: widths.append(y.shape[2:]))
    assert network(torch.randn(1, 1, 16, 24, 32)).shape == (1, 2, 16, 24, 32)
    assert widths == [(8, 12, 16)]
    learned = isinstance(network.right_leg[0], torch.nn.ConvTranspose3d)
    assert learned == (output == "learned")


def test_thin_volumes_keep_their_slices() -> None:
    network = VNetDS(
        3,
        1,
        2,
        base_filters=4,
        num_blocks=(1, 1, 1, 1),
        strides=[(1, 2, 2), (1, 2, 2), 2],
        kernel_size=[(1, 3, 3), (1, 3, 3), 3, 3],
    ).eval()
    deepest: list[torch.Size] = []
    network.encoder[-1].register_forward_hook(lambda m, a, y: deepest.append(y.shape[2:]))
    assert network(torch.randn(1, 1, 8, 32, 48)).shape == (1, 2, 8, 32, 48)
    assert deepest == [(4, 4, 6)]


def test_auxiliary_logits_only_while_training() -> None:
    network = VNetDS(2, 1, 3, base_filters=4, num_blocks=(1, 1, 1, 1), auxiliary=True)
    x = torch.randn(2, 1, 32, 64)
    outputs = network.train()(x)
    assert [tuple(y.shape) for y in outputs] == [(2, 3, 32, 64), (2, 3, 16, 32), (2, 3, 8, 16)]
    assert isinstance(network.eval()(x), torch.Tensor)


def test_dropout_only_while_training() -> None:
    network = VNetDS(2, 1, 2, base_filters=4, num_blocks=(1, 1, 1), dropout=0.5)
    x = torch.randn(2, 1, 16, 16)
    with torch.no_grad():
        assert not torch.equal(network.train()(x), network(x))
        assert torch.equal(network.eval()(x), network(x))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"num_blocks": [1]}, "num_blocks"),
        ({"num_blocks": [1, 0, 1]}, "num_blocks"),
        ({"strides": [2, 2]}, "strides"),
        ({"strides": [2, 2, 2, (2, 2, 2)]}, "strides"),
        ({"kernel_size": 4}, "odd"),
        ({"kernel_size": [3, 3]}, "kernel_size"),
        ({"base_filters": 0}, "base_filters"),
        ({"activation": "tanh"}, "activation"),
        ({"output": "magic"}, "output"),
        ({"input_stride": 0}, "input_stride"),
    ],
)
def test_says_what_is_wrong_with_its_arguments(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        VNetDS(2, 1, 2, **arguments)  # type: ignore[arg-type]
