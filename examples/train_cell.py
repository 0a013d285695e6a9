"""Train one cell of NAS-Bench-201 on scikit-learn's digits and print its validation accuracy in percent.

    catalog search nb201 --label-command "python train_cell.py {id}" --budget 60

calls this for each cell that the search wants to know about. Put a training of your own in the place of `accuracy`: all
that a search sees of it is the number on standard output.
"""

from __future__ import annotations

import sys

import torch
from torch.nn import functional

from catalog.spaces.nb201 import NASBench201
from predictor.networks import build
from predictor.networks.datasets import dataset_named
from predictor.networks.network import NetworkConfig

EPOCHS = 2
BATCH = 50


def accuracy(cell: str) -> float:
    """Percent of the validation images that the trained cell reads, with one seed."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = dataset_named("digits")
    network = build(NASBench201().graph(cell), NetworkConfig(channels=8, cells=1, input_channels=digits.channels))
    steps = EPOCHS * (len(digits.train) // BATCH)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(digits.train)).split(BATCH):
            loss = functional.cross_entropy(network(digits.train.images[chosen]), digits.train.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        guessed = network(digits.valid.images).argmax(dim=1)
    return 100 * (guessed == digits.valid.labels).float().mean().item()


if __name__ == "__main__":
    print(accuracy(sys.argv[1]))
