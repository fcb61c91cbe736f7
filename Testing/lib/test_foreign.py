"""Published networks: our definitions compute what the originals compute, and give plausible maps of real images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from SegClassifyLib.errors import NetworkError
from SegClassifyLib.networks.efficientnet_lite import (
    EfficientNetLite0,
    imagenet_preprocessing,
    load_efficientnet_lite0,
)
from SegClassifyLib.networks.foreign.linknet import DeepbetLinkNet
from SegClassifyLib.networks.foreign.lwnet import LWNet
from SegClassifyLib.networks.foreign.meshnet import MeshNet
from SegClassifyLib.networks.registry import build_network
from SegClassifyLib.package.published import load_deepbet, load_foreign, load_lwnet, load_meshnet
from SegClassifyLib.preprocessing.apply import Prepared, preprocess
from SegClassifyLib.segmenter import Segmenter
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image

MESHNETS = ("model5_gw_ae", "model18cls", "model30chan18cls", "model30chan50cls", "model21_104class")


def pattern(*shape: int) -> torch.Tensor:
    """The same numbers everywhere: what the original networks were given, once, outside these tests."""
    n = torch.arange(int(np.prod(shape)), dtype=torch.float64).reshape(shape)
    return (0.5 + 0.5 * torch.sin(n * 0.37) * torch.cos(n * 0.011)).float()


def summary(values: torch.Tensor) -> list[float]:
    """Mean, standard deviation, and four values from first to last."""
    flat = values.double().flatten()
    places = (0, len(flat) // 3, len(flat) // 2, len(flat) - 1)
    return [flat.mean().item(), flat.std().item(), *(flat[i].item() for i in places)]


def network_of(segmenter: Segmenter) -> torch.nn.Module:
    network = build_network(segmenter.network)
    network.load_state_dict(segmenter.state)
    return network.eval()


def read(path: Path) -> Image:
    import SimpleITK as sitk

    image = sitk.ReadImage(str(path))
    geometry = Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return Image(sitk.GetArrayFromImage(image)[None], geometry, (path,))


def labels_of(segmenter: Segmenter, prepared: Prepared) -> np.ndarray:
    with torch.inference_mode():
        return network_of(segmenter)(torch.from_numpy(prepared.array)[None])[0].argmax(0).numpy()


@pytest.fixture
def pretrained(real_data: Path) -> Path:
    return real_data / "pretrained"


def test_lwnet_turns_one_output_into_two_logits() -> None:
    torch.manual_seed(0)
    network = LWNet(threshold=0.3).eval()
    raw: list[torch.Tensor] = []
    network.unet2.register_forward_hook(lambda m, a, y: raw.append(y))
    with torch.no_grad():
        logits = network(torch.randn(1, 3, 16, 16))
    assert torch.equal(logits.argmax(1), (raw[0].sigmoid() > 0.3).long()[:, 0])
    assert LWNet(out_channels=4, layers=(4, 8)).eval()(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 8, 8)


def test_efficientnet_takes_odd_sizes_as_tensorflow_does() -> None:
    network = EfficientNetLite0(classes=5).eval()
    assert network.extract_features(torch.zeros(1, 3, 33, 65)).shape == (1, 1280, 2, 3)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_imagenet_preprocessing_of_a_picture() -> None:
    array = np.zeros((3, 112, 56), np.uint8)
    array[0], array[2] = 255, 127
    prepared = preprocess(Image(array, Geometry.plain((56, 112))), imagenet_preprocessing())
    assert prepared.array.shape == (3, 224, 224)
    np.testing.assert_allclose(prepared.array[:, 112, 112], [1.0, -127 / 128, 0.0], atol=1e-6)


@pytest.mark.parametrize(("kind", "network"), [("linknet", DeepbetLinkNet()), ("lwnet", LWNet())])
def test_weights_are_recognised_by_their_names(kind: str, network: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), path)
    segmenter = load_foreign(path)
    assert segmenter.network.name == type(network).__name__
    assert len(segmenter.taps) >= 3
    assert segmenter.labels[0].value == 0 and len(segmenter.labels) == segmenter.network.out_channels


def _mesh_folder(folder: Path) -> Path:
    path = folder / "mesh.safetensors"
    save_file(MeshNet(1, 3, channels=4, dilations=(1, 2)).state_dict(), path)
    layers = [{"in_channels": 1, "out_channels": 4, "dilation": 1}, {"out_channels": 4, "dilation": 2}, {}]
    description = {"layers": layers, "labels": ["nothing", "White Matter", "Grey Matter"]}
    path.with_suffix(".json").write_text(json.dumps(description), encoding="utf-8")
    return path


def test_meshnet_is_described_by_its_json(tmp_path: Path) -> None:
    segmenter = load_foreign(_mesh_folder(tmp_path))
    assert segmenter.network.arguments == {"channels": 4, "dilations": [1, 2], "activation": "relu"}
    assert [label.name for label in segmenter.labels] == ["background", "White Matter", "Grey Matter"]


def test_bad_files_end_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"no weights file .*gone\.safetensors"):
        load_foreign(tmp_path / "gone.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not weights at all")
    with pytest.raises(NetworkError, match=r"broken\.safetensors cannot be read as a safetensors file"):
        load_deepbet(broken)
    other = tmp_path / "other.safetensors"
    save_file({"somewhere.weight": torch.zeros(2)}, other)
    for load in (load_foreign, load_deepbet, load_lwnet, load_efficientnet_lite0):
        with pytest.raises(NetworkError, match=r"other\.safetensors are (not those of|of no network)"):
            load(other)


def test_bad_descriptions_end_in_a_sentence(tmp_path: Path) -> None:
    path = _mesh_folder(tmp_path)
    description = path.with_suffix(".json")
    description.write_text('{"layers": []}', encoding="utf-8")
    with pytest.raises(NetworkError, match=r"mesh\.json does not describe a MeshNet"):
        load_meshnet(path)
    description.write_text("{", encoding="utf-8")
    with pytest.raises(NetworkError, match=r"mesh\.json of a MeshNet cannot be read"):
        load_meshnet(path)
    description.unlink()
    with pytest.raises(NetworkError, match="belongs beside the weights"):
        load_foreign(path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bbox_model", [0.15124, 0.34665, 0.0, 2e-05, 3e-05, 0.0]),
        ("model", [0.42084, 0.48424, 4e-05, 0.0, 0.0, 0.00043]),
    ],
)
def test_linknet_is_deepbets_own(pretrained: Path, name: str, expected: list[float]) -> None:
    """Numbers from the TorchScript of deepbet 1.0.2."""
    network = network_of(load_deepbet(pretrained / "deepbet_brain_t1" / f"{name}.safetensors"))
    with torch.no_grad():
        brain = network(pattern(1, 1, 32, 64, 96)).softmax(1)[0, 1]
    assert summary(brain) == pytest.approx(expected, abs=1e-3)


@pytest.mark.realdata
def test_lwnet_is_its_authors_own(pretrained: Path) -> None:
    """Numbers from the authors' code at the commit that the weights came with."""
    segmenter = load_lwnet(pretrained / "lwnet_retina_vessels" / "wnet_drive.safetensors", threshold=0.5)
    with torch.no_grad():
        vessel = network_of(segmenter)(pattern(1, 3, 64, 96)).softmax(1)[0, 1]
    expected = [0.73788, 0.27489, 0.00974, 0.85313, 0.59908, 0.02386]
    assert summary(vessel) == pytest.approx(expected, abs=1e-4)


@pytest.mark.realdata
def test_efficientnet_is_the_published_one(pretrained: Path) -> None:
    """Numbers from PyPI efficientnet-lite-pytorch 0.1.0."""
    network = load_efficientnet_lite0(
        pretrained / "efficientnet_lite0_imagenet" / "efficientnet_lite0.safetensors"
    )
    with torch.no_grad():
        features = network.extract_features(pattern(1, 3, 224, 224) * 2 - 1)
    assert features.shape == (1, 1280, 7, 7)
    assert summary(features) == pytest.approx([0.11355, 0.48405, 0.9455, 0.0, 0.0, 0.0], abs=1e-4)


@pytest.mark.realdata
@pytest.mark.parametrize("name", MESHNETS)
def test_meshnet_is_the_chain_its_json_describes(pretrained: Path, name: str) -> None:
    path = pretrained / "meshnet_brain_t1" / f"{name}.safetensors"
    description, weights = json.loads(path.with_suffix(".json").read_text(encoding="utf-8")), load_file(path)
    layers = description["layers"]
    x = expected = pattern(1, 1, 12, 10, 14)
    for number, layer in enumerate(layers):
        weight, bias = (weights[f"model.{2 * number}.{kind}"] for kind in ("weight", "bias"))
        expected = F.conv3d(expected, weight, bias, padding=layer["padding"], dilation=layer["dilation"])
        if number < len(layers) - 1:
            expected = F.elu(expected) if description.get("elu") else F.relu(expected)
    segmenter = load_meshnet(path)
    with torch.no_grad():
        torch.testing.assert_close(network_of(segmenter)(x), expected)
    assert len(segmenter.labels) == len(description["labels"])
    assert segmenter.taps[-1].name == f"layer{len(layers) - 1}"


@pytest.mark.realdata
def test_brain_of_the_mni_head(real_data: Path) -> None:
    """1.9 litres (the MNI template is a large head), in the middle of the head, and on the image's own grid."""
    segmenter = load_deepbet(real_data / "pretrained" / "deepbet_brain_t1" / "bbox_model.safetensors")
    image = read(real_data / "demo_volumes" / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")
    prepared = preprocess(image, segmenter.preprocessing)
    brain = prepared.to_original(labels_of(segmenter, prepared).astype(np.uint8)).array
    assert brain.shape == image.geometry.shape
    assert 1700 < brain.sum() / 1000 < 2100
    centre = image.geometry.world(tuple(np.argwhere(brain).mean(0)[::-1]))
    assert np.linalg.norm(centre - [0, 18, 12]) < 12  # LPS mm; the template's brain lies behind its origin


@pytest.mark.realdata
@pytest.mark.slow
def test_meshnet_knows_left_from_right_on_a_real_head(real_data: Path) -> None:
    """Deep structures come out on their own side, many of them: the axes are those of training."""
    folder = real_data / "pretrained" / "meshnet_brain_t1"
    segmenter = load_meshnet(folder / "model21_104class.safetensors")
    prepared = preprocess(read(folder / "t1_crop.nii.gz"), segmenter.preprocessing)
    assert prepared.array.shape == (1, 256, 256, 256)
    # Round the basal ganglia; the whole head would take minutes.
    corner = (80, 80, 88)
    part = prepared.array[(slice(None), *(slice(c, c + 96) for c in corner))]
    with torch.inference_mode():
        labels = network_of(segmenter)(torch.from_numpy(part)[None])[0].argmax(0).numpy()
    names = {label.value: label.name for label in segmenter.labels}
    values, counts = np.unique(labels, return_counts=True)
    found = {names[value] for value, count in zip(values, counts, strict=True) if count > 100}
    assert {"Left-Putamen", "Right-Putamen", "Left-Caudate", "Right-Caudate", "Brain-Stem"} <= found

    def centre(side: str) -> np.ndarray:
        values = [value for value, name in names.items() if name.startswith(side)]
        index = np.argwhere(np.isin(labels, values)).mean(0) + corner
        return prepared.path.geometry.world(tuple(index[::-1]))

    assert 20 < centre("Left")[0] - centre("Right")[0] < 70  # mm towards the patient's left
