"""NDS's logs of the cell families besides DARTS: genotypes become graphs, and errors accuracies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import IngestError, UsageError
from catalog.spaces import genotype, nds
from catalog.storage.store import Store
from ingest.formats.choosing import nds_cells_loader
from ingest.formats.genotypes import Genotypes
from ingest.formats.nds_cells import NDSCells, family_in
from ingest.reading.job import ingest
from tests.ingest.formats.tables import metrics_of
from tests.ingest.formats.writers import nds_log


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("family", nds.FAMILIES)
def test_a_family_is_a_space_of_its_own(family, catalog_path, tmp_path):
    path = written(tmp_path / f"{family}.json", [nds_log(family), nds_log(family, 7.5)])
    with Store.open(catalog_path, mode="write") as catalog:
        report = ingest(catalog, nds_cells_loader(path), path)
        assert (report.source, report.space, report.records) == (f"nds_{family}", f"nds_{family}", 2)
        cells = catalog.rows("SELECT DISTINCT cell FROM node ORDER BY cell")
        found = catalog.rows("SELECT repeat, value FROM metric WHERE name = 'accuracy' ORDER BY repeat")
        used = {str(name) for (name,) in catalog.rows("SELECT DISTINCT operator FROM node WHERE form = 'native'")}
    assert cells == [("normal",), ("reduce",)]
    assert found == [(1, 93.5), (2, 92.5)]  # equal genotypes are repeats
    assert set(nds.FAMILIES[family][:10]) <= used


def test_the_network_s_size_stands_beside_it(tmp_path):
    path = written(tmp_path / "ENAS_in.json", {"top": [nds_log("enas", width=24)], "mid": [nds_log("enas", 9.0)]})
    found = metrics_of(nds_cells_loader(path).read(path))
    widths = found.filter(name="tuned_init_channels")["value"].to_list()
    assert widths == [24, 16]
    assert set(found.filter(name="tuned_accuracy")["dataset"]) == {"imagenet"}


def test_a_cell_s_graph(tmp_path):
    said = nds_log("enas")["net"]["genotype"]
    found = nds.graph_of(nds.parse(said, "enas"), nds.space_of("enas"))
    normal, reduce = found.cells
    assert (normal.node_count, reduce.reduction) == (19, True)  # 2 inputs, 5 nodes of 2 operators and a sum, 2 ends
    assert normal.operators.count("sum") == 5
    joined = normal.operators.index("concat")
    assert [source for source, target, _ in normal.edges if target == joined] == [4, 13, 16]
    assert found.is_connected


PAIRS = st.tuples(*[
    st.tuples(st.sampled_from(nds.FAMILIES["nasnet"]), st.integers(0, node - 1)) for node in range(2, 7) for _ in "ab"
])  # fmt: skip


@given(PAIRS, st.sets(st.integers(2, 6), min_size=1))
def test_exchanged_inputs_are_one_architecture(pairs, joined):
    turned = [pair for node in range(5) for pair in (pairs[2 * node + 1], pairs[2 * node])]
    one, other = (
        nds.parse({"normal": cell, "normal_concat": list(joined), "reduce": cell, "reduce_concat": [6]}, "nasnet")
        for cell in (pairs, turned)
    )
    assert str(one) == str(other)
    space = nds.space_of("nasnet")
    assert nds.graph_of(one, space).digest == nds.graph_of(other, space).digest


def _changed(**fields: Any) -> dict[str, Any]:
    log = nds_log("enas")
    log["net"]["genotype"] |= fields
    return log


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (nds_log("nasnet"), "node 2 of the normal cell has the operator 'conv_3x1_1x3'; allowed: skip_connect, "),
        (_changed(normal=[["sep_conv_3x3", 0]] * 8), "the normal cell has 8 (operator, predecessor) pairs; a"),
        (_changed(reduce=[["sep_conv_3x3", 2]] * 10), "of the reduce cell has the predecessor 2; allowed are 0 to 1"),
        (_changed(normal_concat=[7]), "normal_concat is [7]; allowed are the nodes [2, 3, 4, 5, 6]"),
        (_changed(reduce_concat=None), "reduce_concat is None"),
        ({**nds_log("enas"), "test_ep_top1": [50.0, 106.5]}, "test_ep_top1 is 106.5"),
        ({**nds_log("enas"), "net": {"width": 16, "depth": 20, "genotype": "Genotype()"}}, "the net is"),
    ],
)  # fmt: skip
def test_a_wrong_record_is_refused_by_its_place(entry, said, tmp_path, catalog_path):
    path = written(tmp_path / "ENAS.json", [nds_log("enas"), entry])
    with Store.open(catalog_path, mode="write") as catalog:
        with pytest.raises(IngestError) as error:
            ingest(catalog, nds_cells_loader(path), path)
        assert catalog.rows("SELECT count(*) FROM architecture") == [(0,)]
    assert "ENAS.json: entry 1" in str(error.value)
    assert said in str(error.value)
    assert "othing was stored" in str(error.value)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("NASNet.json", "nasnet"), ("Amoeba_in.json", "amoeba"), ("PNAS_fix-w-d.json", "pnas"),
        ("DARTS_lr-wd_in.json", "darts"), ("ENAS.json.gz", "enas"), ("nasnetlike.json", None), ("ResNet.json", None),
        ("my_enas.json", None),
    ],
)  # fmt: skip
def test_the_name_says_the_family(name, family):
    assert family_in(name) == family


def test_which_reader_a_file_needs(tmp_path):
    assert type(nds_cells_loader(tmp_path / "DARTS_in.json")) is Genotypes
    assert isinstance(nds_cells_loader(tmp_path / "PNAS.json"), NDSCells)
    assert type(nds_cells_loader(written(tmp_path / "mine.json", []))) is Genotypes
    for logs in ([nds_log("enas")], {"top": [nds_log("enas")], "mid": []}):
        with pytest.raises(UsageError, match=r"mine.json: its cells have five nodes.* nasnet, amoeba, pnas, enas"):
            nds_cells_loader(written(tmp_path / "mine.json", logs))
    with pytest.raises(IngestError, match="are JSON"):
        list(nds_cells_loader(tmp_path / "PNAS.csv").read(tmp_path / "PNAS.csv"))


def test_what_cannot_be_counted_is_said(tmp_path):
    path = written(tmp_path / "NASNet.json", [nds_log("nasnet")])
    notes = " ".join(note for batch in nds_cells_loader(path).read(path) for note in batch.notes)
    assert "conv_3x1_1x3 (kernel)" in notes
    assert "sep_conv" not in notes


def test_darts_genotypes_have_four_nodes_as_ever():
    with pytest.raises(genotype.ForeignGenotypeError, match="a DARTS cell has 8"):
        genotype.parse(nds_log("enas")["net"]["genotype"])
