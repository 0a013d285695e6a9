"""Key operator embeddings by encoder digest, style and sentence: operators that share a sentence share its vector."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# The only encoder of files before this revision: what its name stood for.
NAME, DIGEST = "all-MiniLM-L6-v2", "c006c9485a9bef2b32fa4211f98d5bc526db0fde6c16cd541e38233f4eced8ea"

# What an encoder reads of an operator in each style.
SENTENCES = """
    SELECT name AS operator, space, style, coalesce(
        nullif(CASE style WHEN 'short' THEN short WHEN 'medium' THEN medium ELSE long END, ''),
        nullif(short, ''), replace(name, '_', ' ')) AS sentence
    FROM operator CROSS JOIN (SELECT unnest(['short', 'medium', 'long']) AS style)
"""


def upgrade() -> None:
    op.rename_table("operator_embedding", "operator_embedding_before")
    op.create_table(
        "operator_embedding",
        sa.Column("encoder", sa.String(), nullable=False, comment="sha256 of the encoder's files that decide vectors"),
        sa.Column("style", sa.String(), nullable=False, comment="sentence style: short, medium, long"),
        sa.Column("sentence", sa.String(), nullable=False, comment="operator.short, medium or long"),
        sa.Column(
            "vector", sa.ARRAY(sa.REAL()), nullable=False, comment="FLOAT[], unit length, as wide as the encoder's"
        ),
        sa.PrimaryKeyConstraint("encoder", "style", "sentence"),
    )
    op.execute(f"""
        INSERT INTO operator_embedding BY NAME
        SELECT DISTINCT ON (encoder, style, sentence)
            CASE encoder WHEN '{NAME}' THEN '{DIGEST}' ELSE encoder END AS encoder, style, sentence, vector
        FROM operator_embedding_before JOIN ({SENTENCES}) USING (operator, space, style)
        ORDER BY encoder, style, sentence, space, operator
    """)
    op.drop_table("operator_embedding_before")


def downgrade() -> None:
    op.rename_table("operator_embedding", "operator_embedding_after")
    op.create_table(
        "operator_embedding",
        sa.Column("operator", sa.String(), nullable=False, comment="operator.name"),
        sa.Column("space", sa.String(), nullable=False, comment="operator.space"),
        sa.Column("encoder", sa.String(), nullable=False, comment="model name and version"),
        sa.Column("style", sa.String(), nullable=False, comment="sentence style: short, medium, long"),
        sa.Column("vector", sa.ARRAY(sa.REAL()), nullable=False, comment="FLOAT[], unit length"),
        sa.PrimaryKeyConstraint("operator", "space", "encoder", "style"),
    )
    op.execute(f"""
        INSERT INTO operator_embedding BY NAME
        SELECT operator, space, CASE encoder WHEN '{DIGEST}' THEN '{NAME}' ELSE encoder END AS encoder, style, vector
        FROM operator_embedding_after JOIN ({SENTENCES}) USING (style, sentence)
    """)
    op.drop_table("operator_embedding_after")
