"""Performs the steps of the Containerfile in a clean root, for machines where no container can be built, and tries it.

    sudo .venv/bin/python tests/clean_root.py FOLDER [--environment VENV]

FOLDER becomes the root: this system's /usr and /etc stand in for the base image. COPY copies what .dockerignore lets
through, RUN runs inside, ENV, USER and CMD hold for the start. `--environment` takes an existing virtual environment
in the place of the one that the steps would install. The root is then mounted read-only with compose.yaml's tmpfs, the
app is started as the container's user without privileges, and this is checked: the health check passes, a photo gets
the command line's score, the page of jobs says that they are off, a foreign host is refused, the process has no
capability, and nothing outside the tmpfs was written. Needs Linux, root and Chromium.
"""

import argparse
import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml
from browser import chromium, upload
from PIL import Image
from skimage import data

ROOT = Path(__file__).resolve().parents[1]
SYSTEM = ("usr", "bin", "sbin", "lib", "lib64")
PORT = 8501


@dataclass
class Steps:
    """What the steps of a Containerfile say."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = "/"
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def read_containerfile(path: Path = ROOT / "Containerfile") -> Steps:
    """Read the steps; a kind of step that is not known here is an error."""
    image, text = Steps(), re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        match word:
            case "" | "FROM" | "EXPOSE":
                pass
            case "RUN" | "COPY":
                image.steps.append((word, rest.strip()))
            case "ARG" | "ENV":
                pairs = dict(part.split("=", 1) for part in shlex.split(rest))
                image.environment |= pairs if word == "ENV" else {}
                image.steps.append((word, json.dumps(pairs)))
            case "WORKDIR":
                image.folder = rest.strip()
                image.steps.append((word, image.folder))
            case "USER":
                image.user = rest.strip()
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case "CMD":
                image.command = json.loads(rest)
            case _:
                raise SystemExit(f"Containerfile: the step {word} is not known here.")
    return image


def lay_out(root: Path) -> None:
    """Make the stand-in for the base image: this system's programs, a copy of /etc, and empty folders."""
    for name in ("tmp", "proc", "dev", "data", "opt", "root", *SYSTEM):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copytree("/etc", root / "etc", symlinks=True, dirs_exist_ok=True, ignore_dangling_symlinks=True)


def mount_lines(root: Path, environment: Path | None) -> list[str]:
    """Return the shell lines that mount the system into the root, read-only, in a name space of their own."""
    python = Path(sys.base_prefix)
    places = {Path("/", name): f"{root}/{name}" for name in SYSTEM}
    if not python.is_relative_to("/usr"):
        places[python] = f"{root}{python}"
    if environment:
        places[environment.resolve()] = f"{root}/opt/venv"
    lines = ["set -e", "mount --make-rprivate /", f"mount --bind {root} {root}"]
    for place, inside in places.items():
        lines += [
            f"mkdir -p {inside}",
            f"mount --bind {place.resolve()} {inside}",
            f"mount -o remount,bind,ro {inside}",
        ]
    return [*lines, f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]


def build(root: Path, image: Steps, environment: Path | None) -> None:
    """Perform the steps in their order."""
    path = f"{sys.base_prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    passed = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy") or "PIP" in name}
    variables, folder = {**passed, "HOME": "/root"}, "/"
    for word, rest in image.steps:
        say(f"{word} {rest}"[:120])
        if word == "COPY":
            *sources, target = shlex.split(rest)
            for source in sources:
                place = (root / folder.lstrip("/") / target).resolve()
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy2(ROOT / source, place)
        elif word == "WORKDIR":
            folder = rest
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word in ("ARG", "ENV"):
            variables |= json.loads(rest)
        elif environment and "pip install" in rest:
            say("  the given environment stands in for it")
        else:
            inside = f"chroot {root} /bin/sh -c {shlex.quote(f'cd {folder} && {rest}')}"
            script = "\n".join([*mount_lines(root, environment), inside])
            words = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script]
            subprocess.run(words, env={**variables, "PATH": path}, check=True)


def serve(root: Path, image: Steps, environment: Path | None, tmpfs: str) -> subprocess.Popen[bytes]:
    """Start the app as the container would: read-only, with the tmpfs, as its user, without privileges."""
    user, group = image.user.split(":")
    place, _, options = tmpfs.partition(":")
    drop = f"setpriv --reuid {user} --regid {group} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
    command = f"cd {image.folder} && exec {shlex.join(image.command)}"
    lines = mount_lines(root, environment)
    lines += [f"mount -o remount,bind,ro {root}", f"mount -t tmpfs -o {options} tmpfs {root}{place}"]
    lines += [f"exec /usr/sbin/chroot {root} {drop} sh -c {shlex.quote(command)}"]
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", "\n".join(lines)]
    return subprocess.Popen(words, env={**image.environment, "METAIQA_ALLOWED_HOSTS": "photos.example.org"})


def files_of(root: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file of the root, what is mounted there left out."""
    found = {}
    for folder, names, files in os.walk(root):
        if Path(folder) == root:
            names[:] = [name for name in names if name not in ("proc", "dev", "tmp", *SYSTEM)]
        for name in (*names, *files):
            status = (Path(folder) / name).lstat()
            found[f"{folder}/{name}"] = (status.st_size, status.st_mtime_ns)
    return found


def app_process(server: int) -> psutil.Process:
    """Return the app's own process, below the one that made its name space."""
    return next(p for p in psutil.Process(server).children(recursive=True) if "app.py" in " ".join(p.cmdline()))


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def check(name: str, holds: object) -> None:
    """Print one line, and end where it does not hold."""
    say(f"{'yes' if holds else 'NO '}  {name}")
    if not holds:
        raise SystemExit(1)


def handshake(host: str) -> int:
    """Return the status with which the server answers a browser that reaches it under a name."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    headers = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    connection.request("GET", "/_stcore/stream", headers={**headers, "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="})
    return connection.getresponse().status


def try_out(root: Path, image: Steps, server: subprocess.Popen[bytes]) -> None:
    """Check the started app."""
    health = [sys.executable, *image.health[1:]]
    for _ in range(240):
        if server.poll() is not None or subprocess.run(health, capture_output=True).returncode == 0:
            break
        time.sleep(1)
    check("the health check passes", server.poll() is None and subprocess.run(health).returncode == 0)
    process = app_process(server.pid)
    status = (Path("/proc") / str(process.pid) / "status").read_text()
    check(f"it runs as {process.uids().real}", f"{process.uids().real}:{process.gids().real}" == image.user)
    check("it has no capability", re.search(r"^CapEff:\s*0+$", status, re.MULTILINE))
    check("it can get no privilege", re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE))
    for place in ("/", "/opt/metaiqa", "/data"):
        enter = ["nsenter", "--target", str(process.pid), "--mount", "--root", "touch", f"{place}/written"]
        check(f"even root cannot write to {place}", subprocess.run(enter, capture_output=True).returncode)
    check("a host that is not named is refused", handshake("evil.example.net") == 403)
    check("a host that is named is not", handshake("photos.example.org") == 101)
    address = f"http://127.0.0.1:{PORT}"
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        photo = Path(folder) / "photo.jpg"
        Image.fromarray(data.chelsea()).save(photo, quality=80)
        words = [sys.executable, "-m", "metaiqa_core", "score", str(photo), "--format", "json"]
        [row] = json.loads(subprocess.run(words, cwd=ROOT, capture_output=True, check=True).stdout)
        page = browser.new_page()
        page.set_default_timeout(240_000)
        page.goto(address, wait_until="commit")
        page.locator("[data-testid=stFileUploader]").first.wait_for()
        upload(page, photo)
        picture = page.locator('.hero img[alt^="photo.jpg, scored"]').first
        picture.wait_for()
        shown = picture.get_attribute("alt")
        check(f"{shown}, as on the command line ({row['score']:.4f})", f"scored {row['score']:.1f}," in shown)
        page.goto(f"{address}/training_jobs", wait_until="commit")
        sentence = page.get_by_text("Training jobs are switched off on this server")
        sentence.wait_for()
        check("the page of jobs says that they are off", page.get_by_role("button", name="Start").count() == 0)
        say(f"     its memory then: {process.memory_info().rss / 2**20:.0f} MiB")


def main() -> None:
    """Build, start and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the root; must not exist")
    parser.add_argument("--environment", type=Path, help="a virtual environment instead of a new one")
    arguments = parser.parse_args()
    root, image = arguments.folder.resolve(), read_containerfile()
    root.mkdir(parents=True)
    [tmpfs] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["metaiqa"]["tmpfs"]
    lay_out(root)
    build(root, image, arguments.environment)
    before = files_of(root)
    server = serve(root, image, arguments.environment, tmpfs)
    try:
        try_out(root, image, server)
    finally:
        # The change of user took the app out of --kill-child's reach.
        for process in reversed(psutil.Process(server.pid).children(recursive=True)):
            process.kill()
        server.kill()
        server.wait()
    check("nothing outside the tmpfs was written", files_of(root) == before)


if __name__ == "__main__":
    main()
