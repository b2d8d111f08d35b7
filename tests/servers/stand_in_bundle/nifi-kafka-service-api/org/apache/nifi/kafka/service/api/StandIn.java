package org.apache.nifi.kafka.service.api;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.apache.nifi.components.PropertyDescriptor;
import org.apache.nifi.components.ValidationContext;
import org.apache.nifi.components.ValidationResult;

/** What says of itself, in a component's description and in its validation, that it is not Apache's. */
public final class StandIn {

    public static final String DESCRIPTION = "A stand-in for tests, not Apache NiFi's own: it has the type, the properties and the "
            + "relationships of 2.3.0's component and does a part of its work.";

    private StandIn() { }

    /** Refuses each of the properties that holds another value than the one of its default. */
    public static Collection<ValidationResult> refuseChanged(final ValidationContext context, final List<PropertyDescriptor> properties) {
        return properties.stream()
                .filter(property -> !Objects.equals(context.getProperty(property).getValue(), property.getDefaultValue()))
                .map(property -> refusal(property, "does not implement this property: leave it at its default"))
                .toList();
    }

    public static ValidationResult refusal(final PropertyDescriptor property, final String reason) {
        return new ValidationResult.Builder().subject(property.getDisplayName()).valid(false)
                .explanation("the tests' stand-in for Apache NiFi's Kafka bundle " + reason).build();
    }
}
