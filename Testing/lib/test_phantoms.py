"""Phantoms: their truth is exact, and nothing but structure tells the tumour types apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage, stats

from SegClassifyLib.phantoms.head import CHANNELS, LABELS, HeadPhantom, make_head
from SegClassifyLib.phantoms.slices import LESIONS, make_slice
from SegClassifyLib.phantoms.texture import ellipsoid_depth, rotation, smooth_noise
from SegClassifyLib.phantoms.tumours import TUMOURS

SMALL = (24, 28, 24)
TUMOUR, WHITE = 5, 4


@pytest.fixture(scope="module")
def heads() -> list[HeadPhantom]:
    """90 small heads, 30 of each type."""
    return [make_head(700 + n, TUMOURS[n % 3], SMALL) for n in range(90)]


def accuracy(rows: list[list[float]], classes: list[str]) -> float:
    """Cross-validated accuracy of a logistic regression, mean of 2 repeats."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=500))
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    return float(cross_val_score(model, np.asarray(rows), classes, cv=folds).mean())


def histogram(values: np.ndarray) -> list[float]:
    """Everything a histogram has to say: moments and percentiles."""
    moments = [values.mean(), values.std(), stats.skew(values), stats.kurtosis(values), values.max()]
    return [float(v) for v in (*moments, *np.percentile(values, [1, 5, 25, 50, 75, 90, 95, 99, 99.9]))]


def normalised_head(head: HeadPhantom) -> np.ndarray:
    """The voxels of the head, their median 0 and spread 1: the scanner's gain is gone."""
    voxels = head.image.array[0][head.labels.array > 0].astype(float)
    return np.asarray((voxels - np.median(voxels)) / voxels.std())


def tumour_relative(head: HeadPhantom) -> np.ndarray:
    """Tumour voxels in units of white matter."""
    picture = head.image.array[0].astype(float)
    labels = head.labels.array
    return np.asarray(picture[labels == TUMOUR] / np.median(picture[labels == WHITE]))


class TestNothingGlobalTellsTheTypes:
    """30 cases of each of 3 types: a coin of three sides gets 1/3, and up to about 0.49 by luck (3 sigma)."""

    LUCK = 0.48

    @pytest.mark.parametrize("normalise", [False, True])
    def test_intensity_histogram(self, heads: list[HeadPhantom], normalise: bool) -> None:
        rows = [histogram(normalised_head(h) if normalise else h.image.array.ravel()) for h in heads]
        assert accuracy(rows, [str(h.tumour) for h in heads]) < self.LUCK

    def test_tumour_volume_and_mean_brightness(self, heads: list[HeadPhantom]) -> None:
        rows = [
            [float(np.prod(h.image.geometry.spacing)) * t.size, float(t.mean())]
            for h in heads
            for t in [tumour_relative(h)]
        ]
        assert accuracy(rows, [str(h.tumour) for h in heads]) < self.LUCK

    def test_tumour_place_and_elongation(self, heads: list[HeadPhantom]) -> None:
        rows = []
        for head in heads:
            at = np.argwhere(head.labels.array == TUMOUR) * head.image.geometry.spacing[::-1]
            axes = np.sqrt(np.linalg.eigvalsh(np.cov(at.T)))
            rows.append([*at.mean(axis=0), *axes, axes[0] / axes[2]])
        assert accuracy(rows, [str(h.tumour) for h in heads]) < self.LUCK

    def test_structure_does(self, heads: list[HeadPhantom]) -> None:
        """Brightness by depth in the tumour, and how uneven it is: what a network can see."""
        rows = []
        for head in heads:
            mask = head.labels.array == TUMOUR
            depth = ndimage.distance_transform_edt(mask, sampling=head.image.geometry.spacing[::-1])[mask]
            voxels = tumour_relative(head)
            rows.append([np.cov(depth / depth.max(), voxels)[0, 1], voxels.std(), voxels.min()])
        assert accuracy(rows, [str(h.tumour) for h in heads]) > 0.75


class TestHead:
    def test_same_seed_same_head_and_another_seed_another(self) -> None:
        once, again, other = (make_head(s, "solid", SMALL) for s in (3, 3, 4))
        assert once.image.content_hash() == again.image.content_hash() != other.image.content_hash()
        assert np.array_equal(once.labels.array, again.labels.array)

    def test_one_person_with_each_tumour_differs_only_in_the_tumour(self) -> None:
        ring, solid, none = (make_head(8, t, SMALL) for t in ("ring-enhancing", "solid", None))
        assert ring.image.geometry == solid.image.geometry == none.image.geometry
        assert np.array_equal(ring.labels.array, solid.labels.array)
        healthy = solid.labels.array != TUMOUR
        assert np.array_equal(solid.labels.array[healthy], none.labels.array[healthy])
        assert not (none.labels.array == TUMOUR).any()
        far = ~ndimage.binary_dilation(~healthy, iterations=4)
        assert far.any() and np.array_equal(ring.image.array[0][far], solid.image.array[0][far])
        assert not np.array_equal(ring.image.array[0][~healthy], solid.image.array[0][~healthy])
        assert none.tumour is None

    def test_arrays_and_labels(self, heads: list[HeadPhantom]) -> None:
        assert [label.value for label in LABELS] == [1, 2, 3, 4, 5]
        for head in heads[:6]:
            assert head.image.array.shape == (1, *SMALL) and head.image.array.dtype == np.int16
            assert head.labels.array.dtype == np.uint8 and head.labels.geometry == head.image.geometry
            assert set(np.unique(head.labels.array)) == set(range(6))
            assert head.image.array.min() >= 0

    def test_channels_show_the_same_head_differently(self) -> None:
        both = make_head(5, "infiltrating", channels=CHANNELS)
        one = make_head(5, "infiltrating", channels=("T1c",))
        assert both.image.array.shape == (2, 48, 56, 48)
        assert np.array_equal(both.image.array[0], one.image.array[0])
        grey, white = both.labels.array == 3, both.labels.array == WHITE
        t1c, flair = both.image.array.astype(float)
        assert t1c[grey].mean() < t1c[white].mean()
        assert flair[grey].mean() > flair[white].mean()

    def test_tumour_is_one_piece_inside_the_brain_and_in_proportion(self, heads: list[HeadPhantom]) -> None:
        volumes = []
        for head in heads:
            mask = head.labels.array == TUMOUR
            pieces, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
            largest = max(int((pieces == n).sum()) for n in range(1, count + 1))
            assert largest > 0.85 * mask.sum()
            shell = ndimage.binary_dilation(mask) & ~mask
            assert (head.labels.array[shell] > 0).all(), "a tumour reaches the air"
            volumes.append(mask.sum() * np.prod(head.image.geometry.spacing) / 1000)
        assert min(volumes) > 20 and max(volumes) < 98  # ml: radius 18 to 28 mm
        assert max(volumes) > 2 * min(volumes)

    def test_ring_has_a_dark_core_and_solid_has_none(self) -> None:
        differences = {}
        for kind in ("ring-enhancing", "solid"):
            values = []
            for seed in range(3):
                head = make_head(seed, kind)
                mask = head.labels.array == TUMOUR
                depth = ndimage.distance_transform_edt(mask)[mask]
                voxels = tumour_relative(head)
                values.append(voxels[depth > 0.7 * depth.max()].mean() - voxels[depth <= 1].mean())
            differences[kind] = np.mean(values)
        assert differences["ring-enhancing"] < -0.2 < -0.1 < differences["solid"]

    def test_spacing_is_anisotropic_unless_asked_for_and_direction_is_oblique(self) -> None:
        drawn = [make_head(s, None, SMALL).image.geometry for s in range(4)]
        assert len({g.spacing for g in drawn}) == 4
        assert all(len(set(g.spacing)) == 3 for g in drawn)
        for g in drawn:
            assert np.allclose(g.matrix @ g.matrix.T, np.eye(3))
            assert np.linalg.det(g.matrix) == pytest.approx(1)
            assert np.all(np.diag(g.matrix) > 0.9) and not np.allclose(g.matrix, np.eye(3), atol=0.01)
        assert make_head(0, None, SMALL, spacing=(7.0, 7.5, 8.0)).image.geometry.spacing == (7.0, 7.5, 8.0)

    def test_head_keeps_its_size_in_mm_whatever_the_grid(self) -> None:
        coarse, fine = (make_head(2, None, shape, spacing=s) for shape, s in (
            ((24, 28, 24), (7.6, 8.0, 7.8)), ((48, 56, 48), (3.8, 4.0, 3.9))))  # fmt: skip
        litres = [
            float((h.labels.array > 0).sum() * np.prod(h.image.geometry.spacing)) / 1e6
            for h in (coarse, fine)
        ]
        assert litres[0] == pytest.approx(litres[1], rel=0.05)
        assert 2.5 < litres[1] < 5

    @pytest.mark.parametrize("arguments", [{"tumour": "glioma"}, {"tumour": None, "channels": ("T2",)}])
    def test_unknown_words_are_refused(self, arguments: dict) -> None:
        with pytest.raises(ValueError, match="is none of"):
            make_head(0, shape=SMALL, **arguments)


class TestSlice:
    def test_arrays(self) -> None:
        case = make_slice(1, "round")
        assert case.image.array.shape == (1, 96, 96) and case.image.array.dtype == np.uint8
        assert case.labels.array.shape == (96, 96) and set(np.unique(case.labels.array)) == {0, 1}
        assert case.image.geometry.spacing == (0.5, 0.5)
        assert not make_slice(1, None).labels.array.any()

    def test_lesion_is_darker_than_tissue(self) -> None:
        for seed in range(6):
            case = make_slice(seed, LESIONS[seed % 2])
            inside = case.labels.array == 1
            assert case.image.array[0][inside].mean() < case.image.array[0][~inside].mean() - 15

    def test_kinds_share_area_and_brightness_and_differ_in_outline(self) -> None:
        cases = [make_slice(1000 + n // 2, LESIONS[n % 2]) for n in range(60)]
        kinds = [str(c.lesion) for c in cases]
        area = [[float(c.labels.array.sum())] for c in cases]
        assert area[0::2] == area[1::2]
        assert accuracy([histogram(c.image.array.ravel()) for c in cases], kinds) < 0.68
        roundness = []
        for case in cases:
            mask = case.labels.array.astype(bool)
            rim = mask & ~ndimage.binary_erosion(mask)
            roundness.append([float(rim.sum() / np.sqrt(mask.sum()))])
        assert accuracy(roundness, kinds) > 0.9

    def test_unknown_lesion_is_refused(self) -> None:
        with pytest.raises(ValueError, match="is none of round, spiculated"):
            make_slice(0, "square")


class TestSet:
    def test_heads_on_disk(self, tmp_path: Path) -> None:
        from SegClassifyLib.cases.training_set import TrainingSet
        from SegClassifyLib.phantoms.sets import Counts, write_head_set

        counts = Counts(segmented=1, classified=2, both=1, test=1)
        write_head_set(tmp_path / "set", counts, seed=1, shape=(16, 18, 16), channels=CHANNELS)
        made = TrainingSet.open(tmp_path / "set")
        assert made.classes == TUMOURS and made.channels == CHANNELS
        assert len(made.cases) == 15
        assert len({c.group_name for c in made.cases}) == 15
        by_role = {role: [c for c in made.cases if c.role == role and c.split == "train"]
                   for role in ("segmenter", "classifier", "both")}  # fmt: skip
        assert [len(v) for v in by_role.values()] == [3, 6, 3]
        assert all(c.segmentation and not c.label_class for c in by_role["segmenter"])
        assert all(c.label_class and not c.segmentation for c in by_role["classifier"])
        assert sorted(c.label_class or "" for c in made.cases if c.split == "test") == sorted(TUMOURS)
        assert made.validate() == []

        case = by_role["both"][0]
        image = made.load_image(case)
        assert image.array.shape == (2, 16, 18, 16)
        assert TUMOUR in made.load_segmentation(case, image).array

    def test_names_do_not_follow_classes(self, tmp_path: Path) -> None:
        from SegClassifyLib.phantoms.sets import Counts, write_slice_set

        made = write_slice_set(tmp_path / "set", Counts(0, 4, 0, 0), shape=(32, 32))
        classes = [c.label_class for c in sorted(made.cases, key=lambda c: c.name)]
        assert sorted(map(str, classes)) == sorted([*LESIONS] * 4)
        assert classes not in ([*LESIONS] * 4, ["round"] * 4 + ["spiculated"] * 4)
        assert made.load_image(made.cases[0]).array.shape[-2:] == (32, 32)


class TestTexture:
    def test_noise_is_normal_and_smooth_over_its_scale(self) -> None:
        rng = np.random.default_rng(0)
        fine, coarse = (smooth_noise(rng, (40, 44, 48), (1, 1, 1), scale) for scale in (0.5, 6))
        for noise in (fine, coarse):
            assert noise.shape == (40, 44, 48) and noise.dtype == np.float32
            assert abs(noise.mean()) < 1e-3 and noise.std() == pytest.approx(1, abs=1e-3)
        assert np.abs(np.diff(coarse, axis=1)).mean() < 0.25 * np.abs(np.diff(fine, axis=1)).mean()

    def test_depth_in_a_sphere_is_exact_and_positive_inside(self) -> None:
        points = np.array([[0.0, 9.0, 10.0, 13.0], [0, 0, 0, 0], [0.001, 0, 0, 0]])
        assert ellipsoid_depth(points, (0, 0, 0), (10, 10, 10)) == pytest.approx([10, 1, 0, -3], abs=0.01)

    def test_rotation_turns_x_to_y_about_z(self) -> None:
        assert rotation(0, 0, 90) @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-12)
