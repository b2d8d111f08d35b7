"""Figures and pages from plain frames: no Dagster, no Spark."""
