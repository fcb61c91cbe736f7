"""The one pass: windows give what the whole gives, labels lie on the image, features are what they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from SegClassifyLib.features.pooling import PRIOR_VOXELS
from SegClassifyLib.features.spec import TapSpec
from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.inference import runner as runner_module
from SegClassifyLib.inference.extract import FeatureExtractor
from SegClassifyLib.inference.runner import Runner, largest
from SegClassifyLib.inference.windows import cut_windows
from SegClassifyLib.networks.registry import build_network, divisor
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.preprocessing.apply import preprocess
from SegClassifyLib.preprocessing.spec import ChannelSpec, GridSpec, IntensitySpec, PreprocessingSpec
from SegClassifyLib.segmenter import InferenceSpec, Segmenter
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image
from SegClassifyLib.volumes.labels import default_labels

RAW = IntensitySpec(clip="none", scale="none")


def _segmenter(spec: NetworkSpec, inference: InferenceSpec | None = None, **grid) -> Segmenter:  # type: ignore[no-untyped-def]
    torch.manual_seed(3)
    network = build_network(spec)
    preprocessing = PreprocessingSpec(
        ndim=spec.ndim,
        channels=tuple(ChannelSpec(name=f"c{i}", intensity=RAW) for i in range(spec.in_channels)),
        grid=GridSpec(**{"multiple_of": divisor(spec), **grid}),
    )
    labels = default_labels(["background", *(f"label {i}" for i in range(1, spec.out_channels))])
    return Segmenter(
        spec,
        preprocessing,
        labels,
        find_taps(network, spec),
        network.state_dict(),
        inference or InferenceSpec(),
    )


def _image(shape: tuple[int, ...], channels: int = 1, seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    return Image(rng.normal(size=(channels, *shape)).astype(np.float32), Geometry.plain(shape[::-1]))


LOCAL = NetworkSpec(
    name="MeshNet",
    ndim=3,
    in_channels=1,
    out_channels=3,
    arguments={"channels": 5, "dilations": [1, 2, 1]},
)
"""Sees five voxels each way and normalises nothing: windows with enough context give exactly what the whole gives."""


def test_windows_cover_the_grid_once() -> None:
    covered = np.zeros((40, 24, 33), int)
    for window in cut_windows(covered.shape, (16, 24, 16), halo=3, step=4):
        covered[window.core] += 1
        assert all(
            w.start <= c.start and c.stop <= w.stop for w, c in zip(window.whole, window.core, strict=True)
        )
        assert all(w.stop - w.start <= n for w, n in zip(window.whole, (16, 24, 16), strict=True))
    assert (covered == 1).all()


def test_windows_give_what_the_whole_gives() -> None:
    image = _image((32, 40, 36))
    whole = _segmenter(LOCAL)
    windowed = Segmenter(
        whole.network,
        whole.preprocessing,
        whole.labels,
        whole.taps,
        whole.state,
        InferenceSpec(mode="window", window=(24, 24, 24), halo=6),
    )
    _, one, features = FeatureExtractor(whole).run(image)
    _, many, windowed_features = FeatureExtractor(windowed).run(image)
    assert one.windows == 1 and many.windows > 8
    assert np.array_equal(one.labels, many.labels)
    # The margin's growth is the one thing a window's edge could change, and its context covers that.
    np.testing.assert_allclose(features.vector, windowed_features.vector, rtol=2e-3, atol=2e-4)
    for name, stitched in windowed_features.maps.items():
        np.testing.assert_allclose(features.maps[name], stitched, rtol=2e-2, atol=2e-2)


def test_pooled_numbers_are_the_means_they_are_named_after() -> None:
    spec = LOCAL.model_copy(
        update={"ndim": 2, "name": "BasicUNet", "arguments": {"features": [4, 4, 8, 8, 8, 4]}}
    )
    segmenter = _segmenter(spec)
    image = _image((32, 48))
    prepared, result, features = FeatureExtractor(segmenter).run(image)
    value = {str(n): v for n, v in zip(features.names, features.vector, strict=True)}
    network = build_network(spec).eval()
    network.load_state_dict(segmenter.state)
    tap = next(t for t in segmenter.taps if t.name == "decoder1")
    seen = {}
    dict(network.named_modules())[tap.module].register_forward_hook(lambda m, i, o: seen.update(tap=o))
    with torch.no_grad():
        logits = network(torch.from_numpy(prepared.array)[None])[0]
    coarse = torch.softmax(torch.nn.functional.avg_pool2d(logits, 2), 0).double()
    for channel in range(tap.channels):
        plane = seen["tap"][0, channel].double()
        mean = plane.mean()
        weighted = ((coarse[1] * plane).sum() + PRIOR_VOXELS / 4 * mean) / (
            coarse[1].sum() + PRIOR_VOXELS / 4
        )
        assert value[f"decoder1/all/mean[{channel}]"] == pytest.approx(float(mean), abs=1e-5)
        assert value[f"decoder1/all/spread[{channel}]"] == pytest.approx(
            float(plane.std(correction=0)), abs=1e-4
        )
        assert value[f"decoder1/label 1/mean[{channel}]"] == pytest.approx(float(weighted), abs=1e-5)
    assert value["probability/label 1/share"] == pytest.approx(float(coarse[1].mean()), abs=1e-5)
    assert np.array_equal(result.labels, logits.argmax(0).numpy())


def test_an_absent_label_has_the_image_s_mean_and_padding_does_not_count() -> None:
    segmenter = _segmenter(LOCAL, multiple_of=32)
    state = dict(segmenter.state)
    last = [k for k in state if k.endswith("bias")][-1]
    state[last] = state[last] + torch.tensor([0.0, 0.0, -200.0])
    absent = Segmenter(segmenter.network, segmenter.preprocessing, segmenter.labels, segmenter.taps, state)
    image = Image(np.full((1, 20, 20, 20), 7.0, np.float32), Geometry.plain((20, 20, 20)))
    _, result, features = FeatureExtractor(absent).run(image)
    value = {str(n): v for n, v in zip(features.names, features.vector, strict=True)}
    assert result.labels.shape == (32, 32, 32)
    assert np.isfinite(features.vector).all()
    assert value["image/all/mean[0]"] == pytest.approx(7.0)
    tap = segmenter.taps[0].name
    assert value[f"{tap}/label 2/mean[1]"] == pytest.approx(value[f"{tap}/all/mean[1]"], abs=1e-4)
    assert value["shape/label 2/present"] == 0.0


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("labels", [2, 5])
def test_largest_is_argmax(labels: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "_TOGETHER", 100)
    torch.manual_seed(0)
    logits = torch.randn(labels, 9, 6, 7)
    logits[:, :4] = torch.randint(3, (labels, 4, 6, 7)).float()  # ties, of which the lowest label wins
    view = logits[:, 1:8, 1:, :5]
    found = largest(view, np.dtype(kind))
    assert found.dtype == kind
    assert np.array_equal(found, view.numpy().argmax(0))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_stored_axes_do_not_matter(order: tuple[int, ...]) -> None:
    """The same anatomy stored with other axes and oblique directions: same features, labels on the same tissue."""
    rng = np.random.default_rng(1)
    array = rng.normal(size=(1, 14, 18, 22)).astype(np.float32)
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    plain = Geometry((22, 18, 14), (1.0, 1.5, 2.0), (5.0, -7.0, 11.0), tuple(turn.ravel()))
    segmenter = _segmenter(LOCAL, spacing=(1.3, 1.3, 2.0), multiple_of=4)
    extractor = FeatureExtractor(segmenter)
    prepared, result, expected = extractor.run(Image(array, plain))
    reference = prepared.to_original(result.labels).array
    for flips in itertools.product((False, True), repeat=3):
        stored, geometry = _store(array[0], plain, order, flips)
        prepared, result, features = extractor.run(Image(stored[None], geometry))
        np.testing.assert_allclose(features.vector, expected.vector, atol=1e-5)
        labels = prepared.to_original(result.labels)
        assert labels.geometry == geometry
        again, _ = _store(reference, plain, order, flips)
        assert np.array_equal(labels.array, again)


def _store(
    array: np.ndarray, geometry: Geometry, order: tuple[int, ...], flips: tuple[bool, ...]
) -> tuple[np.ndarray, Geometry]:
    """The same voxels with x, y, z stored in ``order``, some backwards."""
    stored = array.transpose([2 - a for a in reversed(order)])
    corner = [0.0] * 3
    columns = []
    for position, axis in enumerate(order):
        sign = -1.0 if flips[position] else 1.0
        corner[axis] = geometry.size[axis] - 1 if flips[position] else 0
        columns.append(geometry.matrix[:, axis] * sign)
        if flips[position]:
            stored = np.flip(stored, axis=2 - position)
    direction = np.stack(columns, axis=1)
    return np.ascontiguousarray(stored), Geometry(
        tuple(geometry.size[a] for a in order),
        tuple(geometry.spacing[a] for a in order),
        tuple(geometry.world(tuple(corner)).tolist()),
        tuple(direction.ravel().tolist()),
    )


def test_out_of_memory_goes_on_in_smaller_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = _segmenter(LOCAL)
    runner = Runner(segmenter)
    prepared = preprocess(_image((64, 64, 64)), segmenter.preprocessing)
    whole = runner.run(prepared)
    forward = runner.network.forward

    def small_only(x: torch.Tensor) -> torch.Tensor:
        if x[0, 0].numel() >= 64**3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(x)

    monkeypatch.setattr(runner.network, "forward", small_only)
    result = runner.run(prepared)
    assert result.windows > 1 and any("parts" in n for n in result.notes)
    assert (result.labels == whole.labels).mean() > 0.999


def test_planned_memory_decides_before_running(monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = _segmenter(LOCAL)
    monkeypatch.setattr(runner_module, "free_memory", lambda device: 40_000_000)
    result = Runner(segmenter).run(preprocess(_image((128, 128, 64)), segmenter.preprocessing))
    assert result.windows > 1


def test_tap_of_a_missing_module_is_an_error_in_words() -> None:
    segmenter = _segmenter(LOCAL).with_taps(
        (TapSpec(name="t", module="no.such", channels=1, reduction=(1, 1, 1)),)
    )
    with pytest.raises(Exception, match=r"no\.such"):
        FeatureExtractor(segmenter).run(_image((16, 16, 16)))
