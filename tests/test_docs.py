"""What the documentation says holds: its commands parse and run, its Python runs, its links and files exist."""

import ast
import math
import re
import shlex
import shutil

import pytest
import torch
import torchvision
from docs_pages import DOCS, PAGES, ROOT, anchors, blocks, commands, links, shell_lines, spans, tables, text_of
from official_layouts import build_live_challenge
from page_fixtures import jpeg, tiny_default  # noqa: F401
from test_architecture import CORE, HEIGHT, LAYERS
from test_imported import HEAD, NET, randomised, save_script_object
from tiny_fixtures import photo_pixels

from metaiqa_core.cli import build_parser, load_command, main
from metaiqa_core.command_catalogue import COMMANDS
from metaiqa_core.models.card import read_card
from metaiqa_core.models.model_files import DEFAULT_MODEL, SHIPPED_MODELS
from metaiqa_core.results import published

README = ROOT / "README.md"
RESULTS, MODELS, WALKS = (ROOT / "docs" / name for name in ("results.md", "models.md", "how_it_works.md"))
NAMED = [
    line
    for line in dict.fromkeys(shlex.join(words) for page in PAGES for words in commands(text_of(page)))
    if line not in COMMANDS  # a sentence speaks of a command without its options
]
PYTHON = [(page.name, code) for page in PAGES for code in blocks(text_of(page), "python")]
QUICK = [
    line
    for line in NAMED
    if re.match(r"(score|evaluate|explain|distort|models (list|show)|databases list)\b", line)
    and "--help" not in line
    and "--model authors" not in line
]


@pytest.fixture
def workplace(tmp_path_factory, monkeypatch, tiny_default, tiny_csv, tiny_checkpoint):  # noqa: F811
    """A folder with everything that the pages' commands name, where the tiny model is the default one."""
    folder = tmp_path_factory.mktemp("workplace")
    shutil.copytree(tiny_csv.parent, folder, dirs_exist_ok=True)
    (folder / tiny_csv.name).rename(folder / "my_photos.csv")
    (folder / "photo.jpg").write_bytes(jpeg(photo_pixels(80)))
    (folder / "holiday").mkdir()
    (folder / "holiday" / "beach.jpg").write_bytes(jpeg(photo_pixels(81)))
    for name in ("mine", "adapted"):
        (folder / "runs" / name).mkdir(parents=True)
        for file in (tiny_checkpoint, tiny_checkpoint.with_suffix(".json")):
            shutil.copy(file, folder / "runs" / name / f"{name}{file.suffix}")
    monkeypatch.chdir(folder)
    return folder


def test_the_readme_is_read_standing_up():
    assert len(text_of(README).split()) <= 900


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_opens_with_prose(page):
    title, first, *_ = text_of(page).split("\n\n") if "\n\n" in text_of(page) else ["", ""]
    assert re.match(r"# \w", title), f"{page.name} begins with a title of its own"
    opening = title.partition("\n")[2] or first
    assert re.match(r"[A-Z`*]", opening), f"{page.name} says first what its reader will know at the end"
    assert opening.rstrip().endswith((".", ":"))


def test_the_pages_name_many_commands_and_the_quick_ones_among_them():
    assert {line.split()[0] for line in NAMED} >= {"score", "evaluate", "meta-train", "leave-one-out", "synthesize"}
    assert {line.split()[0] for line in QUICK} == {"score", "evaluate", "explain", "distort", "models", "databases"}


@pytest.mark.parametrize("line", NAMED)
def test_the_program_understands_a_command_of_the_pages(line, capsys, tmp_path, monkeypatch):
    words = shlex.split(line)
    monkeypatch.chdir(tmp_path)
    for word in words:
        if word.endswith(".txt"):  # a list of names, which is read with the options
            (tmp_path / word).write_text("photo.jpg\n")
    try:
        arguments = build_parser(words[:1]).parse_args(words)
    except SystemExit as end:  # --help and the like
        if end.code:
            pytest.fail(capsys.readouterr().err)
        return
    if read := getattr(load_command(words[0]), "read_configuration", None):
        read(arguments)


@pytest.mark.parametrize("line", QUICK)
def test_a_quick_command_of_the_pages_does_what_it_says(line, workplace, capsys):
    words = shlex.split(line)
    assert main(words) == 0, capsys.readouterr().err
    if "--output" in words:
        written = workplace / words[words.index("--output") + 1]
        assert written.stat().st_size
        assert not written.is_dir() or any(written.iterdir())
    else:
        assert capsys.readouterr().out.strip()


def test_the_authors_weights_are_imported_and_judged_by_the_commands_of_the_page(tmp_path, monkeypatch, run):
    """A made-up file as their script writes it, and a tiny LIVE Challenge as its authors give it away."""
    steps = [shlex.split(line) for line in NAMED if "authors" in shlex.split(line)]
    assert [words[:2] for words in steps] == [["models", "import"], ["evaluate", "--model"]]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAIQA_MODELS", str(tmp_path / "models"))
    with torch.random.fork_rng(devices=[]):
        network = randomised(NET(torchvision.models.resnet18(), HEAD()))
    save_script_object(network, tmp_path / steps[0][2], zipped=False)
    names = [f"{number}.bmp" for number in range(3, 11)]
    folder = build_live_challenge(tmp_path / "live_challenge", names, [20 + 7.5 * number for number in range(8)])
    for words in steps:
        status, out, err = run(*words)
        assert status == 0, err
    assert out.startswith("authors on LIVE Challenge, n = 8")
    assert "SROCC" in out
    [further] = re.findall(r"`(--database test_image\.csv[^`]*)`", text_of(MODELS))
    rows = "".join(f"{name},{0.2 + number / 10:.3f}\n" for number, name in enumerate(names))
    (tmp_path / "test_image.csv").write_text(f"image,mos\n{rows}")
    assert folder.is_dir()
    assert run("evaluate", "--model", "authors", *shlex.split(further))[0] == 0


def test_the_paper_reports_what_the_page_says_of_it():
    expected = {
        record.metric: f"{record.value:.3f}"
        for record in published.authentic()
        if (record.method, record.database) == ("MetaIQA", "LIVE Challenge")
    }
    assert f"SROCC {expected['srocc']}, PLCC {expected['plcc']}, *reported in the paper*" in text_of(MODELS)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(text_of(page), "python")], ids=lambda page: page.name
)
def test_the_python_of_a_page_runs(page, workplace):
    for code in blocks(text_of(page), "python"):
        names = {"images": torch.rand(2, 3, 64, 64)}
        exec(compile(code, page.name, "exec"), names)
        assert math.isfinite(names["result"].score)
        assert names["assessor"].network(names["images"]).shape == (2,)


def test_make_knows_the_targets_that_the_pages_name():
    named = {line.split()[1] for page in PAGES for line in shell_lines(text_of(page)) if re.match(r"make \w", line)}
    assert named >= {"app", "test"}
    assert named <= set(re.findall(r"^(\w+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_and_files_of_a_page_exist(page):
    for link in links(text_of(page)):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(text_of(target)), f"{page.name} links to {link}"
    for span in [*spans(text_of(page)), *shell_lines(text_of(page))]:
        for path in re.findall(r"(?:^|python )((?:metaiqa_core|pages|docs|benchmarks|assets|tests)/[\w./-]*)", span):
            assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_every_page_of_the_documentation_is_found_from_the_readme():
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(text_of(README))}
    assert linked >= set(DOCS)


def test_the_default_models_numbers_are_those_of_its_card():
    accuracy = read_card(SHIPPED_MODELS / f"{DEFAULT_MODEL}.json").accuracy
    srocc, plcc = (f"{accuracy[f'{name}_mean']:.3f} ± {accuracy[f'{name}_std']:.3f}" for name in ("srocc", "plcc"))
    for page, numbers in ((README, {srocc, plcc}), (RESULTS, {srocc, plcc}), (MODELS, {srocc})):
        rows = [row for table in tables(text_of(page)) for row in table if row[0].startswith(f"`{DEFAULT_MODEL}`")]
        assert len(rows) == 1, f"{page.name} has one row for the default model"
        assert numbers <= set(rows[0]), f"{page.name}: {rows[0]}"
    judged = accuracy["official test split of BIQ2021"]
    told = f"**{judged['srocc']:.3f} SROCC and {judged['plcc']:.3f} PLCC, where the best published result is"
    assert told in text_of(RESULTS)
    assert f"{judged['srocc']:.3f} on its official test" in " ".join(text_of(README).split())


def test_the_flow_of_the_readme_names_every_folder_of_the_core_from_below():
    [flow] = blocks(text_of(README), "mermaid")
    steps = [re.findall(r"\w+", step) for step in flow.splitlines()[1].split("-->")]
    assert steps.pop() == ["pages"]
    for below, above in zip(steps, steps[1:], strict=False):
        assert max(HEIGHT[place] for place in below) < min(HEIGHT[place] for place in above)
    folders = {file.parent.name for file in CORE if file.parent.parent == ROOT / "metaiqa_core"}
    named = {place for step in steps for place in step}
    assert named >= folders - set(LAYERS[0])


def walks():
    """The tables that lead from file to file: their heading, and by row a file and what it holds."""
    for heading, *rows in tables(text_of(WALKS)):
        if heading[1:] == ["file", "name in it"]:
            yield heading[0], [(ROOT / row[1].strip("`"), (row[2:] or [""])[0].strip("`| ")) for row in rows]


def imported_by(file):
    """The files that a file imports, those behind a folder's public names too."""
    found = set()
    for node in ast.walk(ast.parse(text_of(file))):
        if not isinstance(node, ast.ImportFrom) or node.module.split(".")[0] not in ("metaiqa_core", "pages"):
            continue
        place = ROOT / node.module.replace(".", "/")
        if place.is_dir():
            found |= {place / f"{alias.name}.py" for alias in node.names}
            found |= imported_by(place / "__init__.py") if file.name != "__init__.py" else set()
        else:
            found.add(place.with_suffix(".py"))
    return found


def test_the_walks_name_files_that_hold_what_they_say():
    assert len(list(walks())) == 5
    for _, rows in walks():
        for file, name in rows:
            tree = ast.parse(text_of(file))
            held = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
            assert not name or name in held, f"{file.name} has no {name}"


def test_on_the_walks_each_file_imports_the_next_or_starts_it_as_a_process():
    supervisor = ROOT / "metaiqa_core" / "jobs" / "supervisor.py"
    for title, rows in walks():
        if title == "Algorithm 1":
            continue
        for (file, _), (following, _) in zip(rows, rows[1:], strict=False):
            assert following in imported_by(file) or file == supervisor, f"{file.name} does not import {following.name}"
