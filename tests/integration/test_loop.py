"""The C tests that want a real PostgreSQL, each on a fresh cluster."""
import os
import subprocess

import pytest

from conftest import BUILD


@pytest.mark.parametrize("name", ["pg", "verify", "writer"])
def test_loop(postgres, name):
    program = os.path.join(BUILD, "tests", "loop", f"{name}_loop_test")
    result = subprocess.run([program], env={**os.environ, "BAOCAO_TEST_PG": postgres.conninfo}, capture_output=True,
                            text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "SKIPPED" not in result.stdout and "skipped" not in result.stdout
