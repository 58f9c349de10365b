"""Where tastes are kept: a folder for each, with its photos as small copies and its ratings, until it is deleted.

Nothing is lost on the way: each rating is written as it is given. What a model sees of a photo lies beside the photo's
copy, so that the photo itself is not needed again.
"""

import contextlib
import json
import os
import shutil
import zipfile
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import TasteError
from metaiqa_core.files import file_name_for, is_full_disk, write_text, write_whole
from metaiqa_core.json_files import read_json, validated
from metaiqa_core.models.model_files import own_models
from metaiqa_core.taste.record import KeptPhoto, TasteRecord

VARIABLE = "METAIQA_TASTES"
_FILE = "taste.json"
_MAXIMUM_BYTES = 2**22


class TasteFolder:
    """The folder of one taste.

    Args:
        folder: The folder; it need not exist before something is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> TasteRecord:
        """Return what is known of the taste.

        Raises:
            TasteError: If the file is missing or damaged.
        """
        try:
            return validated(TasteRecord, read_json(self.folder / _FILE, _MAXIMUM_BYTES))
        except (OSError, ValueError) as error:
            raise TasteError(
                f"The ratings in {self.folder} cannot be read: {str(error).rstrip('.')}. Restore {_FILE} or delete the "
                "folder."
            ) from error

    def save(self, record: TasteRecord) -> None:
        """Write what is known of the taste.

        Raises:
            TasteError: If the disk refuses.
        """
        text = json.dumps(asdict(record), indent=1, ensure_ascii=False)
        with _readable_failure(self.folder):
            write_text(self.folder / _FILE, text)

    def add_picture(self, photo: KeptPhoto, jpeg: bytes) -> None:
        """Keep a small copy of a photo.

        Raises:
            TasteError: If the disk refuses.
        """
        with _readable_failure(self.folder):
            write_whole(self._picture(photo.key), lambda temporary: temporary.write_bytes(jpeg))

    def picture(self, key: str) -> bytes | None:
        """Return the small copy of a photo as JPEG; None where it is lost."""
        try:
            return self._picture(key).read_bytes()
        except OSError:
            return None

    def add_thumbnail(self, key: str, jpeg: bytes) -> None:
        """Keep a thumbnail of a photo.

        Raises:
            TasteError: If the disk refuses.
        """
        with _readable_failure(self.folder):
            write_whole(self._thumbnail(key), lambda temporary: temporary.write_bytes(jpeg))

    def thumbnail(self, key: str) -> bytes | None:
        """Return the thumbnail of a photo as JPEG; None where it is lost."""
        try:
            return self._thumbnail(key).read_bytes()
        except OSError:
            return None

    def keep_seen(self, key: str, model: str, seen: NDArray[np.float32]) -> None:
        """Keep what a model sees of a photo.

        Args:
            key: Key of the photo.
            model: Hash of the general model.
            seen: Result of `GeneralModel.see`.

        Raises:
            TasteError: If the disk refuses.
        """

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.save(file, seen, allow_pickle=False)

        with _readable_failure(self.folder):
            write_whole(self._seen(key, model), write)

    def seen(self, key: str, model: str, width: int) -> NDArray[np.float32] | None:
        """Return what a model sees of a photo; None where that is not kept, or damaged."""
        try:
            found = np.load(self._seen(key, model), allow_pickle=False)
        except (OSError, ValueError):
            return None
        return found if found.shape == (width,) and found.dtype == np.float32 and np.isfinite(found).all() else None

    def remove_photo(self, record: TasteRecord, key: str) -> TasteRecord:
        """Remove a photo with its ratings, and return the record without it."""
        for file in (self.folder / "photos").glob(f"{key}*"):
            with contextlib.suppress(OSError):
                file.unlink()
        photos = tuple(photo for photo in record.photos if photo.key != key)
        skipped = tuple(pair for pair in record.skipped if key not in pair)
        changed = replace(record, photos=photos, skipped=skipped).with_ratings(record.ratings.without_photo(key))
        self.save(changed)
        return changed

    def delete(self) -> None:
        """Delete the taste with all of its photos and ratings; its personal model stays.

        Raises:
            TasteError: If the disk refuses.
        """
        with _readable_failure(self.folder):
            shutil.rmtree(self.folder)

    def _picture(self, key: str) -> Path:
        return self.folder / "photos" / f"{key}.jpg"

    def _thumbnail(self, key: str) -> Path:
        return self.folder / "photos" / f"{key}.small.jpg"

    def _seen(self, key: str, model: str) -> Path:
        return self.folder / "photos" / f"{key}.{file_name_for(model)}.npy"


@dataclass(frozen=True)
class TasteStore:
    """A folder of tastes.

    Attributes:
        folder: The folder; it need not exist before something is saved.
    """

    folder: Path

    @classmethod
    def own(cls) -> Self:
        """Return the user's store: METAIQA_TASTES, or a folder beside that of the user's own models."""
        return cls(Path(os.environ.get(VARIABLE) or own_models().parent / "tastes"))

    def list(self) -> dict[str, TasteFolder]:
        """Return all tastes by name; folders that cannot be read are left out."""
        found = {}
        for file in sorted(self.folder.glob(f"*/{_FILE}")):
            with contextlib.suppress(TasteError):
                taste = TasteFolder(file.parent)
                found[taste.read().name] = taste
        return found

    def create(self, name: str, model: str = "default") -> TasteFolder:
        """Return the folder of a new taste; one of that name that is there already stays as it is.

        Raises:
            TasteError: If the disk refuses.
        """
        taste = self.list().get(name)
        if taste is None:
            taste = TasteFolder(self.folder / (file_name_for(name) or "taste"))
            taste.save(TasteRecord(name=name, model=model))
        return taste


def zipped(files: dict[str, bytes]) -> bytes:
    """Return files as a ZIP archive, stored as they are."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


@contextlib.contextmanager
def _readable_failure(folder: Path) -> Any:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if is_full_disk(error) else error.strerror
        raise TasteError(
            f"The ratings cannot be kept in {folder}: {reason}. Make room there, or set {VARIABLE}."
        ) from error
