"""What the assets reach outside their own process for: engines, brokers and services, one a module."""
