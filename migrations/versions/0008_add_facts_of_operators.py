"""Add what an operator counts as and how large its nodes are, so that no fact has to be read from a description."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SEPARABLE_TWICE = '{"expansion":1,"repeats":2}'
SEPARABLE = '{"expansion":1}'
BUILT_IN = {
    **dict.fromkeys(("conv3x3", "conv1x1", "nor_conv_1x1", "nor_conv_3x3"), ("conv", None)),
    **dict.fromkeys(("maxpool3x3", "max_pool_3x3"), ("max_pool", None)),
    "avg_pool_3x3": ("avg_pool", None),
    **dict.fromkeys(("sep_conv_3x3", "sep_conv_5x5"), ("depthwise_conv", SEPARABLE_TWICE)),
    **dict.fromkeys(("dil_conv_3x3", "dil_conv_5x5"), ("depthwise_conv", SEPARABLE)),
    "factorized_reduce": (None, '{"stride":2}'),
    "sum": ("sum", None),
    "concat": ("concat", None),
}
"""Facts of the built-in operators; a space that described one of them anew had to leave its facts as they are."""

WIDTHS = range(8, 65, 8)
"""Channels of the operators of NATS-Bench's size space; 64 are the width that the others are fractions of."""


def upgrade() -> None:
    op.add_column(
        "operator",
        sa.Column(
            "generic",
            sa.String(),
            nullable=True,
            comment="the generic operator that it counts as and is built as; NULL if nobody said it",
        ),
    )
    op.add_column(
        "operator",
        sa.Column(
            "size",
            sa.String(),
            nullable=True,
            comment="JSON: further facts of each node with it, for example groups; NULL if there are none",
        ),
    )
    columns = [sa.column(name, sa.String()) for name in ("name", "space", "generic", "size")]
    operator = sa.table("operator", *columns)
    for name, (generic, size) in BUILT_IN.items():
        op.execute(operator.update().where(operator.c.name == name).values(generic=generic, size=size))
    for width in WIDTHS:
        named = (operator.c.name == f"width_{width}") & (operator.c.space == "nats-sss")
        op.execute(operator.update().where(named).values(generic="conv", size=f'{{"channels":{width / 64:g}}}'))
    _forget_seals()


def downgrade() -> None:
    op.drop_column("operator", "size")
    op.drop_column("operator", "generic")
    _forget_seals()


def _forget_seals() -> None:
    """Rows of other columns have other hashes; ``catalog db upgrade`` seals the file as it then is."""
    op.execute("DELETE FROM seal WHERE subject != 'version'")
