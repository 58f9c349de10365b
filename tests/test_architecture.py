"""The house rules that a reader relies on: one direction of imports, one place for the interface, no side effects."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = [
    [
        "assets",
        "command_catalogue",
        "defect_words",
        "completion",
        "durations",
        "errors",
        "foreign_text",
        "json_files",
        "memory",
        "progress",
    ],
    ["files", "settings"],
    ["images"],
    ["preprocessing", "databases", "distortions"],
    ["assessment", "diagnosis", "synthesis", "tasks"],
    ["models"],
    ["engine"],
    ["many_photos"],
    ["training", "evaluation", "explain", "assess"],
    ["results", "level_response", "taste", "bulk"],
    ["experiments", "sorting"],
    ["sessions"],
    ["jobs", "commands"],
    ["cli"],
    ["__main__"],
]
HEIGHT = {place: height for height, places in enumerate(LAYERS) for place in places}
CORE = sorted((ROOT / "metaiqa_core").rglob("*.py"))
INTERFACE = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]


def module_name(file):
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def place_of(module):
    """The folder or file of the core that a module belongs to; empty for the package itself."""
    return (module.split(".") + [""])[1]


MODULES = {module_name(file) for file in CORE}


def imported_modules(tree, of_file):
    """Every module that a file imports anywhere in it, also inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{of_file}: imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return found


TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in [*CORE, *INTERFACE]}
IMPORTS = {file: imported_modules(tree, file.name) for file, tree in TREES.items()}


def core_imports(file):
    return {module for module in IMPORTS[file] if module.split(".")[0] == "metaiqa_core"}


def test_every_file_of_the_core_has_its_layer():
    homeless = {place_of(module_name(file)) for file in CORE} - set(HEIGHT) - {""}
    assert not homeless, f"name the layer of {homeless} in LAYERS"


@pytest.mark.parametrize("file", CORE, ids=module_name)
def test_a_file_imports_only_from_lower_layers_or_its_own_folder(file):
    place = place_of(module_name(file))
    if not place:
        return  # the package itself offers `Assessor`, looked up on first use
    for module in core_imports(file) - {"metaiqa_core"}:
        other = place_of(module)
        assert other == place or HEIGHT[other] < HEIGHT[place], f"{module_name(file)} imports {module}"


def test_modules_import_each_other_in_no_circle():
    graph = {module_name(file): core_imports(file) - {"metaiqa_core"} for file in CORE}
    graph["metaiqa_core"] = set()
    finished, under_way = set(), []

    def visit(module):
        assert module not in under_way, f"circle: {' -> '.join([*under_way, module])}"
        if module in finished:
            return
        under_way.append(module)
        for other in sorted(graph.get(module, ())):
            # A folder's __init__ gathers its files: naming the folder from within would be the circle to find.
            visit(other)
        under_way.pop()
        finished.add(module)

    for module in sorted(graph):
        visit(module)


def test_streamlit_is_imported_only_by_the_app_and_its_pages():
    assert not [module_name(file) for file in CORE if any(name.split(".")[0] == "streamlit" for name in IMPORTS[file])]


def test_the_core_does_not_import_the_pages():
    assert not [module_name(file) for file in CORE if IMPORTS[file] & {"app", "pages"}]


def test_no_file_is_a_drawer_for_leftovers():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [file for file in [*CORE, *INTERFACE] if file.stem in drawers or file.parent.name in drawers]


def test_one_file_of_the_core_knows_where_it_lies():
    def asks(tree):
        return any(isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(tree))

    assert [module_name(file) for file in CORE if asks(TREES[file])] == ["metaiqa_core.assets"]


def test_the_core_never_prints():
    for file in CORE:
        calls = [node.func for node in ast.walk(TREES[file]) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"], file


def test_commands_write_to_the_terminal_in_one_place_which_makes_foreign_text_harmless():
    writers = {"sys.stdout.write", "sys.stderr.write", "tqdm.write"}
    for file in (ROOT / "metaiqa_core" / "commands").rglob("*.py"):
        calls = [ast.unparse(node.func) for node in ast.walk(TREES[file]) if isinstance(node, ast.Call)]
        assert file.name == "output.py" or not writers & set(calls), f"{module_name(file)}: use `say` or `write`"


def test_tables_become_csv_in_one_place_which_leaves_no_formula():
    writers = {
        module_name(file)
        for file in [*CORE, *INTERFACE]
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Attribute) and node.attr == "to_csv" and ast.unparse(node.value) != "export"
    }
    # A run's own log makes its texts harmless itself, and reads them back.
    assert writers == {"metaiqa_core.results.export", "metaiqa_core.results.run_log"}


def test_the_core_validates_with_exceptions_not_with_asserts():
    assert not [file for file in CORE if any(isinstance(node, ast.Assert) for node in ast.walk(TREES[file]))]


def public_definitions(body, prefix=""):
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{node.name}.")


@pytest.mark.parametrize("file", CORE, ids=module_name)
def test_every_public_function_and_class_says_what_it_is_for(file):
    assert ast.get_docstring(TREES[file]), f"{file.name} has no docstring"
    missing = [name for name, node in public_definitions(TREES[file].body) if not ast.get_docstring(node)]
    assert not missing


IMPORT_WATCH = """
import sys, socket, random
touched = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        touched.append(f"writes {arguments[0]}")
    if event.split(".")[0] == "socket" and event != "socket.__new__":
        touched.append(event)
%(before)s
sys.addaudithook(watch)
import %(modules)s
sys.stdout.write(repr(touched) + chr(10))
%(after)s
"""


def run_watched(modules, before="", after=""):
    code = IMPORT_WATCH % {"modules": ", ".join(modules), "before": before, "after": after}
    outcome = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    return outcome.stdout.splitlines()


def test_importing_the_package_touches_nothing_and_stays_light():
    touched, heavy = run_watched(
        ["metaiqa_core"], after="sys.stdout.write(repr({'torch', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    assert (touched, heavy) == ("[]", "set()")


def test_importing_the_light_modules_touches_nothing_and_loads_no_network_library():
    light = ["errors", "files", "progress", "tasks", "databases.csv_database", "databases.rated_image"]
    after = (
        "now = random.getstate(), numpy.random.get_state()[1].tolist()\n"
        "sys.stdout.write(repr((now == state, 'torch' in sys.modules)))"
    )
    before = "import numpy\nstate = random.getstate(), numpy.random.get_state()[1].tolist()"
    touched, state = run_watched([f"metaiqa_core.{module}" for module in light], before, after)
    assert (touched, state) == ("[]", "(True, False)")


GLOBAL_STATE = """
def state():
    return (
        random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist(),
        torch.get_default_dtype(), str(torch.get_default_device()), torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled(), numpy.geterr(),
    )
"""


def test_importing_every_file_of_the_core_writes_nothing_asks_no_network_and_moves_no_seed_or_device():
    modules = [module for module in sorted(MODULES) if not module.endswith("__main__")]
    before = f"import numpy, torch\n{GLOBAL_STATE}\nearlier = state()"
    touched, state = run_watched(
        modules, before, "sys.stdout.write(repr((state() == earlier, torch.cuda.is_initialized())))"
    )
    assert (touched, state) == ("[]", "(True, False)")


def executed_on_import(body):
    """The statements of a module that run when it is imported: not those inside functions."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from executed_on_import(ast.iter_child_nodes(node))


FORBIDDEN_ON_IMPORT = {
    *(
        "seed",
        "manual_seed",
        "set_num_threads",
        "set_default_device",
        "set_default_dtype",
        "use_deterministic_algorithms",
    ),
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "urlopen", "urlretrieve", "load_model"),
    *("load_checkpoint", "basicConfig", "filterwarnings"),
}


@pytest.mark.parametrize("file", CORE, ids=module_name)
def test_no_module_reads_files_or_sets_seeds_threads_and_the_like_on_import(file):
    calls = [node.func for node in executed_on_import(TREES[file].body) if isinstance(node, ast.Call)]
    names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
    assert not names & FORBIDDEN_ON_IMPORT


@pytest.mark.parametrize("file", sorted((ROOT / "pages").glob("*.py")), ids=module_name)
def test_a_page_that_was_opened_by_its_address_gets_its_frame(file):
    statements = [node for node in TREES[file].body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert ast.unparse(statements[0]) == "frame.ensure()", f"{file.name}: frame.ensure() comes before all else"


PAGES = ROOT / "pages"
ROOMS = {
    "scoring": {"score_photos"},
    "maps": {"gradient_maps"},
    "lab": {"distortion_lab"},
    "taste": {"teach_your_taste"},
    "benchmarks": {"leave_one_distortion_out", "authentic_databases"},
    "jobs": {"training_jobs"},
    "about": {"about"},
}
"""The pages that each folder of pages/ serves; pages/shared/ serves several folders."""
FEATURE_FILES = [file for file in INTERFACE if file.parent != ROOT and file.name != "__init__.py"]
STREAMLIT_INTERNALS = PAGES / "shared" / "streamlit_internals.py"
PALETTE = PAGES / "shared" / "palette.py"


def folder_of(file):
    """The folder of pages/ that a file is in; empty for a page itself."""
    return file.parent.name if file.parent != PAGES else ""


@functools.cache
def imports_from_pages(file):
    """The files of pages/ that a file imports."""
    found = set()
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pages":
            # `from pages.about import ...` names the folder, not the page of the same name.
            inside = [] if (ROOT / node.module.replace(".", "/")).is_dir() else [node.module]
            names = [*inside, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found.update(path for name in names if (path := ROOT / (name.replace(".", "/") + ".py")).is_file())
    return found


def test_every_folder_of_the_pages_serves_one_page_or_is_shared():
    assert {folder_of(file) for file in FEATURE_FILES} == {"", "shared", *ROOMS}
    assert {file.stem for file in PAGES.glob("*.py")} == set().union(*ROOMS.values())


@pytest.mark.parametrize("file", FEATURE_FILES, ids=module_name)
def test_a_folder_of_the_pages_is_imported_by_its_own_page_alone(file):
    for other in imports_from_pages(file):
        room = folder_of(other)
        is_at_home = room == folder_of(file) or (not folder_of(file) and file.stem in ROOMS.get(room, ()))
        assert room == "shared" or is_at_home, f"{module_name(file)} imports {module_name(other)}"


def test_what_is_shared_is_used_by_several_pages_or_by_what_is():
    users = {file: {folder_of(user) or user.stem for user in FEATURE_FILES if file in imports_from_pages(user)}
             for file in PAGES.glob("shared/*.py")}  # fmt: skip
    page_of = {page: room for room, pages in ROOMS.items() for page in pages}
    for file, names in users.items():
        rooms = {page_of.get(name, name) for name in names}
        # app.py stands around all pages.
        is_shared = len(rooms) > 1 or "shared" in rooms or file in imports_from_pages(ROOT / "app.py")
        assert file.name == "__init__.py" or is_shared, f"{module_name(file)} serves {rooms} alone: move it there"


def test_the_files_of_the_pages_import_each_other_in_no_circle():
    graph = {file: imports_from_pages(file) for file in FEATURE_FILES}
    while graph:
        leaves = {file for file, others in graph.items() if not others & graph.keys()}
        assert leaves, f"a circle is among {sorted(map(module_name, graph))}"
        graph = {file: others for file, others in graph.items() if file not in leaves}


@pytest.mark.parametrize("file", [file for file in INTERFACE if file != STREAMLIT_INTERNALS], ids=module_name)
def test_only_one_file_knows_the_undocumented_parts_of_streamlit(file):
    modules = {name for name in IMPORTS[file] if name.split(".")[0] == "streamlit"}
    assert modules <= {"streamlit"}, f"{module_name(file)} imports {modules - {'streamlit'}}"
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "st":
            assert not node.attr.startswith("_"), f"{module_name(file)} uses st.{node.attr}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # What Streamlit calls its own elements; `st-key-...` is the documented class of a key.
            assert not re.search(r"data-testid|\.st[A-Z]", node.value), f"{module_name(file)}, line {node.lineno}"


COLOUR = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3}(?:[0-9a-fA-F]{2})?)?(?![0-9a-zA-Z_-])|\brgba?\(\s*\d")


def texts_of(file):
    """The string constants of a Python file that are no docstrings, or the whole of another file."""
    if file.suffix != ".py":
        return [file.read_text(encoding="utf-8")]
    docstrings = {id(node.value) for node in ast.walk(TREES[file]) if isinstance(node, ast.Expr)}
    nodes = (node for node in ast.walk(TREES[file]) if isinstance(node, ast.Constant) and id(node) not in docstrings)
    return [node.value for node in nodes if isinstance(node.value, str)]


def test_every_colour_of_the_pages_is_in_one_palette():
    files = [*INTERFACE, *(file for kind in ("css", "js", "html") for file in PAGES.rglob(f"*.{kind}"))]
    found = {file.name: COLOUR.findall(text) for file in files if file != PALETTE for text in texts_of(file)}
    assert not {name: colours for name, colours in found.items() if colours}


def test_style_sheets_and_scripts_are_files_of_their_own():
    for file in FEATURE_FILES:
        for text in texts_of(file):
            assert not re.search(r"^\s*(?:export |function |const )|[;{]\s*\n\s*[a-z-]+\s*:", text, re.MULTILINE), file
