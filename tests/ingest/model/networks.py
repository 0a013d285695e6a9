"""Small PyTorch modules, as users write them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class Residual(nn.Module):
    """A stem, a depthwise-separable block with a residual connection, and a classifier; 3 + 6 weighted operators."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.depthwise = nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1)
        self.down = nn.Conv2d(channels, 2 * channels, (3, 1), stride=2, dilation=2, padding=2, groups=2)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(2 * channels, 10)

    def forward(self, images: Tensor) -> Tensor:
        hidden = torch.relu(self.norm(self.stem(images)))
        hidden = hidden + self.pointwise(self.depthwise(hidden))
        hidden = self.pool(F.relu(self.down(hidden), inplace=True))
        return self.head(self.dropout(F.adaptive_avg_pool2d(hidden, 1).flatten(1)))


class Functional(nn.Module):
    """The same operators as functions, with weights of its own and a shared one."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(8, 3, 3, 3))
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.shared = nn.Linear(4, 4)
        self.position = nn.Parameter(torch.zeros(1, 8, 1, 1))
        self.register_buffer("scale", torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        hidden = F.conv2d(images, self.kernel, stride=(2, 2), padding=1) + self.position
        hidden = F.avg_pool2d(self.up(hidden), kernel_size=2)
        left, right = torch.chunk(hidden, 2, dim=1)
        joined = torch.cat([right, left], 1).mean((2, 3))
        return self.shared(self.shared(joined)) * self.scale - 1.5


class Block(nn.Module):
    """A transformer block whose attention is PyTorch's own module."""

    def __init__(self, width: int = 16, heads: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        return tokens + self.mlp(tokens)


class Branching(nn.Module):
    """Control flow that depends on a tensor: nothing for symbolic tracing."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        if tokens.shape[0] > 1 or tokens.dim() != 2:
            raise ValueError("one row, please")
        for _ in range(len(tokens)):
            tokens = self.linear(tokens)
        return tokens.softmax(-1) @ tokens.t()


class Language(nn.Module):
    """Token ids in, two results out; part of it leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.recurrent = nn.GRU(6, 5, batch_first=True)
        self.aside = nn.Linear(6, 3)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.embed(tokens)
        self.aside(embedded)
        states, _ = self.recurrent(embedded)
        return states, embedded.sum(1)


def build(channels: int = 16) -> nn.Module:
    return Residual(channels)


def broken() -> nn.Module:
    raise ZeroDivisionError("no module today")


NUMBER = 7
