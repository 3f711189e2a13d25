"""The application: every command, under its name."""

from importlib.metadata import version
from typing import Annotated

import typer

from scheduler.cli.aws_sim import aws_sim
from scheduler.cli.cancel import cancel
from scheduler.cli.chaos import chaos
from scheduler.cli.cluster import cluster
from scheduler.cli.container_logs import container_logs
from scheduler.cli.demo.command import demo
from scheduler.cli.doctor.command import doctor
from scheduler.cli.instances import instances
from scheduler.cli.release import release
from scheduler.cli.reserve import reserve
from scheduler.cli.scale import scale
from scheduler.cli.serve import serve
from scheduler.cli.submit import submit
from scheduler.cli.tasks import tasks
from scheduler.cli.watch import watch
from scheduler.cli.watch_scaling import watch_scaling

app = typer.Typer(
    help="Schedules CI agents as ECS tasks on EC2 container instances.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"ecs-scheduler {version('ecs-scheduler')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and end."),
    ] = False,
) -> None:
    """Options before any command."""


app.command("serve")(serve)
app.command("doctor")(doctor)
app.command("submit")(submit)
app.command("cancel")(cancel)
app.command("tasks")(tasks)
app.command("watch")(watch)
app.command("logs")(container_logs)
app.command("cluster")(cluster)
app.command("instances")(instances)
app.command("scale")(scale)
app.command("reserve")(reserve)
app.command("release")(release)
app.command("watch-scaling")(watch_scaling)
app.command("aws-sim")(aws_sim)
app.command("demo")(demo)
app.command("chaos")(chaos)
