"""Container file, compose file, settings, proxy and their page agree on names, numbers, ports and folders."""

import re
from pathlib import Path

import pytest
import yaml
from clean_root import read_containerfile
from docs_pages import blocks, tables, text_of

from metaiqa_core.cli import build_parser
from metaiqa_core.settings import HOSTS, VARIABLES, Settings, read_settings

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "deploy.md"
FURTHER = {"METAIQA_RUNS", "METAIQA_MODELS"}
PORT = "8501"


@pytest.fixture(scope="module")
def image():
    return read_containerfile()


@pytest.fixture(scope="module")
def service():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["metaiqa"]


@pytest.fixture(scope="module")
def settings(image):
    return read_settings({**image.environment, HOSTS: "photos.example.org"})


def rows_of_settings():
    [table] = [table for table in tables(text_of(PAGE)) if table[0][0] == "variable"]
    return {row[0].strip("`| "): [cell.strip("`| ") for cell in row[1:3]] for row in table[1:]}


def test_the_container_sets_only_what_the_program_reads_and_leaves_only_the_hosts_open(image, service):
    named = {name for name in image.environment if name.startswith("METAIQA_")}
    assert named == {*VARIABLES, *FURTHER} - {HOSTS}
    assert list(service["environment"]) == [HOSTS]
    assert service["environment"][HOSTS].startswith(f"${{{HOSTS}:?")  # compose refuses to start without


def test_the_container_bounds_files_photos_work_and_folders_and_has_no_jobs(settings):
    assert not settings.jobs
    assert settings.folders == (Path("/data"),)
    assert settings.max_upload_mb < Settings.max_upload_mb
    assert settings.max_megapixels < Settings.max_megapixels
    assert settings.allowed_hosts == ("photos.example.org",)


def test_the_page_lists_every_variable_with_its_default_and_the_containers_value(image):
    rows = rows_of_settings()
    assert set(rows) == {*VARIABLES, *FURTHER}
    for name, (default, inside) in rows.items():
        assert name == HOSTS or inside == image.environment[name]
        if default.isdigit() or name == "METAIQA_JOBS":
            assert read_settings({name: default}) == Settings()


def test_the_container_runs_as_nobody_in_particular_on_a_read_only_file_system(image, service):
    assert image.user == service["user"]
    assert image.user.split(":")[0] != "0"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "memswap_limit", "cpus", "pids_limit"} <= set(service)


def test_all_that_is_written_goes_to_the_tmpfs_and_the_own_data_are_read_only(image, service):
    [tmpfs] = service["tmpfs"]
    place, _, options = tmpfs.partition(":")
    assert image.environment["HOME"] == image.environment["TMPDIR"] == place
    assert {"noexec", "nosuid", "nodev", "size=1g"} <= set(options.split(","))
    assert service["volumes"] == [f"./data:{image.environment['METAIQA_FOLDERS']}:ro"]
    for name in FURTHER:
        assert image.environment[name].startswith(f"{image.environment['METAIQA_FOLDERS']}/")


def test_the_container_starts_the_app_where_the_port_is_published_and_asked_for_its_health(image, service):
    assert image.command[:3] == ["python", "-m", "metaiqa_core"]
    arguments = build_parser(["app"]).parse_args(image.command[3:])
    assert (arguments.address, str(arguments.port), arguments.no_browser) == ("0.0.0.0", PORT, True)
    assert f"127.0.0.1:{PORT}/_stcore/health" in image.health[-1]
    assert re.search(rf"^EXPOSE {PORT}$", text_of(ROOT / "Containerfile"), re.MULTILINE)
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]  # only the proxy reaches it
    assert service["build"] == {"context": ".", "dockerfile": "Containerfile"}


def test_both_proxies_lead_to_the_app_and_let_the_largest_upload_pass(settings):
    caddy, nginx = [code for code in [*blocks(text_of(PAGE)), *blocks(text_of(PAGE), "nginx")] if PORT in code]
    for proxy, limit in ((caddy, r"max_size (\d+)MB"), (nginx, r"client_max_body_size (\d+)m;")):
        assert f"127.0.0.1:{PORT}" in proxy
        assert "photos.example.org" in proxy
        # Caddy counts in megabytes, which are smaller.
        assert int(re.search(limit, proxy)[1]) * 10**6 > settings.max_upload_mb * 2**20
    for line in ("proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Host $host;", "ssl_reject_handshake on;"):
        assert line in nginx


def test_the_image_holds_what_is_copied_and_the_build_sees_nothing_else(image):
    copied = [rest.split()[0] for word, rest in image.steps if word == "COPY"]
    seen = re.findall(r"^!(\S+)$", text_of(ROOT / ".dockerignore"), re.MULTILINE)
    assert copied == seen
    assert all((ROOT / name).exists() for name in copied)
    assert text_of(ROOT / ".dockerignore").startswith("*\n")


def test_the_image_compiles_what_it_cannot_compile_later(image):
    assert image.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert any(word == "RUN" and "compileall" in rest for word, rest in image.steps)
