package org.apache.nifi.kafka.processors;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.regex.Pattern;
import org.apache.nifi.annotation.behavior.InputRequirement;
import org.apache.nifi.annotation.documentation.CapabilityDescription;
import org.apache.nifi.annotation.documentation.Tags;
import org.apache.nifi.annotation.lifecycle.OnStopped;
import org.apache.nifi.components.AllowableValue;
import org.apache.nifi.components.PropertyDescriptor;
import org.apache.nifi.components.ValidationContext;
import org.apache.nifi.components.ValidationResult;
import org.apache.nifi.expression.ExpressionLanguageScope;
import org.apache.nifi.flowfile.FlowFile;
import org.apache.nifi.kafka.service.api.KafkaConnectionService;
import org.apache.nifi.kafka.service.api.KafkaConnectionService.Delivery;
import org.apache.nifi.kafka.service.api.KafkaConnectionService.Message;
import org.apache.nifi.kafka.service.api.KafkaConnectionService.Publisher;
import org.apache.nifi.kafka.service.api.StandIn;
import org.apache.nifi.processor.AbstractProcessor;
import org.apache.nifi.processor.DataUnit;
import org.apache.nifi.processor.ProcessContext;
import org.apache.nifi.processor.ProcessSession;
import org.apache.nifi.processor.Relationship;
import org.apache.nifi.processor.util.FlowFileFilters;
import org.apache.nifi.processor.util.StandardValidators;
import org.apache.nifi.serialization.RecordReaderFactory;
import org.apache.nifi.serialization.RecordSetWriterFactory;

@Tags({"Kafka", "stand-in"})
@CapabilityDescription(StandIn.DESCRIPTION + " Publishes the content of a FlowFile as one Kafka message.")
@InputRequirement(InputRequirement.Requirement.INPUT_REQUIRED)
public class PublishKafka extends AbstractProcessor {

    static final PropertyDescriptor CONNECTION_SERVICE = new PropertyDescriptor.Builder()
            .name("Kafka Connection Service").required(true).identifiesControllerService(KafkaConnectionService.class).build();
    static final PropertyDescriptor TOPIC_NAME = new PropertyDescriptor.Builder()
            .name("Topic Name").required(true).addValidator(StandardValidators.NON_BLANK_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.FLOWFILE_ATTRIBUTES).build();
    static final PropertyDescriptor FAILURE_STRATEGY = new PropertyDescriptor.Builder()
            .name("Failure Strategy").required(true).allowableValues("Route to Failure", "Rollback").defaultValue("Route to Failure").build();
    static final PropertyDescriptor ACKS = new PropertyDescriptor.Builder()
            .name("acks").displayName("Delivery Guarantee").required(true)
            .allowableValues(
                    new AllowableValue("all", "Guarantee Replicated Delivery"),
                    new AllowableValue("1", "Guarantee Single Node Delivery"),
                    new AllowableValue("0", "Best Effort"))
            .defaultValue("all").build();
    static final PropertyDescriptor COMPRESSION = new PropertyDescriptor.Builder()
            .name("compression.type").displayName("Compression Type").required(true)
            .allowableValues("none", "gzip", "snappy", "lz4").defaultValue("none").build();
    static final PropertyDescriptor MAX_REQUEST_SIZE = new PropertyDescriptor.Builder()
            .name("max.request.size").displayName("Max Request Size").required(true).defaultValue("1 MB")
            .addValidator(StandardValidators.DATA_SIZE_VALIDATOR).build();
    static final PropertyDescriptor TRANSACTIONS = new PropertyDescriptor.Builder()
            .name("Transactions Enabled").required(true).allowableValues("true", "false").defaultValue("true").build();
    static final PropertyDescriptor TRANSACTIONAL_ID_PREFIX = new PropertyDescriptor.Builder()
            .name("Transactional ID Prefix").addValidator(StandardValidators.NON_EMPTY_EL_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.ENVIRONMENT).dependsOn(TRANSACTIONS, "true").build();
    static final PropertyDescriptor PARTITIONER = new PropertyDescriptor.Builder()
            .name("partitioner.class").displayName("Partitioner Class").required(true)
            .allowableValues(
                    new AllowableValue("org.apache.nifi.processors.kafka.pubsub.Partitioners.RoundRobinPartitioner", "RoundRobinPartitioner"),
                    new AllowableValue("org.apache.kafka.clients.producer.internals.DefaultPartitioner", "DefaultPartitioner"),
                    new AllowableValue("org.apache.nifi.processors.kafka.pubsub.Partitioners.ExpressionLanguagePartitioner", "Expression Language Partitioner"))
            .defaultValue("org.apache.kafka.clients.producer.internals.DefaultPartitioner").build();
    static final PropertyDescriptor PARTITION = new PropertyDescriptor.Builder()
            .name("partition").displayName("Partition").addValidator(StandardValidators.NON_EMPTY_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.FLOWFILE_ATTRIBUTES).build();
    static final PropertyDescriptor DEMARCATOR = new PropertyDescriptor.Builder()
            .name("Message Demarcator").addValidator(StandardValidators.NON_EMPTY_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.FLOWFILE_ATTRIBUTES).build();
    static final PropertyDescriptor RECORD_READER = new PropertyDescriptor.Builder()
            .name("Record Reader").identifiesControllerService(RecordReaderFactory.class).build();
    static final PropertyDescriptor RECORD_WRITER = new PropertyDescriptor.Builder()
            .name("Record Writer").identifiesControllerService(RecordSetWriterFactory.class).build();
    static final PropertyDescriptor PUBLISH_STRATEGY = new PropertyDescriptor.Builder()
            .name("Publish Strategy").required(true)
            .allowableValues(new AllowableValue("USE_VALUE", "Use Content as Record Value"), new AllowableValue("USE_WRAPPER", "Use Wrapper"))
            .defaultValue("USE_VALUE").dependsOn(RECORD_READER).build();
    static final PropertyDescriptor MESSAGE_KEY_FIELD = new PropertyDescriptor.Builder()
            .name("Message Key Field").addValidator(StandardValidators.NON_EMPTY_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.FLOWFILE_ATTRIBUTES).dependsOn(PUBLISH_STRATEGY, "USE_VALUE").build();
    static final PropertyDescriptor HEADER_PATTERN = new PropertyDescriptor.Builder()
            .name("FlowFile Attribute Header Pattern").addValidator(StandardValidators.REGULAR_EXPRESSION_VALIDATOR)
            .dependsOn(PUBLISH_STRATEGY, "USE_VALUE").build();
    static final PropertyDescriptor HEADER_ENCODING = new PropertyDescriptor.Builder()
            .name("Header Encoding").required(true).defaultValue("UTF-8").addValidator(StandardValidators.CHARACTER_SET_VALIDATOR)
            .dependsOn(HEADER_PATTERN).build();
    static final PropertyDescriptor KAFKA_KEY = new PropertyDescriptor.Builder()
            .name("Kafka Key").addValidator(StandardValidators.NON_EMPTY_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.FLOWFILE_ATTRIBUTES).build();
    static final PropertyDescriptor KEY_ENCODING = new PropertyDescriptor.Builder()
            .name("Kafka Key Attribute Encoding").required(true)
            .allowableValues(
                    new AllowableValue("utf-8", "UTF-8 Encoded"),
                    new AllowableValue("hex", "Hex Encoded"),
                    new AllowableValue("do-not-add", "Do Not Add Key as Attribute"))
            .defaultValue("utf-8").dependsOn(PUBLISH_STRATEGY, "USE_WRAPPER").build();
    static final PropertyDescriptor RECORD_KEY_WRITER = new PropertyDescriptor.Builder()
            .name("Record Key Writer").identifiesControllerService(RecordSetWriterFactory.class).dependsOn(PUBLISH_STRATEGY, "USE_WRAPPER").build();
    static final PropertyDescriptor METADATA_STRATEGY = new PropertyDescriptor.Builder()
            .name("Record Metadata Strategy").required(true)
            .allowableValues(new AllowableValue("FROM_RECORD", "Metadata From Record"), new AllowableValue("FROM_PROPERTIES", "Use Configured Values"))
            .defaultValue("FROM_PROPERTIES").dependsOn(PUBLISH_STRATEGY, "USE_WRAPPER").build();

    static final Relationship SUCCESS = new Relationship.Builder().name("success").description("Acknowledged by Kafka").build();
    static final Relationship FAILURE = new Relationship.Builder().name("failure").description("Not acknowledged by Kafka").build();

    private static final List<PropertyDescriptor> PROPERTIES = List.of(
            CONNECTION_SERVICE, TOPIC_NAME, FAILURE_STRATEGY, ACKS, COMPRESSION, MAX_REQUEST_SIZE, TRANSACTIONS,
            TRANSACTIONAL_ID_PREFIX, PARTITIONER, PARTITION, DEMARCATOR, RECORD_READER, RECORD_WRITER, PUBLISH_STRATEGY,
            MESSAGE_KEY_FIELD, HEADER_PATTERN, HEADER_ENCODING, KAFKA_KEY, KEY_ENCODING, RECORD_KEY_WRITER, METADATA_STRATEGY);
    private static final List<PropertyDescriptor> NOT_IMPLEMENTED = List.of(
            PARTITIONER, PARTITION, DEMARCATOR, RECORD_READER, RECORD_WRITER, PUBLISH_STRATEGY, MESSAGE_KEY_FIELD, KEY_ENCODING,
            RECORD_KEY_WRITER, METADATA_STRATEGY);

    private static final int FLOW_FILES_AT_ONCE = 500;

    private final Queue<Publisher> publishers = new LinkedBlockingQueue<>();

    @Override
    protected List<PropertyDescriptor> getSupportedPropertyDescriptors() {
        return PROPERTIES;
    }

    @Override
    public Set<Relationship> getRelationships() {
        return Set.of(SUCCESS, FAILURE);
    }

    @Override
    protected Collection<ValidationResult> customValidate(final ValidationContext context) {
        return StandIn.refuseChanged(context, NOT_IMPLEMENTED);
    }

    @Override
    public void onTrigger(final ProcessContext context, final ProcessSession session) {
        final List<FlowFile> flowFiles = session.get(FlowFileFilters.newSizeBasedFilter(1, DataUnit.MB, FLOW_FILES_AT_ONCE));
        if (flowFiles.isEmpty()) {
            return;
        }
        final Publisher idle = publishers.poll();
        // A failure to open goes to the framework: it keeps the FlowFiles in the queue and tells it in a bulletin.
        final Publisher publisher = idle == null ? open(context) : idle;
        try {
            final List<Message> messages = new ArrayList<>();
            for (final FlowFile flowFile : flowFiles) {
                messages.add(message(context, session, flowFile));
            }
            publisher.publish(messages);
            publishers.add(publisher);
        } catch (final Exception e) {
            // As in Apache's 2.3.0, what Kafka or its client refuses makes no bulletin.
            getLogger().info("{} FlowFiles were not published", flowFiles.size(), e);
            publisher.close();
            if ("Rollback".equals(context.getProperty(FAILURE_STRATEGY).getValue())) {
                session.rollback();
                context.yield();
            } else {
                session.transfer(flowFiles, FAILURE);
            }
            return;
        }
        for (final FlowFile flowFile : flowFiles) {
            session.getProvenanceReporter().send(flowFile, "kafka://" + topic(context, flowFile));
            session.transfer(session.putAttribute(flowFile, "msg.count", "1"), SUCCESS);
        }
    }

    @OnStopped
    public void close() {
        for (Publisher publisher = publishers.poll(); publisher != null; publisher = publishers.poll()) {
            publisher.close();
        }
    }

    private static Publisher open(final ProcessContext context) {
        final String prefix = context.getProperty(TRANSACTIONAL_ID_PREFIX).evaluateAttributeExpressions().getValue();
        return context.getProperty(CONNECTION_SERVICE).asControllerService(KafkaConnectionService.class).open(new Delivery(
                context.getProperty(TRANSACTIONS).asBoolean(),
                prefix == null ? "" : prefix,
                context.getProperty(ACKS).getValue(),
                context.getProperty(COMPRESSION).getValue()));
    }

    private static Message message(final ProcessContext context, final ProcessSession session, final FlowFile flowFile) throws IOException {
        final long most = context.getProperty(MAX_REQUEST_SIZE).asDataSize(DataUnit.B).longValue();
        if (flowFile.getSize() > most) {
            throw new IOException("A FlowFile of %d bytes is larger than Max Request Size, %d".formatted(flowFile.getSize(), most));
        }
        final byte[][] content = new byte[1][];
        session.read(flowFile, in -> content[0] = in.readAllBytes());
        final boolean tombstone = content[0].length == 0 && "true".equals(flowFile.getAttribute("kafka.tombstone"));
        // The property holds the name of an attribute, and is not evaluated: so it is in Apache's 2.3.0.
        final String named = context.getProperty(KAFKA_KEY).getValue();
        final String key = flowFile.getAttribute(named == null ? "kafka.key" : named);
        return new Message(
                topic(context, flowFile),
                key == null ? null : key.getBytes(StandardCharsets.UTF_8),
                tombstone ? null : content[0],
                headers(context, flowFile));
    }

    private static String topic(final ProcessContext context, final FlowFile flowFile) {
        return context.getProperty(TOPIC_NAME).evaluateAttributeExpressions(flowFile).getValue();
    }

    private static Map<String, byte[]> headers(final ProcessContext context, final FlowFile flowFile) {
        final Map<String, byte[]> headers = new LinkedHashMap<>();
        final String pattern = context.getProperty(HEADER_PATTERN).getValue();
        if (pattern != null) {
            final Pattern names = Pattern.compile(pattern);
            final Charset charset = Charset.forName(context.getProperty(HEADER_ENCODING).getValue());
            flowFile.getAttributes().forEach((name, value) -> {
                if (names.matcher(name).matches()) {
                    headers.put(name, value.getBytes(charset));
                }
            });
        }
        return headers;
    }
}
