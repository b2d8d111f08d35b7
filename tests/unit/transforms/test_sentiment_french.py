"""The tone of French tweets by the real lexicons and the shipped model."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textblob import TextBlob

from benchmarks.sentiment.labelled import NOT_SCORED as UNLABELLED
from benchmarks.sentiment.labelled import measure, read
from election_assets.transforms.sentiment import french, lexicon, rules, tokens
from election_assets.transforms.sentiment.engines import LABELS, NOT_SCORED, load_engine

LABELLED = Path(__file__).parents[4] / "shared" / "data" / "sentiment" / "tweets_fr_val.tsv"
BAR = 0.65
ANALYZER = french.FrenchTweetAnalyzer()


def tone(text):
    return TextBlob(text, analyzer=ANALYZER).sentiment


def feature(text, name):
    return ANALYZER.read(text).features[rules.FEATURES.index(name)]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Quelle honte", "negative"),
        ("C'est un menteur", "negative"),
        ("Des menteuses et des escrocs !", "negative"),
        ("Il ment encore", "negative"),
        ("bravo", "positive"),
        ("Bravo à toute l'équipe", "positive"),
        ("Le programme n'est vraiment pas du tout bon", "negative"),
        ("Il n'a jamais été bon", "negative"),
        ("Aucun courage, aucune honnêteté", "negative"),
        ("Un projet magnifique", "positive"),
        ("Ce projet n'est pas magnifique", "negative"),
        ("C'est pas mal du tout", "positive"),
        ("Ras le bol de ces promesses", "negative"),
        ("Il a été impeccable, rien à redire", "positive"),
        ("Belle ambiance, mais un discours lamentable", "negative"),
        ("😡😡😡", "negative"),
        ("Le meeting de ce soir 😍", "positive"),
        ("Ce soir au meeting :(", "negative"),
        ("#MacronDégage", "negative"),
        ("#rasleboldesmensonges", "negative"),
        ("génialissime, géniaaaaal !!!", "positive"),
        ("Réunion publique mardi à 19h", "neutral"),
    ],
)
def test_labels(text, label):
    assert tone(text).label == label


@pytest.mark.parametrize(
    ("plain", "turned"),
    [
        ("C'est bon", "Ce n'est pas bon"),
        ("C'est bon", "C'est pas bon"),
        ("C'est bon", "Ce n’est vraiment pas du tout bon"),
        ("Je l'aime", "Je ne l'aime plus"),
        ("Il est honnête", "Il n'a jamais été honnête"),
        ("Un homme avec talent", "Un homme sans talent"),
        ("Du courage", "Aucun courage"),
        ("Un discours convaincant", "Un discours peu convaincant"),
    ],
)
def test_a_negation_turns_the_tone(plain, turned):
    assert feature(plain, "net") > 0 > feature(turned, "net")
    assert tone(turned).polarity < tone(plain).polarity


@pytest.mark.parametrize(
    "text",
    [
        "Il n'est pas venu. Quel beau discours",
        "Ce n'est pas seulement beau",
        "Il n'y a que du beau",
        "Ce n'est que beau",
    ],
)
def test_a_negation_ends_with_its_sentence_and_a_restriction_is_none(text):
    assert feature(text, "net") > 0


def test_degrees_raise_and_lower():
    assert feature("très bon", "net") > feature("bon", "net") > feature("assez bon", "net") > 0


def test_what_follows_but_weighs_more():
    assert feature("Beau mais nul", "net") < feature("Nul mais beau", "net")
    assert feature("Beau mais nul", "contrast") == 1


@pytest.mark.parametrize("text", ["Quel beau bilan 🤡", "Quel beau bilan #ironie", "Merci pour ce beau mensonge..."])
def test_praise_with_a_mark_of_irony_is_blame(text):
    assert feature("Quel beau bilan", "net") > 0 > feature(text, "net")


def test_what_is_fought_is_not_blamed():
    assert feature("Lutter contre la corruption", "net") > 0 > feature("La corruption", "net")


@pytest.mark.parametrize("form", ["menteur", "menteurs", "MENTEUR", "menteuuuur", "#menteur", "Menteurs", "#Menteur"])
def test_a_word_counts_in_all_its_forms(form):
    assert feature(form, "own negative") > 0.5


@pytest.mark.parametrize(("with_accents", "without"), [("dégoûtant", "degoutant"), ("génial", "genial")])
def test_accents_may_be_missing(with_accents, without):
    assert feature(without, "net") == pytest.approx(feature(with_accents, "net"), abs=0.35)
    assert feature(without, "net") * feature(with_accents, "net") > 0


def test_accents_are_kept():
    words = ["ça", ",", "c'", "est", "l'", "été", "à", "nîmes"]
    assert ANALYZER.read("Ça, c'est l'Été à Nîmes").words == words


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("MacronDégage", ["Macron", "Dégage"]),
        ("stopmensonges", ["stop", "mensonges"]),
        ("Retraites2022", ["Retraites", "2022"]),
        ("ONPC", ["ONPC"]),
        ("biodiversité", ["biodiversité"]),
    ],
)
def test_hashtags_are_split_into_words(tag, words):
    assert tokens.hashtag_words(tag) == tuple(words)


def test_both_apostrophes_score_alike():
    assert tone("Ce n’est pas bon") == tone("Ce n'est pas bon")


def test_who_is_addressed_and_what_is_linked_do_not_matter_by_name():
    assert tone("Un débat @honteux https://t.co/honteux") == tone("Un débat @bravo https://t.co/bravo")


def test_coverage_is_the_share_of_known_content_words():
    assert tone("terrible").coverage == 1
    assert tone("Zzyzx terrible").coverage == 0.5
    assert tone("le Zzyzx est terrible !").coverage == 0.5
    assert tone("Zzyzx 🙂").coverage == 0.5


@pytest.mark.parametrize("text", ["", "   ", "!!!", "12 %", "Zzyzx", "@user https://t.co/a", "le la les"])
def test_a_text_without_known_words_is_not_scored(text):
    assert tone(text) == NOT_SCORED


@given(st.text() | st.text(alphabet="ne pas bon mais très #@!?.'’:)(😡é", max_size=60))
def test_every_text_has_a_score_in_range_or_none(text):
    score = ANALYZER.analyze(text)

    assert 0 <= score.coverage <= 1
    if score.coverage == 0:
        assert score == NOT_SCORED
    else:
        assert -1 <= score.polarity <= 1
        assert 0 <= score.subjectivity <= 1
        assert score.label in LABELS
        assert score.label != "negative" or score.polarity < 0
        assert score.label != "positive" or score.polarity > 0


@given(
    st.lists(st.sampled_from(["bravo", "honteux", "pas bon", "Zzyzx", "mais beau", "😡", "#MacronDégage"]), max_size=6)
)
def test_texts_score_together_as_alone(texts):
    together = ANALYZER.analyze_all(texts)

    for text, score in zip(texts, together, strict=True):
        alone = french.FrenchTweetAnalyzer().analyze(text)
        assert alone.label == score.label
        assert alone.polarity == pytest.approx(score.polarity)


def test_the_model_has_a_weight_a_feature():
    numbers = french.model()

    assert numbers.weights.shape == (len(rules.FEATURES), len(LABELS))
    assert numbers.grams.shape == (tokens.GRAM_SLOTS, len(LABELS))
    assert len(ANALYZER.read("bravo").features) == len(rules.FEATURES)


def test_the_version_changes_with_what_a_score_depends_on(monkeypatch, tmp_path):
    before = french.engine_version()
    assert before == load_engine("textblob").version
    changed = tmp_path / "tone_lexicon.tsv"
    changed.write_bytes(lexicon.OWN_FILE.read_bytes() + b"zzyzx\t1\texemple\n")
    monkeypatch.setattr(lexicon, "OWN_FILE", changed)

    assert french.engine_version() != before


def test_the_lexicon_of_the_project_is_reviewed_line_by_line():
    lines = lexicon.own_lines()

    terms = [term for term, _, _ in lines]
    assert len(terms) == len(set(terms)) > 1000
    assert {tone for _, tone, _ in lines} <= {"-3", "-2", "-1", "0", "1", "2", "3"}
    assert min(len(reason) for _, _, reason in lines) >= 4


def test_a_process_remembers_so_many_tokens_and_no_more(monkeypatch):
    texts = [f"mot{a}{b}{c}, non ?" for a in "abcdefghij" for b in "klmnopqrst" for c in "uvw"]
    expected = ANALYZER.analyze_all(texts)
    monkeypatch.setattr(tokens, "REMEMBERED", 50)
    table = tokens.Table(french.model().grams)
    sizes = []
    for text in texts:
        table.batch([text])
        sizes.append(len(table))

    assert max(sizes) <= 50 + 3
    assert min(sizes[1:]) < 10
    analyzer = french.FrenchTweetAnalyzer()
    assert [analyzer.analyze(text).label for text in texts] == [score.label for score in expected]


def test_what_was_read_before_does_not_change_a_score():
    text = "Franchement, quel #discours lamentable 😡"
    analyzer = french.FrenchTweetAnalyzer()
    analyzer.read(text)

    assert analyzer.analyze(text) == french.FrenchTweetAnalyzer().analyze(text)


def test_threads_share_an_analyzer():
    texts = [f"mot{a}{b} {word}" for a in "abcdefghij" for b in "klmnopqrst" for word in ("honteux", "pas bon")]
    expected = [score.label for score in ANALYZER.analyze_all(texts)]
    shared = french.FrenchTweetAnalyzer()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(shared.analyze, texts))

    assert [score.label for score in found] == expected


def test_measures_of_labels():
    found = measure([0, 0, 1, 1, 2, 2], [0, 1, 1, UNLABELLED, 2, 0])

    assert found.macro_f1 == pytest.approx((1 / 2 + 4 / 5 + 2 / 3) / 3)
    assert found.confusion == [[1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    assert found.not_scored == pytest.approx(1 / 6)
    assert found.precision["neutral"] == pytest.approx(2 / 3)
    assert found.recall["positive"] == 0.5
    assert found.interval[0] <= found.macro_f1 <= found.interval[1]


def test_a_file_without_the_columns_is_refused(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("text\nbravo\n", encoding="utf-8")
    with pytest.raises(ValueError, match="the first line must name the columns label and text"):
        read(file)
    file.write_text("label\ttext\nhappy\tbravo\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: the label must be one of negative, neutral, positive"):
        read(file)


@pytest.mark.skipif(not LABELLED.exists(), reason=f"{LABELLED} is not there: labelled tweets are not shipped")
def test_labels_agree_with_people_on_tweets_that_were_not_learnt_from():
    texts, truth = read(LABELLED)

    scores = ANALYZER.analyze_all(texts)

    found = measure(truth, [UNLABELLED if score.label is None else LABELS.index(score.label) for score in scores])
    assert found.macro_f1 >= BAR
    assert found.interval[0] > 0.6
    assert found.not_scored < 0.2
    assert min(found.recall.values()) > 0.5
    assert np.sum(found.confusion) == len(texts)
