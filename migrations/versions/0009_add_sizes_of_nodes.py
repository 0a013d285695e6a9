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
    for column in _columns()["architecture"]:
        op.drop_column("architecture", column.name)
    # Made anew: until a transaction ends DuckDB holds deleted rows against NOT NULL, and no column can be altered so.
    names = "architecture_id, form, cell, position, name, shape, kernel, stride, groups, parameters"
    names += ", multiply_accumulates, settings"
    op.execute(
        f"CREATE TEMP TABLE traced AS SELECT {names} FROM node_attribute "
        "WHERE parameters IS NOT NULL AND name IS NOT NULL"
    )
    op.drop_table("node_attribute")
    op.create_table(
        "node_attribute",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("cell", sa.String(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="node.position"),
        sa.Column("name", sa.String(), comment="the node's name in the module or file, for example layer1.conv"),
        sa.Column(
            "shape", sa.ARRAY(sa.BigInteger()), comment="of the output, batch first; NULL if not known in advance"
        ),
        sa.Column("kernel", sa.ARRAY(sa.Integer()), comment="window in pixels; NULL if it has none"),
        sa.Column("stride", sa.ARRAY(sa.Integer()), comment="of the window"),
        sa.Column("groups", sa.Integer(), comment="of a convolution: its input channels if depthwise"),
        sa.Column("parameters", sa.BigInteger(), nullable=False),
        sa.Column("multiply_accumulates", sa.BigInteger()),
        sa.Column("settings", sa.String(), comment="further constants, as the source has them"),
    )
    op.execute(f"INSERT INTO node_attribute SELECT {names} FROM traced")
    op.execute("DROP TABLE traced")
    _say(0)
