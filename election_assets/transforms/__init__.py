"""Pure functions from frames to frames: no Dagster, no paths of the data root."""
