"""The engine `transformer`, with a network of three numbers a word."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from election_assets.transforms.sentiment.engines import NOT_SCORED, EngineError
from election_assets.transforms.sentiment.transformer import ModelFolderError, TransformerEngine
from tests.fakes.transformer import LABELS, write_model

pytest.importorskip("onnx", reason="onnx, which the test makes a network with, is not installed")
pytest.importorskip("onnxruntime", reason="the extra `transformer` is not installed")
pytest.importorskip("tokenizers", reason="the extra `transformer` is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "weights", LABELS)


def test_labels_and_polarities_are_the_networks(folder: Path):
    good, bad, plain = TransformerEngine(folder).score(["bravo", "honte", "mardi"])

    assert [good.label, bad.label, plain.label] == ["positive", "negative", "neutral"]
    assert good.polarity == pytest.approx(-bad.polarity)
    assert good.polarity > 0.9
    assert plain.polarity == pytest.approx(0)
    assert plain.subjectivity < good.subjectivity <= 1


def test_a_text_scores_the_same_in_any_company(folder: Path):
    texts = [" ".join(["mardi"] * length + ["bravo"]) for length in range(1, 80)]
    engine = TransformerEngine(folder)

    together = engine.score(texts)

    assert [score.polarity for score in together] == pytest.approx(
        [engine.score([text])[0].polarity for text in texts], abs=1e-6
    )


@pytest.mark.parametrize("text", [" ", "@user https://t.co/abc", "12 %", "@a1b2c3d4e5 2022 !"])
def test_a_text_with_nothing_to_read_is_not_scored(folder: Path, text: str):
    nothing, something = TransformerEngine(folder).score([text, f"{text} bravo"])

    assert nothing == NOT_SCORED
    assert something.label == "positive"


def test_a_network_without_a_lexicon_tells_no_coverage(folder: Path):
    assert TransformerEngine(folder).score(["bravo"])[0].coverage is None


def test_labels_are_taken_by_their_meaning_whatever_their_order(tmp_path: Path):
    swapped = write_model(tmp_path / "swapped", {"0": "POSITIVE", "1": "neutral", "2": "Negative"})

    assert TransformerEngine(swapped).score(["bravo"])[0].label == "negative"


def test_two_labels_of_one_meaning_are_added(tmp_path: Path):
    stars = write_model(tmp_path / "stars", {"0": "1 star", "1": "2 stars", "2": "5 stars"})

    score = TransformerEngine(stars).score(["mardi"])[0]

    assert score.label == "negative"
    assert score.subjectivity == pytest.approx(1)


def test_the_version_is_of_the_weights(tmp_path: Path, folder: Path):
    before = TransformerEngine(folder).version
    again = TransformerEngine(folder).version
    weights = folder / "model.onnx"
    content = bytearray(weights.read_bytes())
    content[content.find(b"table")] = ord("T")
    weights.write_bytes(content)

    assert before == again != TransformerEngine(folder).version


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx"])
def test_a_missing_file_is_named(folder: Path, name: str):
    (folder / name).unlink()

    with pytest.raises(ModelFolderError, match=f"the folder lacks {name}"):
        TransformerEngine(folder).score(["bravo"])


def _garbage(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text("no such thing", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_garbage("model.onnx"), "model.onnx: onnxruntime cannot read it"),
        (_garbage("tokenizer.json"), "tokenizer.json: not a tokenizer"),
        (_garbage("config.json"), "config.json: no JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "config.json: no JSON object"),
        (lambda folder: (folder / "config.json").write_text("{}"), 'config.json: no usable "id2label"'),
        (lambda folder: write_model(folder, {"0": "LABEL_0", "1": "neutral"}), "the label LABEL_0 in id2label"),
        (
            lambda folder: (folder / "config.json").write_text('{"id2label": {"0": "neg", "1": "pos"}}'),
            "export it for text classification",
        ),
        (
            lambda folder: write_model(folder, LABELS, ("input_ids", "attention_mask", "pixels")),
            "the network asks for pixels",
        ),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(folder: Path, spoil: Callable[[Path], object], sentence: str):
    spoil(folder)

    with pytest.raises(ModelFolderError, match=sentence):
        TransformerEngine(folder).score(["bravo"])


def test_the_setting_names_the_folder(folder: Path):
    engine = TransformerEngine.from_env({"SENTIMENT_MODEL": str(folder)})

    assert engine.score(["bravo"])[0].label == "positive"


@pytest.mark.parametrize(("value", "sentence"), [("", "name it in SENTIMENT_MODEL"), ("/nowhere", "no such folder")])
def test_no_folder_is_told(value: str, sentence: str):
    with pytest.raises(ModelFolderError, match=sentence):
        TransformerEngine.from_env({"SENTIMENT_MODEL": value}).score(["bravo"])


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_a_missing_package_is_told(folder: Path, package: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(EngineError, match="install the project's extra `transformer`"):
        TransformerEngine(folder).score(["bravo"])
