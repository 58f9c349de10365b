"""What scores a photo's pixels: ONNX Runtime where it can, torch where it must."""

from metaiqa_core.engine.choice import ENGINES, choose_engine
from metaiqa_core.engine.engine import Engine

__all__ = ["ENGINES", "Engine", "choose_engine"]
