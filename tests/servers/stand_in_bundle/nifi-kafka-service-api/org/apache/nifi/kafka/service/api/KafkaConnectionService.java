package org.apache.nifi.kafka.service.api;

import java.util.List;
import java.util.Map;
import org.apache.nifi.controller.ControllerService;

/** A stand-in for the interface of this name in Apache NiFi's Kafka bundle: the type is the same, the methods are not. */
public interface KafkaConnectionService extends ControllerService {

    /** A producer of the brokers that this service knows. */
    Publisher open(Delivery delivery);

    /** How a producer sends. A transactional one sends each call of {@code publish} in one transaction. */
    record Delivery(boolean transactional, String transactionalIdPrefix, String acks, String compression) { }

    /** One message; a null key or value is Kafka's null. */
    record Message(String topic, byte[] key, byte[] value, Map<String, byte[]> headers) { }

    /** Not thread safe. After a failure it must be closed. */
    interface Publisher extends AutoCloseable {

        /** Returns once Kafka has acknowledged all; the exception is that of the first message that was refused. */
        void publish(List<Message> messages) throws Exception;

        @Override
        void close();
    }
}
