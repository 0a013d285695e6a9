"""Small faithful writers of the official formats, from their public definitions, independent of the readers."""

from __future__ import annotations

import base64
import io
import itertools
import json
import pickle
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from catalog.spaces.nds import FAMILIES

_OPERATORS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")

Evaluation = tuple[float, float, float, float, float]
"""Epoch, training time, train, validation and test accuracy: fields 1 to 5 of EvaluationData, all doubles."""


def varint(value: int) -> bytes:
    """A protocol-buffer base-128 number."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def model_metrics(evaluations: Sequence[Evaluation], parameters: int, total_time: float = 0.0, path: str = "") -> bytes:
    """A ModelMetrics message: repeated EvaluationData = 1, int32 parameters = 2, double total time = 3."""
    message = b""
    for evaluation in evaluations:
        body = b"".join(
            bytes([number << 3 | 1]) + struct.pack("<d", value) for number, value in enumerate(evaluation, start=1)
        )
        if path:
            body += bytes([6 << 3 | 2]) + varint(len(path.encode())) + path.encode()
        message += bytes([1 << 3 | 2]) + varint(len(body)) + body
    return message + bytes([2 << 3]) + varint(parameters) + bytes([3 << 3 | 1]) + struct.pack("<d", total_time)


def nasbench101_row(module_hash: str, epochs: int, adjacency: str, interior: str, metrics: bytes) -> bytes:
    """The JSON of one record; `interior` has a digit an interior vertex: 0 conv3x3, 1 conv1x1, 2 maxpool3x3."""
    operators = ",".join(["input", *(_OPERATORS[int(digit)] for digit in interior), "output"])
    return json.dumps([module_hash, epochs, adjacency, operators, base64.b64encode(metrics).decode()]).encode()


def framed(data: bytes) -> bytes:
    """One TFRecord: length, masked CRC-32C of the length, data, masked CRC-32C of the data."""

    def masked(part: bytes) -> bytes:
        checksum = google_crc32c.value(part)
        rotated = (checksum >> 15) | (checksum << 17) & 0xFFFFFFFF
        return struct.pack("<I", (rotated + 0xA282EAD8) % 2**32)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def write_tfrecord(path: Path, rows: Iterable[bytes]) -> None:
    """A TFRecord file."""
    with path.open("wb") as stream:
        for row in rows:
            stream.write(framed(row))


def _nasbench201_costs(architecture: str, dataset: str) -> tuple[int, int, int]:
    """Classes, parameters and multiply-accumulates; a 1x1 convolution adds 28,000 parameters, a 3x3 one 243,040."""
    one, three = architecture.count("conv_1x1"), architecture.count("conv_3x3")
    classes = {"cifar100": 100, "ImageNet16-120": 120}.get(dataset, 10)
    parameters = 72_656 + 65 * classes + 28_000 * one + 215_040 * three + 28_000 * three
    operations = 7_782_400 + 3_932_160 * one + 35_389_440 * three
    return classes, parameters, operations // (4 if classes == 120 else 1) + 65 * classes


def nasbench201_result(
    architecture: str, dataset: str, seed: int, epochs: int, accuracy: float, *, curves: Sequence[int] | None = None
) -> dict[str, object]:
    """The state of one ResultsCount: one training; accuracies fall by 1 for each epoch before the last.

    `curves` are the epochs that have evaluations; by default all.
    """
    sets = {"cifar10-valid": ("x-valid", "ori-test"), "cifar10": ("ori-test",)}.get(
        dataset, ("x-valid", "x-test", "ori-test")
    )
    evaluated = range(epochs) if curves is None else curves
    classes, parameters, operations = _nasbench201_costs(architecture, dataset)
    return {
        "name": "infer.tiny",
        "net_state_dict": None,
        "train_acc1es": {epoch: max(accuracy - (epochs - 1 - epoch), 0.0) for epoch in range(epochs)},
        "train_acc5es": None,
        "train_losses": {epoch: 0.5 + 0.01 * epoch for epoch in range(epochs)},
        "train_times": dict.fromkeys(range(epochs), 12.5),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": architecture, "class_num": classes},
        "params": np.float64(parameters / 1e6),
        "flop": operations / 1e6,
        "seed": seed,
        "epochs": epochs,
        "latency": [np.float64(0.016), np.float64(0.018)],
        "eval_names": list(sets),
        "eval_acc1es": {f"{name}@{epoch}": accuracy - place for place, name in enumerate(sets) for epoch in evaluated},
        "eval_times": {f"{name}@{epoch}": 1.5 for name in sets for epoch in range(epochs)},
        "eval_losses": {f"{name}@{epoch}": 0.75 for name in sets for epoch in evaluated},
    }


def nasbench201_state(
    index: int, architecture: str, trials: Iterable[tuple[str, int, float]], epochs: int
) -> dict[str, object]:
    """The state of one ArchResults: an architecture's trainings of one length, as (dataset, seed, accuracy)."""
    results = {
        (dataset, seed): nasbench201_result(architecture, dataset, seed, epochs, accuracy)
        for dataset, seed, accuracy in trials
    }
    seeds: dict[str, list[int]] = {}
    for dataset, seed in results:
        seeds.setdefault(dataset, []).append(seed)
    return {
        "arch_index": index,
        "arch_str": architecture,
        "all_results": results,
        "dataset_seed": seeds,
        "clear_net_done": True,
    }


def nasbench201_archive(architectures: Mapping[int, str]) -> dict[str, object]:
    """The value of a NAS-Bench-201 ``.pth``: 12 epochs on the 25k split, 200 epochs on all data sets."""
    infos = {}
    for index, architecture in architectures.items():
        accuracy = 60.0 + index % 30
        full = [
            (dataset, seed, accuracy + seed / 1000)
            for dataset in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
            for seed in (777, 888)
        ]
        infos[index] = {
            "less": nasbench201_state(index, architecture, [("cifar10-valid", 777, accuracy - 20)], 12),
            "full": nasbench201_state(index, architecture, full, 200),
        }
    return {
        "meta_archs": list(architectures.values()),
        "arch2infos": infos,
        "evaluated_indexes": set(architectures),
        "total_archs": len(architectures),
    }


def torch_legacy(value: object) -> bytes:
    """A ``.pth`` in the layout of torch 1.0 to 1.5: five pickles of protocol 2, without storages."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts: list[object] = [0x1950A86A20F9469CFC6C, 1001, system, value, []]
    return b"".join(pickle.dumps(part, protocol=2) for part in parts)


def torch_zip(value: object) -> bytes:
    """A ``.pth`` in the layout since torch 1.6: an uncompressed zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(value, protocol=2))
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def nasbench301_log(
    genotype_keys: Mapping[str, str],
    valid: float,
    test: float,
    *,
    seconds: float = 3600.0,
    parameters: int | None = None,
    **changed: object,
) -> dict[str, object]:
    """A ``results_*.json`` of the default training of 100 epochs; `changed` replaces hyper-parameters by last word."""
    count = {} if parameters is None else {"model_parameters": parameters}
    words: dict[str, object] = {
        "CreateImageDataLoader:batch_size": 96,
        "NetworkSelectorDatasetInfo:darts:init_channels": 32,
        "NetworkSelectorDatasetInfo:darts:layers": 8,
        "OptimizerSelector:sgd:learning_rate": 0.025,
        "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": 100,
        "ImageAugmentation:autoaugment": "False",
    }
    settings = {key: changed.get(key.rpartition(":")[2], value) for key, value in words.items()}
    return {
        "final_metric_score": -valid,
        "optimized_hyperparamater_config": {**settings, **genotype_keys},
        "budget": 100,
        "info": [{"val_accuracy": valid, "train_accuracy": 99.0, "epochs": 98, **count}],
        "test_accuracy": test,
        "runtime": seconds,
        "learning_curves": {"Train/train_accuracy": [50.0, 99.0], "Train/val_accuracy": [40.0, valid]},
    }


def nds_log(family: str, error: float = 6.5, **net: object) -> dict[str, Any]:
    """A training log of NDS, of a cell of one of the families with five nodes."""
    operators = itertools.cycle(FAMILIES[family])
    pairs = [[next(operators), place % node] for node in range(2, 7) for place in (0, 1)]
    reduce = [[name, 1] for name, _ in pairs]
    genotype = {"normal": pairs, "normal_concat": [2, 5, 6], "reduce": reduce, "reduce_concat": [6]}
    return {
        "net": {"genotype": genotype, "width": 16, "depth": 20, **net},
        "optim": {"lr": 0.1, "wd": 5e-4},
        "params": 1.5e6,
        "flops": 2.5e8,
        "test_ep_top1": [50.0, error],
        "min_test_top1": error - 0.25,
    }
