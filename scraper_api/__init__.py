"""The scraper: an HTTP service that collects tweets through the X API v2 and hands them out in batches."""
