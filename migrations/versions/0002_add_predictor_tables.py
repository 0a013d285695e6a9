"""Add what predictors leave behind: operator embeddings and the members of their training sets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator_embedding",
        sa.Column("operator", sa.String(), nullable=False, comment="operator.name"),
        sa.Column("space", sa.String(), nullable=False, comment="operator.space"),
        sa.Column("encoder", sa.String(), nullable=False, comment="model name and version"),
        sa.Column("style", sa.String(), nullable=False, comment="sentence style: short, medium, long"),
        sa.Column("vector", sa.ARRAY(sa.REAL()), nullable=False, comment="FLOAT[], unit length"),
        sa.PrimaryKeyConstraint("operator", "space", "encoder", "style"),
    )
    op.create_table(
        "training_member",
        sa.Column("proxy_id", sa.Integer(), nullable=False),
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("training_member")
    op.drop_table("operator_embedding")
