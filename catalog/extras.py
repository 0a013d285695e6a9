"""Optional dependency groups, asked for where they are needed."""

from __future__ import annotations

from importlib.util import find_spec

from catalog.errors import MissingExtraError


def require(extra: str) -> None:
    """Make sure that the packages of a predictor's extra are installed.

    Raises
    ------
    MissingExtraError
        They are not; the message says how to get them.
    """
    if extra == "predict":
        require_predict()


def require_predict() -> None:
    """Make sure that the predictors' packages are installed; raises as `require`."""
    hint = " (on a machine without a GPU install PyTorch's CPU build first)"
    _require("predict", ("torch", "safetensors"), "the predictors need it", hint)


def require_serve() -> None:
    """Make sure that the web server's packages are installed.

    Raises
    ------
    MissingExtraError
        They are not; the message says how to get them.
    """
    _require("serve", ("pebble", "starlette", "uvicorn"), "`catalog serve` needs it")


def _require(extra: str, packages: tuple[str, ...], why: str, hint: str = "") -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{', '.join(missing)} is not installed, and {why}. Install the extra: "
            f"pip install 'nas-catalog[{extra}]'{hint}."
        )
