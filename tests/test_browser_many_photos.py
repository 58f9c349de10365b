"""The script that hands many photos over in portions, in a real browser with a pretended uploader and server."""

import pytest
from browser import chromium

from pages.shared import arrival
from pages.shared.front_end import source

pytestmark = pytest.mark.browser
ADDRESS = "http://photos.test/"
PAGE = """<!doctype html>
<div class="stElementContainer st-key-intake_wide_Files_0">
  <div data-testid="stFileUploader">
    <section data-testid="stFileUploaderDropzone" style="height: 100px"><input type="file" multiple hidden></section>
  </div>
</div>
<div id="uploader"></div>
<div id="component"></div>
"""
BEGIN = """async (script) => {
    const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
    Object.assign(window, { seen: [], said: [], fed: 0 });
    const input = document.querySelector(".st-key-intake_wide_Files_0 input");
    input.onchange = () => seen.push(input.files.length);
    input.parentElement.ondragover = (event) => event.preventDefault();
    input.parentElement.ondrop = (event) => seen.push(event.dataTransfer.files.length);
    document.querySelector("#uploader").onchange = () => { fed += 1; };
    // What the server says, and the uploader that it draws with it.
    window.say = (data) => {
        const key = data.uploader, place = document.querySelector("#uploader");
        if (key && !place.querySelector(`.st-key-${key}`)) {
            place.innerHTML = `<div class="st-key-${key}"><input type="file" multiple></div>`;
        }
        const common = { problem: "", largest: 200, suffixes: [".jpg"], taken: { uploader: "", sizes: [] } };
        module.default({
            data: { number: said.findLast((one) => one)?.number ?? 0, ...common, ...data },
            parentElement: document.querySelector("#component"), setStateValue: (name, value) => said.push(value),
        });
    };
    window.choose = (files) => {
        const carrier = new DataTransfer();
        for (const [name, length] of files) {
            const file = new File([], name);
            Object.defineProperty(file, "size", { value: length });
            carrier.items.add(file);
        }
        input.files = carrier.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    window.handed = () => {
        const files = document.querySelector("#uploader input")?.files ?? [];
        return [...files].map((file) => [file.webkitRelativePath || file.name, file.size]);
    };
    window.fail = () => {
        const chip = '<div data-testid="stFileChip" aria-invalid="true"></div>';
        document.querySelector("#uploader > div").insertAdjacentHTML("beforeend", chip.repeat(handed().length));
    };
    say({ uploader: "" });
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser):
    opened = browser.new_page()
    opened.clock.install()
    opened.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html", status=opened.status))
    opened.status = 200
    opened.goto(ADDRESS)
    html = source("shared/arrival/arrival.html")
    opened.evaluate("html => { document.querySelector('#component').innerHTML = html; }", html)
    scripts = [*arrival._SCRIPTS, "shared/arrival/arrival.js"]
    opened.evaluate(BEGIN, "\n".join(map(source, scripts)))
    yield opened
    opened.close()


def choose(page, *files):
    page.evaluate("files => choose(files)", [list(file) for file in files])


def say(page, **data):
    """Let the server say something; return the files that the uploader has then."""
    page.evaluate("data => say(data)", data)
    return handed(page)


def handed(page):
    return [tuple(file) for file in page.evaluate("handed()")]


def taken(uploader, files):
    return {"uploader": uploader, "sizes": [size for _, size in files]}


def line(page):
    shown = page.locator("#component .line")
    return shown.locator(".words").inner_text() if shown.is_visible() else ""


def last(page):
    return page.evaluate("said.at(-1)")


FILES = [(f"{number}.jpg", 1000 + number) for number in range(100)]


def test_a_few_files_go_to_the_uploader_as_ever(page):
    choose(page, *FILES[:40])
    assert page.evaluate("seen") == [40]
    assert page.evaluate("said") == []
    assert line(page) == ""


def test_many_files_never_reach_the_uploader_and_come_in_portions_instead(page):
    choose(page, *FILES)
    assert page.evaluate("seen") == []
    assert last(page)["total"] == 100
    assert line(page) == "0 of 100 photos have come"
    first = say(page, uploader="portion_0")
    assert first == FILES[:40]
    assert say(page, uploader="portion_0") == first, "nothing more before they are taken"
    second = say(page, uploader="portion_1", taken=taken("portion_0", first))
    assert second == FILES[40:80]
    assert line(page) == "40 of 100 photos have come"
    third = say(page, uploader="portion_2", taken=taken("portion_1", second))
    assert third == FILES[80:]
    say(page, uploader="portion_3", taken=taken("portion_2", third))
    assert last(page) is None
    assert line(page) == "100 photos have come."
    page.clock.fast_forward(6000)
    assert line(page) == ""


def test_a_few_large_files_are_many_too_and_a_portion_is_bounded_in_bytes(page):
    large = [(f"{number}.jpg", 30 * 2**20) for number in range(5)]
    choose(page, *large)
    assert page.evaluate("seen") == []
    assert len(say(page, uploader="portion_0")) == 1


def test_a_file_that_was_lost_on_the_way_comes_again(page):
    choose(page, *FILES[:50])
    first = say(page, uploader="portion_0")
    second = say(page, uploader="portion_1", taken=taken("portion_0", [*first[:7], *first[8:]]))
    assert second == [*FILES[40:50], first[7]]
    assert line(page) == "39 of 50 photos have come"


def test_of_files_of_one_length_all_come_again_where_one_is_missing(page):
    choose(page, *((name, 500) for name, _ in FILES[:41]))
    first = say(page, uploader="portion_0")
    assert len(say(page, uploader="portion_1", taken=taken("portion_0", first[1:]))) == 40
    assert line(page) == "0 of 41 photos have come"


def test_a_file_that_can_never_be_sent_is_named_at_the_end_and_the_others_come(page):
    choose(page, *FILES[:41])
    files, number = say(page, uploader="portion_0"), 0
    while last(page) is not None:
        sent = [file for file in files if file[0] != "5.jpg"]
        number += 1
        files = say(page, uploader=f"portion_{number}", taken=taken(f"portion_{number - 1}", sent))
        assert number < 6
    assert line(page) == "40 of 41 photos have come. Could not be read: 5.jpg."
    page.locator("#component button").click()
    assert line(page) == ""


def test_files_beyond_the_limit_are_named_and_never_sent(page):
    choose(page, *FILES[:41], ("scan.tif", 201_000_000))
    assert last(page)["total"] == 41
    first = say(page, uploader="portion_0")
    second = say(page, uploader="portion_1", taken=taken("portion_0", first))
    say(page, uploader="portion_2", taken=taken("portion_1", second))
    assert line(page) == "41 photos have come. File must be 200MB or smaller: scan.tif."


def test_cancel_waits_for_the_portion_on_its_way_and_sends_no_more(page):
    choose(page, *FILES)
    first = say(page, uploader="portion_0")
    page.locator("#component button").click()
    say(page, uploader="portion_1", taken=taken("portion_0", first))
    assert handed(page) == []
    assert last(page) is None
    assert line(page) == "40 of 100 photos have come."


def test_a_full_disk_ends_it(page):
    choose(page, *FILES)
    first = say(page, uploader="portion_0")
    say(page, uploader="", problem="There is no room.", taken=taken("portion_0", first[:12]))
    assert last(page) is None
    assert line(page) == "12 of 100 photos have come. There is no room."


def fail(page):
    """Let all files of the portion fail, and wait until the script tries again, or ends."""
    before = page.evaluate("fed")
    page.evaluate("fail()")
    for _ in range(100):
        page.clock.run_for(300)
        if page.evaluate("fed") > before or last(page) is None:
            return
    raise AssertionError("it never tried again")


def test_a_lost_connection_is_told_and_the_same_photos_are_tried_again_and_again(page):
    choose(page, *FILES[:41])
    say(page, uploader="portion_0")
    page.status = 503
    for _ in range(5):
        fail(page)
        assert line(page) == "0 of 41 photos have come; the connection is lost, trying again …"
    back = handed(page)
    rest = say(page, uploader="portion_1", taken=taken("portion_0", back))
    assert sorted(back + rest) == sorted(FILES[:41])
    assert line(page) == "40 of 41 photos have come"


def test_photos_that_can_never_be_sent_do_not_hold_up_the_others(page):
    large = [(f"{number}.jpg", 40 * 2**20) for number in range(4)]  # a portion each
    choose(page, *large)
    assert say(page, uploader="portion_0") == large[:1]
    seen = []
    for _ in range(9):
        seen.append(handed(page)[0][0])
        if seen.count("0.jpg") == 3:
            break
        fail(page)
    assert seen[:4] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"], "the others get their turn before it is tried again"


def test_a_server_that_was_restarted_gets_the_portion_on_its_way_again(page):
    choose(page, *FILES[:41])
    say(page, uploader="portion_7")
    again = say(page, uploader="portion_0")
    assert len(again) == 40
    rest = say(page, uploader="portion_1", taken=taken("portion_0", again))
    assert sorted(again + rest) == sorted(FILES[:41])


def test_more_photos_can_be_brought_while_others_are_on_their_way(page):
    choose(page, *FILES[:50])
    say(page, uploader="portion_0")
    choose(page, *FILES[50:])
    assert line(page) == "0 of 100 photos have come"
    assert last(page)["total"] == 100


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "trip" / "day 1"
    inner.mkdir(parents=True)
    for number in range(3):
        (inner / f"{number}.JPG").write_bytes(bytes(10 + number))
    (tmp_path / "trip" / "notes.txt").write_text("milk, eggs")
    return tmp_path / "trip"


def drop(page, *paths):
    box = page.locator("section").bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 20, "y": box["y"] + 20, "data": data})


def test_a_dropped_folder_comes_with_its_paths_and_without_what_is_no_picture(page, folder):
    drop(page, folder)
    for _ in range(100):
        page.clock.run_for(100)
        if last(page):
            break
    assert page.evaluate("seen") == [0], "the uploader sees that the drag is over"
    assert last(page)["total"] == 3
    assert sorted(say(page, uploader="portion_0")) == [(f"trip/day 1/{number}.JPG", 10 + number) for number in range(3)]


def test_a_few_dropped_files_go_to_the_uploader_as_ever(page, folder):
    drop(page, folder / "notes.txt", folder / "day 1" / "0.JPG")
    assert page.evaluate("seen") == [2]
    assert page.evaluate("said") == []
