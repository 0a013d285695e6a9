"""The command that started a run, as far as its row tells it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

_USUAL_BATCH = 16


def run_command(kind: str, parameters: str) -> str | None:
    """The command line that does the same again; None where the row does not tell it.

    Files stand there by their names alone, as ``source`` has them: their folders belong to one machine.

    Parameters
    ----------
    kind, parameters
        ``run.kind`` and ``run.parameters``.
    """
    told: dict[str, Any] = json.loads(parameters)
    if isinstance(told.get("command"), list):
        return shlex.join(map(str, told["command"]))
    if kind == "enumerate" and "space" in told:
        return shlex.join(["catalog", "spaces", "--enumerate", str(told["space"])])
    if kind == "draw" and {"space", "count", "seed"} <= told.keys():
        drawn = ("--count", str(told["count"]), "--seed", str(told["seed"]))
        return shlex.join(["catalog", "spaces", "draw", str(told["space"]), *drawn])
    if kind == "score" and "space" in told:
        return shlex.join(_scoring(told))
    return None


def _scoring(told: Mapping[str, Any]) -> list[str]:
    words = ["catalog", "score", str(told["space"])]
    if "predictor" in told:
        return [*words, "--proxy", str(told["predictor"])]
    for name in told.get("proxies", ()):
        words += ["--proxy", str(name)]
    if told.get("where"):
        words += ["--where", str(told["where"])]
    if told.get("sample") is not None:
        words += ["--sample", str(told["sample"]), "--seed", str(told.get("sample_seed") or 0)]
    if told.get("input") is not None:
        words += ["--input", str(told["input"])]
    if told.get("seeds", 1) != 1:
        words += ["--seeds", str(told["seeds"])]
    configuration = told.get("configuration") or {}
    if configuration.get("batch_size", _USUAL_BATCH) != _USUAL_BATCH:
        words += ["--batch-size", str(configuration["batch_size"])]
    network = configuration.get("network") or {}
    for option in ("channels", "cells"):  # said again, the space's own are the default
        words += [f"--{option}", str(network[option])] if option in network else []
    return [*words, *(["--layerwise"] if told.get("layerwise") else [])]
