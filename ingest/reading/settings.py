"""Trainings with settings of their own: a name that keeps their numbers out of the columns of the usual trainings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def stage_of_settings(settings: Mapping[str, Any]) -> str:
    """The ``stage`` of a training with these settings.

    It begins with ``of``, so its numbers are rows of ``metric`` and no columns of the wide view, which would average
    trainings of different settings.
    """
    text = json.dumps(settings, sort_keys=True)
    return f"of settings {hashlib.sha256(text.encode()).hexdigest()[:8]}"
