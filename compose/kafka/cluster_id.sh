#!/bin/sh
# Runs a command with CLUSTER_ID set to the id of the cluster in the data folder, or to a new one where there is none.
# Landed files are named by cluster, topic and offset: an emptied volume must not go on under the old cluster's id.
set -eu
: "${KAFKA_LOG_DIRS:?is the folder of the data}"
CLUSTER_ID=
if [ -f "$KAFKA_LOG_DIRS/meta.properties" ]; then
    CLUSTER_ID=$(sed -n 's/^cluster\.id=//p' "$KAFKA_LOG_DIRS/meta.properties")
fi
if [ -z "$CLUSTER_ID" ]; then
    # A UUID in base64 for URLs, as Kafka writes it; one that begins with a dash would be taken for an option.
    CLUSTER_ID=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' | sed 's/^-/A/')
fi
export CLUSTER_ID
exec "$@"
