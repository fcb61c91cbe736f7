"""Whether a file holds all the voxels its header promises.

ITK fills the rest of a truncated or damaged NIfTI file with whatever lies in memory, and says nothing. So the
length of every raw file and the checksum of every compressed one is verified here before ITK reads it.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from SegClassifyLib.devices import free_host_memory
from SegClassifyLib.errors import ImageError
from SegClassifyLib.volumes.formats import Kind

_CHUNK = 1 << 18
_DEFLATE_LIMIT = 1032  # no deflate stream expands to more than this many times its length (zlib's manual)
_HEADER_LIMIT = 1 << 20


@dataclass(frozen=True)
class Payload:
    """Where a file's voxels lie.

    Args:
        path: the file that holds them, which a detached header names.
        offset: first byte of the stream that ``needed`` counts.
        needed: bytes of that stream once decompressed.
        compressed: as zlib or gzip stream.
        stored: bytes that the compressed stream has, where the header says so.
    """

    path: Path
    offset: int
    needed: int
    compressed: bool
    stored: int = 0


def check_size(path: Path, size: tuple[int, ...], bytes_per_voxel: int) -> None:
    """Refuse what cannot fit into memory, before anything is allocated.

    Args:
        path: for the sentence.
        size: voxels along x, y, z as the header says.
        bytes_per_voxel: all components together.

    Raises:
        ImageError: it does not fit.
    """
    wanted = math.prod(size) * bytes_per_voxel
    free = free_host_memory()
    # Read by ITK and copied to an array, the image is there twice for a moment.
    if 2 * wanted > free:
        raise ImageError(
            f"{path} claims {' x '.join(map(str, size))} voxels, {_gigabytes(2 * wanted)} to read where "
            f"{_gigabytes(free)} of memory are free: export it again if that is wrong, or crop or resample it."
        )


def check_length(path: Path, kind: Kind, size: tuple[int, ...], bytes_per_voxel: int) -> Payload | None:
    """See at once whether a file can hold the voxels its header claims.

    Returns:
        The stream that :func:`check_stream` should verify; ``None`` where ITK or the length says enough.

    Raises:
        ImageError: the file is too short.
    """
    if kind == "picture":
        _check_jpeg_end(path)
    finders = {"NIfTI": _nifti_payload, "NRRD": _nrrd_payload, "MetaImage": _meta_payload}
    finder = finders.get(kind)
    payload = finder(path, math.prod(size) * bytes_per_voxel) if finder else None
    if payload is None:
        return None
    try:
        held = payload.path.stat().st_size - payload.offset
    except FileNotFoundError as error:
        raise ImageError(
            f"{path} says its voxels are in {payload.path}, which is not there: copy both."
        ) from error
    if held * (_DEFLATE_LIMIT if payload.compressed else 1) < payload.needed or held < payload.stored:
        raise ImageError(
            f"{path} is cut off or its header is wrong (it claims {' x '.join(map(str, size))} voxels and holds "
            "fewer): copy or export it again."
        )
    return payload if payload.compressed else None


def check_stream(path: Path, payload: Payload | None) -> None:
    """Verify checksum and length of a compressed stream, which takes as long as reading it.

    Raises:
        ImageError: it is damaged or ends early.
    """
    if payload is None:
        return
    try:
        complete = _inflated_length(payload) >= payload.needed
    except zlib.error:
        complete = False
    if not complete:
        raise ImageError(
            f"{path} is cut off or damaged (its compressed data cannot be read): copy or export it again."
        )


def check_nifti_spacing(path: Path) -> None:
    """Refuse voxel sizes of zero or less in a NIfTI header, which ITK would quietly make 1 mm.

    Raises:
        ImageError: so it is.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(47).decompress(head, 512)
        except zlib.error:
            return  # check_complete says what is wrong
    if len(head) < 352:
        return
    for order in "<>":
        length = struct.unpack(order + "i", head[:4])[0]
        if length == 348:
            ndim = struct.unpack(order + "h", head[40:42])[0]
            sizes = struct.unpack(order + "3f", head[80:92])
        elif length == 540:
            ndim = struct.unpack(order + "q", head[16:24])[0]
            sizes = struct.unpack(order + "3d", head[112:136])
        else:
            continue
        check_spacing(path, sizes[: min(3, max(1, ndim))])


def check_spacing(path: Path, spacing: tuple[float, ...]) -> None:
    """Raise :class:`ImageError` unless every voxel size is a positive number."""
    if not all(math.isfinite(s) and s > 0 for s in spacing):
        numbers = " x ".join(f"{s:g}" for s in spacing)
        raise ImageError(
            f"{path} has an impossible voxel size of {numbers} mm: correct its header or export it again."
        )


def _check_jpeg_end(path: Path) -> None:
    """Without its end marker, which cannot occur inside the last scan, a JPEG picture would be filled up in grey."""
    with path.open("rb") as file:
        if file.read(2) != b"\xff\xd8":
            return
        data = file.read()
    if data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise ImageError(f"{path} is cut off: copy or export it again.")


def _inflated_length(payload: Payload) -> int:
    """Decompressed bytes of the stream, 0 where it ends early; raises zlib.error where its checksum is wrong."""
    total = 0
    with payload.path.open("rb") as file:
        file.seek(payload.offset)
        stream = zlib.decompressobj(47)  # zlib or gzip, whichever its first bytes say
        while chunk := file.read(_CHUNK):
            while chunk:
                total += len(stream.decompress(chunk))
                chunk = stream.unused_data
                if not stream.eof:
                    break
                if not _starts_member(chunk):
                    return total
                stream = zlib.decompressobj(47)
    return total if stream.eof else 0


def _starts_member(data: bytes) -> bool:
    """Gzip files may be several members in a row; anything else after the end is padding."""
    return data[:2] == b"\x1f\x8b"


def _nifti_payload(path: Path, needed: int) -> Payload:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    # Header and extension come first; counting the least there can be keeps odd offsets readable.
    return Payload(path, 0, needed + 352, compressed)


def _nrrd_payload(path: Path, needed: int) -> Payload | None:
    with path.open("rb") as file:
        head = file.read(_HEADER_LIMIT)
    text, gap, _ = head.partition(b"\n\n")
    if b"\r\n\r\n" in text:
        text, gap = head.partition(b"\r\n\r\n")[0], b"\r\n\r\n"
    fields = _fields(text, b":")
    encoding = fields.get("encoding", "raw")
    data = fields.get("data file", fields.get("datafile", ""))
    if encoding not in ("raw", "gzip", "gz") or data.startswith("LIST") or "%" in data:
        return None
    if fields.get("line skip", "0") != "0" or fields.get("byte skip", "0") != "0":
        return None
    if data:
        return Payload(path.parent / data, 0, needed, encoding != "raw")
    return Payload(path, len(text) + len(gap), needed, encoding != "raw") if gap else None


def _meta_payload(path: Path, needed: int) -> Payload | None:
    with path.open("rb") as file:
        head = file.read(_HEADER_LIMIT)
    key = head.find(b"ElementDataFile")
    end = head.find(b"\n", key)
    if key < 0 or end < 0:
        return None
    fields = _fields(head[:end], b"=")
    data = fields.get("elementdatafile", "")
    compressed = fields.get("compresseddata", "false").lower() == "true"
    if data.startswith("LIST") or "%" in data or fields.get("binarydata", "true").lower() != "true":
        return None
    if data.upper() == "LOCAL":
        stored = int(fields.get("compresseddatasize", "0")) if compressed else 0
        return Payload(path, end + 1, needed, compressed, stored)
    return Payload(path.parent / data, 0, needed, compressed) if "headersize" not in fields else None


def _fields(text: bytes, separator: bytes) -> dict[str, str]:
    """``key: value`` or ``key = value`` lines of a text header, keys in lower case."""
    pairs = (line.partition(separator) for line in text.splitlines() if separator in line)
    return {k.decode("latin-1").strip().lower(): v.decode("latin-1").strip() for k, _, v in pairs}


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count < 1e15 else f"{count / 1e15:,.0f} million GB"
