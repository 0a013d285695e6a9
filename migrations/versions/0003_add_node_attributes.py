"""Add what a traced network says of its nodes: shapes, windows, parameters, multiply-accumulates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "node_attribute",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.String(), nullable=False, comment="as in node; native, since contraction merges nodes"),
        sa.Column("cell", sa.String(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="node.position"),
        sa.Column(
            "name",
            sa.String(),
            nullable=True,
            comment="the node's name in the module or file, for example layer1.conv",
        ),
        sa.Column(
            "shape",
            sa.ARRAY(sa.BigInteger()),
            nullable=True,
            comment="of the output, batch first; NULL if not known in advance",
        ),
        sa.Column("kernel", sa.ARRAY(sa.Integer()), nullable=True, comment="window in pixels; NULL if it has none"),
        sa.Column("stride", sa.ARRAY(sa.Integer()), nullable=True, comment="of the window"),
        sa.Column("groups", sa.Integer(), nullable=True, comment="of a convolution: its input channels if depthwise"),
        sa.Column(
            "parameters",
            sa.BigInteger(),
            nullable=False,
            comment="trainable; a shared weight counts at its first node",
        ),
        sa.Column(
            "multiply_accumulates",
            sa.BigInteger(),
            nullable=True,
            comment="for the traced input; NULL if a shape is not known",
        ),
        sa.Column("settings", sa.String(), nullable=True, comment="further constants, as the source has them"),
    )


def downgrade() -> None:
    op.drop_table("node_attribute")
