"""Where a scoring job measures, by name."""

from __future__ import annotations

from catalog.errors import UsageError
from predictor.zero_cost.engine import LocalEngine, available_cores
from predictor.zero_cost.work import Engine

ENGINES = ("local", "ray")


def engine_named(name: str, address: str | None = None, workers: int | None = None) -> Engine:
    """The engine ``local``, processes of this machine, or ``ray``, a Ray cluster.

    Parameters
    ----------
    address
        The cluster's; None starts one on this machine.
    workers
        How many processes measure; by default one a core.

    Raises
    ------
    UsageError
        There is no such engine, or an address was given to this machine.
    MissingExtraError
        Ray is not installed.
    """
    if name == "ray":
        from predictor.zero_cost.ray_engine import RayEngine, require_ray

        require_ray()
        return RayEngine(address, workers)
    if name != "local":
        raise UsageError(f"unknown engine {name!r}; allowed are {' and '.join(ENGINES)}.")
    if address is not None:
        raise UsageError(f"--address {address} names a Ray cluster; give it with --engine ray.")
    return LocalEngine(workers or available_cores())
