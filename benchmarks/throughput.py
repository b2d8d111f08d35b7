"""Rows, texts and messages a second of the parts."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from election_assets.election import load_election
from election_assets.landed import read_landed, store
from election_assets.schemas import MAX_BATCH_RECORDS, TWEET_SCHEMA, encode_tweets
from election_assets.storage import DataRoot
from election_assets.transforms.cleaning import clean_tweets, reduce_repeats
from election_assets.transforms.landing import Message
from resources.embedded_broker import EmbeddedBroker
from resources.spark import SparkResource
from scraper_api.archive import ArchivedTweet, list_segments, read_segment
from scraper_api.records import flat_record
from scraper_api.sample import write_sample

SMALL_MESSAGES, LARGE_MESSAGES = 50_000, 100


def measure() -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _tables(Path(folder))
        yield from _broker(Path(folder))


def _tables(folder: Path) -> Iterator[dict]:
    election, session = load_election(), SparkResource().session
    corpus = folder / "corpus.jsonl.gz"
    started = time.monotonic()
    write_sample(corpus, election)
    records = [
        flat_record(found.tweet, found.includes, found.retrieved_at or "", "sample")
        for segment in list_segments(corpus)
        for found in read_segment(corpus, segment)
        if isinstance(found, ArchivedTweet)
    ]
    yield _rate("records generated, read and flattened", len(records), started)
    root = DataRoot(folder)
    started = time.monotonic()
    for number in range(0, len(records), MAX_BATCH_RECORDS):
        headers = {"batch_id": f"b-{number:08d}", "candidate": "macron", "schema": TWEET_SCHEMA}
        batch = encode_tweets(records[number : number + MAX_BATCH_RECORDS])
        store(root, "macron", Message("cluster", "topic", 0, number, headers, batch))
    yield _rate("records landed", len(records), started)
    origins = root.origins("macron")
    landed = read_landed(session, root, "macron", origins)
    started = time.monotonic()
    cleaned = clean_tweets(landed, election=election, candidate="macron", pseudonym_key=b"key")
    reduce_repeats(cleaned, {origin: number for number, origin in enumerate(origins)}).toArrow()
    yield _rate("records cleaned", len(records), started)


def _broker(folder: Path) -> Iterator[dict]:
    with EmbeddedBroker(folder / "broker.sqlite") as broker:
        for size, number in ((100, SMALL_MESSAGES), (900_000, LARGE_MESSAGES)):
            yield from _topic(broker.address, f"size{size}", size, number)


def _topic(address: str, topic: str, size: int, number: int) -> Iterator[dict]:
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    producer = KafkaProducer(bootstrap_servers=address, linger_ms=5)
    started = time.monotonic()
    for sent in [producer.send(topic, b"x" * size) for _ in range(number)]:
        sent.get(timeout=60)
    yield _rate(f"messages of {size:,} bytes into the embedded broker", number, started)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    consumer.assign([TopicPartition(topic, 0)])
    started, received = time.monotonic(), 0
    while received < number:
        received += sum(len(records) for records in consumer.poll(timeout_ms=1000, max_records=5000).values())
    yield _rate(f"messages of {size:,} bytes out of it", number, started)
    consumer.close()


def _rate(what: str, number: int, started: float) -> dict:
    return {"what": what, "value": number / (time.monotonic() - started), "unit": "/s"}
