"""Makes .venv beside this file, with the packages of requirements.txt and this one. Quick when nothing has changed."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"


def prepare() -> None:
    requirements = HERE / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    made = VENV / "made-from"
    if made.exists() and made.read_text() == wanted:
        return
    print(f"Installing {requirements.relative_to(HERE.parent.parent)} …", file=sys.stderr, flush=True)
    venv.create(VENV, clear=True, with_pip=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(requirements)], check=True)
    # As `pip install --editable` would, without a build.
    packages = next((VENV / "lib").glob("python*/site-packages"))
    (packages / "cdc-audit.pth").write_text(f"{HERE / 'src'}\n")
    made.write_text(wanted)


if __name__ == "__main__":
    # Several tests may begin at once.
    with open(HERE / ".prepare.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare()
