"""Which Kafka bundle a NiFi of the tests gets, and what its archives must hold."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.servers import nifi
from tests.servers.nifi import EXTENSIONS, KAFKA_NARS, VERSION, kafka_nars, stand_in_folder
from tests.servers.processes import ServerFailedError


def test_the_stand_in_is_taken_for_apaches_bundle_where_no_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{nar}-{VERSION}.nar" for nar in KAFKA_NARS]
    monkeypatch.delenv(EXTENSIONS, raising=False)
    monkeypatch.setattr(nifi, "CACHE", tmp_path / "cache")
    stand_in_folder().mkdir(parents=True)
    for folder in (stand_in_folder(), tmp_path):
        for name in names:
            (folder / name).touch()
    assert kafka_nars() == [stand_in_folder() / name for name in names]
    monkeypatch.setenv(EXTENSIONS, str(tmp_path))
    assert kafka_nars() == [tmp_path / name for name in names]


def test_a_named_folder_that_lacks_an_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{KAFKA_NARS[0]}-{VERSION}.nar").touch()
    monkeypatch.setenv(EXTENSIONS, str(tmp_path))
    with pytest.raises(ServerFailedError) as failure:
        kafka_nars()
    assert str(failure.value) == (
        f"NIFI_EXTENSIONS names {tmp_path}, which lacks nifi-kafka-3-service-nar-{VERSION}.nar,"
        f" nifi-kafka-nar-{VERSION}.nar."
    )


def test_an_archive_holds_its_folders_its_jars_and_its_parent(tmp_path: Path) -> None:
    jar = tmp_path / "some.jar"
    jar.write_bytes(b"content")
    nifi._pack(tmp_path / "nars", "some-nar", "parent-nar", [jar])
    with zipfile.ZipFile(tmp_path / "nars" / f"some-nar-{VERSION}.nar") as archive:
        assert archive.namelist() == [
            "META-INF/",
            "META-INF/MANIFEST.MF",
            "META-INF/bundled-dependencies/",
            "META-INF/bundled-dependencies/some.jar",
        ]
        manifest = archive.read("META-INF/MANIFEST.MF").decode()
    assert manifest.endswith("\r\n\r\n")
    assert "Nar-Id: some-nar\r\n" in manifest
    assert "Nar-Dependency-Id: parent-nar\r\n" in manifest
