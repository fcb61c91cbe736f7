"""Every network by name: built from plain data, called in one way, and honest about the sizes it takes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from small_networks import ABLE, CASES, SMALL, spec_of

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.networks.probe import probe, trace
from SegClassifyLib.networks.registry import axis_divisors, build_network, divisor, network_names
from SegClassifyLib.networks.spec import NetworkSpec


def test_every_network_is_tested() -> None:
    assert set(network_names()) == set(SMALL)


@pytest.mark.parametrize(("name", "ndim"), CASES)
def test_contract(name: str, ndim: int) -> None:
    torch.manual_seed(0)
    spec = spec_of(name, ndim)
    step = divisor(spec)
    assert step == SMALL[name][0]
    assert NetworkSpec.model_validate_json(spec.model_dump_json()) == spec

    network = build_network(spec)
    # The smallest input that leaves instance norm something to normalise at the deepest scale.
    size = (2 * max(step, 4), *(max(step, 4),) * (ndim - 1))
    x = torch.randn(1, 2, *size)
    with torch.no_grad():
        logits = network.eval()(x)
        assert logits.shape == (1, spec.out_channels, *size)
        assert torch.equal(logits, network(x)), "noise outside training"
        assert torch.isfinite(logits).all()
        trained = network.train()(x)
        first = trained[0] if isinstance(trained, list) else trained
        assert first.shape == logits.shape


@pytest.mark.parametrize("name", [name for name, (step, _) in SMALL.items() if step > 1])
def test_half_the_divisor_would_not_do(name: str) -> None:
    """It fails, or some scale is no whole fraction of the input (networks that pad inside)."""
    ndim = ABLE.get(name, (2,))[0]
    spec = spec_of(name, ndim)
    half = SMALL[name][0] // 2
    size = (half * 7, *(half * 5,) * (ndim - 1))
    network = build_network(spec)
    try:
        found = trace(network, (1, 2, *size))
    except (RuntimeError, ValueError):
        return
    convolutions = [o for o in found.outputs if isinstance(o.module, torch.nn.modules.conv._ConvNd)]
    broken = [o for o in convolutions if any(a % b for a, b in zip(size, o.tensor.shape[2:], strict=True))]
    assert broken or all(tuple(r.shape[2:]) != size for r in found.results)


def test_axes_may_have_different_divisors() -> None:
    spec = NetworkSpec(
        name="VNetDS",
        ndim=3,
        in_channels=1,
        out_channels=2,
        arguments={"num_blocks": [1, 1, 1], "base_filters": 4, "strides": [[1, 2, 2], [1, 2, 3]]},
    )
    assert axis_divisors(spec) == (1, 4, 6)
    assert divisor(spec) == 12
    assert build_network(spec).eval()(torch.zeros(1, 1, 3, 8, 6)).shape == (1, 2, 3, 8, 6)


@pytest.mark.parametrize(
    ("name", "arguments", "heads"),
    [
        ("BasicUNetPlusPlus", {"deep_supervision": True}, 4),
        ("DynUNet", {"strides": [1, 2, 2, 2], "filters": [4, 8, 16, 16], "deep_supervision": True}, 2),
        ("MedNeXt", {"deep_supervision": True}, 3),
        ("SegResNetDS", {"dsdepth": 2}, 2),
        ("VNetDS", {"auxiliary": True}, 2),
        ("LWNet", {}, 2),
    ],
)
def test_deep_supervision_comes_as_a_list_with_the_best_first(
    name: str, arguments: dict[str, Any], heads: int
) -> None:
    network = build_network(spec_of(name, 2, **arguments))
    x = torch.randn(2, 2, 32, 16)
    outputs = network.train()(x)
    assert isinstance(outputs, list) and len(outputs) == heads
    assert outputs[0].shape[2:] == (32, 16)
    assert all(y.shape[:2] == outputs[0].shape[:2] for y in outputs)
    sum(y.mean() for y in outputs).backward()
    assert isinstance(network.eval()(x), torch.Tensor)


def test_the_best_of_nested_heads_is_the_deepest_one() -> None:
    network = build_network(spec_of("BasicUNetPlusPlus", 2, deep_supervision=True)).eval()
    last: list[torch.Tensor] = []
    network.final_conv_0_4.register_forward_hook(lambda m, a, y: last.append(y))
    assert torch.equal(network(torch.randn(1, 2, 32, 32)), last[0])


def test_weights_keep_the_names_that_monai_gives_them() -> None:
    from monai.networks.nets import BasicUNetPlusPlus

    spec = spec_of("BasicUNetPlusPlus", 2)
    native = BasicUNetPlusPlus(spatial_dims=2, in_channels=2, out_channels=3, **spec.arguments)
    assert build_network(spec).state_dict().keys() == native.state_dict().keys()


def test_vnet_drops_channels_not_cases_in_2d() -> None:
    kinds = {type(m) for m in build_network(spec_of("VNet", 2)).modules() if "Dropout" in type(m).__name__}
    assert kinds == {torch.nn.Dropout2d}


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(NetworkError, match=r"'vnetds'.*Did you mean VNetDS\?.*SwinUNETR"):
        build_network(NetworkSpec(name="vnetds", ndim=2, in_channels=1, out_channels=2))
    with pytest.raises(NetworkError, match="no network called 'nonsense'"):
        divisor(NetworkSpec(name="nonsense", ndim=2, in_channels=1, out_channels=2))


@pytest.mark.parametrize(
    ("name", "ndim", "arguments", "words"),
    [
        ("UNet", 2, {"chanels": [4, 8]}, "UNet cannot be built in 2D.*chanels"),
        ("SwinUNETR", 3, {"feature_size": 13}, "feature_size"),
        ("VNetDS", 3, {"num_blocks": [1]}, "num_blocks"),
        ("MeshNet", 3, {"dilations": []}, "dilations"),
        ("LWNet", 2, {"threshold": 1.5}, "threshold"),
        ("LWNet", 3, {}, "2D only"),
        ("DeepbetLinkNet", 2, {}, "3D only"),
        ("UNet", 2, {"in_channels": 4}, "in_channels of UNet is set by the specification"),
        ("FlexibleUNet", 2, {"pretrained": True}, "would download"),
    ],
)
def test_refused_arguments_end_in_a_sentence(
    name: str, ndim: int, arguments: dict[str, Any], words: str
) -> None:
    spec = NetworkSpec.model_validate(
        {"name": name, "ndim": ndim, "in_channels": 1, "out_channels": 2, "arguments": arguments}
    )
    with pytest.raises(NetworkError, match=words):
        build_network(spec)


def test_asking_for_sizes_draws_no_random_numbers() -> None:
    before = torch.get_rng_state()
    divisor(spec_of("UNet", 2, labels=7))
    assert torch.equal(torch.get_rng_state(), before)


def test_importing_the_registry_imports_neither_torch_nor_monai() -> None:
    code = "import sys, SegClassifyLib.networks.registry; print({'torch', 'monai'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_a_network_that_takes_nothing_is_said_to() -> None:
    with pytest.raises(NetworkError, match="takes no 2D input of 3 channels"):
        probe(torch.nn.Conv2d(2, 2, 3, padding=1), 2, 3)
