"""Add what is known of metrics, their directions among it, and what the columns of the wide views show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


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
    # Every score that came with a file counted as better when higher; of these two the catalog knew better.
    op.execute("UPDATE proxy SET direction = -1 WHERE version = 'published' AND name IN ('ntk_cond', 'shortest_path')")


def downgrade() -> None:
    op.drop_table("wide_column")
    op.drop_table("measure")
