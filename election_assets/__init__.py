"""The Dagster code location: an election's tweets from the topic to the report."""
