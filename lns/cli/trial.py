"""`lns codec trial`: a draft on real stored uplinks beside what is in use."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from lns.cli.codecs import app
from lns.cli.command import Call, command
from lns.cli.connection import path
from lns.cli.devices import find
from lns.cli.jobs import Job, follow, value_text
from lns.cli.outcome import CommandError
from lns.registry.codec_names import split_version

_SAMPLES_A_FIELD = 2
_KINDS = ("same", "added", "lost", "changed")


@command(
    app,
    "trial",
    "lns codec trial lht65@draft --last 1000",
    "lns codec trial lht65@3 --device cellar --device attic --json",
)
def trial(
    call: Call,
    codec: Annotated[
        str, typer.Argument(metavar="CODEC", help="The newest draft, or a version named as in lht65@3 or lht65@draft.")
    ],
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest uplinks.")] = 1000,
    devices: Annotated[
        list[str] | None,
        typer.Option("--device", help="Only uplinks of this device, whatever its codec; may be repeated."),
    ] = None,
) -> None:
    """Run a draft on stored uplinks and show what would change: nothing is written. Ctrl-C ends it."""
    name, which = split_version(codec)
    if name == codec:  # no version is named: what is in use needs no trial
        which = "draft"
    body = {"codec": f"{name}@{which}", "last": last, "devices": [find(call, device) for device in devices or ()]}
    job = call.server.post(path("trials"), body)
    where = path("trials", job["id"])
    try:
        job = follow(call, where, job, _share)
    except KeyboardInterrupt:
        call.server.delete(where)
        raise CommandError("the trial was ended") from None
    if job["error"] is not None:
        raise CommandError(f"the trial failed: {job['error']}")
    if job["state"] == "cancelled":
        raise CommandError("the trial was ended by somebody")
    if call.as_json:
        call.show(job)
    else:
        _draw(call, job)


def _share(job: Job) -> tuple[float, str]:
    if not job["of"]:
        return 0.0, "looking for uplinks"
    return job["compared"] / job["of"], f"{job['compared']} of {job['of']} uplinks"


def _draw(call: Call, job: Job) -> None:
    report = job["report"]
    if not report["uplinks"]:
        call.console.print("the log holds no uplinks of devices with this codec; name some with --device")
        return
    failures = _failures(report)
    counts = ", ".join(f"{found['count']} {words}" for words, found in failures.items())
    named = f"{job['codec']}@{job['version']}"
    call.console.print(
        f"{report['uplinks']} uplinks: {report['same']} the same, {report['different']} differ, {counts}"
    )
    call.console.print(f"an uplink takes {report['before_us']:.0f} us in use, {report['after_us']:.0f} us with {named}")
    fields = [{"field": name, **field} for name, field in report["fields"].items()]
    count = [(kind, lambda row, kind=kind: str(row[kind] or "-")) for kind in _KINDS]
    if fields:
        call.show_list(fields, [("field", lambda row: row["field"]), *count])
    samples = list(_samples(fields))
    if samples:
        call.show_list(samples, [*_WHO, ("field", lambda row: row["field"]), *_SIDES])
    for words, found in failures.items():
        if found["samples"]:
            call.console.print(words, style="bold")
            call.show_list(found["samples"], [*_WHO, *_SIDES])


def _failures(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "new failures": report["new_failures"],
        "fixed failures": report["fixed_failures"],
        "still failing": report["still_failing"],
    }


def _samples(fields: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """A few differences of each kind of each field."""
    for field in fields:
        for kind in _KINDS[1:]:
            chosen = [sample for sample in field["samples"] if sample["kind"] == kind][:_SAMPLES_A_FIELD]
            yield from ({"field": field["field"], **sample} for sample in chosen)


_WHO = [
    ("uplink", lambda row: str(row["uplink_seq"])),
    ("device", lambda row: row["dev_eui"]),
    ("fcnt", lambda row: str(row["fcnt_up"])),
    ("fport", lambda row: str(row["fport"])),
    ("payload", lambda row: row["payload"]),
]
_SIDES = [("in use", lambda row: value_text(row["before"])), ("trial", lambda row: value_text(row["after"]))]
