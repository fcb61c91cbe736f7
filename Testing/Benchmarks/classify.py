"""Speed and memory of one classify beside what a user would do instead with the same network.

Ours ends with all that a trained model says: class probabilities, prediction set, novelty.

    python Testing/Benchmarks/classify.py [--small] [--device cpu|cuda] [--repeats 2]

The other way is MONAI's own: orientation and spacing transforms, ``sliding_window_inference`` (windows of 96³, its
default quarter overlap, one window at a time), softmax, the inverse of the transforms on the probabilities, argmax.
Same weights, same volume; each run is a process of its own, so that peak memory is its own; the two ways take turns.
Prints wall time and peak memory as ratios, the share of time that classification adds to segmentation alone, and the
share spent outside the network. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SIZES = {"small": [(96, 96, 64)], "full": [(256, 256, 192), (512, 512, 300)]}
"""x, y, z voxels at 0.8 mm (small: as they are, for a quick look that all runs)."""

SPACING, MODEL_SPACING = 0.8, 1.5
WINDOW = 96
CHANNELS = [16, 32, 64, 128, 256]
CASES = 45
"""Made-up training cases of the classifier."""


def main() -> None:
    """Run all sizes and label counts, or one way of one of them as a child process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--labels", type=int, nargs="+", default=[2, 30])
    parser.add_argument("--child", nargs=3, metavar=("WAY", "SIZE", "LABELS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        way, size, labels = options.child
        shape = tuple(int(n) for n in size.split("x"))
        run = ours if way == "ours" else monai_way
        print(json.dumps(run(_volume(shape), int(labels), options.device)))
        return
    for size in SIZES["small" if options.small else "full"]:
        for labels in options.labels:
            _compare(size, labels, options)


def _compare(size: tuple[int, ...], labels: int, options: argparse.Namespace) -> None:
    found: dict[str, list[dict[str, float]]] = {"ours": [], "monai": []}
    for _ in range(options.repeats):
        for way, rows in found.items():
            rows.append(_child(way, size, labels, options.device))
    mine, theirs = (_median(rows) for rows in found.values())
    name = f"{'x'.join(map(str, size))}, {labels} labels, {options.device}"
    if not mine:
        print(f"{name}: ours did not finish")
        return
    print(f"{name}: ours {mine['seconds']:.1f} s, {mine['peak_gib']:.2f} GiB", end="")
    if theirs:
        print(
            f"; MONAI's way {theirs['seconds']:.1f} s, {theirs['peak_gib']:.2f} GiB; ratio of time "
            f"{mine['seconds'] / theirs['seconds']:.2f}, of memory {mine['peak_gib'] / theirs['peak_gib']:.2f}"
        )
    else:
        print("; MONAI's way did not finish (out of memory)")
    print(
        f"    classification adds {mine['added']:.1%} to segmentation alone; {mine['outside']:.1%} of the time "
        "is spent outside the network",
        flush=True,
    )


def _child(way: str, size: tuple[int, ...], labels: int, device: str) -> dict[str, float]:
    command = [
        sys.executable,
        __file__,
        "--device",
        device,
        "--child",
        way,
        "x".join(map(str, size)),
        str(labels),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr[-500:])
        return {}
    return json.loads(done.stdout.splitlines()[-1])


def _median(rows: list[dict[str, float]]) -> dict[str, float]:
    whole = [row for row in rows if row]
    return {key: statistics.median(row[key] for row in whole) for key in whole[0]} if whole else {}


def _volume(size: tuple[int, ...]) -> np.ndarray:
    """``(D, H, W)`` int16: smooth blobs and noise, made slice by slice so that making it is not the peak of memory."""
    rng = np.random.default_rng(0)
    shape = size[::-1]
    coarse = (300 * rng.normal(size=tuple(-(-n // 16) for n in shape))).astype(np.float32)
    volume = np.empty(shape, np.int16)
    for z, plane in enumerate(volume):
        blobs = coarse[z // 16].repeat(16, 0).repeat(16, 1)[: shape[1], : shape[2]]
        plane[:] = blobs + 30 * rng.standard_normal(shape[1:], np.float32)
    return volume


def _network(labels: int):  # type: ignore[no-untyped-def]
    import torch

    from SegClassifyLib.networks.registry import build_network
    from SegClassifyLib.networks.spec import NetworkSpec

    torch.manual_seed(0)
    spec = NetworkSpec(
        name="UNet",
        ndim=3,
        in_channels=1,
        out_channels=labels,
        arguments={"channels": CHANNELS, "strides": [2] * (len(CHANNELS) - 1), "num_res_units": 2},
    )
    return spec, build_network(spec).eval()


def ours(volume: np.ndarray, labels: int, device: str) -> dict[str, float]:
    """The one pass, features, a linear head, prediction sets and novelty included."""
    from SegClassifyLib.classify.classifier import Classifier
    from SegClassifyLib.features.taps import find_taps
    from SegClassifyLib.inference.extract import FeatureExtractor
    from SegClassifyLib.preprocessing.apply import preprocess
    from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, PreprocessingSpec
    from SegClassifyLib.segmenter import Segmenter
    from SegClassifyLib.volumes.geometry import Geometry
    from SegClassifyLib.volumes.image import Image, Label

    spec, network = _network(labels)
    grid = GridSpec(spacing=(MODEL_SPACING,) * 3, multiple_of=2 ** (len(CHANNELS) - 1))
    preprocessing = PreprocessingSpec(ndim=3, channels=(ChannelSpec(name="image"),), grid=grid)
    names = tuple(Label(i, "background" if i == 0 else f"label {i}") for i in range(labels))
    segmenter = Segmenter(spec, preprocessing, names, find_taps(network, spec), network.state_dict())
    tiny = Image(
        volume[None, :64, :64, :64], Geometry.plain(volume[:64, :64, :64].shape[::-1], (SPACING,) * 3)
    )
    features = FeatureExtractor(segmenter, device).run(tiny)[2]
    classifier = Classifier(_model(segmenter, features), device)
    image = Image(volume[None], Geometry.plain(volume.shape[::-1], (SPACING,) * 3))
    forward, inside = classifier.runner.network.forward, [0.0]

    def timed(x):  # type: ignore[no-untyped-def]
        start = time.perf_counter()
        result = forward(x)
        _wait(device)
        inside[0] += time.perf_counter() - start
        return result

    def segment() -> float:
        """Seconds of segmentation alone: the same without features and head."""
        start = time.perf_counter()
        prepared = preprocess(image, preprocessing)
        alone = classifier.runner.run(prepared, features=False)
        prepared.to_original(alone.labels, names)
        return time.perf_counter() - start

    # First a run that is not timed: it also measures what memory a pass takes.
    classifier.classify(tiny)
    before = segment()
    classifier.runner.network.forward = timed
    start = time.perf_counter()
    result = classifier.classify(image)
    seconds = time.perf_counter() - start
    network_seconds, peak = inside[0], _peak(device)
    classifier.runner.network.forward = forward
    # Once before and once after, so that a machine growing slower or faster meanwhile does not count.
    segmentation = (before + segment()) / 2
    classification = max(result.seconds["classify"], seconds - segmentation)
    return {
        "seconds": seconds,
        "peak_gib": peak,
        "added": classification / segmentation,
        "outside": 1 - network_seconds / seconds,
    }


def _model(segmenter, features):  # type: ignore[no-untyped-def]
    """A linear head with prediction sets and novelty, learned from made-up cases round one image's features."""
    from dataclasses import replace

    from SegClassifyLib.evaluation.crossvalidate import cross_validate
    from SegClassifyLib.features.spec import FeatureTable
    from SegClassifyLib.heads.linear import LinearHead
    from SegClassifyLib.package.model import Model
    from SegClassifyLib.trust.answers import HeldOutAnswers
    from SegClassifyLib.trust.novelty import learn_novelty
    from SegClassifyLib.trust.trust import Trust

    rng = np.random.default_rng(0)
    factors = 1 + 0.1 * rng.normal(size=(CASES, len(features.vector)))
    cases = [replace(features, vector=features.vector * f, maps={}) for f in factors]
    table, y, groups = FeatureTable.stack(cases), np.arange(CASES) % 3, np.arange(CASES)
    validation = cross_validate(LinearHead, table, y, groups, 5, 1, 0)
    trust = Trust(HeldOutAnswers.of(validation, y, groups), learn_novelty(table, cases, groups, 0))
    head = LinearHead().fit(table, y, groups)
    return Model("benchmark", "", segmenter, head.to_state(), ("a", "b", "c"), trust=trust)


def monai_way(volume: np.ndarray, labels: int, device: str) -> dict[str, float]:
    """Transforms, sliding windows, softmax, inverse, argmax, as MONAI's bundles do it."""
    import torch
    from monai.data import MetaTensor
    from monai.inferers import sliding_window_inference
    from monai.transforms import (
        Activationsd,
        AsDiscreted,
        Compose,
        EnsureChannelFirstd,
        Invertd,
        NormalizeIntensityd,
        Orientationd,
        ScaleIntensityRangePercentilesd,
        Spacingd,
    )

    _, network = _network(labels)
    network = network.to(device)
    affine = np.diag([-SPACING, -SPACING, SPACING, 1.0])
    before = Compose(
        [
            EnsureChannelFirstd("image", channel_dim="no_channel"),
            Orientationd("image", axcodes="RAS", labels=None),
            Spacingd("image", pixdim=(MODEL_SPACING,) * 3, mode="bilinear"),
            ScaleIntensityRangePercentilesd("image", 0.5, 99.5, 0, 1, clip=True),
            NormalizeIntensityd("image"),
        ]
    )
    after = Compose(
        [
            Activationsd("pred", softmax=True),
            Invertd("pred", transform=before, orig_keys="image", nearest_interp=False, to_tensor=True),
            AsDiscreted("pred", argmax=True),
        ]
    )

    def run(array: np.ndarray) -> torch.Tensor:
        data = before({"image": MetaTensor(torch.from_numpy(array.transpose(2, 1, 0).copy()), affine=affine)})
        with torch.inference_mode():
            data["pred"] = sliding_window_inference(
                data["image"][None].to(device), (WINDOW,) * 3, 1, network, device="cpu"
            )[0]
        return after(data)["pred"]

    run(volume[:64, :64, :64])
    start = time.perf_counter()
    run(volume)
    return {"seconds": time.perf_counter() - start, "peak_gib": _peak(device)}


def _wait(device: str) -> None:
    if device == "cuda":
        import torch

        torch.cuda.synchronize()


def _peak(device: str) -> float:
    """GiB: of the GPU where there is one, of the process otherwise."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
