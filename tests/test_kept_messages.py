"""What a browser is told outlives the start of a run: where to send a file, and the order of what is drawn."""

import asyncio
import logging

import pytest
import websockets
from browser import running_app
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnected
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.shared.streamlit_internals import keep_messages, one_line_for_lost_uploads

QUESTIONS = 20


@pytest.fixture(autouse=True)
def answers_kept(monkeypatch):
    """The mended queue, for this file's tests alone."""
    monkeypatch.setattr(ForwardMsgQueue, "clear", getattr(ForwardMsgQueue.clear, "__wrapped__", ForwardMsgQueue.clear))
    original = ForwardMsgQueue.clear
    keep_messages()
    return original


def answer(name):
    message = ForwardMsg()
    message.file_urls_response.response_id = name
    return message


def drawing():
    message = ForwardMsg()
    message.delta.new_element.text.body = "drawn by the run before"
    return message


def waiting_answers(queue):
    return [m.file_urls_response.response_id for m in queue.flush() if m.WhichOneof("type") == "file_urls_response"]


@pytest.mark.parametrize("fragments", [None, ["fragment"]], ids=["a whole run", "a fragment"])
def test_a_run_that_starts_throws_away_what_was_drawn_but_no_answer(fragments):
    queue = ForwardMsgQueue()
    for message in (answer("one"), drawing(), answer("two")):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=fragments)
    if fragments is None:
        assert len(queue) == 2
    assert waiting_answers(queue) == ["one", "two"]


def placed(path, fragment="", block=False):
    """What draws a container or a text at a place of the page, by its indices in the containers around it."""
    message = ForwardMsg()
    message.metadata.delta_path[:] = path
    message.delta.fragment_id = fragment
    if block:
        message.delta.add_block.allow_empty = True
    else:
        message.delta.new_element.text.body = "text"
    return message


def is_drawn(messages):
    """Whether each message finds its container, and in it all that comes before it, as the browser wants it."""
    children = {(): 0}
    for message in messages:
        *parent, index = message.metadata.delta_path
        if index > children.get(tuple(parent), -1):
            return False
        children[tuple(parent)] = max(children[tuple(parent)], index + 1)
        if message.delta.HasField("add_block"):
            children.setdefault((*parent, index), 0)
    return True


def after_a_refresh():
    """A page with a fragment and something below it, and the fragment's refresh before any of it was sent."""
    queue, fragment = ForwardMsgQueue(), [placed([0], "F", block=True), placed([0, 0], "F")]
    for message in (*fragment, placed([1])):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["F"])
    for message in fragment:
        queue.enqueue(message)
    return queue.flush()


def test_a_fragment_that_refreshes_itself_leaves_the_page_in_order():
    messages = after_a_refresh()
    assert is_drawn(messages)
    assert {tuple(message.metadata.delta_path) for message in messages} == {(0,), (0, 0), (1,)}


def test_streamlit_itself_still_loses_the_order(answers_kept, monkeypatch):
    # Where this fails after an update, that part of `keep_messages` is not needed any more.
    monkeypatch.setattr(ForwardMsgQueue, "clear", answers_kept)
    assert not is_drawn(after_a_refresh())


def test_a_queue_that_was_sent_is_empty():
    queue = ForwardMsgQueue()
    queue.enqueue(answer("one"))
    assert len(queue.flush()) == 1
    assert queue.is_empty()


def test_mending_twice_is_mending_once():
    mended = ForwardMsgQueue.clear
    keep_messages()
    assert ForwardMsgQueue.clear is mended


def test_streamlit_itself_still_loses_the_answer(answers_kept):
    # Where this fails after an update, `keep_messages` is not needed any more.
    queue = ForwardMsgQueue()
    queue.enqueue(answer("one"))
    answers_kept(queue, retain_lifecycle_msgs=True)
    assert queue.is_empty()


def rerun_request():
    message = BackMsg()
    message.rerun_script.query_string = ""
    return message.SerializeToString()


def question(name):
    message = BackMsg()
    message.file_urls_request.request_id = name
    message.file_urls_request.file_names.append("photo.jpg")
    return message.SerializeToString()


async def unanswered(address):
    """Ask again and again while the page draws itself; return the questions without an answer."""
    asked, drawn = {str(number) for number in range(QUESTIONS)}, asyncio.Event()
    url = f"{address.replace('http', 'ws')}/_stcore/stream"
    async with websockets.connect(url, subprotocols=["streamlit"], max_size=None, ping_timeout=None) as browser:

        async def listen():
            async for data in browser:
                message = ForwardMsg.FromString(data)
                if message.WhichOneof("type") == "script_finished":
                    drawn.set()
                if message.WhichOneof("type") == "file_urls_response":
                    asked.discard(message.file_urls_response.response_id)
                if not asked:
                    return

        await browser.send(rerun_request())
        listening = asyncio.create_task(listen())
        await asyncio.wait_for(drawn.wait(), 120)  # nobody sees the uploader before
        for name in sorted(asked):
            await browser.send(question(name))
            await browser.send(rerun_request())
            await asyncio.sleep(0.15)
        await asyncio.wait([listening], timeout=30)
        listening.cancel()
    return asked


def test_who_asks_for_a_place_while_the_page_is_drawn_again_gets_an_answer():
    with running_app(OMP_NUM_THREADS="1") as address:
        assert asyncio.run(unanswered(address)) == set()


def test_a_browser_that_goes_away_while_it_sends_a_file_is_one_line_of_the_log(caplog):
    one_line_for_lost_uploads()
    one_line_for_lost_uploads()
    log = logging.getLogger("uvicorn.error")
    assert len([each for each in log.filters if each.__module__ == one_line_for_lost_uploads.__module__]) == 1
    for error in (WebSocketDisconnected("closed"), ClientDisconnect(), ValueError("a fault of the program")):
        log.error("Exception in ASGI application\n", exc_info=error)
    closed, went, fault = caplog.records[-3:]
    assert (closed.getMessage(), closed.exc_info) == ("A browser went away while it was answered.", None)
    assert (went.getMessage(), went.exc_info) == ("A browser went away while it sent a file.", None)
    assert (fault.levelname, fault.exc_info[1].args) == ("ERROR", ("a fault of the program",))
