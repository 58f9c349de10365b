"""Open the app in a browser: photos, maps, distortions, benchmarks and training jobs."""

import argparse
import os
import sys

from metaiqa_core.assets import APP

DEFAULT_PORT = 8501


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, metavar="N", help="port on this machine (default: %(default)s)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, for a machine without a screen"
    )


def run(arguments: argparse.Namespace) -> int:
    """Turn this process into Streamlit's server, which this machine alone can reach and Ctrl-C ends."""
    words = server_command(arguments.port, opens_browser=not arguments.no_browser)
    os.execv(words[0], words)  # its signals and its exit status are then this process's own


def server_command(port: int, *, opens_browser: bool) -> list[str]:
    """Return the command line of the app's server.

    Args:
        port: Port on this machine, 1 to 65535.
        opens_browser: Whether the server opens a browser window.
    """
    settings = {
        "server.address": "localhost",
        "server.port": str(port),
        "server.headless": "false" if opens_browser else "true",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *options]


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {text!r}")
