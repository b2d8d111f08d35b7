"""A slow engine of sentiment in the data root: what its seconds do not reach waits, and is not scored as anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assets.roots import Command, Root
from tests.fakes.transformer import LABELS, write_model

pytest.importorskip("onnx", reason="onnx, which the test makes a network with, is not installed")
pytest.importorskip("onnxruntime", reason="the extra `transformer` is not installed")
pytest.importorskip("tokenizers", reason="the extra `transformer` is not installed")

ASSET = "sentiment_scores"


def test_slow_engines_work_within_their_seconds_and_keep_what_they_read(
    prepared: tuple[Root, Command], tmp_path: Path
) -> None:
    root = prepared[0].copy(tmp_path / "data")
    texts = len(root.rows(ASSET))
    slow = {"SENTIMENT_ENGINE": "transformer", "SENTIMENT_MODEL": str(write_model(tmp_path / "weights", LABELS))}
    with root.worker() as worker:
        refused = worker.materialise(ASSET, env={"SENTIMENT_ENGINE": "transformer", "SENTIMENT_MODEL": ""})
        kept = {row["engine"] for row in root.rows(ASSET)}
        first = worker.materialise(ASSET, env=slow | {"SENTIMENT_SECONDS": "0.000001"})
        after_first = root.rows(ASSET)
        second = worker.materialise(ASSET, env={"SENTIMENT_SECONDS": "600"})
        after_second = root.rows(ASSET)
        third = worker.materialise(ASSET, env={"SENTIMENT_ENGINE": "textblob"})
        after_third = root.rows(ASSET)
        vectors = len(root.rows("text_vectors"))
        said = worker.said()

    assert not refused.success
    assert "name it in SENTIMENT_MODEL" in refused.failures[ASSET]
    assert kept == {"textblob"}

    made = first.materialised[ASSET][None]
    assert 0 < len(after_first) == made["new_texts"] < texts
    assert made["waiting"] == texts - len(after_first)
    assert {row["engine"] for row in after_first} == {"transformer"}
    assert any(line.startswith("  … transformer: ") and line.endswith(" wait") for line in said)

    assert second.materialised[ASSET][None]["waiting"] == 0
    assert second.materialised[ASSET][None]["new_texts"] == texts - len(after_first)
    assert len(after_second) == len({row["text_hash"] for row in after_second}) == texts == vectors

    assert {row["engine"] for row in after_third} == {"textblob"}
    assert third.materialised[ASSET][None]["waiting"] == 0
    assert not any(run.failed_checks() for run in (first, second, third))
