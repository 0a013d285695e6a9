"""All proxies by name: the built-in ones, and what other packages bring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from catalog.errors import UnknownProxyError
from catalog.nearest import did_you_mean
from catalog.user_code import digest_of, is_target, load
from predictor.door.registry import imported
from predictor.zero_cost.proxy import Proxy

ENTRY_POINTS = "catalog.proxies"
"""Entry point group whose objects are `Proxy` classes."""

SUITE_ZERO = (
    "epe_nas",
    "fisher",
    "flops",
    "grad_norm",
    "grasp",
    "jacov",
    "l2_norm",
    "nwot",
    "params",
    "plain",
    "snip",
    "synflow",
    "zen",
)
"""The 13 proxies of NAS-Bench-Suite-Zero (Krishnakumar et al. 2022, arXiv 2210.03230)."""


@cache
def built_in() -> dict[str, Proxy]:
    """The proxies that the catalog brings."""
    from predictor.zero_cost import (
        activations,
        az_nas,
        counts,
        jacobian,
        meco,
        saliency,
        synaptic_flow,
        te_nas,
        zen,
        zico,
    )

    proxies: list[Proxy] = [
        jacobian.EPENAS(),
        saliency.Fisher(),
        counts.Flops(),
        saliency.GradNorm(),
        saliency.Grasp(),
        jacobian.JacobianCovariance(),
        saliency.L2Norm(),
        activations.NWOT(),
        counts.Params(),
        saliency.Plain(),
        saliency.Snip(),
        synaptic_flow.SynFlow(),
        zen.Zen(),
        synaptic_flow.LogSynFlow(),
        synaptic_flow.NormedSynFlow(),
        zico.ZiCo(),
        activations.SWAP(),
        meco.MeCo(),
        te_nas.NTKCondition(),
        te_nas.LinearRegions(),
        az_nas.Expressivity(),
        az_nas.Progressivity(),
        az_nas.Trainability(),
        az_nas.Complexity(),
    ]
    return {proxy.name: proxy for proxy in proxies}


@cache
def registered() -> dict[str, Proxy]:
    """Built-in proxies and plug-ins; a plug-in cannot take a built-in name.

    Raises
    ------
    UnknownProxyError
        A plug-in cannot be imported, is no `Proxy` class or takes a name that exists.
    """
    found = dict(built_in())
    for entry in entry_points(group=ENTRY_POINTS):
        kind = imported(entry)
        if not (isinstance(kind, type) and issubclass(kind, Proxy)):
            raise UnknownProxyError(
                f"the entry point {entry.name!r} of {ENTRY_POINTS} gives {kind!r}, which is no subclass of "
                "predictor.zero_cost.Proxy; correct or remove the package that brings it."
            )
        proxy = kind()
        if proxy.name in found:
            raise UnknownProxyError(
                f"the plug-in {entry.value!r} takes the name {proxy.name!r}, which {found[proxy.name]!r} has already; "
                "give it another name."
            )
        found[proxy.name] = proxy
    return found


def proxies_named(names: Sequence[str]) -> list[Proxy]:
    """The proxies of these names, in their order.

    Parameters
    ----------
    names
        Of built-in ones and plug-ins, or ``module:Class`` of a file in the current folder.

    Raises
    ------
    UnknownProxyError
        A name is unknown; the message lists the known ones.
    UsageError, UserCodeError
        A user's file cannot be imported, or fails.
    """
    known = registered()
    unknown = [name for name in names if name not in known and not is_target(name)]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise UnknownProxyError(f"unknown proxy {unknown[0]!r}. {hint}Known proxies: {', '.join(known)}.")
    return [known[name] if name in known else _from_file(name) for name in names]


@cache
def _from_file(target: str) -> Proxy:
    kind = load(target, Path.cwd())
    if not (isinstance(kind, type) and issubclass(kind, Proxy)):
        raise UnknownProxyError(
            f"{target} gives {kind!r}, which is no subclass of predictor.zero_cost.Proxy or predictor.door.Predictor."
        )
    proxy = kind()
    if proxy.name in registered():
        raise UnknownProxyError(f"{target} takes the name {proxy.name!r}, which another proxy has; give it another.")
    proxy.reference = target
    proxy.code_sha256 = digest_of(target, Path.cwd())
    return proxy
