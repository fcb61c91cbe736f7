"""A model package is a MONAI bundle: MONAI's own commands accept it and run it, and its card says what matters."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from package_data import VNET, small_model, small_segmenter, without_head

from SegClassifyLib.classify import bundle_run
from SegClassifyLib.classify.classifier import Classifier
from SegClassifyLib.errors import ImageError
from SegClassifyLib.heads.base import HeadState, names_to_json
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.package import files
from SegClassifyLib.package.card import model_card
from SegClassifyLib.package.model import Model
from SegClassifyLib.package.monai_bundle import inference_config, metadata, network_definition
from SegClassifyLib.package.store import save_package
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label
from SegClassifyLib.volumes.read import read_label_map
from SegClassifyLib.volumes.write import write_image

SCHEMA = Path(__file__).with_name("bundle_metadata_schema.json")
UNET = NetworkSpec(
    name="UNet", ndim=3, in_channels=1, out_channels=3, arguments={"channels": [4, 8], "num_res_units": 1}
)


def _volume(path: Path, seed: int = 0) -> Path:
    array = np.random.default_rng(seed).normal(100, 20, (1, 18, 20, 22)).astype(np.float32)
    turned = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    write_image(Image(array, Geometry((22, 20, 18), (2.0, 1.0, 2.5), (5.0, -3.0, 7.0), turned)), path)
    return path


def _classifying(model: Model, image: Path) -> Model:
    """With a head that fits its features."""
    bare = without_head(model)
    names = Classifier(bare, "cpu").classify([image]).features.names
    count = len(names)
    arrays = {
        "shift": np.zeros(count),
        "spread": np.ones(count),
        "weight": np.ones(count),
        "coefficients": np.random.default_rng(3).normal(0, 0.001, (2, count)),
        "bias": np.array([0.1, -0.1]),
    }
    config = {"settings": {}, "names": names_to_json(names), "strength": 1.0}
    return replace(model, head=HeadState("linear", config, arrays))


def _hostile(model: Model, sentinel: Path) -> Model:
    """Every text that a user can choose, such that MONAI would run it or follow it if it were left as it is."""
    code = f"$__import__('pathlib').Path({str(sentinel)!r}).touch()"
    labels = (Label(0, "background"), Label(1, "%/nowhere/evil.json"), Label(2, code))
    provenance = model.provenance.model_copy(
        update={"authors": (code,), "citation": "@####x", "licence": "%x.json"}
    )
    return replace(
        model,
        name=code,
        description="@bundle_root and mail@##example %::x",
        segmenter=replace(model.segmenter, labels=labels),
        classes=(code, "%evil.json"),
        provenance=provenance,
    )


@pytest.mark.parametrize("headless", [False, True])
def test_metadata_holds_what_monai_asks_for(headless: bool) -> None:
    model = without_head(small_model()) if headless else small_model()
    content = json.loads(json.dumps(metadata(model)))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    formats = content["network_data_format"]
    assert formats["inputs"]["image"]["channel_def"] == {"0": "T1", "1": "FLAIR"}
    assert formats["outputs"]["pred"]["channel_def"] == {"0": "background", "1": "tumour", "2": "œdema"}
    assert formats["inputs"]["image"]["spatial_shape"] == ["2*n"] * 3
    assert content["eval_metrics"] == {"balanced_accuracy": 0.8}
    for key in schema["required"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in content.items() if k != key}, schema)


def test_inference_config_holds_no_code_and_no_text_of_the_user(tmp_path: Path) -> None:
    text = json.dumps(inference_config(_hostile(small_model(), tmp_path / "x")))
    assert "$" not in text and "%" not in text and "evil" not in text
    content = metadata(_hostile(small_model(), tmp_path / "x"))
    assert content["name"].startswith(" $") and content["description"].startswith(" @bundle_root")
    assert "@##" not in content["description"] and content["copyright"] == " %x.json"


@pytest.mark.parametrize(
    "arguments",
    [{"act": "$print(1)"}, {"act": "@device"}, {"norm": {"_target_": "os.system"}}, {"norm": {"a#b": 1}}],
)
def test_network_arguments_that_monai_would_not_take_literally_stay_out(arguments: dict) -> None:
    spec = UNET.model_copy(update={"arguments": {**UNET.arguments, **arguments}})
    assert network_definition(spec)["_target_"] == "SegClassifyLib.classify.bundle_run.build"
    assert network_definition(UNET)["_target_"] == "monai.networks.nets.UNet"


@pytest.mark.filterwarnings("ignore:parsing config_file")
@pytest.mark.parametrize("spec", [UNET, VNET])
def test_monai_builds_the_network_from_the_configuration(tmp_path: Path, spec: NetworkSpec) -> None:
    from monai.bundle import ConfigParser, create_workflow

    model = replace(without_head(small_model()), segmenter=small_segmenter(spec))
    package = save_package(model, tmp_path / "p")
    parser = ConfigParser()
    parser.read_config(str(package / files.INFERENCE))
    parser["bundle_root"] = str(package)
    network = parser.get_parsed_content("network")
    assert network.state_dict().keys() == model.segmenter.state.keys()
    assert all(torch.equal(v.cpu(), model.segmenter.state[k]) for k, v in network.state_dict().items())
    assert type(parser.get_parsed_content("inferer")).__name__ == "SlidingWindowInferer"
    images = tmp_path / "images"
    images.mkdir()
    for channel in range(spec.in_channels):
        _volume(images / f"a_{channel:04d}.nii.gz")
    workflow = create_workflow(
        config_file=str(package / files.INFERENCE),
        workflow_type="infer",
        bundle_root=str(package),
        dataset_dir=str(images),
    )
    assert workflow.check_properties() == []


def test_cases_are_found_as_the_model_has_channels(tmp_path: Path) -> None:
    package = str(save_package(without_head(small_model()), tmp_path / "p"))
    images = tmp_path / "images"
    images.mkdir()
    for name in ("b_0000.nii.gz", "b_0001.nii.gz", "a_0001.mha", "a_0000.mha", "notes.txt"):
        (images / name).touch()
    found = bundle_run.find_cases(package, str(images))
    assert [(c.name, [p.name for p in c.images]) for c in found] == [
        ("a", ["a_0000.mha", "a_0001.mha"]),
        ("b", ["b_0000.nii.gz", "b_0001.nii.gz"]),
    ]
    (images / "a_0001.mha").unlink()
    with pytest.raises(ImageError, match=r"case a .* 1 image"):
        bundle_run.find_cases(package, str(images))
    with pytest.raises(ImageError, match="--dataset_dir"):
        bundle_run.find_cases(package, "")


def test_a_bad_image_does_not_stop_the_others(tmp_path: Path) -> None:
    package = save_package(
        replace(without_head(small_model()), segmenter=small_segmenter(UNET)), tmp_path / "p"
    )
    images = tmp_path / "images"
    images.mkdir()
    (images / "a.nii.gz").write_text("no image", encoding="utf-8")
    _volume(images / "b.nii.gz")
    inference = bundle_run.BundleInference(str(package), bundle_run.find_cases(str(package), str(images)))
    with pytest.raises(ImageError, match=r"1 of 2 cases failed. a: .*a\.nii\.gz"):
        inference.run()
    assert (package / "eval" / "b.nii.gz").exists()


def _monai(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monai.bundle", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.mark.slow
def test_monai_verifies_the_metadata(tmp_path: Path) -> None:
    package = save_package(small_model(), tmp_path / "p")
    schema = shutil.copy(SCHEMA, tmp_path / "schema.json")  # there already: MONAI does not download it
    given = ("--meta_file", str(package / files.METADATA), "--filepath", str(schema))
    done = _monai("verify_metadata", *given, cwd=tmp_path)
    assert done.returncode == 0 and "verified with no error" in done.stdout + done.stderr, done.stderr


@pytest.mark.slow
def test_monai_runs_the_bundle_and_gives_our_answer(tmp_path: Path) -> None:
    image = _volume(tmp_path / "patient.nii.gz")
    model = replace(small_model(), segmenter=small_segmenter(UNET, "whole"))
    model = _classifying(_hostile(model, tmp_path / "executed"), image)
    package = save_package(model, tmp_path / "p")
    done = _monai(
        "run",
        *("--config_file", str(package / files.INFERENCE), "--bundle_root", str(package)),
        *("--image", str(image), "--output_dir", str(tmp_path / "out")),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not (tmp_path / "executed").exists()
    ours = Classifier(model, "cpu").classify([image])
    theirs = read_label_map(tmp_path / "out" / "patient.nii.gz")
    assert ours.label_map.array.any()
    np.testing.assert_array_equal(theirs.array, ours.label_map.array)
    assert theirs.geometry.is_close(ours.label_map.geometry)
    answer = json.loads((tmp_path / "out" / "patient.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(list(answer["probabilities"].values()), ours.probabilities, atol=1e-6)


def test_the_card_says_what_matters() -> None:
    card = model_card(small_model())
    for text in (
        "# Tumour type",
        "research use only",
        "1. T1\n2. FLAIR",
        "resampled to 2 x 2 x 2 mm, padded to a multiple of 2 voxels",
        "Grey values of FLAIR: clipped at the 0.5 and 99.5 percentiles of the non-zero voxels",
        "x runs to the left, y to the back and z to the head",
        "| 1 | tumour |",
        "| ring | 10 | 9 |",
        "| balanced accuracy | 0.8 | 0.6 to 0.9 | 5-fold by patient |",
        "The rarest class had 10 training cases",
        "Licence: CC-BY-4.0",
        "Cite: Author A, 2026",
        "segclassify classify <this folder> <T1>,<FLAIR>",
        "monai.bundle run",
    ):
        assert text in card, text
    bare = model_card(without_head(small_model()))
    assert "does not classify" in bare and "## Classes" not in bare


def test_a_pipe_in_a_name_does_not_break_the_tables() -> None:
    model = replace(small_model(), classes=("ring", "a|b"))
    assert "| a\\|b |" in model_card(model)
