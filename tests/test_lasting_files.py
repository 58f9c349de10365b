"""What a page offers can be downloaded although the page is drawn anew between the look at a button and the click."""

import asyncio
import inspect
import json
import logging
import urllib.request
from types import SimpleNamespace

import pytest
import websockets
from browser import running_app
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session, media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from pages.shared import streamlit_internals
from pages.shared.streamlit_internals import LastingFiles, keep_files, silence_late_refreshes


class Server:
    """A manager of files, and a clock, which several sessions use in turn."""

    def __init__(self, monkeypatch, kind=LastingFiles):
        self.files, self.now, self.session = kind(MemoryMediaFileStorage("/media")), 0.0, "mine"
        monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: self.session)
        monkeypatch.setattr(streamlit_internals, "_session", lambda: self.session)
        monkeypatch.setattr(streamlit_internals, "time", SimpleNamespace(monotonic=lambda: self.now))

    def begin(self, session="mine"):
        """Begin to draw the whole page of a session."""
        self.session = session
        self.files.clear_session_refs()

    def end(self, session="mine"):
        """End a drawing of a session."""
        self.session = session
        self.files.remove_orphaned_files()

    def offer(self, text, button="button", place="0.1"):
        """Draw a button that makes a file, and return the name of the file."""
        return self.files.add_deferred(text.encode, "text/plain", place, "file.txt", element_id=button)

    def draw(self, text, **where):
        """Draw a whole page with one button."""
        self.begin()
        name = self.offer(text, **where)
        self.end()
        return name

    def click(self, name):
        """Click on a button whose file has a name, and return the address of the file."""
        return self.files.execute_deferred(name)

    def fetch(self, address):
        """Return the file at an address; None where the server has none."""
        file = self.files.read_file(address.rsplit("/", 1)[-1])
        return file and file.content


@pytest.fixture
def server(monkeypatch):
    return Server(monkeypatch)


def test_a_button_keeps_the_name_of_its_file_and_gives_what_is_there_at_the_click(server):
    seen = server.draw("old")
    assert server.draw("new") == seen
    assert server.draw("newest", place="0.7") == seen
    assert server.fetch(server.click(seen)) == b"newest"


def test_a_part_of_the_page_that_is_drawn_anew_keeps_the_name_as_well(server):
    seen = server.draw("old")
    server.offer("new")
    server.end()
    assert server.fetch(server.click(seen)) == b"new"


def test_two_buttons_have_two_files(server):
    server.begin()
    one, two = server.offer("one", button="one", place="0.1"), server.offer("two", button="two", place="0.2")
    server.begin()
    # The buttons have changed places.
    assert (server.offer("two", button="two", place="0.1"), server.offer("one", button="one", place="0.2")) == (
        two,
        one,
    )
    server.end()
    assert (server.fetch(server.click(one)), server.fetch(server.click(two))) == (b"one", b"two")


def test_two_sessions_have_two_files(server):
    mine = server.draw("mine")
    server.begin("other")
    other = server.offer("other")
    assert other != mine
    assert server.fetch(server.click(mine)) == b"mine"


def test_a_click_while_the_page_is_drawn_anew_gets_its_file_though_others_end_meanwhile(server):
    seen = server.draw("text")
    server.begin()  # the button of the drawing before is still on the screen
    server.end("other")
    server.now += 1000
    server.end("other")
    assert server.fetch(server.click(seen)) == b"text"


def test_a_file_that_was_made_waits_a_minute_for_the_browser_and_is_deleted_then(server):
    seen = server.draw("text")
    address = server.click(seen)
    for _ in range(5):
        server.now += 10
        server.end("other")
    assert server.fetch(address) == b"text"
    server.now += 60
    for _ in range(2):  # a download is marked first, and deleted at the next end
        server.end("other")
    assert server.fetch(address) is None
    server.now += 1000
    address = server.click(seen)
    for _ in range(3):
        server.end("other")
    assert server.fetch(address) == b"text"


def test_a_picture_is_there_while_the_page_is_drawn_anew_and_deleted_a_minute_after_its_last_use(server):
    server.begin()
    address = server.files.add(b"pixels", "image/jpeg", "0.3")
    server.end()
    server.begin()
    server.end("other")
    assert server.fetch(address) == b"pixels"
    server.now += 61
    server.end()
    assert server.fetch(address) is None


def test_a_button_that_is_gone_is_forgotten_after_a_minute(server):
    seen = server.draw("text")
    for seconds in (0, 59):
        server.now += seconds
        server.begin()
        server.end()
        server.click(seen)
    server.now += 2
    server.end()
    with pytest.raises(MediaFileStorageError, match=f"Deferred file {seen} not found"):
        server.click(seen)


def test_a_session_that_is_over_offers_nothing(server):
    seen = server.draw("text")
    server.files.clear_session_refs("mine")
    with pytest.raises(MediaFileStorageError, match=f"Deferred file {seen} not found"):
        server.click(seen)


def test_streamlit_itself_still_forgets_what_is_on_the_screen(monkeypatch):
    # Where this fails after an update, `keep_files` is not needed any more.
    server = Server(monkeypatch, MediaFileManager)
    seen = server.draw("text")
    address = server.click(seen)
    for _ in range(2):
        server.end("other")
    assert server.fetch(address) is None
    server.begin()
    server.end("other")
    with pytest.raises(MediaFileStorageError, match="not found"):
        server.click(seen)


def test_the_manager_of_a_server_is_mended_once(monkeypatch):
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    monkeypatch.setattr(streamlit_internals, "get_instance", lambda: SimpleNamespace(media_file_mgr=manager))
    for _ in range(2):
        keep_files()
    assert type(manager) is LastingFiles


class Visitor:
    """A browser without a screen: it draws the page, and asks for files."""

    def __init__(self, connection):
        self.connection, self.buttons, self.answers = connection, {}, asyncio.Queue()
        self.drawn, self.session = asyncio.Event(), ""

    async def listen(self):
        """Note what the server sends."""
        async for data in self.connection:
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.WhichOneof("type") == "download_button":
                button = message.delta.new_element.download_button
                self.buttons.setdefault(button.label, button.deferred_file_id)  # the first drawing's
            elif kind == "new_session":
                self.session = message.new_session.initialize.session_id
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self.drawn.set()
            elif kind == "backend_operation_response":
                await self.answers.put(message.backend_operation_response)

    async def draw(self):
        """Draw the whole page."""
        self.drawn.clear()
        message = BackMsg()
        message.rerun_script.query_string = ""
        await self.connection.send(message.SerializeToString())
        await asyncio.wait_for(self.drawn.wait(), 120)

    async def click(self, name):
        """Click on a button whose file has a name, and return what the server answers."""
        message = BackMsg()
        message.backend_operation_request.request_id = name
        message.backend_operation_request.session_id = self.session
        message.backend_operation_request.deferred_file.file_id = name
        await self.connection.send(message.SerializeToString())
        return await asyncio.wait_for(self.answers.get(), 60)


async def downloaded(address):
    """Look at the page, let it and another visitor's be drawn anew, click, let both be drawn again, and fetch."""
    url = f"{address.replace('http', 'ws')}/_stcore/stream"
    one, other = (websockets.connect(url, subprotocols=["streamlit"], max_size=None, ping_timeout=None) for _ in "ab")
    async with one as first, other as second:
        visitors = [Visitor(first), Visitor(second)]
        listening = [asyncio.create_task(visitor.listen()) for visitor in visitors]
        for visitor in [*visitors, *visitors]:
            await visitor.draw()
        seen = visitors[0].buttons["JSON"]
        answer = await visitors[0].click(seen)
        for visitor in [*visitors, *visitors]:
            await visitor.draw()
        for task in listening:
            task.cancel()
    assert answer.error_msg == ""
    with urllib.request.urlopen(address + answer.deferred_file.url, timeout=30) as reply:
        return json.load(reply)


def test_the_table_of_scores_comes_though_pages_are_drawn_anew_before_and_after_the_click():
    with running_app(OMP_NUM_THREADS="1") as address:
        rows = asyncio.run(downloaded(address))
    assert {"file", "score", "decision"} <= rows[0].keys()


def test_a_browser_that_asks_for_a_part_of_the_page_that_is_gone_is_no_line_of_the_log(caplog):
    sentence = "The fragment with id %s does not exist anymore "
    assert sentence in inspect.getsource(app_session)  # otherwise Streamlit says it in other words now
    silence_late_refreshes()
    silence_late_refreshes()
    log = logging.getLogger("streamlit.runtime.app_session")
    assert len([each for each in log.filters if each.__module__ == silence_late_refreshes.__module__]) == 1
    with caplog.at_level(logging.INFO, log.name):
        log.info(f"{sentence}- it might have been removed during a preceding full-app rerun.", "2d56")
        log.info("Something else happened.")
    assert [record.getMessage() for record in caplog.records] == ["Something else happened."]
