package org.apache.nifi.kafka.service;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.nifi.kafka.service.api.KafkaConnectionService.Message;
import org.apache.nifi.kafka.service.api.KafkaConnectionService.Publisher;
import org.apache.nifi.logging.ComponentLog;

/** One producer of kafka-clients. */
final class ProducerPublisher implements Publisher {

    private static final int COMMITS = 3;
    private static final Duration CLOSE = Duration.ofSeconds(30);

    private final KafkaProducer<byte[], byte[]> producer;
    private final boolean transactional;
    private final long acknowledgedInMs;
    private final ComponentLog log;

    ProducerPublisher(final Map<String, Object> settings, final boolean transactional, final long acknowledgedInMs, final ComponentLog log) {
        this.transactional = transactional;
        this.acknowledgedInMs = acknowledgedInMs;
        this.log = log;
        producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        if (transactional) {
            try {
                producer.initTransactions();
            } catch (final RuntimeException e) {
                producer.close(Duration.ZERO);
                throw e;
            }
        }
    }

    @Override
    public void publish(final List<Message> messages) throws Exception {
        if (!transactional) {
            send(messages);
            return;
        }
        producer.beginTransaction();
        try {
            send(messages);
        } catch (final Exception e) {
            abort(e);
            throw e;
        }
        commit();
    }

    private void send(final List<Message> messages) throws Exception {
        final List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (final Message message : messages) {
            final ProducerRecord<byte[], byte[]> entry = new ProducerRecord<>(message.topic(), message.key(), message.value());
            message.headers().forEach(entry.headers()::add);
            sent.add(producer.send(entry));
        }
        producer.flush();
        for (final Future<RecordMetadata> acknowledged : sent) {
            try {
                acknowledged.get(acknowledgedInMs, TimeUnit.MILLISECONDS);
            } catch (final ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }
    }

    private void abort(final Exception reason) {
        try {
            producer.abortTransaction();
        } catch (final RuntimeException e) {
            reason.addSuppressed(e);
        }
    }

    /** A commit that timed out may have been done: the producer takes no abort then, only the commit again. */
    private void commit() {
        for (int attempt = 1; ; attempt++) {
            try {
                producer.commitTransaction();
                return;
            } catch (final TimeoutException e) {
                if (attempt == COMMITS) {
                    throw e;
                }
                log.warn("A transaction was not committed in time; trying again", e);
            }
        }
    }

    @Override
    public void close() {
        producer.close(CLOSE);
    }
}
