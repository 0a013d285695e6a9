"""Add the seals: what proves that rows are those that the catalog wrote, and by which rules the others were derived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("subject", sa.String(), nullable=False, comment="a table; or version or hash, of the rules"),
        sa.Column("part", sa.String(), nullable=False, comment="the part of the table: see catalog doctor"),
        sa.Column("rows", sa.BigInteger(), nullable=True, comment="rows of the part; NULL for a rule"),
        sa.Column("value", sa.String(), nullable=False, comment="the sum of the rows' hashes; or the rule's version"),
    )


def downgrade() -> None:
    op.drop_table("seal")
