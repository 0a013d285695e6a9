"""A staged space that uses all that a space's file can say, and is small enough to be listed."""

from __future__ import annotations

from catalog.spaces.staged.space import StagedSpace

SMALL = """
name = "small"
description = "Two stages of one or two blocks"
id = "r{resolution}:{stages:|}"

[network]
input = { shape = [3, "=resolution", "=resolution"] }
classes = 10
choices = { resolution = [16, 32] }

[[stem]]
nodes = [{ op = "conv", channels = 8, kernel = 3 }]

[stage]
id = "d{depth} {blocks:-}"
blocks = "=depth"
choices = { depth = [1, 2] }

[[stages]]
width = 8

[[stages]]
width = 16
choices = { depth = [1, 3] }

[block]
id = "k{kernel}e{expansion}"
choices = { kernel = [3, 5], expansion = [1, 4] }
rules = ["kernel == 3 or expansion == 4"]

[[block.parts]]
residual = "=entering == width and not first"
nodes = [
    { op = "depthwise_conv", kernel = "=kernel", expansion = "=expansion", channels = "=width", stride = "=1 + first" },
]

[[tail]]
nodes = [{ op = "conv", channels = 32, kernel = 1 }]
"""

COUNT = 2 * (3 + 3**2) * (3 + 3**3)


def small(text: str = SMALL) -> StagedSpace:
    return StagedSpace.from_text(text, "small.toml")
