"""Files that are written: whole or not at all, through links and into devices, never over an input."""

from metaiqa_core.files.cache_folder import cache_folder
from metaiqa_core.files.full_disk import is_full_disk
from metaiqa_core.files.outputs import check_output
from metaiqa_core.files.streams import is_standard_output, is_stream, open_stream
from metaiqa_core.files.whole_files import file_name_for, sha256_of, write_text, write_together, write_whole

__all__ = [
    "cache_folder",
    "check_output",
    "file_name_for",
    "is_full_disk",
    "is_standard_output",
    "is_stream",
    "open_stream",
    "sha256_of",
    "write_text",
    "write_together",
    "write_whole",
]
