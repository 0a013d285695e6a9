"""Add what is known of the sizes of nodes, and what a whole network takes and gives."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COMMENTS = {
    "run.kind": ("ingest, score, train, search, evaluate", "ingest, score, train, search, evaluate, upgrade"),
    "node_attribute.form": (
        "as in node; native, since contraction merges nodes",
        "as in node; a traced network has no row in canonical form",
    ),
    "node_attribute.parameters": (
        "trainable; a shared weight counts at its first node",
        "trainable, all repeats; a shared weight counts at its first node; NULL if not known",
    ),
    "node_attribute.multiply_accumulates": (
        "for the traced input; NULL if a shape is not known",
        "all repeats, for the input at hand; NULL if not known",
    ),
}


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "architecture": (
            sa.Column(
                "network_input",
                sa.String(),
                comment="JSON: what a whole network takes; NULL for the cells of a space and for traced networks",
            ),
            sa.Column(
                "classes", sa.Integer(), comment="of the classifier behind a whole network; NULL if none follows"
            ),
        ),
        "node_attribute": (
            sa.Column(
                "given",
                sa.String(),
                comment="JSON: what the source says of the node's size; of an output node: of its cell",
            ),
            sa.Column(
                "channels",
                sa.Double(),
                comment="of the output; in a cell space a multiple of the stage's width; NULL if not known",
            ),
            sa.Column("expansion", sa.Double(), comment="inner channels as a multiple of the input's"),
            sa.Column("heads", sa.Integer(), comment="of an attention"),
            sa.Column("mlp_ratio", sa.Double(), comment="inner width as a multiple of the input's"),
            sa.Column(
                "squeeze",
                sa.Double(),
                comment="inner width of squeeze-and-excitation as a multiple of the input's channels",
            ),
            sa.Column(
                "repeats",
                sa.Integer(),
                comment="applications in a row; of an output node: of its cell; NULL where nobody said it",
            ),
        ),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.execute("ALTER TABLE node_attribute ALTER COLUMN parameters DROP NOT NULL")
    _say(1)


def _say(version: int) -> None:
    for column, told in _COMMENTS.items():
        words = told[version].replace("'", "''")
        op.execute(f"COMMENT ON COLUMN {column} IS '{words}'")


def downgrade() -> None:
    op.execute("DELETE FROM node_attribute WHERE parameters IS NULL OR given IS NOT NULL")
    op.execute("ALTER TABLE node_attribute ALTER COLUMN parameters SET NOT NULL")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    _say(0)
