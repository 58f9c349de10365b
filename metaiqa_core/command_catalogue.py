"""The commands, each with its name, title and summary, for the command line, the jobs and the docs."""


class CommandEntry:
    """One command of the program; no dataclass, which would import what `--help` then waits for.

    Attributes:
        name: Name in a terminal, such as `meta-train`.
        title: Name as a heading, such as "Meta-training".
        summary: Summary in one sentence, which is also the first line of its module.
    """

    def __init__(self, name: str, title: str, summary: str) -> None:
        self.name, self.title, self.summary = name, title, summary

    @property
    def module(self) -> str:
        """Name of the module that declares the options of the command and runs it."""
        return f"metaiqa_core.commands.{self.name.replace('-', '_')}"


COMMANDS = {
    entry.name: entry
    for entry in (
        CommandEntry(
            "app", "App", "Open the app in a browser: photos, maps, distortions, benchmarks and training jobs."
        ),
        CommandEntry(
            "score", "Scoring", "Score photos: a number from 0 to 100, its word, its interval and its percentile."
        ),
        CommandEntry(
            "bulk-score",
            "Bulk scoring",
            "Score a manifest or folders of any size, by this machine or a cluster of Ray, into Parquet files.",
        ),
        CommandEntry(
            "diagnose",
            "Diagnosis",
            "Say what is wrong with photos: a word for the defect, how strong it is, and how sure that is.",
        ),
        CommandEntry(
            "explain",
            "Gradient maps",
            "Show where in a photo its score comes from: a map over the photo, or the numbers behind it.",
        ),
        CommandEntry(
            "distort",
            "Distorting",
            "Distort a photo as KADID-10k or TID2013 do, at one of five levels or at all of them.",
        ),
        CommandEntry(
            "teach",
            "Teaching",
            "Teach a model one person's taste from their ratings of photos, and judge whether it agrees better now.",
        ),
        CommandEntry(
            "meta-train",
            "Meta-training",
            "Learn a quality prior from distortion tasks by meta-learning (Algorithm 1), for `fine-tune`.",
        ),
        CommandEntry(
            "fine-tune",
            "Fine-tuning",
            "Fine-tune a model on rated photos, and measure by repeated splits how good that is.",
        ),
        CommandEntry(
            "joint-train",
            "Joint training",
            "Learn from several databases of rated images at once, each with a scale of its own, and make one model.",
        ),
        CommandEntry(
            "kernel-head",
            "Kernel head",
            "Fit a kernel regression on the features of a trained network, for several databases, and make one model.",
        ),
        CommandEntry(
            "graph-model",
            "Graph model",
            "Make a graph model in one go: meta pre-training of the backbone, graph training, quality fine-tuning.",
        ),
        CommandEntry(
            "graph-train",
            "Graph training",
            "Let a graph learn types and levels of distortion, and make a model that names a photo's defect.",
        ),
        CommandEntry(
            "graph-tune",
            "Quality of the graph",
            "Let a graph model learn opinion scores, split by reference, without changing what it says of defects.",
        ),
        CommandEntry(
            "graph-compare",
            "Graph comparison",
            "Compare the graph model with MetaIQA and hand-crafted features on the same splits, and leave parts out.",
        ),
        CommandEntry(
            "evaluate",
            "Evaluation",
            "Evaluate a model on rated photos: SROCC, PLCC, KROCC and RMSE with intervals; SROCC by type.",
        ),
        CommandEntry(
            "leave-one-out",
            "Leave-one-distortion-out",
            "Leave one distortion out: learn from all types but one, and be judged on that one (Table 2).",
        ),
        CommandEntry(
            "ablation",
            "Ablation",
            "Compare priors after fine-tuning on the same splits: MetaIQA against Baseline (Table 4).",
        ),
        CommandEntry(
            "adaptation-curve",
            "Adaptation curve",
            "Measure SROCC after fine-tuning on ever more labelled photos, from several starts.",
        ),
        CommandEntry(
            "parameter-study",
            "Parameter study",
            "Vary the tasks in a mini-batch, k, and the inner steps, S: SROCC after fine-tuning (Figure 4).",
        ),
        CommandEntry(
            "models",
            "Models",
            "List the models, show a model's card, or import foreign weights without executing them.",
        ),
        CommandEntry(
            "databases",
            "Databases",
            "List the published databases, or check one that you have; nothing is downloaded.",
        ),
        CommandEntry(
            "synthesize",
            "Synthesis",
            "Make a database of distorted photos, labelled with people's opinion scores of such distortions.",
        ),
    )
}
"""Every command by its name, in the order of the help."""
