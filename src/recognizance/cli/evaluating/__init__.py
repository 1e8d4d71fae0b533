"""`recognizance evaluate`: error rates on the caller's own pictures, per group, with their uncertainty."""

import typer

from recognizance.cli import gating
from recognizance.cli.evaluating import aclu, cache, calibrating, identification, labels, reporting, verification
from recognizance.cli.evaluating.writing import EXIT_NOT_SHOWN

__all__ = ["EXIT_NOT_SHOWN", "app"]

app = typer.Typer(
    help="Measure error rates on your own pictures, per group, with their uncertainty.", no_args_is_help=True
)
app.command("verification")(verification.verification)
app.command("identification")(identification.identification)
app.command("aclu")(aclu.aclu)
app.command("labels")(labels.labels)
app.command("calibrate")(calibrating.calibrate)
app.command("report")(reporting.report)
app.command("publish")(gating.publish)
app.command("fits")(gating.fits)
app.command("clean")(cache.clean)
app.add_typer(gating.findings_app, name="findings")
