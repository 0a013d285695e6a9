"""Changes to a catalog that nobody but its own code should make, one of every kind; the doctor has to find each.

Each is one statement on a catalog with all of NAS-Bench-201, two sources of accuracies, published scores, scores of a
predictor with its training members, a layer, a training curve, a search and an attribute of a node.
"""

from __future__ import annotations

GRAPHS = {
    "a canonical edge is gone": "DELETE FROM edge WHERE architecture_id = 40 AND form = 'canonical' AND source = 0",
    "a native edge is gone": "DELETE FROM edge WHERE architecture_id = 40 AND form = 'native' AND source = 0",
    "an edge stands twice": "INSERT INTO edge SELECT * FROM edge WHERE architecture_id = 40",
    "an edge goes elsewhere": "UPDATE edge SET target = target + 1 WHERE architecture_id = 41 AND source = 0",
    "an edge counts no time": "UPDATE edge SET multiplicity = 0 WHERE architecture_id = 41",
    "all nodes are gone": "DELETE FROM node WHERE architecture_id = 42",
    "a node is gone": "DELETE FROM node WHERE architecture_id = 42 AND form = 'native' AND position = 2",
    "a node has another operator": (
        "UPDATE node SET operator = 'nor_conv_1x1' WHERE architecture_id = 43 AND operator LIKE '%3x3%'"
    ),
    "two architectures have each other's nodes": (
        "UPDATE node SET architecture_id = 44 + 45 - architecture_id WHERE architecture_id IN (44, 45)"
    ),
    "an attribute is changed": "UPDATE node_attribute SET parameters = 7",
    "an attribute of no node": (
        "INSERT INTO node_attribute (architecture_id, form, cell, position, parameters) "
        "VALUES (1, 'native', 'elsewhere', 1, 1)"
    ),
}

ARCHITECTURES = {
    "a digest": "UPDATE architecture SET canonical_digest = repeat('f', 32) WHERE id = 50",
    "two digests are exchanged": (
        "UPDATE architecture SET canonical_digest = other.digest FROM (SELECT 51 + 52 - id AS id, canonical_digest AS "
        "digest FROM architecture WHERE id IN (51, 52)) AS other WHERE architecture.id = other.id"
    ),
    "a native index": "UPDATE architecture SET native_index = 7 WHERE id = 50",
    "no native index": "UPDATE architecture SET native_index = NULL WHERE id = 50",
    "a native id": "UPDATE architecture SET native_id = native_id || '|' WHERE id = 50",
    "is_connected": "UPDATE architecture SET is_connected = NOT is_connected WHERE id = 50",
    "counts": "UPDATE architecture SET nodes = nodes + 1, edges = edges + 1, depth = depth + 1 WHERE id = 50",
    "operator counts": "UPDATE architecture SET operator_counts = MAP {'none': 5} WHERE id = 50",
    "live operator counts": "UPDATE architecture SET live_operator_counts = MAP {'none': 5} WHERE id = 50",
    "a representative": "UPDATE architecture SET canonical_id = id + 1 WHERE id = 50",
    "the largest represents": (
        "UPDATE architecture SET canonical_id = twin.last FROM (SELECT canonical_digest, max(id) AS last FROM "
        "architecture GROUP BY 1 HAVING count(*) > 2) AS twin WHERE architecture.canonical_digest = "
        "twin.canonical_digest"
    ),
    "one of an unknown space": "UPDATE architecture SET space = 'elsewhere' WHERE id = 50",
    "one is gone": "DELETE FROM architecture WHERE id = 50",
    "one too many": "INSERT INTO architecture SELECT * REPLACE (99999 AS id) FROM architecture WHERE id = 50",
}

NUMBERS = {
    "a metric is changed": "UPDATE metric SET value = value / 2 WHERE architecture_id = 61",
    "a metric is unknown now": "UPDATE metric SET value = NULL WHERE architecture_id = 61",
    "a metric is gone": "DELETE FROM metric WHERE architecture_id = 61 AND split = 'test'",
    "metrics stand twice": "INSERT INTO metric SELECT * FROM metric WHERE architecture_id < 60",
    "validation and test are exchanged": (
        "UPDATE metric SET split = CASE split WHEN 'valid' THEN 'test' ELSE 'valid' END"
    ),
    "a metric has another source": "UPDATE metric SET source_id = 2 WHERE architecture_id = 61",
    "a metric has another kind": "UPDATE metric SET kind = 'surrogate' WHERE architecture_id = 61",
    "a seed": "UPDATE metric SET seed = 5 WHERE architecture_id = 61",
    "a direction of a metric": "UPDATE measure SET direction = -1 WHERE name = 'accuracy'",
    "a measure is gone": "DELETE FROM measure WHERE name = 'accuracy'",
    "row count of a source": "UPDATE source SET row_count = row_count + 1",
    "digest of a source": "UPDATE source SET sha256 = repeat('0', 64) WHERE id = 1",
    "name of a source": "UPDATE source SET name = 'other' WHERE id = 1",
    "a source is gone": "DELETE FROM source WHERE id = 1",
    "a point of a curve": "UPDATE training_curve SET value = 99",
    "a curve is gone": "DELETE FROM training_curve",
}

SCORES = {
    "a structural score": "UPDATE score SET value = value + 1 WHERE architecture_id = 70 AND proxy_id = 1",
    "a score of nobody": "INSERT INTO score SELECT * REPLACE (999999 AS architecture_id) FROM score LIMIT 1",
    "all scores of a predictor are gone": "DELETE FROM score WHERE proxy_id = (SELECT max(id) FROM proxy)",
    "a status": "UPDATE score SET status = 'odd', value = NULL WHERE architecture_id = 70",
    "a score was shared": "UPDATE score SET shared_from = 2 WHERE architecture_id = 70",
    "a score is a source's": "UPDATE score SET source_id = 1 WHERE architecture_id = 70",
    "scores stand twice": "INSERT INTO score SELECT * FROM score WHERE architecture_id = 70",
    "the cost of a score": "UPDATE score SET seconds = 1e6 WHERE architecture_id = 70",
    "directions of proxies": "UPDATE proxy SET direction = -direction",
    "the column of a proxy": """UPDATE proxy SET "column" = 'odd' WHERE "column" = 'ours'""",
    "the version of a proxy": "UPDATE proxy SET version = 'odd' WHERE name = 'ours'",
    "the weights of a predictor": "UPDATE proxy SET checkpoint_digest = 'odd' WHERE name = 'ours'",
    "a proxy is gone": """DELETE FROM proxy WHERE "column" = 'depth'""",
    "a layer of no score": "UPDATE layer_score SET proxy_id = 1",
    "a layer of no run": "UPDATE layer_score SET run_id = 777",
    "a member of nothing": "INSERT INTO training_member VALUES (999, 999999)",
    "training members are gone": "DELETE FROM training_member",
    "a visit of no search": "UPDATE search_visit SET run_id = 1",
    "a visit is gone": "DELETE FROM search_visit",
    "a vector": "UPDATE operator_embedding SET vector = [0.0]",
}

REST = {
    "a space is gone": "DELETE FROM space",
    "the size of a space": "UPDATE space SET size = 5",
    "the name of a native id": "UPDATE space SET native_id_name = 'odd'",
    "an operator is gone": "DELETE FROM operator WHERE name = 'nor_conv_3x3'",
    "the kind of an operator": "UPDATE operator SET kind = 'pool' WHERE name = 'nor_conv_3x3'",
    "the words of an operator": "UPDATE operator SET short = 'odd' WHERE name = 'nor_conv_3x3'",
    "runs are gone": "DELETE FROM run",
    "how a run was started": "UPDATE run SET parameters = '{}' WHERE id = 1",
    "a table is gone": "DROP TABLE training_curve",
    "a column is gone": "ALTER TABLE metric DROP COLUMN device",
    "no seals": "DELETE FROM seal",
    "seals of a table are gone": "DELETE FROM seal WHERE subject = 'metric'",
    "a seal": "UPDATE seal SET value = '1' WHERE subject = 'metric'",
    "another version of the rules": "UPDATE seal SET value = '0' WHERE subject = 'version'",
}

VIEWS = {
    "a value": "UPDATE nb201 SET ours = 99 WHERE architecture_id = 80",
    "a column without values": "UPDATE nb201 SET cifar10_test_accuracy_mine = NULL",
    "a column is gone": "ALTER TABLE nb201 DROP COLUMN ours",
    "a column too many": "ALTER TABLE nb201 ADD COLUMN odd DOUBLE",
    "a row is gone": "DELETE FROM nb201 WHERE architecture_id = 80",
    "a row is another's": "UPDATE nb201 SET architecture_id = 81 WHERE architecture_id = 80",
    "another table": "CREATE OR REPLACE TABLE nb201 AS SELECT id AS architecture_id FROM architecture",
    "the view is gone": "DROP TABLE nb201",
    "what a column says of itself": "COMMENT ON COLUMN nb201.ours IS 'lower is better'",
    "a digest in the view": "UPDATE nb201 SET canonical_digest = 'odd' WHERE architecture_id = 80",
    "a column that is nobody's": "DELETE FROM wide_column WHERE name = 'ours'",
    "a column of another metric": "UPDATE wide_column SET metric = 'latency' WHERE metric = 'accuracy'",
}
