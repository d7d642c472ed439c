"""The program ``maestro-ts``: one file per command, nothing heavy imported before it runs."""

from __future__ import annotations

import shlex
import sys

import typer

from maestro_ts.cli import (
    calibrate,
    cost,
    datasets,
    demo,
    doctor,
    evaluate,
    experiment,
    export,
    fit,
    init,
    inspect,
    models,
    monitor,
    predict,
    prepare,
    pretrain,
    report,
    search,
    sensors,
    serve,
    stream,
    torchrun,
)
from maestro_ts.errors import MaestroError

__all__ = ["app", "main"]

RESUMABLE = (["fit"], ["demo"], ["prepare"], ["pretrain"])

app = typer.Typer(
    name="maestro-ts",
    help="Classify sensor data in which some sensor is always missing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.add_typer(datasets.app, name="datasets")
app.command("init")(init.init)
app.command("inspect")(inspect.inspect)
app.command("models")(models.models)
app.command("prepare")(prepare.prepare)
app.command("pretrain")(pretrain.pretrain)
app.command("fit")(fit.fit)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.command("predict")(predict.predict)
app.command("monitor")(monitor.monitor)
app.command("report")(report.report)
app.command("cost")(cost.cost)
app.command("sensors")(sensors.sensors)
app.command("export")(export.export)
app.command("stream")(stream.stream)
app.command("serve")(serve.serve)
app.command("experiment")(experiment.experiment)
app.command("search")(search.search)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run a command: a MaestroError is one clear message and exit code 2, Ctrl-C is 130."""
    try:
        torchrun.check_command(sys.argv[1:])
        app()
    except MaestroError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit) as stop:
        # typer turns Ctrl-C into an exit with code 130.
        if isinstance(stop, SystemExit) and stop.code != 130:
            raise
        if not torchrun.first():
            sys.exit(130)
        words = [a for a in sys.argv[1:] if a != "--overwrite"]
        command = shlex.join([*torchrun.program(), *words])
        if "--resume" not in sys.argv and sys.argv[1:2] in RESUMABLE:
            command += " --resume"
        print(
            f"\nInterrupted. What was finished is kept; go on with:\n  {command}", file=sys.stderr
        )
        sys.exit(130)
