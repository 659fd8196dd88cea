"""PyTorch's networks: a twin of lungcli's classic U-Net, and MONAI's residual U-Net."""

import importlib
from itertools import pairwise

import torch
from torch import Tensor, nn

NUM_CLASSES = 3  # background, right lung, left lung


class ClassicUNet(nn.Module):
    """The network of `lungcli.nn.unet`, layer by layer.

    Args:
        filters: Filters of the first level; doubled at each level below.
        depth: Number of poolings.
    """

    def __init__(self, filters: int, depth: int) -> None:
        super().__init__()
        widths = [filters * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            twice(before, after) for before, after in pairwise([1, *widths[:-1]])
        )
        self.bottom = twice(widths[-2], widths[-1])
        self.up = nn.ModuleList(
            twice(skip + below, skip) for below, skip in pairwise(reversed(widths))
        )
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear")
        self.logits = nn.Conv2d(widths[0], NUM_CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(batch, 1, height, width)` to logits `(batch, 3, height, width)`."""
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for level, skip in zip(self.up, reversed(skips), strict=True):
            x = level(torch.cat([skip, self.upsample(x)], dim=1))
        logits: Tensor = self.logits(x)
        return logits


def twice(before: int, after: int) -> nn.Sequential:
    """Return two 3x3 convolutions, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for filters in (before, after):
        layers += [
            nn.Conv2d(filters, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after, eps=1e-3, momentum=0.1),  # Keras' 1e-3 and 0.9
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def monai_unet() -> nn.Module:
    """Return MONAI's residual U-Net with 1.6 M parameters, as its tutorials build it.

    References:
        Kerfoot et al. (2019), https://doi.org/10.1007/978-3-030-12029-0_40
    """
    network: nn.Module = importlib.import_module("monai.networks.nets").UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=NUM_CLASSES,
        channels=(16, 32, 64, 128, 256),
        strides=(2, 2, 2, 2),
        num_res_units=2,
        norm="batch",
    )
    return network


def segmentation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return soft Dice loss plus cross-entropy, as `lungcli.nn.losses` defines them.

    Args:
        logits: Shape `(batch, 3, height, width)`.
        labels: Label maps, int64 `(batch, height, width)`.
    """
    logits = logits.float()
    probabilities = logits.softmax(dim=1)[:, 1:]
    mask = torch.stack([labels == 1, labels == 2], dim=1).float()
    overlap = (mask * probabilities).sum(dim=(2, 3))
    total = mask.sum(dim=(2, 3)) + probabilities.sum(dim=(2, 3))
    dice = (2.0 * overlap + 1.0) / (total + 1.0)
    return (1.0 - dice).mean() + nn.functional.cross_entropy(logits, labels)


def num_parameters(network: nn.Module) -> int:
    """Count the weights that training changes."""
    return sum(weight.numel() for weight in network.parameters())
