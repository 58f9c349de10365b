"""What the tests of the photo pages share: the app in this process with a tiny model, and real photos as files."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from metaiqa_core.models import model_files
from metaiqa_core.models.model_files import DEFAULT_MODEL

ROOT = Path(__file__).resolve().parents[1]


def jpeg(pixels, quality=90, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def as_default(checkpoint, folder):
    """Copy a model into a folder under the name of the default one."""
    for file in (checkpoint, checkpoint.with_suffix(".json")):
        shutil.copy(file, folder / f"{DEFAULT_MODEL}{file.suffix}")
    return folder


@pytest.fixture(scope="session")
def cat_jpeg():
    return jpeg(data.chelsea())


@pytest.fixture
def tiny_default(tiny_checkpoint, tmp_path, monkeypatch):
    """The tiny model stands in for the shipped one: pages answer fast, and nothing depends on certain scores."""
    monkeypatch.setattr(model_files, "SHIPPED_MODELS", as_default(tiny_checkpoint, tmp_path))
    return tmp_path
