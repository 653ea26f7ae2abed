"""The examples run as their first lines say."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Named

EXAMPLES = Path(__file__).parent.parent / "examples"


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.mark.parametrize("command", [["fastapi_shop.py"], ["django_shop.py", "runserver", "--noreload"]])
def test_an_example_shows_who_added_a_customer(command: list[str], names: Callable[[], list[Named]]) -> None:
    port = free_port()
    server = subprocess.Popen([sys.executable, *command, port], cwd=EXAMPLES, stdout=subprocess.DEVNULL)
    try:
        answer = post(f"http://127.0.0.1:{port}/customers?name=Ada", server)
        assert b'"by"' in answer
        assert [name.actor for name in names()] == ["mia"]
    finally:
        server.terminate()
        server.wait(10)


def post(url: str, server: subprocess.Popen[bytes]) -> bytes:
    request = urllib.request.Request(url, method="POST", headers={"Authorization": "Bearer mia", "X-Request-ID": "r-1"})
    for _ in range(200):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read()
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) or server.poll() is not None:
                raise
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer.")
