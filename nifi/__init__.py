"""The NiFi flow that publishes in place of `raw_tweets`: its generator, and the flow of each bundled election."""
