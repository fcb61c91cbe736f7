"""Published files fetched once into a cache folder, and never used unless their checksum is the published one."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from SegClassifyLib.atomic import whole_file
from SegClassifyLib.disk_errors import disk_errors
from SegClassifyLib.errors import NetworkError
from SegClassifyLib.progress import Progress

T = TypeVar("T")
_CHUNK = 1 << 18
_TIMEOUT = 30.0
"""Seconds without a byte after which a server counts as silent."""


@dataclass(frozen=True)
class PublishedFile:
    """A file on a public server.

    Args:
        url: where it is; its last part is the file's name.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
    """

    url: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file's name in the cache folder."""
        return self.url.rsplit("/", 1)[-1]


def fetch(file: PublishedFile, folder: Path, progress: Progress | None = None) -> Path:
    """The file in ``folder``; downloaded where it is not there yet, or is damaged.

    Args:
        file: what to get.
        folder: cache; made where it is missing.
        progress: told of the bytes; may cancel.

    Raises:
        NetworkError: no connection, an answer other than the file, or another checksum.
        SegClassifyError: the folder cannot be written to.
        Cancelled: asked to stop; nothing half-written is left.
    """
    progress = progress or Progress()
    target = folder / file.name
    if target.is_file() and sha256_of_file(target) == file.sha256:
        return target
    with disk_errors(folder), whole_file(target) as arriving:
        with arriving.open("wb") as sink:
            found = _receive(file, sink, progress)
        if found != file.sha256:
            raise NetworkError(
                f"{file.url} has the checksum {found[:16]}…, and {file.sha256[:16]}… was published: it is damaged or "
                "was exchanged, and is not used. Try again, or get the file elsewhere and name it."
            )
    return target


def sha256_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _receive(file: PublishedFile, sink: BinaryIO, progress: Progress) -> str:
    """Copy what the server sends, and give its SHA-256; more bytes than expected are not taken."""
    digest, done = hashlib.sha256(), 0
    with _opened(file) as answer:
        while chunk := _patiently(file, lambda: answer.read(_CHUNK)):
            progress.report(f"Downloading {file.name}", done, file.size)
            digest.update(chunk)
            sink.write(chunk)
            done += len(chunk)
            if done > file.size:
                raise NetworkError(
                    f"{file.url} sends more than the {file.size} bytes that were published, and is not used."
                )
    return digest.hexdigest()


def _opened(file: PublishedFile) -> http.client.HTTPResponse:
    request = urllib.request.Request(file.url, headers={"User-Agent": "SegClassify"})
    return _patiently(file, lambda: urllib.request.urlopen(request, timeout=_TIMEOUT))


def _patiently(file: PublishedFile, step: Callable[[], T]) -> T:
    try:
        return step()
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise NetworkError(
            f"{file.url} cannot be downloaded ({reason}): check the connection, or get the file elsewhere and name it."
        ) from error
