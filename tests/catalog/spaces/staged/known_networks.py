"""Well-known networks as ids of the spaces that come with the catalog."""

from __future__ import annotations

from collections.abc import Sequence


def inverted(stages: Sequence[tuple[int, int, int]]) -> str:
    """Stages of equal blocks: depth, kernel and expansion of each."""
    return "_".join(f"d{depth}:" + ".".join([f"k{kernel}e{expansion}"] * depth) for depth, kernel, expansion in stages)


def residual(kind: str, depths: Sequence[int]) -> str:
    """A ResNet of the usual widths."""
    return f"{kind}:" + "_".join(f"d{d}w{w}" for d, w in zip(depths, (64, 128, 256, 512), strict=True))


def grouped(depths: Sequence[int], bottleneck: int, groups: int) -> str:
    """A ResNeXt or wide ResNet of the usual widths."""
    widths = (256, 512, 1024, 2048)
    return "_".join(f"d{d}w{w}b{bottleneck}g{groups}" for d, w in zip(depths, widths, strict=True))


def regular(family: str, depths: Sequence[int], widths: Sequence[int], group: int) -> str:
    """A RegNet without bottleneck."""
    return f"{family}:" + "_".join(f"d{d}w{w}b1g{group}" for d, w in zip(depths, widths, strict=True))


KNOWN = {
    # torchvision's own counts; its GFLOPS are multiply-accumulates: 0.30, 0.31, 1.81, 3.66, 4.09, 7.80, 11.51, ...
    "MobileNetV2": (
        "proxyless",
        "googlew1.0r224:" + inverted([(2, 3, 6), (3, 3, 6), (4, 3, 6), (3, 3, 6), (3, 3, 6), (1, 3, 6)]),
        3_504_872,
        0.30,
    ),
    "MnasNet-B1": (
        "proxyless",
        "proxylessw1.0r224:" + inverted([(3, 3, 3), (3, 5, 3), (3, 5, 6), (2, 3, 6), (4, 5, 6), (1, 3, 6)]),
        4_383_312,
        0.31,
    ),
    "ResNet-18": ("resnet", residual("basic", (2, 2, 2, 2)), 11_689_512, 1.81),
    "ResNet-34": ("resnet", residual("basic", (3, 4, 6, 3)), 21_797_672, 3.66),
    "ResNet-50": ("resnet", residual("bottleneck", (3, 4, 6, 3)), 25_557_032, 4.09),
    "ResNet-101": ("resnet", residual("bottleneck", (3, 4, 23, 3)), 44_549_160, 7.80),
    "ResNet-152": ("resnet", residual("bottleneck", (3, 8, 36, 3)), 60_192_808, 11.51),
    "ResNet-50 as ResNeXt": ("resnext", grouped((3, 4, 6, 3), 4, 1), 25_557_032, 4.09),
    "ResNeXt-50 32x4d": ("resnext", grouped((3, 4, 6, 3), 2, 32), 25_028_904, 4.23),
    "ResNeXt-101 32x8d": ("resnext", grouped((3, 4, 23, 3), 1, 32), 88_791_336, 16.41),
    "Wide ResNet-50-2": ("resnext", grouped((3, 4, 6, 3), 2, 1), 68_883_240, 11.40),
    "RegNetX-400MF": ("regnet", regular("x", (1, 2, 7, 12), (32, 64, 160, 384), 16), 5_157_512, 0.40),
    "RegNetX-200MF": ("regnet", regular("x", (1, 1, 4, 7), (24, 56, 152, 368), 8), 2_684_792, 0.20),
    "RegNetX-600MF": ("regnet", regular("x", (1, 3, 5, 7), (48, 96, 240, 528), 24), 6_196_040, 0.60),
    "RegNetX-800MF": ("regnet", regular("x", (1, 3, 7, 5), (64, 128, 288, 672), 16), 7_259_656, 0.80),
    "RegNetX-1.6GF": ("regnet", regular("x", (2, 4, 10, 2), (72, 168, 408, 912), 24), 9_190_136, 1.60),
    "RegNetY-400MF": ("regnet", regular("y", (1, 3, 6, 6), (48, 104, 208, 440), 8), 4_344_144, 0.40),
}
"""Space, id, published parameters, and published billions of multiply-accumulates.

RegNetX-400MF is that of the paper's model zoo, whose last stage has 384 channels; torchvision's has 400.
"""
