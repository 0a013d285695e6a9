"""The summary of one pool in sentences that say no more than the intervals support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from catalog.analysis.common_rows import OWN
from catalog.development import explanation, marked
from catalog.report.figure import listed
from catalog.report.number_format import readable
from catalog.report.pool_analysis import REFERENCES, PoolAnalysis

DIGITS = 3
LEVEL = 0.05
"""Differences with a smaller p, corrected for their number by Holm's method, are called differences."""


def summary(found: PoolAnalysis) -> list[str]:
    """What a busy reader wants first."""
    scored = found.table.filter(pl.col("kendall_tau").is_not_null())
    if scored.is_empty():
        return ["No proxy has scores that can be compared with the target for these architectures."]
    best = scored.row(0, named=True)
    said = [
        *_best(found, best),
        *of_the_target(found),
        *found.compared,
        *_against_params(found),
        *_inside_the_top(found),
        *_pair(found),
        *_added(found),
        *_ceiling(found, best),
        *_leakage(found),
    ]
    meaning = explanation(found.pool.space, found.developed)
    return [*(marked(sentence, found.developed) for sentence in said), *([meaning] if meaning else [])]


def estimate(row: dict[str, Any], name: str) -> str:
    """A coefficient with its interval."""
    value, low, high = (readable(row[column], DIGITS) for column in (name, f"{name}_low", f"{name}_high"))
    return f"{value} (too few for an interval)" if row[f"{name}_low"] is None else f"{value} [{low}, {high}]"


def _best(found: PoolAnalysis, best: dict[str, Any]) -> Iterator[str]:
    name = best["proxy"]
    share = f"{100 * best['n'] / int(found.pool.known.sum()):.0f} % of those with a target"
    yield f"{name} has the highest tau-b, {estimate(best, 'kendall_tau')}, over {best['n']:,} architectures ({share})."
    others = found.against_best.filter(pl.col("proxy") != name)
    verdicts = {
        verdict: list(others.filter(pl.col("verdict") == verdict)["proxy"]) for verdict in ("better", "tied", "worse")
    }
    if verdicts["better"]:
        yield (
            f"On the architectures that both cover, {listed(verdicts['better'])} ranks better than {name}: "
            "coverage differs, so compare the two there."
        )
    if verdicts["tied"]:
        yield f"On the architectures that both cover, {name} cannot be told apart from {listed(verdicts['tied'])}."
    elif verdicts["worse"] and not verdicts["better"]:
        count = len(verdicts["worse"])
        few = "" if count == others.height else " that can be compared with it"
        yield f"On the architectures that both cover, it ranks better than each of the other {count} proxies{few}."
    if best["regret_10"] is not None:
        digits = found.digits
        is_short = best["regret_10"] >= 0.5 * 10**-digits  # a smaller one is not worth a number
        short = f"{readable(best['regret_10'], digits)} short of" if is_short else "as good as"
        yield (
            f"Whoever trains the 10 architectures that {name} likes best finds on average "
            f"{readable(best['best_10'], digits)}, which is {short} the best {_of_all(found, best)}."
        )


def of_the_target(found: PoolAnalysis) -> Iterator[str]:
    """What has to be known of a target that is no accuracy of a trained network."""
    if found.pool.target_direction < 0:
        yield f"Of {found.pool.target} less is better."
    if found.is_of_supernet:
        yield f"{found.pool.target} was measured with a supernet's weights: no network was trained for it."


def _of_all(found: PoolAnalysis, best: dict[str, Any]) -> str:
    """Which architectures a regret is held against: those that the proxy is judged on."""
    if best["n"] == int(found.pool.known.sum()):
        return "of the pool"
    return f"of the {best['n']:,} that {'it scores' if best['pool'] == OWN else 'are compared'}"


def _against_params(found: PoolAnalysis) -> Iterator[str]:
    params = found.references.filter((pl.col("name") == "params") & pl.col("kendall_tau").is_not_null())
    if params.is_empty():
        yield "No parameter counts are known for these architectures, so no proxy is held against them."
        return
    judged = found.table.filter(pl.col("verdict_params").is_not_null() & pl.col("proxy").is_in(REFERENCES).not_())
    if judged.is_empty():
        return
    row = params.row(0, named=True)
    if row["kendall_tau_high"] is not None and row["kendall_tau_high"] < 0:
        yield _against_few_params(judged, row)
        return
    better = list(judged.filter(pl.col("verdict_params") == "better")["proxy"])
    counting = f"counting parameters (tau-b {estimate(row, 'kendall_tau')})"
    if better:
        yield f"{len(better)} of {judged.height} proxies rank better than {counting}: {listed(better)}."
    else:
        yield f"None of {judged.height} proxies ranks better than {counting}, as far as this pool can tell."


def _against_few_params(judged: pl.DataFrame, params: dict[str, Any]) -> str:
    """Where more parameters are worse, as for a latency, to rank better than their number is no achievement."""
    turned = {"": -params["kendall_tau"], "_low": -params["kendall_tau_high"], "_high": -params["kendall_tau_low"]}
    few = estimate({f"kendall_tau{end}": value for end, value in turned.items()}, "kendall_tau")
    above = list(judged.filter(pl.col("kendall_tau_low") > turned["_high"])["proxy"])
    return (
        f"Here fewer parameters are better: whoever prefers the smaller architecture ranks with tau-b {few}, and "
        f"{listed(above) if above else f'none of {judged.height} proxies'} surely ranks better than that."
    )


def _inside_the_top(found: PoolAnalysis) -> Iterator[str]:
    known = found.table.filter(pl.col("top_kendall_tau").is_not_null())
    if known.is_empty():
        return
    best = known.sort("top_kendall_tau", descending=True, maintain_order=True).row(0, named=True)
    above = known.filter(pl.col("top_kendall_tau_low") > 0).height
    yield (
        f"Inside the true top 10 % the highest tau-b is {estimate(best, 'top_kendall_tau')}, of {best['proxy']}; "
        f"{above} of {known.height} proxies have an interval above zero there."
    )


def _pair(found: PoolAnalysis) -> Iterator[str]:
    if found.pairs.is_empty():
        return
    pair = found.pairs.row(0, named=True)
    surely = pair["gain"] > 0 and pair["p_corrected"] is not None and pair["p_corrected"] < LEVEL
    verdict = "above" if surely else "which is not surely more than"
    gain = f"{estimate(pair, 'gain')} " if surely else ""
    yield (
        f"The best pair is {pair['first']} with {pair['second']}: together tau-b {estimate(pair, 'kendall_tau')} on "
        f"architectures that the model had not seen, {gain}{verdict} {pair['best_single']} alone "
        f"({readable(pair['best_single_kendall_tau'], DIGITS)} on the same {pair['n']:,})."
    )


def _added(found: PoolAnalysis) -> Iterator[str]:
    judged = found.gain.filter(pl.col("gain").is_not_null())
    if judged.height < 2:
        return
    adding = judged.filter((pl.col("p_holm") < LEVEL) & (pl.col("gain") > 0)).sort(
        "gain", descending=True, maintain_order=True
    )
    names = [f"{name} ({gain:+.3f})" for name, gain in adding.select("proxy", "gain").iter_rows()]
    if names:
        yield f"Given all the others, these still add something to a joint ranking: {listed(names)} in tau-b."
    else:
        yield f"Given all the others, none of {judged.height} proxies surely adds anything to a joint ranking."


def _ceiling(found: PoolAnalysis, best: dict[str, Any]) -> Iterator[str]:
    ceiling = found.references.filter((pl.col("name") == "noise ceiling") & pl.col("kendall_tau").is_not_null())
    if ceiling.is_empty():
        yield "The source has no repeated trainings of this target, so its noise ceiling is not known."
        return
    row = ceiling.row(0, named=True)
    name, distance = best["proxy"], row["kendall_tau"] - best["kendall_tau"]
    known = best["kendall_tau_high"] is not None and row["kendall_tau_low"] is not None
    if known and best["kendall_tau_high"] < row["kendall_tau_low"]:
        place = f"{name} is {readable(distance, DIGITS)} below it"
    elif known and best["kendall_tau_low"] > row["kendall_tau_high"]:
        place = f"{name} is above it, as it may be where the target is a mean over seeds"
    else:
        place = f"This pool cannot tell whether {name} is below it"
    yield (
        "Two trainings of the same architectures with different seeds agree with tau-b "
        f"{estimate(row, 'kendall_tau')}: the noise ceiling. {place}."
    )


def _leakage(found: PoolAnalysis) -> Iterator[str]:
    trained = {name: count for name, count in found.pool.left_out.items() if count}
    if trained:
        members = found.pool.common.members if found.pool.common is not None else ()
        counts = listed(
            [
                f"{count:,} {'from all that are compared, because of' if name in members else 'from the row of'} {name}"
                for name, count in trained.items()
            ]
        )
        yield f"Architectures that a predictor was trained on, and their functional twins, are left out: {counts}."
