"""A real browser visits every page among hostile names, cards, runs and tables: all is text, nobody is asked."""

import json
import shutil

import pytest
from browser import chromium, running_app, upload, wait_until_idle
from page_fixtures import as_default
from PIL import Image
from results_fixtures import ablation_run, adaptation_run, leave_one_out_run, parameter_run, repeats_run

pytestmark = pytest.mark.browser
ELSEWHERE = "http://127.0.0.1:9/"  # nobody listens there, and the test sees whoever asks


def hostile(name):
    """A text with something for each medium: Markdown, HTML, a chart's template, an emoji, and LaTeX."""
    return (
        f"![{name}]({ELSEWHERE}{name}.png) <img src='{ELSEWHERE}{name}-html.png'> <b class='hostile'>bold</b> "
        f"<a href='{ELSEWHERE}{name}'>click</a> [link]({ELSEWHERE}{name}) %{{x}} **strong** :material/home: $x^2$"
    )


FILE_NAME = "![file](http:&#47;&#47;127.0.0.1:9&#47;a.png) <b class='hostile'>x<b> **strong** $x^2$ :material_home:.png"
FORMULA_NAME = "=HYPERLINK(1).png"
INTERPRETED = """() => {
    const elements = [...document.querySelectorAll('img, a, b, strong, svg a, image, .katex, iframe, object, embed')];
    const isForeign = (element) =>
        /127\\.0\\.0\\.1:9/.test(element.src || element.href?.baseVal || element.href || '')
        || element.className === 'hostile' || element.matches('.katex')
        || (element.matches('strong, b') && ['strong', 'bold'].includes(element.textContent.trim()));
    const spans = [...document.querySelectorAll('.js-plotly-plot tspan')];
    const bold = spans.filter((one) => /bold/.test(one.style.fontWeight) && one.textContent.trim() === 'bold');
    return [...elements.filter(isForeign), ...bold].map((element) => element.outerHTML.slice(0, 300));
}"""
ONE_TYPE_VIEWS = ("Heat+map", "One+type", "Ranks", "Differences", "Averages")
DATABASE_VIEWS = ("Methods", "Ablation", "Repeats", "Parameter+study", "Adaptation")
VISITS = [
    "",
    "gradient_maps",
    "distortion_lab",
    *(f"leave_one_distortion_out?view={view}" for view in ONE_TYPE_VIEWS),
    *(f"authentic_databases?view={view}" for view in DATABASE_VIEWS),
    "training_jobs",
    "training_jobs?job=terminal",
    "about",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory, tiny_checkpoint):
    models, runs = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("runs")
    as_default(tiny_checkpoint, models)
    shutil.copy(tiny_checkpoint, models / "friend.safetensors")
    for file in models.glob("*.json"):
        file.unlink()
    card = json.loads(tiny_checkpoint.with_suffix(".json").read_text())
    card |= {key: hostile(key) for key in ("name", "summary", "training_data", "licence")}
    card["accuracy"] = {hostile("key"): hostile("accuracy")}
    card["recipe"] = {"command": hostile("recipe")}
    card["calibration"]["population"] = hostile("population")
    for weights in models.glob("*.safetensors"):
        weights.with_suffix(".json").write_text(json.dumps(card))
    # The name of a folder holds no slash.
    name = hostile("run").replace("/", "")[:200]
    leave_one_out_run(runs, name, method=hostile("method"), types=3, **{hostile("option"): hostile("value")})
    for number, write in enumerate((repeats_run, parameter_run, adaptation_run)):
        write(runs, f"{number} {name}")
    ablation_run(runs, f"ablation {name}", {"MetaIQA": 0.8, "Baseline": 0.7, hostile("other"): 0.6})
    terminal = runs / "terminal"
    terminal.mkdir()
    columns = "seconds,stage,step,total,metric,value,place,number,places,kind"
    quoted = '"' + hostile("stage").replace('"', '""') + '"'
    (terminal / "metrics.csv").write_text(
        f'{columns}\n1,{quoted},1,2,loss,0.5,{quoted},1,2,step\n2,{quoted},2,2,{quoted[:-1]}_loss",0.4,{quoted},1,2,step\n'
    )
    (terminal / "log.txt").write_text(f"{hostile('log')}\n\x1b[31mred\n")
    (runs / "damaged").mkdir()
    (runs / "damaged" / "job.json").write_text(hostile("job"))
    with running_app(METAIQA_MODELS=str(models), METAIQA_RUNS=str(runs)) as found:
        yield found


@pytest.fixture(scope="module")
def page(address):
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.outside = []
        page.on("request", lambda request: None if is_ours(request.url, address) else page.outside.append(request.url))
        yield page


def is_ours(url, address):
    return url.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))


def look(page):
    wait_until_idle(page)
    page.wait_for_timeout(500)  # charts are drawn after the script has ended
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.evaluate(INTERPRETED) == []
    assert page.outside == []


@pytest.mark.parametrize("visit", VISITS)
def test_a_page_among_hostile_runs_and_cards_asks_nobody_and_shows_text(page, address, visit):
    page.goto(f"{address}/{visit}")
    page.get_by_role("heading").first.wait_for()
    look(page)


def test_hostile_photos_and_tables_are_text(page, address, tmp_path):
    photos = [tmp_path / FILE_NAME, tmp_path / FORMULA_NAME, tmp_path / f"damaged {FILE_NAME}"]
    for number, photo in enumerate(photos[:2]):
        Image.effect_noise((96, 72), 20 + 20 * number).convert("RGB").save(photo)
    photos[2].write_bytes(b"no photo")
    page.goto(address)
    page.get_by_role("heading").first.wait_for()
    upload(page, *photos)
    page.get_by_text("files could not be scored").wait_for()
    look(page)

    table = tmp_path / "**strong** <b class='hostile'>bold<b>.csv"
    rows = [f'"{hostile("upload")}",TID2013,GB,srocc,0.9,', f'Mine,"{hostile("database")}",GB,srocc,0.9,']
    table.write_text(
        "\n".join(["method,database,distortion_type,metric,value,n", *rows, "=1+1,TID2013,AGN,srocc,0.5,"])
    )
    page.goto(f"{address}/leave_one_distortion_out")
    page.get_by_role("button", name="Filter and compare").click()
    upload(page, table)
    page.get_by_text("numbers read from").wait_for()
    look(page)
    assert page.get_by_text("<b class='hostile'>bold").count()
