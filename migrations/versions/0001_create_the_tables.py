"""Create the tables of graphs, metrics and scores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from duckdb_sqlalchemy import Map

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="ingest, score, train, search, evaluate"),
        sa.Column("parameters", sa.String(), nullable=False, comment="JSON of the arguments"),
        sa.Column("versions", sa.String(), nullable=False, comment="JSON of package versions"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False, comment="running, done, failed, interrupted"),
        sa.Column("detail", sa.String(), nullable=True, comment="the error, or what was stored"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False, comment="short name, used as the suffix of wide columns"),
        sa.Column("kind", sa.String(), nullable=False, comment="the format's loader, for example nb201-table"),
        sa.Column("path", sa.String(), nullable=True, comment="file name as given at ingest, without its folder"),
        sa.Column(
            "sha256", sa.String(), nullable=True, comment="digest of the file's bytes; NULL for built-in sources"
        ),
        sa.Column("version", sa.String(), nullable=True, comment="version of the benchmark, for example v1.1"),
        sa.Column("licence", sa.String(), nullable=True),
        sa.Column("citation", sa.String(), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=False, comment="records read from the file"),
        sa.Column("ingested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="run.id of the ingest that brought it"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "space",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("native_id_name", sa.String(), nullable=False, comment="the native id's column in the wide view"),
        sa.Column(
            "size", sa.BigInteger(), nullable=True, comment="architectures in the whole space; NULL if not enumerable"
        ),
        sa.Column("citation", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "operator",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "space", sa.String(), nullable=False, comment="'*' for the built-in vocabulary that all spaces share"
        ),
        sa.Column(
            "kind",
            sa.String(),
            nullable=False,
            comment="input, output, conv, pool, skip, none, merge, other, or a user's family",
        ),
        sa.Column("kernel", sa.Integer(), nullable=True, comment="window edge in pixels"),
        sa.Column("dilation", sa.Integer(), nullable=True),
        sa.Column("depthwise", sa.Boolean(), nullable=False),
        sa.Column("has_weights", sa.Boolean(), nullable=False),
        sa.Column("short", sa.String(), nullable=False, comment="description, short sentence style"),
        sa.Column("medium", sa.String(), nullable=False, comment="description, medium sentence style"),
        sa.Column("long", sa.String(), nullable=False, comment="description, long sentence style"),
        sa.PrimaryKeyConstraint("name", "space"),
    )
    op.create_table(
        "architecture",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("native_id", sa.String(), nullable=False, comment="the benchmark's own identifier"),
        sa.Column(
            "native_index", sa.BigInteger(), nullable=True, comment="the benchmark's own number; NULL if it has none"
        ),
        sa.Column("canonical_digest", sa.String(), nullable=False, comment="32 hexadecimal digits, local to the space"),
        sa.Column(
            "canonical_id",
            sa.BigInteger(),
            nullable=False,
            comment="architecture.id of the representative of all that compute the same function",
        ),
        sa.Column(
            "is_connected", sa.Boolean(), nullable=False, comment="whether every cell has a path from input to output"
        ),
        sa.Column(
            "nodes", sa.Integer(), nullable=False, comment="nodes of the canonical form, inputs and output included"
        ),
        sa.Column(
            "edges", sa.Integer(), nullable=False, comment="edges of the canonical form, parallel ones counted once"
        ),
        sa.Column(
            "depth", sa.Integer(), nullable=False, comment="edges on the longest input-output path, summed over cells"
        ),
        sa.Column(
            "operator_counts",
            Map(sa.String(), sa.Integer()),
            nullable=False,
            comment="operator to number of nodes in the native form, inputs and output left out",
        ),
        sa.Column(
            "live_operator_counts",
            Map(sa.String(), sa.Integer()),
            nullable=False,
            comment="the same in the canonical form",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "node",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "form", sa.String(), nullable=False, comment="native, canonical, or both where the space's forms are equal"
        ),
        sa.Column("cell", sa.String(), nullable=False, comment="the cell's name, for example normal"),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="topological position in the cell, from 0"),
        sa.Column("operator", sa.String(), nullable=False, comment="operator.name"),
    )
    op.create_table(
        "edge",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "form", sa.String(), nullable=False, comment="native, canonical, or both where the space's forms are equal"
        ),
        sa.Column("cell", sa.String(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False, comment="node.position the data comes from"),
        sa.Column("target", sa.SmallInteger(), nullable=False, comment="node.position the data goes to"),
        sa.Column("multiplicity", sa.SmallInteger(), nullable=False, comment="parallel copies: 2 means x + x"),
    )
    op.create_table(
        "metric",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column(
            "name",
            sa.String(),
            nullable=False,
            comment="accuracy (percent), training_time (s), latency (ms), energy (mJ), ...",
        ),
        sa.Column("kind", sa.String(), nullable=False, comment="trained, surrogate, reported"),
        sa.Column(
            "dataset", sa.String(), nullable=True, comment="cifar10, cifar10-valid, cifar100, imagenet16-120, ..."
        ),
        sa.Column("split", sa.String(), nullable=True, comment="train, valid, test; NULL where it has no meaning"),
        sa.Column("epochs", sa.Integer(), nullable=True, comment="length of the training"),
        sa.Column("stage", sa.String(), nullable=True, comment="half or final; NULL where it has no meaning"),
        sa.Column("device", sa.String(), nullable=True, comment="hardware of a latency or energy"),
        sa.Column(
            "seed", sa.Integer(), nullable=True, comment="as the source names it; NULL if it does not, or for a mean"
        ),
        sa.Column(
            "repeat", sa.SmallInteger(), nullable=True, comment="ordinal of an unnamed seed, from 1; NULL for a mean"
        ),
        sa.Column("value", sa.Double(), nullable=True, comment="NULL where the source says unsupported"),
        sa.CheckConstraint("value IS NULL OR isfinite(value) AND (name != 'accuracy' OR value BETWEEN 0 AND 100)"),
    )
    op.create_table(
        "proxy",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("column", sa.String(), nullable=False, comment="its column in the wide views"),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column(
            "direction", sa.SmallInteger(), nullable=False, comment="+1 if higher is better, -1 if lower is better"
        ),
        sa.Column("configuration", sa.String(), nullable=False, comment="JSON; {} is the default configuration"),
        sa.Column(
            "checkpoint_digest", sa.String(), nullable=True, comment="sha256 of the weights; NULL if it has none"
        ),
        sa.Column("description", sa.String(), nullable=False),
        sa.CheckConstraint("direction IN (-1, 1)"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "score",
        sa.Column("architecture_id", sa.BigInteger(), nullable=False),
        sa.Column("proxy_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True, comment="a published score's source; NULL for our own"),
        sa.Column("input", sa.String(), nullable=True, comment="data that went in, for example cifar10; NULL if none"),
        sa.Column("seed", sa.Integer(), nullable=True, comment="NULL for a deterministic proxy"),
        sa.Column("value", sa.Double(), nullable=True, comment="NULL unless the status is ok"),
        sa.Column("status", sa.String(), nullable=False, comment="ok, failed, disconnected"),
        sa.Column("reason", sa.String(), nullable=True, comment="why there is no value"),
        sa.Column("seconds", sa.Double(), nullable=True, comment="cost of this one score; NULL if not measured"),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(status = 'ok') = (value IS NOT NULL AND isfinite(value))"),
    )


def downgrade() -> None:
    op.drop_table("score")
    op.drop_table("proxy")
    op.drop_table("metric")
    op.drop_table("edge")
    op.drop_table("node")
    op.drop_table("architecture")
    op.drop_table("operator")
    op.drop_table("space")
    op.drop_table("source")
    op.drop_table("run")
