"""Add the description of a user's staged space, and the kind of what was measured with a supernet's weights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KINDS = ("trained, surrogate, reported", "trained, surrogate, reported, supernet")


def upgrade() -> None:
    op.add_column("space", _definition())
    op.execute(f"COMMENT ON COLUMN metric.kind IS '{_KINDS[1]}'")


def _definition() -> sa.Column[str]:
    return sa.Column(
        "definition", sa.String(), comment="TOML: what a user's staged space is made of; NULL for all others"
    )


def downgrade() -> None:
    op.drop_column("space", "definition")
    op.execute(f"COMMENT ON COLUMN metric.kind IS '{_KINDS[0]}'")
