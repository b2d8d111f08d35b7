"""The engine `transformer`: a classifier from a local folder of weights, in ONNX.

onnxruntime and tokenizers read it in 31 MB of packages; torch and transformers would be 2 GB. Nothing is downloaded:
`SENTIMENT_MODEL` names the folder, laid out as `optimum-cli export onnx --task text-classification` writes it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from election_assets.transforms.sentiment import prepared
from election_assets.transforms.sentiment.engines import LABELS, NOT_SCORED, EngineError, Score
from election_assets.transforms.sentiment.prepared import prepare, says_something
from election_assets.transforms.sentiment.versions import checksum

if TYPE_CHECKING:
    import numpy as np

SETTING = "SENTIMENT_MODEL"
CONFIG, TOKENIZER = "config.json", "tokenizer.json"
WEIGHTS = ("model.onnx", "onnx/model.onnx")
"""Where exports put the weights; the first that is there is read."""

BATCH = 32
TOKENS = 256
"""Tokens of a text that are read at most: a tweet has about 60."""

_STARS = {"1 star": 0, "2 stars": 0, "3 stars": 1, "4 stars": 2, "5 stars": 2}
_MEANINGS = {
    **_STARS,
    **dict.fromkeys(("negative", "neg", "négatif", "negatif"), 0),
    **dict.fromkeys(("neutral", "neu", "neutre", "mixed"), 1),
    **dict.fromkeys(("positive", "pos", "positif"), 2),
}
"""Index in `LABELS` by a label of config.json, in lower case."""


class ModelFolderError(EngineError):
    """The folder of weights cannot serve; the message says why and what to do."""


class TransformerEngine:
    """Scores with the network in a folder.

    Attributes:
        folder: Holds config.json (with `id2label`), tokenizer.json, and model.onnx or onnx/model.onnx.

    Raises:
        ModelFolderError: From everything that needs the folder, where it lacks a file or one does not fit.
        EngineError: Where onnxruntime or tokenizers is not installed.
    """

    name = "transformer"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getstate__(self) -> dict[str, object]:
        # What is loaded stays in its process.
        return {"folder": self.folder}

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> TransformerEngine:
        """The engine with the folder that `SENTIMENT_MODEL` names.

        Raises:
            ModelFolderError: If it names none.
        """
        folder = env.get(SETTING, "").strip()
        if not folder:
            raise ModelFolderError(
                f"SENTIMENT_ENGINE=transformer needs a folder of weights: name it in {SETTING}, or choose"
                " SENTIMENT_ENGINE=embedding or textblob."
            )
        return cls(Path(folder))

    @cached_property
    def model(self) -> str:
        """Of all that a text's shares depend on: the folder, the packages, the text as it is read, and this file."""
        digest = sha256()
        for file in (self._file(CONFIG), self._file(TOKENIZER), self._weights):
            with file.open("rb") as content:
                digest.update(file_digest(content, "sha256").digest())
        packages = ", ".join(f"{package} {_version(package)}" for package in ("onnxruntime", "tokenizers"))
        code = checksum([prepared, sys.modules[__name__]])
        return f"{self.folder.name} {digest.hexdigest()[:12]}, {packages}, code {code}"

    @property
    def version(self) -> str:
        """Of everything that a score depends on."""
        return self.model

    def score(self, texts: Sequence[str]) -> list[Score]:
        """The tone of each text."""
        return self.decide(texts, self.encode(texts))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The probability of each of `LABELS`, a row a text; those of labels that mean the same are added."""
        import numpy as np

        shares = np.zeros((len(texts), len(LABELS)), np.float32)
        prepared = [prepare(text) for text in texts]
        # Texts of like length share a batch: a short one costs no more than it must.
        order = sorted(range(len(texts)), key=lambda index: len(prepared[index]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            shares[rows] = self._batch([prepared[row] for row in rows])
        return shares

    def decide(self, texts: Sequence[str], vectors: np.ndarray) -> list[Score]:
        """The tone of each text, given what `encode` made of it; without a coverage, for it has no lexicon."""
        return [
            Score(float(share[2] - share[0]), float(1 - share[1]), LABELS[int(share.argmax())], None)
            if says_something(prepare(text))
            else NOT_SCORED
            for text, share in zip(texts, vectors, strict=True)
        ]

    def _batch(self, texts: list[str]) -> np.ndarray:
        import numpy as np

        encoded = self._tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": [text.ids for text in encoded],
            "attention_mask": [text.attention_mask for text in encoded],
            "token_type_ids": [text.type_ids for text in encoded],
        }
        wanted = [given.name for given in self._session.get_inputs()]
        logits = self._session.run(None, {name: np.array(inputs[name], np.int64) for name in wanted})[0]
        if logits.shape != (len(texts), len(self._meanings)):
            raise ModelFolderError(
                f"{self._weights}: the network gives {list(logits.shape)} numbers for {len(texts)} texts and"
                f" {len(self._meanings)} labels; export it for text classification."
            )
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        merged = np.zeros((len(texts), len(LABELS)), np.float32)
        for column, meaning in enumerate(self._meanings):
            merged[:, meaning] += shares[:, column]
        return merged

    @cached_property
    def _config(self) -> dict[str, Any]:
        file = self._file(CONFIG)
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ModelFolderError(f"{file}: no JSON: {error}") from error
        if not isinstance(config, dict):
            raise ModelFolderError(f"{file}: no JSON object.")
        return config

    @cached_property
    def _meanings(self) -> list[int]:
        """For each output of the network, the index in `LABELS`."""
        file = self._file(CONFIG)
        try:
            named = self._config["id2label"]
            labels = [str(named[str(index)]) for index in range(len(named))]
        except (KeyError, TypeError) as error:
            raise ModelFolderError(f'{file}: no usable "id2label", such as {{"0": "negative", ...}}.') from error
        unknown = [label for label in labels if label.lower() not in _MEANINGS]
        if unknown:
            raise ModelFolderError(
                f"{file}: the label {', '.join(unknown)} in id2label says neither negative, neutral nor positive;"
                " write there what it means."
            )
        return [_MEANINGS[label.lower()] for label in labels]

    @cached_property
    def _weights(self) -> Path:
        for name in WEIGHTS:
            if (self.folder / name).is_file():
                return self.folder / name
        return self._file(WEIGHTS[0])

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise _not_installed(error) from error
        file = self._file(TOKENIZER)
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:
            raise ModelFolderError(f"{file}: not a tokenizer of the tokenizers package: {error}") from error
        pad = int(self._config.get("pad_token_id") or 0)
        tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad) or "[PAD]")
        tokenizer.enable_truncation(TOKENS)
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise _not_installed(error) from error
        try:
            session = onnxruntime.InferenceSession(str(self._weights), providers=["CPUExecutionProvider"])
        except ModelFolderError:
            raise
        except Exception as error:
            raise ModelFolderError(f"{self._weights}: onnxruntime cannot read it: {error}") from error
        known = {"input_ids", "attention_mask", "token_type_ids"}
        asked = {given.name for given in session.get_inputs()}
        if not asked <= known:
            raise ModelFolderError(
                f"{self._weights}: the network asks for {', '.join(sorted(asked - known))}; export it for text"
                " classification."
            )
        return session

    def _file(self, name: str) -> Path:
        if not self.folder.is_dir():
            raise ModelFolderError(f"{SETTING}={self.folder}: there is no such folder.")
        file = self.folder / name
        if not file.is_file():
            raise ModelFolderError(
                f"{SETTING}={self.folder}: the folder lacks {name}; export the model with"
                " `optimum-cli export onnx --task text-classification`, which writes config.json, tokenizer.json and"
                " model.onnx."
            )
        return file


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise _not_installed(error) from error


def _not_installed(error: ImportError) -> EngineError:
    return EngineError(
        f"SENTIMENT_ENGINE=transformer needs onnxruntime and tokenizers ({error} is missing): install the project's"
        " extra `transformer`, or choose SENTIMENT_ENGINE=textblob.",
    )
