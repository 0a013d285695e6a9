"""Add what scoring, training and searching leave beside their scores: layers, learning curves, visited candidates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "score",
        sa.Column(
            "shared_from",
            sa.BigInteger(),
            nullable=True,
            comment="architecture.id that was measured in its place, because both compute the same function",
        ),
    )
    op.create_table(
        "layer_score",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False, comment="the architecture that was measured"),
        sa.Column("proxy_id", sa.Integer(), nullable=False),
        sa.Column("input", sa.String(), nullable=True, comment="as in score"),
        sa.Column("seed", sa.Integer(), nullable=True, comment="as in score"),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="place among the layers, from 0"),
        sa.Column("layer", sa.String(), nullable=False, comment="the layer's name in the network"),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
    )
    op.create_table(
        "training_curve",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=False, comment="train, valid, test"),
        sa.Column("epochs", sa.Integer(), nullable=False, comment="length of the whole training"),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="from 1"),
        sa.Column("value", sa.Double(), nullable=True, comment="accuracy in percent after this epoch"),
    )
    op.create_table(
        "search_visit",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("evaluation", sa.Integer(), nullable=False, comment="from 1, in the order of the search"),
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column("values", sa.ARRAY(sa.Double()), nullable=False, comment="one a score; NULL where it has none"),
        sa.Column("is_feasible", sa.Boolean(), nullable=False, comment="whether it keeps the constraints"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="since the search began"),
    )


def downgrade() -> None:
    for table in ("search_visit", "training_curve", "layer_score"):
        op.drop_table(table)
    op.drop_column("score", "shared_from")
