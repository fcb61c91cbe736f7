"""Foreign MONAI bundles: understood where they are plain, refused in words where they are not, never executed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.inference.runner import Runner
from SegClassifyLib.package.foreign_bundle import inspect_monai_bundle
from SegClassifyLib.package.foreign_config import ForeignConfig
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.preprocessing.spec import IntensitySpec
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.read import read_image
from SegClassifyLib.volumes.write import write_image

NETWORK = {
    "_target_": "UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": "@classes",
    "channels": [4, 8],
    "strides": [2],
    "num_res_units": "$@classes - 2",
}
TRANSFORMS = [
    {"_target_": "LoadImaged", "keys": "image"},
    {"_target_": "EnsureChannelFirstd", "keys": "image"},
    {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
    {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 2.0, 2.5], "mode": "bilinear"},
    {"_target_": "ScaleIntensityRanged", "a_min": 40, "a_max": 160, "b_min": 0.0, "b_max": 1.0, "clip": True},
    {"_target_": "EnsureTyped", "keys": "image", "device": "@device"},
]


def _bundle(
    folder: Path, change: Callable[[dict], None] = lambda c: None, network: dict | None = None
) -> Path:
    """A bundle as others publish them, code in the places where they have it."""
    from monai.networks import nets

    config: dict[str, Any] = {
        "imports": ["$import glob"],
        "classes": 3,
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "datalist": "$list(sorted(glob.glob(@dataset_dir + '/*.nii.gz')))",
        "network_def": json.loads(json.dumps(network or NETWORK)),
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": json.loads(json.dumps(TRANSFORMS))},
        "inferer": {
            "_target_": "SlidingWindowInferer",
            "roi_size": [32, 32, 16],
            "sw_batch_size": 4,
            "overlap": 0.5,
        },
    }
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    torch.manual_seed(0)
    given = {k: v for k, v in config["network_def"].items() if k != "_target_"}
    plain = {**given, "out_channels": 3, "num_res_units": 1}
    module = nets.UNet(**plain).eval()
    torch.save(module.state_dict(), folder / "models" / "model.pt")
    labels = {"0": "background", "1": "liver", "2": "spleen"}
    formats = {
        "inputs": {"image": {"channel_def": {"0": "CT"}}},
        "outputs": {"pred": {"channel_def": labels}},
    }
    metadata = {"name": "Organs", "description": "Two organs.", "network_data_format": formats}
    change(config)
    (folder / "configs" / "inference.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    return folder


def _transform(config: dict, name: str) -> dict:
    return next(t for t in config["preprocessing"]["transforms"] if t["_target_"] == name)


def _only(config: dict, *transforms: dict) -> None:
    config["preprocessing"]["transforms"] = [*TRANSFORMS[:4], *transforms]


def test_a_plain_bundle_is_understood(tmp_path: Path) -> None:
    bundle = inspect_monai_bundle(_bundle(tmp_path / "b"))
    segmenter = bundle.segmenter
    assert bundle.warnings == () and bundle.name == "Organs" and bundle.description == "Two organs."
    assert segmenter.network.name == "UNet" and segmenter.network.arguments["num_res_units"] == 1
    assert [label.name for label in segmenter.labels] == ["background", "liver", "spleen"]
    spec = segmenter.preprocessing
    assert [c.name for c in spec.channels] == ["CT"]
    assert spec.grid.orientation == "SAR" and spec.grid.spacing == (2.5, 2.0, 1.5)
    assert spec.grid.multiple_of == 2
    assert segmenter.inference.mode == "window" and segmenter.inference.window == (32, 32, 16)
    assert segmenter.inference.halo == 4 and segmenter.taps
    assert inspect_monai_bundle(tmp_path / "b").segmenter.fingerprint == segmenter.fingerprint


def test_the_network_sees_what_monai_would_show_it(tmp_path: Path) -> None:
    """Same voxels in the same order, and so the same logits, for an image stored obliquely to none of the axes."""
    from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Orientationd, ScaleIntensityRanged

    def no_resampling(config: dict) -> None:
        config["preprocessing"]["transforms"].remove(_transform(config, "Spacingd"))

    array = np.random.default_rng(0).normal(100, 30, (1, 12, 10, 8)).astype(np.float32)
    turned = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    path = tmp_path / "a.nii.gz"
    write_image(Image(array, Geometry((8, 10, 12), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), turned)), path)
    theirs = Compose(
        [
            LoadImaged(keys="image"),
            EnsureChannelFirstd(keys="image"),
            Orientationd(keys="image", axcodes="RAS"),
            ScaleIntensityRanged(keys="image", a_min=40, a_max=160, b_min=0.0, b_max=1.0, clip=True),
        ]
    )({"image": str(path)})["image"]
    segmenter = inspect_monai_bundle(_bundle(tmp_path / "b", no_resampling)).segmenter
    ours = preprocess(read_image(path), segmenter.preprocessing).array
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_pictures_give_the_labels_monai_would_give(tmp_path: Path) -> None:
    """MONAI holds pictures with x first: the kernels are turned instead."""
    from monai.networks.nets import UNet
    from monai.transforms import Compose, EnsureChannelFirst, LoadImage, ScaleIntensity

    network = {**NETWORK, "spatial_dims": 2}

    def simple(config: dict) -> None:
        config["preprocessing"]["transforms"] = [
            TRANSFORMS[0],
            {"_target_": "ScaleIntensityd", "keys": "image"},
        ]
        config["inferer"] = {"_target_": "SimpleInferer"}

    folder = _bundle(tmp_path / "b", simple, network)
    path = tmp_path / "a.png"
    Picture.fromarray(np.random.default_rng(0).integers(0, 255, (24, 40), dtype=np.uint8)).save(path)
    module = UNet(2, 1, 3, channels=[4, 8], strides=[2], num_res_units=1).eval()
    module.load_state_dict(torch.load(folder / "models" / "model.pt", weights_only=True))
    theirs = Compose([LoadImage(), EnsureChannelFirst(), ScaleIntensity()])(str(path))
    with torch.inference_mode():
        expected = module(theirs.as_tensor()[None])[0].argmax(0).numpy().T
    segmenter = inspect_monai_bundle(folder).segmenter
    prepared = preprocess(read_image(path), segmenter.preprocessing)
    labels = Runner(segmenter).run(prepared, features=False).labels
    assert expected.shape == (24, 40) and len(np.unique(expected)) > 1
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.run",
        "scripts.net.UNet",
        "monai.networks.nets.UNet.x",
        "builtins.eval",
        "$UNet",
    ],
)
def test_only_known_networks_are_built(tmp_path: Path, target: str) -> None:
    def change(config: dict) -> None:
        config["network_def"] = {"_target_": target, "command": f"touch {tmp_path / 'executed'}"}

    with pytest.raises(ModelPackageError, match="not on the list of known networks"):
        inspect_monai_bundle(_bundle(tmp_path / "b", change))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "value",
    [
        "$__import__('os').system('touch {}')",
        "$open('{}', 'w')",
        "$[x for x in (1,)]",
        "$(lambda: 1)()",
        "$@classes.__class__",
        "$'%0999999999d' % 1",
        "$'a' * 1000000000000",
        "$[0] * 1000000000000",
        "$9 ** 9 ** 9",
        "%/etc/passwd",
        "@nowhere",
        "@network_def",
        "@#relative",
        {"_target_": "os.system", "command": "touch {}"},
    ],
)
def test_code_as_an_argument_is_refused(tmp_path: Path, value: Any) -> None:
    sentinel = tmp_path / "executed"
    filled = json.loads(json.dumps(value).replace("{}", str(sentinel)))
    with pytest.raises(ModelPackageError, match=r"inference\.json (contains|refers)"):
        inspect_monai_bundle(_bundle(tmp_path / "b", lambda c: c["network_def"].update(dropout=filled)))
    assert not sentinel.exists()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$1 + 2 * 3", 7),
        ("$-@a / 2", -2.0),
        ("$[@a] * 3 + [1]", [4, 4, 4, 1]),
        ("$(1, 2)", [1, 2]),
        ("$None", None),
        ("$@deep#list#1", 6),
        ("@deep::list::0", 5),
        ("$@deep#list[1]", 6),
        ("$1.5 if @yes else 3.0", 1.5),
        ("@chain", 4),
        ({"x": ["@a"]}, {"x": [4]}),
    ],
)
def test_plain_values_and_arithmetic_are_worked_out(tmp_path: Path, value: Any, expected: Any) -> None:
    path = tmp_path / "c.json"
    path.write_text(
        json.dumps({"a": 4, "yes": True, "deep": {"list": [5, 6]}, "chain": "@link", "link": "@a"})
    )
    assert ForeignConfig(path).value(value) == expected


@pytest.mark.parametrize(
    "document",
    [
        {"a": "@b", "b": "@a"},
        {"a": ["@b"] * 9, **{chr(c): [f"@{chr(c + 1)}"] * 9 for c in range(98, 110)}, "n": 1},
    ],
)
def test_references_without_end_are_refused(tmp_path: Path, document: dict) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ModelPackageError, match="without end"):
        ForeignConfig(path).value("@a")


def _range(low: float, high: float, clip: bool) -> dict:
    return {
        "_target_": "ScaleIntensityRanged",
        "a_min": -100,
        "a_max": 300,
        "b_min": low,
        "b_max": high,
        "clip": clip,
    }


@pytest.mark.parametrize(
    ("transforms", "expected", "warned"),
    [
        ([], IntensitySpec(clip="none", scale="none"), ""),
        (
            [_range(-1, 1, True)],
            IntensitySpec(clip="window", lower=-100, upper=300, scale="unit", gain=2, offset=-1),
            "",
        ),
        ([_range(0, 1, False)], IntensitySpec(clip="none", scale="none", gain=0.0025, offset=0.25), ""),
        ([{"_target_": "NormalizeIntensityd"}], IntensitySpec(clip="none", scale="zscore"), ""),
        (
            [{"_target_": "NormalizeIntensityD", "nonzero": "True"}],
            IntensitySpec(clip="none", scale="zscore", nonzero=True),
            "value 0",
        ),
        (
            [{"_target_": "NormalizeIntensityd", "subtrahend": 10, "divisor": 4}],
            IntensitySpec(clip="none", scale="none", gain=0.25, offset=-2.5),
            "",
        ),
        (
            [{"_target_": "ScaleIntensityd", "minv": 0, "maxv": 1}, {"_target_": "NormalizeIntensityd"}],
            IntensitySpec(clip="none", scale="unit_zscore"),
            "",
        ),
        (
            [
                {
                    "_target_": "monai.transforms.ScaleIntensityRangePercentilesd",
                    "lower": 1,
                    "upper": 99,
                    "b_min": 0,
                    "b_max": 1,
                    "clip": True,
                }
            ],
            IntensitySpec(clip="percentile", lower=1, upper=99, scale="unit"),
            "",
        ),
        ([{"_target_": "scripts.my_transforms.Magic"}], IntensitySpec(clip="none", scale="none"), "Magic"),
        (
            [{"_target_": "NormalizeIntensityd", "_disabled_": True}],
            IntensitySpec(clip="none", scale="none"),
            "",
        ),
    ],
)
def test_intensity_transforms_are_translated(
    tmp_path: Path, transforms: list[dict], expected: IntensitySpec, warned: str
) -> None:
    bundle = inspect_monai_bundle(_bundle(tmp_path / "b", lambda c: _only(c, *transforms)))
    (channel,) = bundle.segmenter.preprocessing.channels
    assert channel.intensity == expected
    assert any(warned in w for w in bundle.warnings) if warned else bundle.warnings == ()


def test_what_the_bundle_leaves_open_is_said(tmp_path: Path) -> None:
    def change(config: dict) -> None:
        config["preprocessing"] = "$monai.load_preprocessing()"
        config["inferer"] = {"_target_": "SaliencyInferer"}

    folder = _bundle(tmp_path / "b", change)
    (folder / "configs" / "metadata.json").unlink()
    bundle = inspect_monai_bundle(folder)
    text = " ".join(bundle.warnings)
    for part in ("preprocessing cannot be read", "RAS is assumed", "SaliencyInferer", "not name all"):
        assert part in text
    assert bundle.name == "b" and bundle.segmenter.inference.mode == "whole"
    assert [label.name for label in bundle.segmenter.labels[1:]] == ["label 1", "label 2"]


def test_code_in_a_step_that_matters_is_refused_and_elsewhere_ignored(tmp_path: Path) -> None:
    sentinel = tmp_path / "executed"
    code = f"$open({str(sentinel)!r}, 'w')"
    with pytest.raises(ModelPackageError, match="is code and is not run"):
        inspect_monai_bundle(_bundle(tmp_path / "a", lambda c: _transform(c, "Spacingd").update(pixdim=code)))
    inspect_monai_bundle(_bundle(tmp_path / "b", lambda c: c.update(initialize=[code], run=[code])))
    assert not sentinel.exists()


def test_overlapping_labels_are_refused(tmp_path: Path) -> None:
    def change(config: dict) -> None:
        transforms = [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}]
        config["postprocessing"] = {"_target_": "Compose", "transforms": transforms}

    with pytest.raises(ModelPackageError, match="overlapping labels"):
        inspect_monai_bundle(_bundle(tmp_path / "b", change))


def test_weights_are_read_without_running_them(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "b")
    expected = inspect_monai_bundle(folder).segmenter.fingerprint
    path = folder / "models" / "model.pt"
    state = torch.load(path, weights_only=True)
    torch.save({"model": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    assert inspect_monai_bundle(folder).segmenter.fingerprint == expected

    sentinel = tmp_path / "executed"

    class Evil:
        def __reduce__(self) -> tuple:
            import os

            return os.system, (f"touch {sentinel}",)

    torch.save({"model": Evil()}, path)
    with pytest.raises(ModelPackageError, match=r"model\.pt cannot be read as plain weights"):
        inspect_monai_bundle(folder)
    assert not sentinel.exists()
    torch.save(dict(list(state.items())[1:]), path)
    with pytest.raises(ModelPackageError, match="do not fit its network UNet"):
        inspect_monai_bundle(folder)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelPackageError, match="cannot be read as plain weights"):
        inspect_monai_bundle(folder)
    path.unlink()
    (folder / "large_files.yml").touch()
    with pytest.raises(ModelPackageError, match=r"has no weights .* large_files\.yml"):
        inspect_monai_bundle(folder)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="is not a MONAI bundle"):
        inspect_monai_bundle(tmp_path)
    folder = _bundle(tmp_path / "b", lambda c: c.pop("network_def"))
    with pytest.raises(ModelPackageError, match="defines no network_def"):
        inspect_monai_bundle(folder)
    (folder / "configs" / "inference.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ModelPackageError, match="its top level is no mapping"):
        inspect_monai_bundle(folder)
    (folder / "configs" / "inference.json").write_text('{"a": ', encoding="utf-8")
    with pytest.raises(ModelPackageError, match="cannot be parsed"):
        inspect_monai_bundle(folder)


def test_networks_that_cannot_be_turned_are_refused_in_2d(tmp_path: Path) -> None:
    uneven = {**NETWORK, "spatial_dims": 2, "kernel_size": [3, 1]}
    with pytest.raises(ModelPackageError, match="treats its two axes differently"):
        inspect_monai_bundle(_bundle(tmp_path / "b", network=uneven))
