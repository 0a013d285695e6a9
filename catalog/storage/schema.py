"""The tables of a catalog file. Their names are the interface: users write SQL against them."""

from __future__ import annotations

import datetime

from duckdb_sqlalchemy.datatypes import Map
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all table models.

    References between tables are named in comments and checked by ``catalog doctor``: in DuckDB a foreign key can
    never be dropped, and it bars every later change of both tables.
    """

    metadata = MetaData()


class Source(Base):
    """One file or publication that numbers came from."""

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String, comment="short name, used as the suffix of wide columns")
    kind: Mapped[str] = mapped_column(String, comment="the format's loader, for example nb201-table")
    path: Mapped[str | None] = mapped_column(String, comment="file name as given at ingest, without its folder")
    sha256: Mapped[str | None] = mapped_column(String, comment="digest of the file's bytes; NULL for built-in sources")
    version: Mapped[str | None] = mapped_column(String, comment="version of the benchmark, for example v1.1")
    licence: Mapped[str | None] = mapped_column(String)
    citation: Mapped[str | None] = mapped_column(String)
    row_count: Mapped[int] = mapped_column(BigInteger, comment="records read from the file")
    ingested_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    run_id: Mapped[int] = mapped_column(Integer, comment="run.id of the ingest that brought it")


class Space(Base):
    """One search space."""

    __tablename__ = "space"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    description: Mapped[str] = mapped_column(String)
    native_id_name: Mapped[str] = mapped_column(String, comment="the native id's column in the wide view")
    size: Mapped[int | None] = mapped_column(
        BigInteger, comment="architectures in the whole space; NULL if not enumerable"
    )
    citation: Mapped[str | None] = mapped_column(String)
    definition: Mapped[str | None] = mapped_column(
        String, comment="TOML: what a user's staged space is made of; NULL for all others"
    )


class Operator(Base):
    """One operator that nodes can carry, as one space means it."""

    __tablename__ = "operator"
    __table_args__ = (PrimaryKeyConstraint("name", "space"),)

    name: Mapped[str] = mapped_column(String)
    space: Mapped[str] = mapped_column(String, comment="'*' for the built-in vocabulary that all spaces share")
    kind: Mapped[str] = mapped_column(
        String, comment="input, output, conv, pool, skip, none, merge, other, or a user's family"
    )
    kernel: Mapped[int | None] = mapped_column(Integer, comment="window edge in pixels")
    dilation: Mapped[int | None] = mapped_column(Integer)
    depthwise: Mapped[bool] = mapped_column(Boolean)
    has_weights: Mapped[bool] = mapped_column(Boolean)
    short: Mapped[str] = mapped_column(String, comment="description, short sentence style")
    medium: Mapped[str] = mapped_column(String, comment="description, medium sentence style")
    long: Mapped[str] = mapped_column(String, comment="description, long sentence style")
    generic: Mapped[str | None] = mapped_column(
        String, comment="the generic operator that it counts as and is built as; NULL if nobody said it"
    )
    size: Mapped[str | None] = mapped_column(
        String, comment="JSON: further facts of each node with it, for example groups; NULL if there are none"
    )


class Architecture(Base):
    """One architecture of one space. Cells that compute the same function share `canonical_digest`."""

    __tablename__ = "architecture"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    space: Mapped[str] = mapped_column(String)
    native_id: Mapped[str] = mapped_column(String, comment="the benchmark's own identifier")
    native_index: Mapped[int | None] = mapped_column(
        BigInteger, comment="the benchmark's own number; NULL if it has none"
    )
    canonical_digest: Mapped[str] = mapped_column(String, comment="32 hexadecimal digits, local to the space")
    canonical_id: Mapped[int] = mapped_column(
        BigInteger, comment="architecture.id of the representative of all that compute the same function"
    )
    is_connected: Mapped[bool] = mapped_column(Boolean, comment="whether every cell has a path from input to output")
    nodes: Mapped[int] = mapped_column(Integer, comment="nodes of the canonical form, inputs and output included")
    edges: Mapped[int] = mapped_column(Integer, comment="edges of the canonical form, parallel ones counted once")
    depth: Mapped[int] = mapped_column(Integer, comment="edges on the longest input-output path, summed over cells")
    operator_counts: Mapped[dict[str, int]] = mapped_column(
        Map(String, Integer), comment="operator to number of nodes in the native form, inputs and output left out"
    )
    live_operator_counts: Mapped[dict[str, int]] = mapped_column(
        Map(String, Integer), comment="the same in the canonical form"
    )
    network_input: Mapped[str | None] = mapped_column(
        String, comment="JSON: what a whole network takes; NULL for the cells of a space and for traced networks"
    )
    classes: Mapped[int | None] = mapped_column(
        Integer, comment="of the classifier behind a whole network; NULL if none follows"
    )


class Node(Base):
    """One node of one cell in one form; no keys, because they quadruple the file."""

    __tablename__ = "node"
    __mapper_args__ = {"primary_key": ["architecture_id", "form", "cell", "position"]}  # noqa: RUF012

    architecture_id: Mapped[int] = mapped_column(BigInteger)
    form: Mapped[str] = mapped_column(String, comment="native, canonical, or both where the space's forms are equal")
    cell: Mapped[str] = mapped_column(String, comment="the cell's name, for example normal")
    position: Mapped[int] = mapped_column(SmallInteger, comment="topological position in the cell, from 0")
    operator: Mapped[str] = mapped_column(String, comment="operator.name")


class Edge(Base):
    """One data-flow edge between two nodes of one cell in one form."""

    __tablename__ = "edge"
    __mapper_args__ = {"primary_key": ["architecture_id", "form", "cell", "source", "target"]}  # noqa: RUF012

    architecture_id: Mapped[int] = mapped_column(BigInteger)
    form: Mapped[str] = mapped_column(String, comment="native, canonical, or both where the space's forms are equal")
    cell: Mapped[str] = mapped_column(String)
    source: Mapped[int] = mapped_column(SmallInteger, comment="node.position the data comes from")
    target: Mapped[int] = mapped_column(SmallInteger, comment="node.position the data goes to")
    multiplicity: Mapped[int] = mapped_column(SmallInteger, comment="parallel copies: 2 means x + x")


class NodeAttribute(Base):
    """What one node is beyond its operator: how large it is, its place in a traced network, its shape and its cost."""

    __tablename__ = "node_attribute"
    __mapper_args__ = {"primary_key": ["architecture_id", "form", "cell", "position"]}  # noqa: RUF012

    architecture_id: Mapped[int] = mapped_column(BigInteger)
    form: Mapped[str] = mapped_column(String, comment="as in node; a traced network has no row in canonical form")
    cell: Mapped[str] = mapped_column(String)
    position: Mapped[int] = mapped_column(SmallInteger, comment="node.position")
    name: Mapped[str | None] = mapped_column(
        String, comment="the node's name in the module or file, for example layer1.conv"
    )
    shape: Mapped[list[int] | None] = mapped_column(
        ARRAY(BigInteger), comment="of the output, batch first; NULL if not known in advance"
    )
    kernel: Mapped[list[int] | None] = mapped_column(ARRAY(Integer), comment="window in pixels; NULL if it has none")
    stride: Mapped[list[int] | None] = mapped_column(ARRAY(Integer), comment="of the window")
    groups: Mapped[int | None] = mapped_column(Integer, comment="of a convolution: its input channels if depthwise")
    parameters: Mapped[int | None] = mapped_column(
        BigInteger, comment="trainable, all repeats; a shared weight counts at its first node; NULL if not known"
    )
    multiply_accumulates: Mapped[int | None] = mapped_column(
        BigInteger, comment="all repeats, for the input at hand; NULL if not known"
    )
    settings: Mapped[str | None] = mapped_column(String, comment="further constants, as the source has them")
    given: Mapped[str | None] = mapped_column(
        String, comment="JSON: what the source says of the node's size; of an output node: of its cell"
    )
    channels: Mapped[float | None] = mapped_column(
        Double, comment="of the output; in a cell space a multiple of the stage's width; NULL if not known"
    )
    expansion: Mapped[float | None] = mapped_column(Double, comment="inner channels as a multiple of the input's")
    heads: Mapped[int | None] = mapped_column(Integer, comment="of an attention")
    mlp_ratio: Mapped[float | None] = mapped_column(Double, comment="inner width as a multiple of the input's")
    squeeze: Mapped[float | None] = mapped_column(
        Double, comment="inner width of squeeze-and-excitation as a multiple of the input's channels"
    )
    repeats: Mapped[int | None] = mapped_column(
        Integer, comment="applications in a row; of an output node: of its cell; NULL where nobody said it"
    )


class Metric(Base):
    """One number that a source gives for one architecture. Nothing is imputed, nothing chosen at random."""

    __tablename__ = "metric"
    __table_args__ = (
        CheckConstraint("value IS NULL OR isfinite(value) AND (name != 'accuracy' OR value BETWEEN 0 AND 100)"),
    )
    __mapper_args__ = {  # noqa: RUF012
        "primary_key": [
            *("architecture_id", "source_id", "name", "dataset", "split", "epochs"),
            *("stage", "device", "repeat"),
        ]
    }

    architecture_id: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(
        String, comment="accuracy (percent), training_time (s), latency (ms), energy (mJ), ..."
    )
    kind: Mapped[str] = mapped_column(String, comment="trained, surrogate, reported, supernet")
    dataset: Mapped[str | None] = mapped_column(String, comment="cifar10, cifar10-valid, cifar100, imagenet16-120, ...")
    split: Mapped[str | None] = mapped_column(String, comment="train, valid, test; NULL where it has no meaning")
    epochs: Mapped[int | None] = mapped_column(Integer, comment="length of the training")
    stage: Mapped[str | None] = mapped_column(String, comment="half or final; NULL where it has no meaning")
    device: Mapped[str | None] = mapped_column(String, comment="hardware of a latency or energy")
    seed: Mapped[int | None] = mapped_column(
        Integer, comment="as the source names it; NULL if it does not, or for a mean"
    )
    repeat: Mapped[int | None] = mapped_column(
        SmallInteger, comment="ordinal of an unnamed seed, from 1; NULL for a mean"
    )
    value: Mapped[float | None] = mapped_column(Double, comment="NULL where the source says unsupported")


class Measure(Base):
    """What the values of one metric mean: the one place where it is known whether high is good."""

    __tablename__ = "measure"
    __table_args__ = (CheckConstraint("direction IN (-1, 0, 1)"),)

    name: Mapped[str] = mapped_column(String, primary_key=True, comment="metric.name")
    unit: Mapped[str | None] = mapped_column(String, comment="of its values; NULL for a plain number")
    direction: Mapped[int | None] = mapped_column(
        SmallInteger,
        comment="+1 if higher is better, -1 if lower is better, 0 for a setting; NULL if nobody said it",
    )


class WideColumn(Base):
    """What a column of a wide view shows; derived, and written with the view."""

    __tablename__ = "wide_column"
    __mapper_args__ = {"primary_key": ["space", "name", "metric", "proxy_id"]}  # noqa: RUF012

    space: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(String, comment="the column")
    metric: Mapped[str | None] = mapped_column(String, comment="metric.name; NULL unless it shows a metric")
    proxy_id: Mapped[int | None] = mapped_column(Integer, comment="proxy.id; NULL unless it shows a proxy's scores")


class Proxy(Base):
    """One proxy or predictor in one version and configuration."""

    __tablename__ = "proxy"
    __table_args__ = (CheckConstraint("direction IN (-1, 1)"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String)
    column: Mapped[str] = mapped_column(String, comment="its column in the wide views")
    version: Mapped[str] = mapped_column(String)
    direction: Mapped[int | None] = mapped_column(
        SmallInteger, comment="+1 if higher is better, -1 if lower is better; NULL if nobody said it"
    )
    configuration: Mapped[str] = mapped_column(String, comment="JSON; {} is the default configuration")
    checkpoint_digest: Mapped[str | None] = mapped_column(String, comment="sha256 of the weights; NULL if it has none")
    description: Mapped[str] = mapped_column(String)


class Score(Base):
    """One score of one proxy for one architecture on one input with one seed. A failed score is NULL with a status."""

    __tablename__ = "score"
    __table_args__ = (CheckConstraint("(status = 'ok') = (value IS NOT NULL AND isfinite(value))"),)
    __mapper_args__ = {"primary_key": ["architecture_id", "proxy_id", "source_id", "input", "seed"]}  # noqa: RUF012

    architecture_id: Mapped[int] = mapped_column(BigInteger)
    proxy_id: Mapped[int] = mapped_column(Integer)
    source_id: Mapped[int | None] = mapped_column(Integer, comment="a published score's source; NULL for our own")
    input: Mapped[str | None] = mapped_column(String, comment="data that went in, for example cifar10; NULL if none")
    seed: Mapped[int | None] = mapped_column(Integer, comment="NULL for a deterministic proxy")
    value: Mapped[float | None] = mapped_column(Double, comment="NULL unless the status is ok")
    status: Mapped[str] = mapped_column(String, comment="ok, failed, disconnected")
    reason: Mapped[str | None] = mapped_column(String, comment="why there is no value")
    seconds: Mapped[float | None] = mapped_column(Double, comment="cost of this one score; NULL if not measured")
    run_id: Mapped[int] = mapped_column(Integer)
    shared_from: Mapped[int | None] = mapped_column(
        BigInteger, comment="architecture.id that was measured in its place, because both compute the same function"
    )


class LayerScore(Base):
    """One layer's value of one proxy, kept on request: what a predictor of node-wise statistics learns from."""

    __tablename__ = "layer_score"
    __mapper_args__ = {"primary_key": ["architecture_id", "proxy_id", "input", "seed", "position"]}  # noqa: RUF012

    architecture_id: Mapped[int] = mapped_column(BigInteger, comment="the architecture that was measured")
    proxy_id: Mapped[int] = mapped_column(Integer)
    input: Mapped[str | None] = mapped_column(String, comment="as in score")
    seed: Mapped[int | None] = mapped_column(Integer, comment="as in score")
    position: Mapped[int] = mapped_column(SmallInteger, comment="place among the layers, from 0")
    layer: Mapped[str] = mapped_column(String, comment="the layer's name in the network")
    value: Mapped[float | None] = mapped_column(
        Double, comment="natural logarithm for synflow; NULL where a layer has no value"
    )
    run_id: Mapped[int] = mapped_column(Integer)
    role: Mapped[str | None] = mapped_column(
        String,
        comment="stem, preprocessing, projection, operator, narrowing, reduction, head, classifier; NULL if an earlier "
        "version measured it",
    )
    stage: Mapped[int | None] = mapped_column(SmallInteger, comment="from 0; NULL outside of all stages")
    repetition: Mapped[int | None] = mapped_column(
        SmallInteger, comment="which of its stage's cells, from 0; NULL outside of all cells"
    )
    cell: Mapped[str | None] = mapped_column(String, comment="node.cell; NULL outside of all cells")
    node: Mapped[int | None] = mapped_column(
        SmallInteger, comment="node.position in native form; NULL if it belongs to no node"
    )
    operator: Mapped[str | None] = mapped_column(
        String, comment="node.operator in native form; NULL unless the layer is part of it"
    )
    parameters: Mapped[int | None] = mapped_column(
        BigInteger, comment="entries of its weight, which the value is of, without bias; 0 for an activation"
    )


class TrainingCurve(Base):
    """One epoch of one training of our own; its final accuracy is a row of metric."""

    __tablename__ = "training_curve"
    __mapper_args__ = {  # noqa: RUF012
        "primary_key": ["architecture_id", "source_id", "dataset", "split", "epochs", "seed", "epoch"]
    }

    architecture_id: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[int] = mapped_column(Integer)
    dataset: Mapped[str] = mapped_column(String)
    split: Mapped[str] = mapped_column(String, comment="train, valid, test")
    epochs: Mapped[int] = mapped_column(Integer, comment="length of the whole training")
    seed: Mapped[int] = mapped_column(Integer)
    epoch: Mapped[int] = mapped_column(Integer, comment="from 1")
    value: Mapped[float | None] = mapped_column(Double, comment="accuracy in percent after this epoch")


class SearchVisit(Base):
    """One candidate that one search evaluated; the any-time curve of the search is read from here."""

    __tablename__ = "search_visit"
    __mapper_args__ = {"primary_key": ["run_id", "evaluation"]}  # noqa: RUF012

    run_id: Mapped[int] = mapped_column(Integer)
    evaluation: Mapped[int] = mapped_column(Integer, comment="from 1, in the order of the search")
    architecture_id: Mapped[int] = mapped_column(BigInteger)
    values: Mapped[list[float | None]] = mapped_column(ARRAY(Double), comment="one a score; NULL where it has none")
    is_feasible: Mapped[bool] = mapped_column(Boolean, comment="whether it keeps the constraints")
    seconds: Mapped[float] = mapped_column(Double, comment="since the search began")


class OperatorEmbedding(Base):
    """One sentence that describes operators as one encoder sees it; computed once and read by every later scoring."""

    __tablename__ = "operator_embedding"
    __table_args__ = (PrimaryKeyConstraint("encoder", "style", "sentence"),)

    encoder: Mapped[str] = mapped_column(String, comment="sha256 of the encoder's files that decide vectors")
    style: Mapped[str] = mapped_column(String, comment="sentence style: short, medium, long")
    sentence: Mapped[str] = mapped_column(String, comment="operator.short, medium or long")
    vector: Mapped[list[float]] = mapped_column(ARRAY(REAL), comment="FLOAT[], unit length, as wide as the encoder's")


class TrainingMember(Base):
    """One architecture that one predictor was trained on, so that a report can leave it out by a join."""

    __tablename__ = "training_member"
    __mapper_args__ = {"primary_key": ["proxy_id", "architecture_id"]}  # noqa: RUF012

    proxy_id: Mapped[int] = mapped_column(Integer)
    architecture_id: Mapped[int] = mapped_column(BigInteger)


class Run(Base):
    """One ingest, score, train, search or upgrade, with how it was started and how it ended."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String, comment="ingest, score, train, search, evaluate, upgrade")
    parameters: Mapped[str] = mapped_column(String, comment="JSON of the arguments")
    versions: Mapped[str] = mapped_column(String, comment="JSON of package versions")
    started_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str] = mapped_column(String, comment="running, done, failed, interrupted")
    detail: Mapped[str | None] = mapped_column(String, comment="the error, or what was stored")


class Seal(Base):
    """What proves one part of a table, or one rule by which rows were derived; kept with every change."""

    __tablename__ = "seal"
    __mapper_args__ = {"primary_key": ["subject", "part"]}  # noqa: RUF012

    subject: Mapped[str] = mapped_column(String, comment="a table; or version or hash, of the rules")
    part: Mapped[str] = mapped_column(String, comment="the part of the table: see catalog doctor")
    rows: Mapped[int | None] = mapped_column(BigInteger, comment="rows of the part; NULL for a rule")
    value: Mapped[str] = mapped_column(String, comment="the sum of the rows' hashes; or the rule's version")


TABLES: tuple[str, ...] = tuple(table.name for table in Base.metadata.sorted_tables)
