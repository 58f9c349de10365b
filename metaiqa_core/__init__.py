"""MetaIQA: deep meta-learning for no-reference image quality assessment (CVPR 2020).

    >>> from metaiqa_core import Assessor                         # doctest: +SKIP
    >>> Assessor.load().assess("photo.jpg").score                 # doctest: +SKIP
    71.3

Importing the package touches no disk, network, seed or device: `Assessor` is looked up on first use.
"""

TYPE_CHECKING = False  # typing's own would have to be imported, and `metaiqa --help` waits for every module

if TYPE_CHECKING:
    from metaiqa_core.assess import Assessor
    from metaiqa_core.assessment import Assessment

__version__ = "0.1.0"
__all__ = ["Assessment", "Assessor", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Assessor":
        from metaiqa_core.assess import Assessor

        return Assessor
    if name == "Assessment":
        from metaiqa_core.assessment import Assessment

        return Assessment
    raise AttributeError(f"module 'metaiqa_core' has no attribute {name!r}")
