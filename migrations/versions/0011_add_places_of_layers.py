"""Add where a layer stands; a layer may have no value, and synflow's layers are logarithms, as they overflow floats."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COMMENT = "natural logarithm for synflow; NULL where a layer has no value"
_OLD = "architecture_id, proxy_id, input, seed, position, layer, value, run_id"
_SYNFLOW = "proxy_id IN (SELECT id FROM proxy WHERE name = 'synflow')"


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(
            "role",
            sa.String(),
            comment="stem, preprocessing, projection, operator, narrowing, reduction, head, classifier; NULL if an "
            "earlier version measured it",
        ),
        sa.Column("stage", sa.SmallInteger(), comment="from 0; NULL outside of all stages"),
        sa.Column(
            "repetition", sa.SmallInteger(), comment="which of its stage's cells, from 0; NULL outside of all cells"
        ),
        sa.Column("cell", sa.String(), comment="node.cell; NULL outside of all cells"),
        sa.Column("node", sa.SmallInteger(), comment="node.position in native form; NULL if it belongs to no node"),
        sa.Column("operator", sa.String(), comment="node.operator in native form; NULL unless the layer is part of it"),
        sa.Column(
            "parameters",
            sa.BigInteger(),
            comment="entries of its weight, which the value is of, without bias; 0 for an activation",
        ),
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("layer_score", column)
    op.execute("ALTER TABLE layer_score ALTER COLUMN value DROP NOT NULL")
    op.execute(f"COMMENT ON COLUMN layer_score.value IS '{_COMMENT}'")
    op.execute("UPDATE layer_score SET value = NULL WHERE NOT isfinite(value)")  # synflow's overflowed
    op.execute(f"UPDATE layer_score SET value = CASE WHEN value > 0 THEN ln(value) END WHERE {_SYNFLOW}")
    _forget_seals()


def downgrade() -> None:
    # Made anew: until a transaction ends DuckDB holds deleted rows against NOT NULL, and no column can be altered so.
    value = f"CASE WHEN {_SYNFLOW} THEN exp(value) ELSE value END AS value"
    op.execute(
        f"CREATE TEMP TABLE valued AS SELECT * REPLACE ({value}) "
        f"FROM (SELECT {_OLD} FROM layer_score) WHERE value IS NOT NULL"
    )
    op.drop_table("layer_score")
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
    op.execute(f"INSERT INTO layer_score SELECT {_OLD} FROM valued")
    op.execute("DROP TABLE valued")
    _forget_seals()


def _forget_seals() -> None:
    """Rows of other columns have other hashes; ``catalog db upgrade`` seals the file as it then is."""
    op.execute("DELETE FROM seal WHERE subject != 'version'")
