"""Open the app in a browser: photos, maps, distortions, benchmarks and training jobs."""

import argparse
import ipaddress
import os
import sys

from metaiqa_core.assets import APP
from metaiqa_core.commands.output import say
from metaiqa_core.errors import SettingsError
from metaiqa_core.settings import HOSTS, Settings, read_settings

DEFAULT_PORT = 8501
DEFAULT_ADDRESS = "localhost"
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a health check inside a container reaches the app."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, metavar="N", help="port on this machine (default: %(default)s)"
    )
    parser.add_argument(
        "--address",
        default=DEFAULT_ADDRESS,
        metavar="NAME|IP",
        help="where to listen (default: %(default)s, which this machine alone can reach; 0.0.0.0: everywhere)",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, for a machine without a screen"
    )


def run(arguments: argparse.Namespace) -> int:
    """Become Streamlit's server, which ends with Ctrl-C.

    Raises:
        SettingsError: If a variable has a value that it cannot have, or others could reach the app under any name.
        CheckpointError: If the default model of an app for others cannot be used: it would look healthy otherwise.
    """
    settings = read_settings()
    if not _is_loopback(arguments.address):
        if not settings.allowed_hosts:
            raise SettingsError(
                f"With --address {arguments.address} others can reach the app: set {HOSTS} to the names that they "
                "use, such as photos.example.org, or to * for any."
            )
        from metaiqa_core.assess import Assessor  # heavy, and not needed by whoever only asks for help

        Assessor.load()
    words = server_command(arguments.port, settings, address=arguments.address, opens_browser=not arguments.no_browser)
    say(f"The app is at http://{_shown(arguments.address)}:{arguments.port} (Ctrl-C ends it).")
    os.execv(words[0], words)  # its signals and its exit status are then this process's own


def _shown(address: str) -> str:
    """Return an address as a browser takes it: IPv6 in brackets, and everywhere is here too."""
    if address in ("0.0.0.0", "::"):
        return DEFAULT_ADDRESS
    return f"[{address}]" if ":" in address else address


def server_command(
    port: int, settings: Settings, *, address: str = DEFAULT_ADDRESS, opens_browser: bool = False
) -> list[str]:
    """Return the command line of the app's server.

    Args:
        port: Port on this machine, 1 to 65535.
        settings: Limits for visitors; those that are not at their defaults are passed on.
        address: Name or IP address to listen on.
        opens_browser: Whether the server opens a browser window.
    """
    options = [
        ("server.address", address),
        ("server.port", str(port)),
        ("server.headless", "false" if opens_browser else "true"),
    ]
    if opens_browser:
        # With its greeting Streamlit offers, on the page too, to install things for developers who use coding tools.
        options.append(("logger.hideWelcomeMessage", "true"))
    if settings.max_upload_mb != Settings.max_upload_mb:
        options.append(("server.maxUploadSize", str(settings.max_upload_mb)))
    if settings.allowed_hosts:
        hosts = dict.fromkeys((*settings.allowed_hosts, *_THIS_MACHINE))
        options += [("server.allowedHosts", host) for host in hosts]
        # Otherwise Streamlit asks a server on the internet for its own address when it starts.
        public = [host for host in hosts if "*" not in host]
        options.append(("browser.serverAddress", public[0]))
    return [
        sys.executable,
        str(APP),  # which becomes Streamlit's server
        *[word for name, value in options for word in (f"--{name}", value)],
    ]


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {text!r}")
