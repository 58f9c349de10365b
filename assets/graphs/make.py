"""Make the graphs of the shipped models' architectures again: `python assets/graphs/make.py`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from metaiqa_core.engine.graph_files import graph_name, make_graph  # noqa: E402
from metaiqa_core.models.card import read_card  # noqa: E402
from metaiqa_core.models.model_files import SHIPPED_GRAPH_MODELS, SHIPPED_MODELS, SHIPPED_PRIORS  # noqa: E402


def main() -> None:
    """Write the graphs that are missing, and remove those that no shipped model has."""
    folders = SHIPPED_MODELS, SHIPPED_PRIORS, SHIPPED_GRAPH_MODELS
    cards = [read_card(file) for folder in folders for file in sorted(folder.glob("*.json"))]
    wanted = {graph_name(card): card for card in cards}
    for name, card in wanted.items():
        (HERE / name).write_bytes(make_graph(card).to_bytes())
    for file in HERE.glob("*.graph"):
        if file.name not in wanted:
            file.unlink()


if __name__ == "__main__":
    main()
