"""Vary the tasks in a mini-batch, k, and the inner steps, S: SROCC after fine-tuning (Figure 4)."""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

from metaiqa_core.commands.fold_by_fold import say_collapsed
from metaiqa_core.commands.options.adaptation import fine_tuner
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_databases
from metaiqa_core.commands.options.prior import PriorRecipe, add_prior_arguments, prior_card, read_recipe
from metaiqa_core.commands.options.run_folder import add_run_arguments, claim, common_folder
from metaiqa_core.commands.options.start import note_what_was_learned, start_from_model
from metaiqa_core.commands.output import as_table, finish_with_bar
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.databases.reading import read_database
from metaiqa_core.evaluation.protocols import Fold, Split, adaptation_folds, authentic_folds, refuse_collapsed, run_fold
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.progress import Progress, Work, renamed
from metaiqa_core.results.outcomes import Outcomes
from metaiqa_core.results.records import Protocol
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig, enough_epochs
from metaiqa_core.training.photos import TrainingPhotos

Setting = tuple[int, int]
"""(k, S)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser, several=True)
    parser.add_argument("--target", required=True, type=Path, metavar="DIR|CSV", help="the database to adapt to")
    parser.add_argument("--target-images", type=Path, metavar="DIR", help="folder of its images, if they lie elsewhere")
    add_run_arguments(parser, "priors, finished splits and the results, which the app shows")
    parser.add_argument(
        "--tasks", nargs="+", type=int, default=[1, 3, 5, 7], metavar="K", help="values of k (default: 1 3 5 7)"
    )
    parser.add_argument(
        "--steps", nargs="+", type=int, default=[2, 4, 6, 8], metavar="S", help="values of S (default: 2 4 6 8)"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="SEED", help="of the splits (default: 0)")
    parser.add_argument(
        "--fine-tune-preset", choices=tuple(FINE_TUNE_PRESETS), default="recommended", help="(default: recommended)"
    )
    parser.add_argument("--fine-tune-crop", type=int, metavar="PIXELS", help="instead of the preset's")
    parser.add_argument("--fine-tune-batch-norm", choices=("frozen", "adapt"), help="instead of the preset's")
    parser.add_argument(
        "--labelled-photos",
        type=int,
        metavar="N",
        help="fine-tune on so many of a split's photos: with few, the prior matters more (default: all)",
    )
    add_prior_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Vary k with the preset's S, and S with the preset's k; print SROCC by setting."""
    sources, target = chosen_databases(arguments), read_database(arguments.target, images=arguments.target_images)
    recipe = read_recipe(arguments)
    k, steps = recipe.config.tasks_per_batch, recipe.config.inner_steps
    settings = sorted({(tasks, steps) for tasks in arguments.tasks} | {(k, number) for number in arguments.steps})
    note_what_was_learned([recipe.start])
    study = _study(arguments, sources, target, recipe, settings)
    finished = finish_with_bar(recorded(study, arguments.run_dir, tensorboard=arguments.tensorboard))
    rows = [
        [str(tasks), str(number), f"{np.mean([split.srocc for split in splits]):.4f}"]
        for (tasks, number), splits in finished.items()
    ]
    sys.stdout.write(as_table(rows, ["k", "S", "SROCC"]))
    return 0


def _study(
    arguments: argparse.Namespace,
    sources: list[Database],
    target: Database,
    recipe: PriorRecipe,
    settings: list[Setting],
) -> Work[dict[Setting, list[Split]]]:
    """Meta-train a prior for each setting, fine-tune it on every split, and write the results so far each time."""
    tasks = distortion_tasks(*sources)
    photos = TrainingPhotos([image for database in sources for image in database], recipe.start.preprocessing)
    target_photos = TrainingPhotos(target.images, recipe.start.preprocessing)
    folds, tuning = _fine_tuning(arguments, target)
    tuned_as = {f"fine_tune_{name}": value for name, value in tuning.to_dict().items() if name != "seed"}
    tuned_as |= {"fine_tune_preset": arguments.fine_tune_preset, "labelled_photos": len(folds[0].training)}
    outcomes = Outcomes(arguments.run_dir.name, Protocol.PARAMETER_STUDY, target)
    finished: dict[Setting, list[Split]] = {}
    collapsed: list[str] = []
    for number, (k, steps) in enumerate(settings, start=1):
        place = f"k {k}, S {steps} ({number} of {len(settings)})"
        config = dataclasses.replace(recipe.config, tasks_per_batch=k, inner_steps=steps)
        varied = dataclasses.replace(recipe, config=config)
        recorded_as = varied.to_dict() | tuned_as
        folder = arguments.run_dir / f"k-{k}-S-{steps}"
        claim(folder, recorded_as, [*sources, target])
        prior = folder / "prior.safetensors"
        if not prior.exists():
            work = varied.train("MetaIQA", photos, tasks, 0, folder / "state.pt")
            network = yield from renamed(work, place)
            save_checkpoint(network, prior_card(network, "prior", "MetaIQA", 0, varied, sources), prior)
            (folder / "state.pt").unlink(missing_ok=True)
        start = start_from_model(str(prior), folded=tuning.fixed_statistics, device=recipe.start.device)
        finished[k, steps] = []
        for fold in folds:
            trainer = fine_tuner(start, target_photos, tuning, folder / f"{fold.name}.pt")
            split = yield from renamed(run_fold(target, fold, trainer, folder), f"{place} {fold.name}")
            if split.collapsed:
                collapsed.append(f"k {k}, S {steps} {fold.name}")
                say_collapsed(split, f"{place} {fold.name}")
                continue
            finished[k, steps].append(split)
            configuration = recorded_as | {"database_folder": common_folder(target)}
            outcomes.add(split, "MetaIQA", configuration, name=f"k-{k}-S-{steps}-{fold.name}")
            outcomes.write(arguments.run_dir, folds=arguments.run_dir)
        sroccs = [split.srocc for split in finished[k, steps]]
        measured = {"srocc": float(np.mean(sroccs))} if sroccs else {}
        yield Progress(f"{place}: done", number, len(settings), measured)
    refuse_collapsed(collapsed, len(settings) * len(folds))
    return finished


def _fine_tuning(arguments: argparse.Namespace, target: Database) -> tuple[list[Fold], FineTuneConfig]:
    """Return on what each prior is fine-tuned and judged, and how."""
    if arguments.labelled_photos is None:
        folds = authentic_folds(target, arguments.seeds)
    else:
        folds = adaptation_folds(target, arguments.seeds, [arguments.labelled_photos])
    tuning = FINE_TUNE_PRESETS[arguments.fine_tune_preset]
    tuning = dataclasses.replace(
        tuning,
        crop=arguments.fine_tune_crop or tuning.crop,
        batch_norm=arguments.fine_tune_batch_norm or tuning.batch_norm,
    )
    return folds, enough_epochs(tuning, len(folds[0].training), LEAST_STEPS)
