"""List the published databases, or check one that you have; nothing is downloaded."""

import argparse
from pathlib import Path
from typing import Any

from metaiqa_core.commands.options.database_choice import add_layout_arguments, chosen_range, score_files
from metaiqa_core.commands.output import as_json, as_table, finish_with_bar, write
from metaiqa_core.databases.catalogue import OFFICIAL, find_official
from metaiqa_core.databases.check import CheckReport, check_database
from metaiqa_core.databases.official_database import OfficialDatabase
from metaiqa_core.databases.reading import CSV
from metaiqa_core.files import check_output
from metaiqa_core.images import READABLE_SUFFIXES

_EXAMPLES = 3  # how many findings of a kind the table spells out; JSON holds them all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|check")
    listing = actions.add_parser("list", help="list the published databases: size, where to get it, what to cite")
    check = actions.add_parser(
        "check", help="check a database for missing, extra, unreadable or double images and wrong scores"
    )
    add_check_arguments(check)
    _add_output_arguments(listing)


def add_check_arguments(check: argparse.ArgumentParser) -> None:
    """Declare the options of `databases check`."""
    names = ", ".join(official.key for official in OFFICIAL)
    check.add_argument(
        "name", metavar="NAME", help=f"name of the database: {names}, or {CSV} for your own or a synthesised one"
    )
    check.add_argument(
        "folder", type=Path, metavar="DIR", help="folder that it is unpacked in; for csv also the file itself"
    )
    add_layout_arguments(check)
    _add_output_arguments(check)


def _add_output_arguments(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--format", choices=("table", "json"), default="table", help="format of the output (default: table)"
    )
    action.add_argument("--output", type=Path, metavar="FILE", help="file to write instead of the terminal")


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen sub-command; a check that finds problems ends with the status 1."""
    return {"list": _list, "check": _check}[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    if arguments.format == "json":
        write(as_json([_description(official) for official in OFFICIAL]), arguments.output)
        return 0
    header = ["name", "database", "images", "references", "types", "scores", "subsets"]
    rows = [
        [
            official.key,
            official.name,
            f"{official.size:,}",
            str(official.references or "-"),
            str(len(official.distortion_types) or "-"),
            "{:g} to {:g}".format(*official.raw_range),
            ", ".join(name for name, _ in official.subsets) or "-",
        ]
        for official in OFFICIAL
    ]
    asking = [f"{official.name}: ask at {official.where}\n  {official.citation}" for official in OFFICIAL]
    write(as_table(rows, header) + "\n" + "\n".join(asking) + "\n", arguments.output)
    return 0


def _description(official: OfficialDatabase) -> dict[str, Any]:
    return {
        "name": official.key,
        "database": official.name,
        "images": official.size,
        "references": official.references,
        "distortion_types": list(official.distortion_types),
        "subsets": dict(official.subsets),
        "raw_range": list(official.raw_range),
        "layout": official.layout,
        "where": official.where,
        "citation": official.citation,
    }


def _check(arguments: argparse.Namespace) -> int:
    official = None if arguments.name.casefold() == CSV else find_official(arguments.name)
    work = check_database(arguments.folder, arguments.name, images=arguments.images, mos_range=chosen_range(arguments))
    if arguments.output:
        is_picture = arguments.output.suffix.lower() in READABLE_SUFFIXES  # no report has such a name
        inputs = [*score_files(arguments.folder), *([arguments.output] if is_picture else [])]
        check_output(arguments.output, inputs)
    report: CheckReport = finish_with_bar(work)
    as_text = _as_json if arguments.format == "json" else _as_text
    write(as_text(report, official), arguments.output)
    return 1 if report.findings else 0


def _as_json(report: CheckReport, official: OfficialDatabase | None) -> str:
    answer = {
        "database": report.name,
        "folder": str(report.folder),
        "image_folders": [str(folder) for folder in report.image_folders],
        "usable": report.usable,
        "complete": report.complete,
        "expected": report.expected,
        "listed": report.listed,
        "present": report.present,
        "references": report.references,
        "distortion_types": report.distortion_types,
        "subsets": dict(report.subsets),
        "counts": report.counts,
        "problems": [
            {"kind": finding.kind, "subject": finding.subject, "sentence": finding.sentence}
            for finding in report.findings
        ],
        "notes": list(report.notes),
        "where": official.where if official else None,
        "citation": official.citation if official else None,
    }
    return as_json(answer)


def _as_text(report: CheckReport, official: OfficialDatabase | None) -> str:
    expected = "" if report.expected is None else f" of {report.expected:,}"
    facts = [
        ["in the score file", f"{report.listed:,}{expected}"],
        ["there", f"{report.present:,}"],
        ["references", str(report.references or "-")],
        ["distortion types", str(report.distortion_types or "-")],
        *([f"subset {name}", f"{size:,}"] for name, size in report.subsets),
    ]
    verdict = f"{'usable' if report.usable else 'not usable'}, {'complete' if report.complete else 'not complete'}"
    parts = [f"{report.name} in {report.folder}: {verdict}\n", as_table(facts, ["images", "number"])]
    for kind, count in report.counts.items():
        sentences = [finding.sentence for finding in report.findings if finding.kind == kind]
        more = [f"... and {count - _EXAMPLES:,} more (--format json names them)"] if count > _EXAMPLES else []
        parts.append("\n  ".join([f"{kind}: {count:,}", *sentences[:_EXAMPLES], *more]) + "\n")
    parts += [f"note: {note}\n" for note in report.notes]
    if official and not report.complete and official.where not in "".join(parts):
        parts.append(f"This program downloads no database: ask for {official.name} at {official.where}\n")
    if official:
        parts.append(f"Cite: {official.citation}\n")
    return "".join(parts)
