"""The table of engines on labelled texts: what an engine learnt from is marked, the majority is the file's own."""

from pathlib import Path

import pytest

from benchmarks.sentiment import __main__ as benchmark

WRITTEN = Path(benchmark.__file__).with_name("written_politics.tsv")


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    file = tmp_path / "mine.tsv"
    file.write_text(
        "label\ttext\npositive\tBravo, quelle réussite\npositive\tMerci 👏\nneutral\tLe bureau ouvre à 8 heures\n"
    )
    return file


def test_a_file_that_engines_learnt_from_is_known_by_its_content(tmp_path: Path, unseen: Path):
    copy = tmp_path / "copy.tsv"
    copy.write_bytes(WRITTEN.read_bytes())

    assert benchmark.learnt_from(WRITTEN)
    assert benchmark.learnt_from(copy)
    assert not benchmark.learnt_from(unseen)
    assert benchmark.learnt_from(unseen, [unseen])


def test_the_one_class_is_the_files_most_frequent(unseen: Path):
    texts, truth = benchmark.read(unseen)
    name, label = benchmark.majority(truth)

    assert name == "always positive"
    assert label(texts) == [2, 2, 2]


def test_engines_of_the_project_are_marked_and_others_are_not(
    unseen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(benchmark, "installed", lambda: ("textblob",))

    code = benchmark.main([str(unseen), "--learnt", str(unseen), "--json", str(tmp_path / "figures.json")])
    marked = capsys.readouterr().out
    benchmark.main([str(unseen), "--json", str(tmp_path / "figures.json")])
    plain = capsys.readouterr().out

    assert code == 0
    assert "engine textblob, LEARNT FROM IT |" in marked
    assert marked.count("LEARNT") == 1
    assert "LEARNT" not in plain
    # A third of the texts is not what the file's most frequent label says.
    assert any("always positive" in line and "| 33.3% |" in line for line in plain.splitlines())
