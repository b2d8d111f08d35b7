package org.apache.nifi.kafka.service;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.nifi.annotation.documentation.CapabilityDescription;
import org.apache.nifi.annotation.lifecycle.OnEnabled;
import org.apache.nifi.components.AllowableValue;
import org.apache.nifi.components.PropertyDescriptor;
import org.apache.nifi.components.ValidationContext;
import org.apache.nifi.components.ValidationResult;
import org.apache.nifi.controller.AbstractControllerService;
import org.apache.nifi.controller.ConfigurationContext;
import org.apache.nifi.expression.ExpressionLanguageScope;
import org.apache.nifi.kafka.service.api.KafkaConnectionService;
import org.apache.nifi.kafka.service.api.StandIn;
import org.apache.nifi.kerberos.SelfContainedKerberosUserService;
import org.apache.nifi.processor.util.StandardValidators;
import org.apache.nifi.ssl.SSLContextService;

@CapabilityDescription(StandIn.DESCRIPTION + " Connects producers to Kafka.")
public class Kafka3ConnectionService extends AbstractControllerService implements KafkaConnectionService {

    static final PropertyDescriptor BOOTSTRAP_SERVERS = new PropertyDescriptor.Builder()
            .name("bootstrap.servers").displayName("Bootstrap Servers").required(true)
            .addValidator(StandardValidators.NON_BLANK_VALIDATOR).build();
    static final PropertyDescriptor SECURITY_PROTOCOL = new PropertyDescriptor.Builder()
            .name("security.protocol").displayName("Security Protocol").required(true)
            .allowableValues("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL").defaultValue("PLAINTEXT").build();
    static final PropertyDescriptor SASL_MECHANISM = new PropertyDescriptor.Builder()
            .name("sasl.mechanism").displayName("SASL Mechanism").required(true)
            .allowableValues("GSSAPI", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512").defaultValue("GSSAPI").build();
    static final PropertyDescriptor SASL_USERNAME = new PropertyDescriptor.Builder()
            .name("sasl.username").displayName("SASL Username").required(true)
            .addValidator(StandardValidators.NON_BLANK_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.ENVIRONMENT)
            .dependsOn(SASL_MECHANISM, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512").build();
    static final PropertyDescriptor SASL_PASSWORD = new PropertyDescriptor.Builder()
            .name("sasl.password").displayName("SASL Password").required(true).sensitive(true)
            .addValidator(StandardValidators.NON_BLANK_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.ENVIRONMENT)
            .dependsOn(SASL_MECHANISM, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512").build();
    static final PropertyDescriptor KERBEROS_USER_SERVICE = new PropertyDescriptor.Builder()
            .name("kerberos-user-service").displayName("Kerberos User Service")
            .identifiesControllerService(SelfContainedKerberosUserService.class).build();
    static final PropertyDescriptor KERBEROS_SERVICE_NAME = new PropertyDescriptor.Builder()
            .name("sasl.kerberos.service.name").displayName("Kerberos Service Name")
            .addValidator(StandardValidators.NON_BLANK_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.ENVIRONMENT).build();
    static final PropertyDescriptor SSL_CONTEXT_SERVICE = new PropertyDescriptor.Builder()
            .name("SSL Context Service").identifiesControllerService(SSLContextService.class).build();
    static final PropertyDescriptor ISOLATION_LEVEL = new PropertyDescriptor.Builder()
            .name("isolation.level").displayName("Transaction Isolation Level").required(true)
            .allowableValues(new AllowableValue("read_committed", "Read Committed"), new AllowableValue("read_uncommitted", "Read Uncommitted"))
            .defaultValue("read_committed").build();
    static final PropertyDescriptor MAX_POLL_RECORDS = new PropertyDescriptor.Builder()
            .name("max.poll.records").displayName("Max Poll Records").required(true).defaultValue("10000")
            .addValidator(StandardValidators.POSITIVE_INTEGER_VALIDATOR).build();
    static final PropertyDescriptor CLIENT_TIMEOUT = new PropertyDescriptor.Builder()
            .name("default.api.timeout.ms").displayName("Client Timeout").required(true).defaultValue("60 sec")
            .addValidator(StandardValidators.TIME_PERIOD_VALIDATOR).build();
    static final PropertyDescriptor MAX_BLOCK = new PropertyDescriptor.Builder()
            .name("max.block.ms").displayName("Max Metadata Wait Time").required(true).defaultValue("5 sec")
            .addValidator(StandardValidators.TIME_PERIOD_VALIDATOR)
            .expressionLanguageSupported(ExpressionLanguageScope.ENVIRONMENT).build();
    static final PropertyDescriptor ACK_WAIT_TIME = new PropertyDescriptor.Builder()
            .name("ack.wait.time").displayName("Acknowledgment Wait Time").required(true).defaultValue("5 sec")
            .addValidator(StandardValidators.TIME_PERIOD_VALIDATOR).build();

    private static final List<PropertyDescriptor> PROPERTIES = List.of(
            BOOTSTRAP_SERVERS, SECURITY_PROTOCOL, SASL_MECHANISM, SASL_USERNAME, SASL_PASSWORD, KERBEROS_USER_SERVICE,
            KERBEROS_SERVICE_NAME, SSL_CONTEXT_SERVICE, ISOLATION_LEVEL, MAX_POLL_RECORDS, CLIENT_TIMEOUT, MAX_BLOCK, ACK_WAIT_TIME);
    private static final List<PropertyDescriptor> NOT_IMPLEMENTED = List.of(
            KERBEROS_USER_SERVICE, KERBEROS_SERVICE_NAME, ISOLATION_LEVEL, MAX_POLL_RECORDS);

    private volatile Map<String, Object> client = Map.of();
    private volatile long acknowledgedInMs;

    @Override
    protected List<PropertyDescriptor> getSupportedPropertyDescriptors() {
        return PROPERTIES;
    }

    @Override
    protected Collection<ValidationResult> customValidate(final ValidationContext context) {
        final Collection<ValidationResult> results = new ArrayList<>(StandIn.refuseChanged(context, NOT_IMPLEMENTED));
        if (isSasl(context.getProperty(SECURITY_PROTOCOL).getValue()) && "GSSAPI".equals(context.getProperty(SASL_MECHANISM).getValue())) {
            results.add(StandIn.refusal(SASL_MECHANISM, "does not implement GSSAPI (Kerberos)"));
        }
        return results;
    }

    @OnEnabled
    public void configure(final ConfigurationContext context) {
        final Map<String, Object> settings = new HashMap<>();
        final String protocol = context.getProperty(SECURITY_PROTOCOL).getValue();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, context.getProperty(BOOTSTRAP_SERVERS).getValue());
        settings.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, protocol);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG,
                context.getProperty(MAX_BLOCK).evaluateAttributeExpressions().asTimePeriod(TimeUnit.MILLISECONDS));
        // Half of the client's time-out, as Apache's service derives it.
        settings.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, context.getProperty(CLIENT_TIMEOUT).asTimePeriod(TimeUnit.MILLISECONDS).intValue() / 2);
        if (isSasl(protocol)) {
            final String mechanism = context.getProperty(SASL_MECHANISM).getValue();
            settings.put(SaslConfigs.SASL_MECHANISM, mechanism);
            settings.put(SaslConfigs.SASL_JAAS_CONFIG, login(mechanism,
                    context.getProperty(SASL_USERNAME).evaluateAttributeExpressions().getValue(),
                    context.getProperty(SASL_PASSWORD).evaluateAttributeExpressions().getValue()));
        }
        final SSLContextService tls = context.getProperty(SSL_CONTEXT_SERVICE).asControllerService(SSLContextService.class);
        if (tls != null && tls.isKeyStoreConfigured()) {
            settings.put(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG, tls.getKeyStoreFile());
            settings.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, tls.getKeyStoreType());
            settings.put(SslConfigs.SSL_KEYSTORE_PASSWORD_CONFIG, tls.getKeyStorePassword());
            settings.put(SslConfigs.SSL_KEY_PASSWORD_CONFIG, tls.getKeyPassword() == null ? tls.getKeyStorePassword() : tls.getKeyPassword());
        }
        if (tls != null && tls.isTrustStoreConfigured()) {
            settings.put(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG, tls.getTrustStoreFile());
            settings.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, tls.getTrustStoreType());
            settings.put(SslConfigs.SSL_TRUSTSTORE_PASSWORD_CONFIG, tls.getTrustStorePassword());
        }
        client = Map.copyOf(settings);
        acknowledgedInMs = context.getProperty(ACK_WAIT_TIME).asTimePeriod(TimeUnit.MILLISECONDS);
    }

    @Override
    public Publisher open(final Delivery delivery) {
        final Map<String, Object> settings = new HashMap<>(client);
        settings.put(ProducerConfig.ACKS_CONFIG, delivery.acks());
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, delivery.compression());
        if (delivery.transactional()) {
            settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, delivery.transactionalIdPrefix() + UUID.randomUUID());
        }
        return new ProducerPublisher(settings, delivery.transactional(), acknowledgedInMs, getLogger());
    }

    private static boolean isSasl(final String protocol) {
        return Set.of("SASL_PLAINTEXT", "SASL_SSL").contains(protocol);
    }

    private static String login(final String mechanism, final String username, final String password) {
        final String module = "PLAIN".equals(mechanism)
                ? "org.apache.kafka.common.security.plain.PlainLoginModule"
                : "org.apache.kafka.common.security.scram.ScramLoginModule";
        return "%s required username=\"%s\" password=\"%s\";".formatted(module, escaped(username), escaped(password));
    }

    private static String escaped(final String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
