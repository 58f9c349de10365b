"""The photos of a session: what several tabs add, read and remove at the same time stays each photo's own."""

import hashlib
import os
import threading
import time

import pytest

from metaiqa_core.errors import PhotoError
from pages.shared.photo_library import PhotoLibrary


class SlowFile:
    """A file in which others have time to come between a step to a place and what is done there."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def seek(self, *place):
        position = self._file.seek(*place)
        time.sleep(0.001)
        return position


@pytest.fixture
def library():
    library = PhotoLibrary()
    library._file = SlowFile(library._file)
    return library


def photo_bytes(number):
    return bytes([number]) * (1000 + number)


def together(*blocks):
    """Run functions at the same time, to their end, and raise what one of them raised."""
    begin, errors = threading.Barrier(len(blocks)), []

    def run(block):
        begin.wait(20)
        try:
            block()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(block,), daemon=True) for block in blocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def is_whole(library, photo):
    return hashlib.sha256(library.content(photo)).hexdigest() == photo.sha256


def test_two_tabs_that_read_at_once_get_each_the_photo_that_they_asked_for(library):
    photos = [library.add(f"{number}.jpg", photo_bytes(number)) for number in range(8)]

    def read():
        assert all(is_whole(library, photo) for _ in range(5) for photo in photos)

    together(read, read, read)


def test_two_tabs_that_add_at_once_keep_every_photo_whole(library):
    photos = []

    def add(first):
        for number in range(first, first + 30):
            photos.append(library.add(f"{number}.jpg", photo_bytes(number)))
            photos.append(library.add_guest(f"guest {number}.jpg", photo_bytes(number)[::2]))

    together(lambda: add(0), lambda: add(100))
    assert len(photos) == 120
    assert all(is_whole(library, photo) for photo in photos)


def test_the_same_photo_added_at_once_takes_its_room_once(library):
    together(*[lambda: library.add("a.jpg", photo_bytes(7))] * 4)
    assert os.fstat(library._file.fileno()).st_size == len(photo_bytes(7))


def test_a_tab_that_reads_while_another_one_empties_the_session_gets_its_photo_or_a_sentence(library):
    done = threading.Event()
    outcomes = set()

    def read():
        while not done.is_set():
            for photo in [*library.own.copy().values(), mine]:
                try:
                    assert is_whole(library, photo)
                    outcomes.add("whole")
                except PhotoError as error:
                    outcomes.add(str(error).partition(" ")[2])

    def empty_and_fill():
        for number in range(30):
            library.clear()
            time.sleep(0.002)
            for offset in range(3):
                library.add("new.jpg", photo_bytes(10 + number + 50 * offset))
        done.set()

    mine = library.add("mine.jpg", photo_bytes(1))
    together(read, read, empty_and_fill)
    assert outcomes == {"whole", "is not kept here any more: add it again."}
