"""ImageNet networks: weights are fetched once and checked, names of published weights are understood."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from SegClassifyLib.errors import Cancelled, NetworkError
from SegClassifyLib.networks.download import PublishedFile, fetch
from SegClassifyLib.networks.imagenet import IMAGENET, imagenet_file, open_imagenet
from SegClassifyLib.progress import Progress

CONTENT = bytes(range(256)) * 4096


@dataclass
class Server:
    """Answers every path with ``content``; counts what it is asked for."""

    content: bytes = CONTENT
    asked: list[str] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    def __init__(self, server: Server, *arguments: object) -> None:
        self._told = server
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._told.asked.append(self.path)
        if self.path == "/missing.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self._told.content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, told))  # type: ignore[arg-type]
    threading.Thread(target=http.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{http.server_port}"
    yield told
    http.shutdown()


def published(server: Server, name: str = "weights.pth") -> PublishedFile:
    return PublishedFile(f"{server.url}/{name}", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def test_a_file_is_fetched_once_and_again_when_damaged(server: Server, tmp_path: Path) -> None:
    path = fetch(published(server), tmp_path / "cache")
    assert path.read_bytes() == CONTENT
    fetch(published(server), tmp_path / "cache")
    assert len(server.asked) == 1
    path.write_bytes(CONTENT[:-1])
    assert fetch(published(server), tmp_path / "cache").read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT[:100], CONTENT + b"more"])
def test_what_is_not_the_published_file_is_never_kept(server: Server, tmp_path: Path, content: bytes) -> None:
    server.content = content
    with pytest.raises(NetworkError, match=r"not used"):
        fetch(published(server), tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_server_and_no_file_are_sentences(server: Server, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"Not Found.*check the connection"):
        fetch(published(server, "missing.pth"), tmp_path)
    nowhere = replace(published(server), url="http://127.0.0.1:1/weights.pth")
    with pytest.raises(NetworkError, match="cannot be downloaded"):
        fetch(nowhere, tmp_path)
    with pytest.raises(Cancelled):
        fetch(published(server), tmp_path, Progress(is_cancelled=lambda: True))
    assert not list(tmp_path.iterdir())


def published_names(name: str, body: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The body's weights as the publishers name them, with the last layer that we leave out."""
    state = {k: v for k, v in body.state_dict().items() if not k.endswith("num_batches_tracked")}
    if name == "resnet18":
        return {**state, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    renamed = {
        "features." + re.sub(r"\.layers\.(norm|conv)([12])\.", r".\1.\2.", k): v for k, v in state.items()
    }
    return {**renamed, "classifier.weight": torch.zeros(1000, 1024), "classifier.bias": torch.zeros(1000)}


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_published_weights_find_their_places(name: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    body = IMAGENET[name].build().eval()
    torch.save(published_names(name, body), tmp_path / "weights.pth")
    backbone = open_imagenet(tmp_path / "weights.pth")
    assert backbone.name == name
    x = torch.rand(2, 3, 64, 48)
    mean, spread = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET[name].mean, IMAGENET[name].spread))
    with torch.inference_mode():
        expected = body((x - mean) / spread).mean((2, 3))
    assert torch.equal(backbone(x), expected)
    assert backbone(x).shape == (2, backbone.features)
    assert float(expected.min()) >= 0
    assert not any(p.requires_grad for p in backbone.parameters())


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    other, broken, code = tmp_path / "other.pth", tmp_path / "broken.pth", tmp_path / "code.pth"
    torch.save({"layer.weight": torch.zeros(2)}, other)
    broken.write_bytes(b"not weights")
    torch.save({"layer4.1.conv2.weight": partial(print, "executed")}, code)
    for path, words in ((other, "no ImageNet network"), (broken, "cannot be read"), (code, "cannot be read")):
        with pytest.raises(NetworkError, match=words):
            open_imagenet(path)
    with pytest.raises(NetworkError, match="check the path"):
        open_imagenet(tmp_path / "nowhere.pth")
    with pytest.raises(NetworkError, match="choose one of"):
        imagenet_file("vgg", tmp_path)
    with pytest.raises(NetworkError, match="name a file"):
        imagenet_file("efficientnet-lite0", tmp_path)


def test_published_checksums_are_those_in_the_files_names() -> None:
    for network in IMAGENET.values():
        if network.published is not None:
            start = re.search(r"-([0-9a-f]{8})\.pth$", network.published.url)
            assert start and network.published.sha256.startswith(start.group(1))
            assert re.fullmatch(r"[0-9a-f]{64}", network.published.sha256)
            assert network.published.url.startswith("https://")
