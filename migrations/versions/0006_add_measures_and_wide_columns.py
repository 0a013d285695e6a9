"""Add what is known of metrics, their directions among it, and what the columns of the wide views show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KNOWN = (
    *("epe_nas", "fisher", "flops", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "params", "plain", "snip"),
    *("synflow", "logsynflow", "zen", "zico", "swap", "meco", "linear_regions", "ntk_cond", "shortest_path"),
    *("az_expressivity", "az_progressivity", "az_trainability", "az_complexity"),
    *("live_params", "live_flops", "depth", "n_conv", "n_skip", "conv_depth", "path_count"),
)
"""The proxies whose directions the catalog knew when this was written."""


def upgrade() -> None:
    op.create_table(
        "measure",
        sa.Column("name", sa.String(), nullable=False, comment="metric.name"),
        sa.Column("unit", sa.String(), nullable=True, comment="of its values; NULL for a plain number"),
        sa.Column(
            "direction",
            sa.SmallInteger(),
            nullable=True,
            comment="+1 if higher is better, -1 if lower is better, 0 for a setting; NULL if nobody said it",
        ),
        sa.CheckConstraint("direction IN (-1, 0, 1)"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "wide_column",
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False, comment="the column"),
        sa.Column("metric", sa.String(), nullable=True, comment="metric.name; NULL unless it shows a metric"),
        sa.Column("proxy_id", sa.Integer(), nullable=True, comment="proxy.id; NULL unless it shows a proxy's scores"),
    )
    _replace_proxies(is_open=True)
    # Every score that came with a file counted as better when higher, though nobody had said it.
    op.execute("UPDATE proxy SET direction = -1 WHERE version = 'published' AND name IN ('ntk_cond', 'shortest_path')")
    known = ", ".join(f"'{name}'" for name in KNOWN)
    op.execute(f"UPDATE proxy SET direction = NULL WHERE version = 'published' AND name NOT IN ({known})")


def _replace_proxies(*, is_open: bool) -> None:
    """Make the table anew, with directions that may be unknown or not: no constraint can be dropped."""
    op.rename_table("proxy", "proxy_before")
    comment = "+1 if higher is better, -1 if lower is better" + ("; NULL if nobody said it" if is_open else "")
    op.create_table(
        "proxy",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("column", sa.String(), nullable=False, comment="its column in the wide views"),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=is_open, comment=comment),
        sa.Column("configuration", sa.String(), nullable=False, comment="JSON; {} is the default configuration"),
        sa.Column(
            "checkpoint_digest", sa.String(), nullable=True, comment="sha256 of the weights; NULL if it has none"
        ),
        sa.Column("description", sa.String(), nullable=False),
        sa.CheckConstraint("direction IN (-1, 1)"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO proxy BY NAME SELECT * REPLACE (coalesce(direction, 1) AS direction) FROM proxy_before")
    op.drop_table("proxy_before")


def downgrade() -> None:
    _replace_proxies(is_open=False)
    op.drop_table("wide_column")
    op.drop_table("measure")
