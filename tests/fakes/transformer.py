"""A folder of weights as exports leave it, of a network with three numbers a word."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = {"[PAD]": [9, 9, 9], "[UNK]": [0, 2, 0], "honte": [5, 0, 0], "bravo": [0, 0, 5]}
LABELS = {"0": "negative", "1": "neutral", "2": "positive"}


def write_model(
    folder: Path, labels: dict[str, str], inputs: tuple[str, ...] = ("input_ids", "attention_mask")
) -> Path:
    """A folder as exports leave it: the logits of a text are the sums of its words' numbers, padding left out."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    table = np.array(list(WORDS.values()), np.float32)[:, : len(labels)]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["words"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["words", "column"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "tokens"], ["logits"], keepdims=0),
        ],
        "tone",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", len(labels)])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2], np.int64), "last"),
            numpy_helper.from_array(np.array([1], np.int64), "tokens"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    folder.mkdir(exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"id2label": labels, "pad_token_id": 0}), encoding="utf-8")
    return folder
