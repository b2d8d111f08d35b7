"""The data root that the tests of a session share."""

from __future__ import annotations

import pytest

from tests.assets.roots import Command, Root


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, Command]:
    """A root of the invented election after the main job on a small sample; for reading, or to be copied."""
    root = Root(tmp_path_factory.mktemp("prepared") / "data", {"SAMPLE_TWEETS": "600"})
    return root, root.run()
