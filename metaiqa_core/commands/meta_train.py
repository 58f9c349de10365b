"""Learn a quality prior from distortion tasks by meta-learning (Algorithm 1), for `fine-tune`."""

import argparse
import dataclasses
import sys

from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_databases
from metaiqa_core.commands.options.prior import METHODS, add_prior_arguments, prior_card, read_recipe
from metaiqa_core.commands.options.run_folder import add_run_arguments
from metaiqa_core.commands.output import finish_with_bar
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.progress import finish
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.meta import image_passes
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import join_processes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser, several=True)
    add_run_arguments(parser, "state, curves and the new prior")
    parser.add_argument("--method", choices=METHODS, default="MetaIQA", help="(default: MetaIQA)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--name", help="name of the prior (default: that of the run folder)")
    parser.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    add_prior_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, alone or among the processes that torchrun started, and write the prior with its card."""
    databases = chosen_databases(arguments)
    recipe = read_recipe(arguments)
    tasks = distortion_tasks(*databases)
    images = [image for database in databases for image in database]
    photos = TrainingPhotos(images, recipe.start.preprocessing)
    with join_processes(recipe.start.device) as processes:
        state = arguments.run_dir / "state.pt"
        work = recipe.train(arguments.method, photos, tasks, arguments.seed, state, processes)
        if processes.rank:
            finish(work)
            return 0
        network = finish_with_bar(recorded(work, arguments.run_dir, tensorboard=arguments.tensorboard))
    path = arguments.run_dir / f"{arguments.name or arguments.run_dir.name}.safetensors"
    card = prior_card(network, path.stem, arguments.method, arguments.seed, recipe, databases)
    recipe_of_card = card.recipe | {"image_passes": image_passes(tasks, recipe.config), "preset": arguments.preset}
    save_checkpoint(network, dataclasses.replace(card, licence=arguments.licence, recipe=recipe_of_card), path)
    sys.stderr.write(f"wrote {path} and its card\n")
    return 0
