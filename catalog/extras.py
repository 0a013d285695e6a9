"""Optional dependency groups, asked for where they are needed."""

from __future__ import annotations

from importlib.util import find_spec

from catalog.errors import MissingExtraError


def require_predict() -> None:
    """Make sure that the predictors' packages are installed.

    Raises
    ------
    MissingExtraError
        They are not; the message says how to get them.
    """
    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{', '.join(missing)} is not installed, and the predictors need it. Install the extra: "
            "pip install 'nas-catalog[predict]' (on a machine without a GPU install PyTorch's CPU build first)."
        )


def require_serve() -> None:
    """Make sure that the web server's packages are installed.

    Raises
    ------
    MissingExtraError
        They are not; the message says how to get them.
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{', '.join(missing)} is not installed, and `catalog serve` needs it. Install the extra: "
            "pip install 'nas-catalog[serve]'."
        )
