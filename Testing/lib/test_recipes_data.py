"""Recipes read folders laid out as the public data sets are: classes, patients, channels, labels and levels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from recipes_data import SHAPE, brats, cheng, heart, labels, ucsf, volume

from SegClassifyLib.errors import SegClassifyError
from SegClassifyLib.progress import Progress
from SegClassifyLib.recipes.candidates import Candidate, Found
from SegClassifyLib.recipes.heart_levels import slices_of_levels
from SegClassifyLib.recipes.recipe import read_recipe
from SegClassifyLib.recipes.sources import supply_of
from SegClassifyLib.volumes.geometry import Geometry

LEVELS = [f"level {n}" for n in range(1, 10)]


def find(recipe: str, root: Path, source: str = "") -> Found:
    chosen = read_recipe(recipe)
    return supply_of(chosen, root, source, chosen.data, 0).find(Progress())


def named(found: Found, name: str) -> Candidate:
    return next(c for c in found.candidates if c.name == name)


class TestBrainFolders:
    def test_classes_patients_channels_and_labels(self, tmp_path: Path) -> None:
        brats(tmp_path, "glioma", "BraTS-GLI-00008-000", 1)
        brats(tmp_path, "glioma", "BraTS-GLI-00008-001", 2)
        brats(tmp_path, "meningioma", "BraTS-MEN-00004-000", 3, enhancing=4)
        ucsf(tmp_path, "glioma", "UCSF-PDGM-0429_FU003d", 4)
        ucsf(tmp_path, "glioma", "UCSF-PDGM-0429", 5)
        found = find("brain-tumour", tmp_path)
        assert found.classes == ("glioma", "meningioma")
        assert {c.name: (c.label_class, c.group) for c in found.candidates} == {
            "BraTS-GLI-00008-000": ("glioma", "BraTS-GLI-00008"),
            "BraTS-GLI-00008-001": ("glioma", "BraTS-GLI-00008"),
            "UCSF-PDGM-0429_FU003d": ("glioma", "UCSF-PDGM-0429"),
            "UCSF-PDGM-0429": ("glioma", "UCSF-PDGM-0429"),
            "BraTS-MEN-00004-000": ("meningioma", "BraTS-MEN-00004"),
        }
        one = named(found, "BraTS-GLI-00008-001").load()
        expected = [np.random.default_rng(20 + n).integers(0, 999, SHAPE, dtype=np.int16) for n in (1, 3)]
        assert np.array_equal(one.image.array, expected)
        assert (one.labels.array[2, 3, 3], one.labels.array[2, 2, 2], one.labels.array[3, 3, 3]) == (1, 2, 3)
        assert named(found, "BraTS-MEN-00004-000").load().labels.array[3, 3, 3] == 3  # 4 in older label maps
        other = named(found, "UCSF-PDGM-0429").load()
        plain = [np.random.default_rng(1050 + n).integers(0, 999, SHAPE, dtype=np.int16) for n in (2, 3)]
        assert np.array_equal(other.image.array, plain)

    def test_incomplete_patients_are_told_and_empty_classes_refused(self, tmp_path: Path) -> None:
        brats(tmp_path, "glioma", "BraTS-GLI-00001-000", 1)
        home = brats(tmp_path, "glioma", "BraTS-GLI-00002-000", 2)
        (home / "BraTS-GLI-00002-000-t2f.nii.gz").unlink()
        found = find("brain-tumour", tmp_path)
        assert [c.name for c in found.candidates] == ["BraTS-GLI-00001-000"]
        assert "1 folders lack a channel" in found.notes[0] and "BraTS-GLI-00002-000" in found.notes[0]
        (tmp_path / "meningioma").mkdir()
        with pytest.raises(SegClassifyError, match=r"meningioma holds no patient folder with T1c, FLAIR"):
            find("brain-tumour", tmp_path)

    def test_an_unknown_value_is_named(self, tmp_path: Path) -> None:
        brats(tmp_path, "glioma", "BraTS-GLI-00001-000", 1, enhancing=7)
        with pytest.raises(
            SegClassifyError, match=r"seg\.nii\.gz holds the value 7, which is none of 1 necrotic"
        ):
            find("brain-tumour", tmp_path).candidates[0].load()


class TestBrainSlices:
    @pytest.mark.parametrize("hdf5", [True, False])
    def test_class_patient_image_and_mask(self, tmp_path: Path, hdf5: bool) -> None:
        if hdf5:
            pytest.importorskip("h5py")
        image, mask = cheng(tmp_path / "part" / "2.mat", 3, "MR017260F", hdf5)
        cheng(tmp_path / "10.mat", 1, "100360", hdf5)
        found = find("brain-tumour", tmp_path, "cheng-slices")
        assert [(c.name, c.label_class, c.group) for c in found.candidates] == [
            ("slice-2", "pituitary tumour", "MR017260F"),
            ("slice-10", "meningioma", "100360"),
        ]
        loaded = found.candidates[0].load()
        assert np.array_equal(loaded.image.array[0], image) and np.array_equal(loaded.labels.array, mask)
        assert loaded.image.geometry.ndim == 2
        assert loaded.image.geometry.spacing[0] * 16 == pytest.approx(0.49 * 512)

    def test_without_h5py_it_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "1.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(600))
        monkeypatch.setitem(sys.modules, "h5py", None)
        with pytest.raises(
            SegClassifyError, match=r"1\.mat is a MATLAB 7\.3 file, which needs the package h5py"
        ):
            find("brain-tumour", tmp_path, "cheng-slices")

    def test_damaged_and_foreign_files_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "1.mat").write_bytes(b"nothing of the kind" * 20)
        with pytest.raises(SegClassifyError, match=r"1\.mat holds no cjdata"):
            find("brain-tumour", tmp_path, "cheng-slices")


class TestHeartLevels:
    def test_levels_are_the_middles_of_equal_parts(self) -> None:
        present = np.zeros(40, bool)
        present[4:31] = True  # 27 slices, three a level
        assert slices_of_levels(present, 9) == tuple(range(5, 31, 3))
        present[12:20] = False  # a gap does not matter
        assert slices_of_levels(present, 9) == tuple(range(5, 31, 3))

    @pytest.mark.parametrize("low, high", [(0, 30), (10, 40), (5, 13), (7, 7)])
    def test_hearts_cut_off_or_too_flat_have_none(self, low: int, high: int) -> None:
        present = np.zeros(40, bool)
        present[low:high] = True
        assert slices_of_levels(present, 9) == ()

    @pytest.mark.parametrize("upside_down", [False, True])
    def test_whole_hearts_are_counted_from_below(self, tmp_path: Path, upside_down: bool) -> None:
        array = heart()
        values = np.array([0, 500, 600, 420, 550, 205, 820, 850])[array]
        direction = (1.0, 0, 0, 0, 1, 0, 0, 0, -1) if upside_down else (1.0, 0, 0, 0, 1, 0, 0, 0, 1)
        stored = values[::-1] if upside_down else values
        geometry = Geometry((10, 12, 24), (0.5, 0.6, 1.5), (0.0, 0.0, 0.0), direction)
        volume(tmp_path / "ct" / "ct_train_1001_image.nii.gz", 5, geometry)
        labels(tmp_path / "ct" / "ct_train_1001_label.nii.gz", stored, geometry)
        found = find("cardiac-level", tmp_path, "mm-whs")
        assert [c.label_class for c in found.candidates] == LEVELS
        assert {c.group for c in found.candidates} == {"ct_train_1001"}
        pixels = np.random.default_rng(5).integers(0, 999, (24, 12, 10), dtype=np.int16)
        for level, candidate in enumerate(found.candidates):
            position = 3 + 2 * level + 1  # 18 slices from the third on, two a level
            loaded = candidate.load()
            assert np.array_equal(loaded.labels.array, array[position])
            assert np.array_equal(
                loaded.image.array[0], pixels[::-1][position] if upside_down else pixels[position]
            )
            assert loaded.image.geometry.spacing == pytest.approx((0.5, 0.6))

    def test_total_segmentator_folders(self, tmp_path: Path) -> None:
        spec = read_recipe("cardiac-level").source("totalsegmentator")
        for name, array in (("s0011", heart()), ("s0012", heart(high=24))):
            volume(tmp_path / name / "ct.nii.gz", 1, Geometry.plain((10, 12, 24), (1.5, 1.5, 1.5)))
            for value, label in enumerate(spec.labels, start=1):
                mask = tmp_path / name / "segmentations" / f"{label.file}.nii.gz"
                labels(mask, array == value, Geometry.plain((10, 12, 24), (1.5, 1.5, 1.5)))
        volume(tmp_path / "s0013" / "ct.nii.gz", 2)  # without masks
        found = find("cardiac-level", tmp_path)
        assert [c.name for c in found.candidates] == [f"s0011-level-{n}" for n in range(1, 10)]
        assert np.array_equal(found.candidates[8].load().labels.array, heart()[20])
        assert "1 of 2 volumes were left out" in found.notes[1] and "s0012" in found.notes[1]

    def test_an_empty_folder_says_what_it_should_look_like(self, tmp_path: Path) -> None:
        with pytest.raises(
            SegClassifyError, match=r"holds no volume with all its label maps\. The folder holds s0011"
        ):
            find("cardiac-level", tmp_path)
        with pytest.raises(SegClassifyError, match=r"There is no folder .*zenodo"):
            find("cardiac-level", tmp_path / "nowhere")
        with pytest.raises(
            SegClassifyError, match=r"knows no data called 'acdc': choose of totalsegmentator, mm-whs"
        ):
            find("cardiac-level", tmp_path, "acdc")
