"""The fixtures of tests/integration, for the runs that take long."""
import importlib.util
import os
import sys

FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "integration"))
sys.path.insert(0, FOLDER)
spec = importlib.util.spec_from_file_location("conftest", os.path.join(FOLDER, "conftest.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
globals().update({name: value for name, value in vars(module).items() if not name.startswith("__")})
