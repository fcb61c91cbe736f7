"""Files of every format come back as they went out, each voxel in its place."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from volume_files import OBLIQUE, dicom_series, ramp, save, sitk_image

from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.geometry import Geometry
from SegClassifyLib.volumes.image import Image, Label, LabelMap
from SegClassifyLib.volumes.labels import default_labels
from SegClassifyLib.volumes.read import read_channels, read_image, read_label_map
from SegClassifyLib.volumes.write import write_image, write_label_map

VOLUME_ENDINGS = [".nii", ".nii.gz", ".nrrd", ".mha"]
NAMED = (Label(1, "tumour core", (1.0, 0.0, 0.0)), Label(7, "Ödem", (0.0, 0.5, 1.0)))


def labelled(geometry: Geometry = OBLIQUE) -> LabelMap:
    array = np.zeros(geometry.shape, np.uint8)
    array[1:3, 2, 3] = 1
    array[3, 4, 5] = 7
    return LabelMap(array, geometry, NAMED)


@pytest.mark.parametrize("ending", [*VOLUME_ENDINGS, ".nhdr", ".mhd"])
def test_reading_keeps_values_dtype_and_grid(tmp_path: Path, ending: str) -> None:
    image = read_image(save(tmp_path / f"image{ending}", ramp(), OBLIQUE))
    np.testing.assert_array_equal(image.array, ramp()[None])
    assert image.array.dtype == np.int16
    assert image.geometry.is_close(OBLIQUE, 1e-5)
    assert image.sources == (tmp_path / f"image{ending}",)


@pytest.mark.parametrize("ending", VOLUME_ENDINGS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_images_come_back_from_every_format(tmp_path: Path, ending: str, dtype: str) -> None:
    path = tmp_path / f"image{ending}"
    write_image(Image(ramp(dtype=dtype)[None], OBLIQUE), path)
    image = read_image(path)
    np.testing.assert_array_equal(image.array[0], ramp(dtype=dtype))
    assert image.array.dtype == dtype
    assert image.geometry.is_close(OBLIQUE, 1e-5)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", [*VOLUME_ENDINGS, ".seg.nrrd"])
def test_label_maps_come_back_from_every_format(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"labels{ending}"
    write_label_map(labelled(), path)
    read = read_label_map(path, OBLIQUE)
    np.testing.assert_array_equal(read.array, labelled().array)
    assert read.array.dtype == np.uint8 and read.geometry == OBLIQUE
    assert read.labels == (NAMED if ending == ".seg.nrrd" else ())
    # A marked voxel lies where it lay, seen by SimpleITK alone.
    itk = sitk.ReadImage(str(path))
    place = itk.TransformContinuousIndexToPhysicalPoint((5.0, 4.0, 3.0))
    np.testing.assert_allclose(place, OBLIQUE.world((5, 4, 3)), atol=1e-3)
    assert itk[5, 4, 3] == 7


@pytest.mark.parametrize("ending", [*VOLUME_ENDINGS, ".seg.nrrd", ".png", ".tif"])
def test_2d_label_maps_come_back_from_every_format(tmp_path: Path, ending: str) -> None:
    geometry = Geometry((5, 4), (0.5, 0.5), (3.0, -2.0), (1.0, 0.0, 0.0, 1.0))
    label_map = LabelMap(ramp(geometry, "uint8") % 3, geometry, default_labels(2))
    path = tmp_path / f"labels{ending}"
    write_label_map(label_map, path)
    read = read_label_map(path, geometry)
    np.testing.assert_array_equal(read.array, label_map.array)
    assert read.geometry == geometry
    if ending == ".seg.nrrd":
        assert sitk.ReadImage(str(path)).GetDimension() == 3


def test_wide_labels_keep_their_values(tmp_path: Path) -> None:
    array = np.zeros(OBLIQUE.shape, np.int64)
    array[0, 0, 0], array[1, 1, 1] = 70000, 300
    for ending in (".nii.gz", ".nrrd", ".seg.nrrd"):
        write_label_map(LabelMap(array, OBLIQUE), tmp_path / f"wide{ending}")
        read = read_label_map(tmp_path / f"wide{ending}", OBLIQUE)
        np.testing.assert_array_equal(read.array, array)
        assert read.array.dtype == np.uint32
    with pytest.raises(ImageError, match=r"wide\.png cannot hold labels above 65535"):
        write_label_map(LabelMap(array[0], Geometry.plain((6, 5))), tmp_path / "wide.png")


def test_slicer_finds_what_it_needs_in_a_segmentation_file(tmp_path: Path) -> None:
    write_label_map(labelled(), tmp_path / "case.seg.nrrd")
    text = (tmp_path / "case.seg.nrrd").read_bytes().partition(b"\n\n")[0].decode()
    assert "space: left-posterior-superior" in text and "encoding: gzip" in text
    entries = dict(line.split(":=", 1) for line in text.splitlines() if ":=" in line)
    assert entries["Segment0_Name"] == "tumour core" and entries["Segment1_Name"] == "Ödem"
    assert entries["Segment1_LabelValue"] == "7" and entries["Segment1_Layer"] == "0"
    assert entries["Segment0_Color"] == "1 0 0"
    # Slicer clips a whole layer to the extent of its first segment.
    assert entries["Segment0_Extent"] == entries["Segment1_Extent"] == "0 5 0 4 0 3"
    assert entries["Segment0_Tags"].startswith("TerminologyEntry:") and entries["Segment0_Tags"].endswith("|")
    assert entries["Segmentation_ContainedRepresentationNames"] == "Binary labelmap|"
    assert entries["Segmentation_ReferenceImageExtentOffset"] == "0 0 0"
    numbers = entries["Segmentation_ConversionParameters"].split("|")[1].rstrip(";").split(";")
    ras = np.array(numbers[:16], float).reshape(4, 4) @ [5, 4, 3, 1]
    np.testing.assert_allclose(ras[:3] * [-1, -1, 1], OBLIQUE.world((5, 4, 3)), atol=1e-6)


def test_labels_without_a_name_become_segments_too(tmp_path: Path) -> None:
    write_label_map(LabelMap(labelled().array, OBLIQUE, NAMED[:1]), tmp_path / "case.seg.nrrd")
    assert [x.name for x in read_label_map(tmp_path / "case.seg.nrrd").labels] == ["tumour core", "label 7"]


def layered(path: Path, layers: np.ndarray, header: dict[str, str]) -> Path:
    image = sitk_image(layers, OBLIQUE, vector=True)
    for key, value in header.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))
    return path


def test_layers_that_do_not_overlap_become_one_label_map(tmp_path: Path) -> None:
    layers = np.zeros((*OBLIQUE.shape, 2), np.uint8)
    layers[0, 0, 0, 0], layers[1, 1, 1, 1] = 1, 1
    names = {"Segment0_ID": "a", "Segment0_Name": "first", "Segment0_Layer": "0", "Segment0_LabelValue": "1"}
    names |= {
        "Segment1_ID": "b",
        "Segment1_Name": "second",
        "Segment1_Layer": "1",
        "Segment1_LabelValue": "1",
    }
    read = read_label_map(layered(tmp_path / "two.seg.nrrd", layers, names), OBLIQUE)
    assert [(x.value, x.name) for x in read.labels] == [(1, "first"), (2, "second")]
    assert read.array[0, 0, 0] == 1 and read.array[1, 1, 1] == 2 and np.count_nonzero(read.array) == 2


def test_overlapping_segments_are_named(tmp_path: Path) -> None:
    layers = np.zeros((*OBLIQUE.shape, 2), np.uint8)
    layers[0, 0, :2] = 1
    # As Slicer 4.10 wrote them: neither layer nor label value.
    names = {"Segment0_ID": "a", "Segment0_Name": "whole", "Segment1_ID": "b", "Segment1_Name": "core"}
    path = layered(tmp_path / "over.seg.nrrd", layers, names)
    with pytest.raises(ImageError, match=r'over\.seg\.nrrd .*"whole" and "core" share 2 voxels.*disjoint'):
        read_label_map(path)


def cropped(geometry: Geometry, start: tuple[int, int, int], size: tuple[int, int, int]) -> Geometry:
    return Geometry(size, geometry.spacing, tuple(geometry.world(start)), geometry.direction)


def test_a_segmentation_cropped_by_slicer_is_put_back(tmp_path: Path) -> None:
    whole = labelled()
    part = LabelMap(whole.array[1:, 1:, 2:], cropped(OBLIQUE, (2, 1, 1), (4, 4, 3)), NAMED)
    write_label_map(part, tmp_path / "part.seg.nrrd")
    read = read_label_map(tmp_path / "part.seg.nrrd", OBLIQUE)
    np.testing.assert_array_equal(read.array, whole.array)
    # Only a file that says it is a segmentation may be a part.
    write_label_map(part, tmp_path / "part.nrrd")
    with pytest.raises(ImageError, match="does not lie on the image's grid"):
        read_label_map(tmp_path / "part.nrrd", OBLIQUE)


def test_a_segmentation_wider_than_the_image_is_cut_unless_labels_would_be_lost(tmp_path: Path) -> None:
    whole = labelled()
    write_label_map(whole, tmp_path / "wide.seg.nrrd")
    inside = cropped(OBLIQUE, (1, 1, 1), (5, 4, 3))
    read = read_label_map(tmp_path / "wide.seg.nrrd", inside)
    np.testing.assert_array_equal(read.array, whole.array[1:, 1:, 1:])
    with pytest.raises(ImageError, match="does not lie"):
        read_label_map(tmp_path / "wide.seg.nrrd", cropped(OBLIQUE, (0, 0, 0), (3, 3, 2)))
    with pytest.raises(ImageError, match="does not lie"):
        read_label_map(tmp_path / "wide.seg.nrrd", cropped(OBLIQUE, (40, 0, 0), (3, 3, 2)))


def test_an_empty_segmentation_of_slicer_is_an_empty_label_map(tmp_path: Path) -> None:
    """Slicer writes a single voxel when nothing is segmented."""
    names = {"Segment0_ID": "a", "Segment0_Name": "lesion", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    image = sitk.GetImageFromArray(np.zeros((1, 1, 1), np.uint8))
    for key, value in names.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(tmp_path / "none.seg.nrrd"))
    read = read_label_map(tmp_path / "none.seg.nrrd", OBLIQUE)
    assert read.array.shape == OBLIQUE.shape and not read.array.any() and read.labels[0].name == "lesion"


def test_a_label_map_stored_with_other_axes_is_turned_onto_its_image(tmp_path: Path) -> None:
    whole = labelled()
    flipped = whole.array.transpose(2, 0, 1)[::-1]  # new axes x, y, z are old y, z and -x
    matrix = OBLIQUE.matrix
    turned = Geometry(
        (5, 4, 6),
        (OBLIQUE.spacing[1], OBLIQUE.spacing[2], OBLIQUE.spacing[0]),
        tuple(OBLIQUE.world((5, 0, 0))),
        tuple(np.stack([matrix[:, 1], matrix[:, 2], -matrix[:, 0]], axis=1).ravel()),
    )
    save(tmp_path / "turned.nrrd", np.ascontiguousarray(flipped), turned)
    read = read_label_map(tmp_path / "turned.nrrd", OBLIQUE)
    np.testing.assert_array_equal(read.array, whole.array)


def test_a_dicom_series_is_one_volume_whatever_its_files_are_called(tmp_path: Path) -> None:
    folder = dicom_series(tmp_path / "series", ramp(), OBLIQUE)
    image = read_image(folder)
    np.testing.assert_array_equal(image.array[0], ramp())
    assert image.geometry.is_close(OBLIQUE, 1e-3)
    one = next(p for p in folder.iterdir() if p.name.endswith("0"))
    single = read_image(one)
    np.testing.assert_array_equal(single.array[0, 0], ramp()[0])


def test_pictures_are_2d_with_a_plain_grid(tmp_path: Path) -> None:
    array = ramp(Geometry.plain((12, 9)), "uint8")
    for ending in (".png", ".tif"):
        path = tmp_path / f"picture{ending}"
        save(path, array, Geometry((12, 9), (0.26, 0.26), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0)))
        image = read_image(path)
        np.testing.assert_array_equal(image.array, array[None])
        assert image.geometry == Geometry.plain((12, 9))
    assert read_image(save(tmp_path / "picture.jpg", array)).array.shape == (1, 9, 12)


def test_colours_are_taken_as_asked(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    path = save(tmp_path / "colour.png", rgb, vector=True)
    with pytest.raises(ImageError, match=r'colour\.png is a colour image .*colour="grey".*colour="channels"'):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, "channels").array, np.moveaxis(rgb, -1, 0))
    grey = read_image(path, "grey").array
    assert grey.dtype == np.uint8
    np.testing.assert_allclose(grey[0], rgb @ [0.299, 0.587, 0.114], atol=0.51)
    with pytest.raises(ValueError, match="colour must be"):
        read_image(path, "blue")  # type: ignore[arg-type]
    assert read_channels([path], ["red", "green", "blue"]).array.shape == (3, 4, 5)


def test_grey_stored_as_colour_is_grey(tmp_path: Path) -> None:
    array = ramp(Geometry.plain((5, 4)), "uint8")
    path = save(tmp_path / "grey.png", np.stack([array] * 3 + [np.full_like(array, 255)], -1), vector=True)
    np.testing.assert_array_equal(read_image(path).array, array[None])
    half = np.stack([array] * 4, -1)
    with pytest.raises(ImageError, match="transparent"):
        read_image(save(tmp_path / "half.png", half, vector=True))


def test_channels_written_as_a_vector_come_back(tmp_path: Path) -> None:
    array = np.stack([ramp(), ramp()[::-1]])
    for ending in VOLUME_ENDINGS:
        write_image(Image(array, OBLIQUE), tmp_path / f"two{ending}")
        np.testing.assert_array_equal(read_image(tmp_path / f"two{ending}", "channels").array, array)
    with pytest.raises(ImageError, match="2 values a voxel"):
        read_image(tmp_path / "two.nrrd")


def test_scaled_nifti_and_double_precision_become_float32(tmp_path: Path) -> None:
    save(tmp_path / "double.nrrd", ramp(dtype="float64") / 3)
    assert read_image(tmp_path / "double.nrrd").array.dtype == np.float32
    data = bytearray(save(tmp_path / "scaled.nii", ramp()).read_bytes())
    data[112:120] = np.array([0.5, 3.0], "<f4").tobytes()
    (tmp_path / "scaled.nii").write_bytes(data)
    image = read_image(tmp_path / "scaled.nii")
    assert image.array.dtype == np.float32
    np.testing.assert_allclose(image.array[0], ramp() * 0.5 + 3.0)


def test_channels_on_the_same_grid_are_only_stacked(tmp_path: Path) -> None:
    a = save(tmp_path / "t1.nrrd", ramp(), OBLIQUE)
    b = save(tmp_path / "t2.nrrd", ramp(dtype="uint8"), OBLIQUE)
    image = read_channels([a, b], ["T1", "T2"])
    np.testing.assert_array_equal(image.array, np.stack([ramp(), ramp()]))
    assert image.array.dtype == np.int16 and image.sources == (a, b)


def test_a_channel_on_another_grid_comes_to_the_first(tmp_path: Path) -> None:
    coarse = Geometry((6, 6, 6), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), OBLIQUE.direction)
    fine = Geometry((11, 11, 11), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), OBLIQUE.direction)
    z, y, x = np.meshgrid(*(np.arange(11.0),) * 3, indexing="ij")
    save(tmp_path / "first.nrrd", (x + 10 * y + 100 * z)[::2, ::2, ::2].astype(np.float32), coarse)
    save(tmp_path / "second.nrrd", (x + 10 * y + 100 * z).astype(np.int16), fine)
    image = read_channels([tmp_path / "first.nrrd", tmp_path / "second.nrrd"])
    assert image.geometry.is_close(coarse) and image.array.dtype == np.float32
    np.testing.assert_allclose(image.array[1], image.array[0], atol=1e-3)


def test_a_picture_mask_of_0_and_255_is_label_1(tmp_path: Path) -> None:
    mask = (ramp(Geometry.plain((5, 4)), "uint8") % 2) * 255
    for name in ("mask.png", "mask.tif"):
        np.testing.assert_array_equal(read_label_map(save(tmp_path / name, mask)).array, mask // 255)
    values = np.array([[0, 1], [2, 255]], np.uint8)
    np.testing.assert_array_equal(read_label_map(save(tmp_path / "more.png", values)).array, values)
    # 255 means 255 where labels are meant.
    np.testing.assert_array_equal(read_label_map(save(tmp_path / "mask.nrrd", mask)).array, mask)


def test_a_picture_mask_fits_a_picture_and_a_single_slice(tmp_path: Path) -> None:
    mask = (ramp(Geometry.plain((5, 4)), "uint8") % 2) * 255
    path = save(tmp_path / "mask.png", mask)
    slice3d = Geometry((5, 4, 1), (0.3, 0.3, 5.0), (7.0, 8.0, 9.0), Geometry.plain((1, 1, 1)).direction)
    for like in (Geometry.plain((5, 4)), slice3d):
        read = read_label_map(path, like)
        assert read.geometry == like and read.array.shape == like.shape
        np.testing.assert_array_equal(read.array.ravel(), mask.ravel() // 255)


def test_whole_numbers_in_float_files_are_labels(tmp_path: Path) -> None:
    array = (ramp(dtype="float64") % 4).astype(np.float64)
    read = read_label_map(save(tmp_path / "labels.nrrd", array))
    assert read.array.dtype == np.uint8
    np.testing.assert_array_equal(read.array, array)


@pytest.mark.parametrize("ending", [*VOLUME_ENDINGS, ".seg.nrrd"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"labels{ending}"
    path.write_bytes(b"the old one")
    noise = np.random.default_rng(0).integers(0, 200, (30, 40, 50)).astype(np.uint8)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(ImageError, match=rf"labels{ending} cannot be written .*free") as caught:
            write_label_map(LabelMap(noise, Geometry.plain((50, 40, 30))), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"the old one" and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"labels\.xyz cannot be written as a label map: end its name in"):
        write_label_map(labelled(), tmp_path / "labels.xyz")
    with pytest.raises(ImageError, match=r"folder .*nowhere does not exist: make it first"):
        write_label_map(labelled(), tmp_path / "nowhere" / "labels.nrrd")
    with pytest.raises(ImageError, match="single slice, not a volume"):
        write_label_map(labelled(), tmp_path / "labels.png")
    (tmp_path / "folder.nrrd").mkdir()
    with pytest.raises(ImageError, match="it is a folder"):
        write_label_map(labelled(), tmp_path / "folder.nrrd")
    with pytest.raises(ImageError, match=r"image\.png can hold one or three channels of 8 or 16 bits"):
        write_image(Image(np.zeros((1, 3, 3), np.float32), Geometry.plain((3, 3))), tmp_path / "image.png")
    assert [p.name for p in tmp_path.iterdir()] == ["folder.nrrd"]


@pytest.mark.realdata
def test_real_label_maps_lie_on_their_images(real_data: Path) -> None:
    volumes = real_data / "demo_volumes"
    image = read_image(volumes / "example_ct_sm.nii.gz")
    labels = read_label_map(volumes / "example_seg.nii.gz", image.geometry)
    assert labels.array.max() == 117
    for mask in sorted((real_data / "busi_breast_us2d" / "masks").iterdir())[:5]:
        picture = read_image(real_data / "busi_breast_us2d" / "images" / mask.name)
        assert set(np.unique(read_label_map(mask, picture.geometry).array)) <= {0, 1}
