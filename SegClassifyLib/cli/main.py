"""The command ``segclassify``."""

from __future__ import annotations

import typer

from SegClassifyLib.cli import (
    classify,
    compare,
    compare_models,
    dataset,
    demo,
    evaluate,
    explain,
    info,
    models,
    next_case,
    recipe,
    train,
)

app = typer.Typer(
    name="segclassify",
    help="Turn a segmentation network into an image classifier with a few dozen labelled cases.\n\n"
    "The usual way: make a training set (dataset), train a segmenter on its label maps (train-segmenter), train a "
    "classifier on the segmenter's features (train-classifier), see how good it is (evaluate), use it (classify). "
    "Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.add_typer(dataset.app, name="dataset")
app.command("train-segmenter")(train.train_segmenter)
app.command("train-classifier")(train.train_classifier)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("recipe")(recipe.recipe)
app.command("compare-models")(compare_models.compare_models)
app.command("next")(next_case.next_case)
app.command("classify")(classify.classify)
app.command("explain")(explain.explain)
app.add_typer(models.app, name="models")
app.command("info")(info.info)


def run() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    run()
