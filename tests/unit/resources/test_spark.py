"""The session of the Spark resource in the kinds of processes that Dagster starts."""

import subprocess
import sys

CODE = "from resources.spark import SparkResource; print(SparkResource().session.range(3).count())"


def test_a_process_whose_main_module_has_no_file_gets_a_session():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["3"]
