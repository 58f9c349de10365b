"""How large a photo of a visitor may be, as the settings say."""

from metaiqa_core.images import DecodeLimits
from metaiqa_core.settings import read_settings


def photo_limits() -> DecodeLimits:
    """Return the limits of every decode in the app.

    Raises:
        SettingsError: If a variable has a value that it cannot have.
    """
    settings = read_settings()
    return DecodeLimits(max_file_bytes=settings.max_upload_mb * 2**20, max_pixels=settings.max_megapixels * 10**6)
