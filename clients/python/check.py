"""Prepares, then checks the types and runs the tests, which need the variables of clients/conformance/with-database.ts."""

from __future__ import annotations

import fcntl
import subprocess
import sys

from prepare import HERE, VENV, prepare

with open(HERE / ".prepare.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    prepare()
for module in ("mypy", "pytest"):
    code = subprocess.run([str(VENV / "bin" / "python"), "-m", module], cwd=HERE).returncode
    if code:
        sys.exit(code)
