"""Bundled public figures; README.md gives the source and licence of each."""
