"""Freshly initialised classification networks: the segmenter's own encoder, or one of MONAI's."""

from __future__ import annotations

from torch import Tensor, nn

from SegClassifyLib.features.taps import find_taps
from SegClassifyLib.networks.registry import axis_divisors, build_network
from SegClassifyLib.networks.spec import NetworkSpec
from SegClassifyLib.training.settings import ScratchSettings


class EncoderClassifier(nn.Module):
    """A segmentation network up to its deepest tap, averaged over space, and a linear layer.

    What lies behind the tap is never computed: the forward pass is left as soon as the tap has its value.

    Args:
        network: which network, with fresh weights.
        classes: number of classes.
    """

    def __init__(self, network: NetworkSpec, classes: int) -> None:
        super().__init__()
        self.network = build_network(network)
        taps = find_taps(self.network, network)
        # A network without scales has no bottleneck; its last layer has seen most.
        tap = next((t for t in taps if t.name == "bottleneck"), taps[-1])
        self._tap = self.network.get_submodule(tap.module)
        self.head = nn.Linear(tap.channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits ``(B, K)`` of images ``(B, C, *spatial)``."""
        handle = self._tap.register_forward_hook(_leave)
        try:
            self.network(x)
        except _Reached as reached:
            return self.head(reached.value.flatten(2).mean(2))
        finally:
            handle.remove()
        raise RuntimeError("the forward pass did not come by the tap")


class _Reached(Exception):  # noqa: N818 - a way out of the forward pass, not a fault
    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value


def _leave(_module: nn.Module, _inputs: object, output: Tensor) -> None:
    raise _Reached(output)


def build_classifier(settings: ScratchSettings, network: NetworkSpec, classes: int) -> nn.Module:
    """A network of ``(B, C, *spatial)`` to class logits ``(B, K)``, with fresh weights."""
    if settings.architecture == "encoder":
        return EncoderClassifier(network, classes)
    from monai.networks.nets import DenseNet121, resnet18

    if settings.architecture == "resnet18":
        return resnet18(
            spatial_dims=network.ndim,
            n_input_channels=network.in_channels,
            num_classes=classes,
            conv1_t_stride=2,
            feed_forward=True,
            shortcut_type="B",
        )
    return DenseNet121(spatial_dims=network.ndim, in_channels=network.in_channels, out_channels=classes)


def least_side(settings: ScratchSettings) -> int:
    """How long each side of the network's input must be at least: DenseNet halves its input five times."""
    return 32 if settings.architecture == "densenet121" else 1


def size_divisor(settings: ScratchSettings, network: NetworkSpec) -> tuple[int, ...]:
    """What each side of the network's input must be a multiple of."""
    return axis_divisors(network) if settings.architecture == "encoder" else (8,) * network.ndim
