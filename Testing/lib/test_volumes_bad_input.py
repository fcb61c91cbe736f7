"""Whatever is wrong with a file ends in one sentence that names it and what to do."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from volume_files import OBLIQUE, dicom_series, ramp, save

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.read import read_channels, read_image, read_label_map

PLAIN = Geometry.plain((6, 5, 4))


def sentence(call: Callable[[], object], name: str) -> str:
    """What the error says, checked to be one line that names the file and tells no C++ story."""
    with pytest.raises(ImageError) as caught:
        call()
    text = str(caught.value)
    assert name in text and "\n" not in text and len(text) < 400
    assert not any(word in text for word in ("itk", "ITK", "Exception", "Traceback", "0x"))
    assert text.endswith((".", ")."))
    return text


def spoiled(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    return path


def patched(path: Path, offset: int, data: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)
    return path


def test_missing_empty_unknown_and_folders(tmp_path: Path) -> None:
    assert "does not exist" in sentence(lambda: read_image(tmp_path / "no.nii.gz"), "no.nii.gz")
    (tmp_path / "empty.nrrd").touch()
    assert "is empty" in sentence(lambda: read_image(tmp_path / "empty.nrrd"), "empty.nrrd")
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    assert "no image file known" in sentence(lambda: read_image(tmp_path / "notes.txt"), "notes.txt")
    assert "notes.txt" in sentence(lambda: read_image(tmp_path), str(tmp_path))
    (tmp_path / "void").mkdir()
    assert "it is empty" in sentence(lambda: read_image(tmp_path / "void"), "void")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user who can be refused")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    path = save(tmp_path / "closed.nrrd", ramp())
    path.chmod(0)
    assert "permission denied" in sentence(lambda: read_image(path), "closed.nrrd")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.png", "a.jpg", "a.tif", "a.dcm"])
def test_files_that_hold_something_else(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"this is no image at all " * 40)
    assert "damaged or has the wrong ending" in sentence(lambda: read_image(tmp_path / name), name)


def compressed(path: Path, array: np.ndarray) -> Path:
    import SimpleITK as sitk

    sitk.WriteImage(sitk.GetImageFromArray(array), str(path), useCompression=True)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_cut_off_files(tmp_path: Path, name: str, kept: float, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (30, 40)).astype(np.uint8)
    if "png jpg tif".find(name[2:]) < 0:
        noise = np.stack([noise] * 10).astype(np.int16)
    path = compressed(tmp_path / name, noise) if name != "a.nii" else save(tmp_path / name, noise)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    sentence(lambda: read_image(path), name)
    if name[2:] not in ("png", "tif"):  # their libraries write to stderr past any switch
        assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_damaged_compressed_data_is_noticed(tmp_path: Path, name: str) -> None:
    """ITK would return garbage without a word."""
    noise = np.random.default_rng(0).integers(0, 50, (20, 30, 40)).astype(np.int16)
    path = compressed(tmp_path / name, noise)
    middle = path.stat().st_size // 2
    patched(path, middle, bytes(b ^ 0xFF for b in path.read_bytes()[middle : middle + 8]))
    assert "damaged" in sentence(lambda: read_image(path), name)


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    data = save(tmp_path / "a.nii", ramp()).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii.gz").array[0], ramp())


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd", "a.nhdr"])
def test_a_header_that_claims_an_absurd_size_allocates_nothing(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name.replace(".gz", ""), ramp())
    if "nii" in name:
        patched(path, 42, struct.pack("<3h", 32767, 32767, 32767))
        if name.endswith(".gz"):
            path = tmp_path / name
            path.write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    else:
        spoiled(path, b"6 5 4", b"100000 100000 100000")
    size = "32767 x 32767 x 32767" if "nii" in name else "100000 x 100000 x 100000"
    assert size in sentence(lambda: read_image(path), name)


def test_more_than_the_free_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "large.nrrd", ramp())
    monkeypatch.setattr("SegClassifyLib.volumes.integrity.free_host_memory", lambda: 300)
    assert "of memory are free" in sentence(lambda: read_image(path), "large.nrrd")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_counted(tmp_path: Path, value: float) -> None:
    array = ramp(dtype="float32")
    array[0, :2, 0] = value
    path = save(tmp_path / "holes.nrrd", array)
    assert "2 of its 120 voxels" in sentence(lambda: read_image(path), "holes.nrrd")
    path = save(tmp_path / "all.nrrd", np.full_like(array, value))
    assert "all its voxels" in sentence(lambda: read_image(path), "all.nrrd")


def test_constant_images(tmp_path: Path) -> None:
    path = save(tmp_path / "flat.nii.gz", np.full((4, 5, 6), 7, np.int16))
    assert "same value (7)" in sentence(lambda: read_image(path), "flat.nii.gz")
    assert not read_label_map(save(tmp_path / "none.nrrd", np.zeros((4, 5, 6), np.uint8))).array.any()


def test_four_dimensions(tmp_path: Path) -> None:
    import SimpleITK as sitk

    array = np.random.default_rng(0).integers(0, 99, (2, 3, 4, 5)).astype(np.int16)
    for name in ("series.nii.gz", "series.nrrd", "series.mha"):
        sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(tmp_path / name))
        assert "5 x 4 x 3 x 2" in sentence(lambda name=name: read_image(tmp_path / name), name)  # type: ignore[misc]
        sitk.WriteImage(sitk.GetImageFromArray(array[:1], isVector=False), str(tmp_path / name))
        np.testing.assert_array_equal(read_image(tmp_path / name).array, array[:1])


def test_complex_numbers(tmp_path: Path) -> None:
    path = save(tmp_path / "kspace.nrrd", np.ones((3, 4, 5), np.complex64))
    assert "complex" in sentence(lambda: read_image(path), "kspace.nrrd")


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan")])
def test_impossible_voxel_sizes(tmp_path: Path, size: float) -> None:
    path = patched(save(tmp_path / "a.nii", ramp()), 80, struct.pack("<f", size))
    assert "impossible voxel size" in sentence(lambda: read_image(path), "a.nii")
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert "impossible voxel size" in sentence(lambda: read_image(packed), "b.nii.gz")
    path = spoiled(save(tmp_path / "a.mha", ramp()), b"ElementSpacing = 1", b"ElementSpacing = %g" % size)
    sentence(lambda: read_image(path), "a.mha")


def sheared_nifti(path: Path, shear: float) -> Path:
    save(path, ramp())
    patched(path, 252, struct.pack("<2h", 0, 1))
    return patched(path, 280, struct.pack("<12f", 1, shear, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0))


def test_sheared_axes_are_refused_and_rounding_is_put_right(tmp_path: Path) -> None:
    path = sheared_nifti(tmp_path / "tilted.nii", 0.3)
    assert "not at right angles" in sentence(lambda: read_image(path), "tilted.nii")
    path = spoiled(save(tmp_path / "tilted.nrrd", ramp()), b"(1,0,0)", b"(1,0.3,0)")
    assert "not at right angles" in sentence(lambda: read_image(path), "tilted.nrrd")
    rounded = [
        sheared_nifti(tmp_path / "rounded.nii", 0.004),
        spoiled(save(tmp_path / "rounded.nrrd", ramp()), b"(1,0,0)", b"(1,0.004,0)"),
    ]
    for path in rounded:
        matrix = read_image(path).geometry.matrix
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-12)
        assert 1e-3 < np.abs(matrix[0, 1]) < 5e-3
    assert "ITK_NIFTI_SFORM_PERMISSIVE" not in os.environ


def test_dicom_folders_that_are_no_single_volume(tmp_path: Path) -> None:
    array = ramp()
    two = dicom_series(tmp_path / "two", array, OBLIQUE, 1, "T1 axial")
    dicom_series(two, array, OBLIQUE, 2, "FLAIR")
    text = sentence(lambda: read_image(two), "two")
    assert '"T1 axial", 4 images' in text and '"FLAIR", 4 images' in text and "folder of their own" in text
    gap = dicom_series(tmp_path / "gap", array, OBLIQUE, places=[0, 1, 2, 4])
    assert "missing or unevenly spaced (gaps of 2.50 to 5.00 mm)" in sentence(lambda: read_image(gap), "gap")
    twice = dicom_series(tmp_path / "twice", array, OBLIQUE, places=[0, 0, 1, 1])
    assert "same position" in sentence(lambda: read_image(twice), "twice")
    tilted = dicom_series(tmp_path / "tilted", array, OBLIQUE, aslant=0.5)
    assert "tilted gantry" in sentence(lambda: read_image(tilted), "tilted")


def test_label_maps_that_are_none(tmp_path: Path) -> None:
    path = save(tmp_path / "probability.nrrd", ramp(dtype="float32") / 7)
    assert "no whole numbers" in sentence(lambda: read_label_map(path), "probability.nrrd")
    path = save(tmp_path / "ct.nrrd", ramp() - 5)
    assert "the value -5" in sentence(lambda: read_label_map(path), "ct.nrrd")
    path = save(tmp_path / "nan.nrrd", np.full((3, 4, 5), np.nan, np.float32))
    sentence(lambda: read_label_map(path), "nan.nrrd")
    colours = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    path = save(tmp_path / "painted.png", colours, vector=True)
    assert "in colour" in sentence(lambda: read_label_map(path), "painted.png")
    path = save(tmp_path / "mask.jpg", (ramp(Geometry.plain((16, 16)), "uint16") % 2 * 255).astype(np.uint8))
    assert "JPEG" in sentence(lambda: read_label_map(path), "mask.jpg")


@pytest.mark.parametrize(
    "other",
    [
        Geometry((6, 5, 3), PLAIN.spacing, PLAIN.origin, PLAIN.direction),
        Geometry((6, 5, 4), (1.0, 1.0, 1.1), PLAIN.origin, PLAIN.direction),
        Geometry((6, 5, 4), PLAIN.spacing, (0.0, 0.5, 0.0), PLAIN.direction),
        Geometry((6, 5, 4), PLAIN.spacing, PLAIN.origin, (0.98, -0.2, 0.0, 0.2, 0.98, 0.0, 0.0, 0.0, 1.0)),
        Geometry.plain((6, 5)),
    ],
    ids=["size", "spacing", "origin", "direction", "dimensions"],
)
def test_label_maps_of_another_grid(tmp_path: Path, other: Geometry) -> None:
    path = save(tmp_path / "seg.nrrd", ramp(PLAIN, "uint8") % 2, PLAIN)
    text = sentence(lambda: read_label_map(path, other), "seg.nrrd")
    assert "6 x 5 x 4 voxels of 1 x 1 x 1 mm from (0.00, 0.00, 0.00)" in text
    assert f"the image has {' x '.join(map(str, other.size))} voxels" in text


def test_rounding_of_a_grid_is_no_difference(tmp_path: Path) -> None:
    path = save(tmp_path / "seg.nrrd", ramp(PLAIN, "uint8") % 2, PLAIN)
    near = Geometry(PLAIN.size, PLAIN.spacing, (0.0, 0.004, 0.0), PLAIN.direction)
    assert read_label_map(path, near).geometry == near


def test_a_picture_mask_of_another_size(tmp_path: Path) -> None:
    path = save(tmp_path / "mask.png", np.eye(5, dtype=np.uint8) * 255)
    sentence(lambda: read_label_map(path, Geometry.plain((5, 6))), "mask.png")


def test_channels_that_do_not_belong_together(tmp_path: Path) -> None:
    a = save(tmp_path / "a.nrrd", ramp(PLAIN), PLAIN)
    far = Geometry(PLAIN.size, PLAIN.spacing, (500.0, 0.0, 0.0), PLAIN.direction)
    b = save(tmp_path / "b.nrrd", ramp(PLAIN), far)
    text = sentence(lambda: read_channels([a, b], ["T1", "FLAIR"]), "b.nrrd (channel FLAIR)")
    assert "another part of the body" in text
    flat = save(tmp_path / "flat.png", ramp(Geometry.plain((6, 5)), "uint8"))
    assert "all 2D or all 3D" in sentence(lambda: read_channels([a, flat]), "flat.png")
    text = sentence(lambda: read_channels([a], ["T1", "FLAIR"]), "a.nrrd")
    assert "2 channel(s) are wanted (T1, FLAIR) and 1 given" in text
    assert "at least one image" in sentence(lambda: read_channels([]), "")


def test_light_modules_import_no_heavy_ones() -> None:
    modules = ["geometry", "image", "orient", "dimensions", "labels", "formats"]
    code = ";".join(f"import SegClassifyLib.volumes.{m}" for m in modules)
    heavy = "{'torch', 'SimpleITK', 'matplotlib', 'scipy', 'monai'}"
    script = f"import sys;{code};print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd"])
def test_a_missing_checksum_counts_as_cut_off(tmp_path: Path, name: str) -> None:
    path = compressed(tmp_path / name, ramp())
    path.write_bytes(path.read_bytes()[:-4])
    assert "damaged" in sentence(lambda: read_image(path), name)
