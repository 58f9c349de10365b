"""Write the list of commands from their catalogue: `python -m docs.commands` writes docs/commands.md."""

from pathlib import Path

from metaiqa_core.command_catalogue import COMMANDS
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, PREPARATIONS

LIST = Path(__file__).with_name("commands.md")
_OPENING = """# Commands

Everything that the app does, a terminal does too: `metaiqa COMMAND` where the program is installed, or
`python -m metaiqa_core COMMAND`. `metaiqa COMMAND --help` lists a command's options. Those marked as a job run from the
page *Training jobs* as well.

This page is written by `make docs` from the program's own list of commands.

| command | what it does | as a job |
|---|---|---|
"""
_EXAMPLES = """
## Photos

    metaiqa score holiday/ --format csv --output scores.csv
    metaiqa score photo.jpg --format json
    metaiqa score holiday/ --write-xmp
    metaiqa bulk-score --manifest photos.csv --output scores/
    metaiqa diagnose holiday/ --format csv
    metaiqa explain photo.jpg --methods saliency,guided-grad-cam --output maps/
    metaiqa distort photo.jpg --type kadid10k:GB --level 4 --output blurred.png

`--write-xmp` writes the grade of each photo as one to five stars into a sidecar beside it, `photo.jpg.xmp`, which
darktable and digiKam read; `--xmp-names stem` names it `photo.xmp`, which Lightroom and Bridge read beside camera raw
files. Whatever else a sidecar holds stays, stars that somebody else gave too. `bulk-score` is for lists that
would take one process too long ([scale](scale.md)).

## Models for your own photos

A database is a folder in its official layout, a folder that `synthesize` wrote, or a CSV file with the columns `image`
and `mos` (`--mos-range 1 5` names its scale).

    metaiqa models list
    metaiqa models show default
    metaiqa evaluate --database my_photos.csv
    metaiqa fine-tune --database my_photos.csv --repeats 10 --run-dir runs/mine
    metaiqa score photo.jpg --model runs/mine/mine.safetensors
    metaiqa fine-tune --model mobilenet-prior-bn --database few_photos.csv --batch-norm adapt --crop 224 \\
      --run-dir runs/adapted

## Databases

`databases check` reads every image of your copy of TID2013, KADID-10k, CID2013, LIVE Challenge, KonIQ-10k or BIQ2021
and says what is missing, extra, unreadable, out of range or double; nothing is downloaded. `synthesize` makes a
database of distorted photos from photos without visible damage.

    metaiqa databases list
    metaiqa databases check kadid10k ~/kadid10k
    metaiqa synthesize --like kadid10k --photos my_pristine_photos/ --output data/kadid10k-style

## Meta-learning and the paper's experiments

    metaiqa meta-train --backbone mobilenet_v2 --database data/kadid10k-style --run-dir runs/prior
    metaiqa leave-one-out --backbone mobilenet_v2 --database data/kadid10k-style --run-dir runs/table2 --workers 2
    metaiqa adaptation-curve --database my_photos.csv --run-dir runs/curve \\
      --start MetaIQA=runs/prior/prior.safetensors --start ImageNet=mobilenet_v2:imagenet
    metaiqa graph-model --backbone efficientnet_lite0 --adapters 4 6 8 --database data/kadid10k-style \\
      --run-dir runs/graph
    metaiqa joint-train --help
    metaiqa ablation --help
    metaiqa parameter-study --help

Each run continues where it was when the same command is given again, with the same bits, and writes `metrics.csv` (and
TensorBoard's event files with `--tensorboard`); the result pages show what it measured.

## Several processes, and GPUs

    torchrun --nproc-per-node 4 -m metaiqa_core meta-train --database data/kadid10k-style --run-dir runs/prior

shares the tasks of a mini-batch among processes. `--device cuda` trains on a GPU: torchrun's processes each on one of
their own, those of `--workers` on the GPUs in turn. No GPU was at hand to try it (or to see whether a resumed run gets
the same bits there): the tests train on a pretended device, whose tensors refuse to meet the processor's.
"""


def list_of_commands() -> str:
    """Return the list as Markdown."""
    rows = []
    for name, entry in COMMANDS.items():
        job = f"*{entry.title}*" if name in JOB_COMMANDS else "prepares one" if name in PREPARATIONS else ""
        rows.append(f"| `{name}` | {entry.summary} | {job} |\n")
    return _OPENING + "".join(rows) + _EXAMPLES


if __name__ == "__main__":
    LIST.write_text(list_of_commands(), encoding="utf-8")
