"""`lns codec test`: the examples of scripts, without a server, once or whenever a file is saved."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lns.cli.codec_run import AsJson, Convention, known
from lns.cli.codecs import app
from lns.cli.command import console, examples, print_json
from lns.cli.outcome import CommandError, Exit

if TYPE_CHECKING:
    from decoders.pool import Pool
    from lns.cli.codec_files import Script
    from lns.cli.codec_picture import Tested

_LOOK_S = 0.2

ExampleFiles = Annotated[
    list[Path] | None,
    typer.Option("--examples", metavar="FILE", help="Examples, in the place of those beside it; may be repeated."),
]


@app.command(
    "test",
    epilog=examples(
        "lns codec test lht65/codec.js",
        "lns codec test lht65/ --watch",
        "lns codec test lorawan-devices/vendor/dragino",
    ),
)
def examine(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A script, its folder, or a library of codecs.")],
    example_files: ExampleFiles = None,
    convention: Convention = None,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file is saved; Ctrl-C ends it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the examples of codecs: needs no server, changes nothing. Exit code 1 when one fails.

    Examples lie beside the script: examples.json (TS013), NAME-codec.yaml (The Things Stack), test_decode_NAME.json
    (ChirpStack) or README.md (Milesight). The same files are read by `lns codec add`.
    """
    if watch and as_json:
        raise CommandError("--watch is for people: leave out --json", Exit.USAGE)
    chosen = known(convention)
    if watch:
        try:
            asyncio.run(_watch(path, example_files or (), chosen))
        except KeyboardInterrupt:
            raise typer.Exit(Exit.OK) from None
    tested = asyncio.run(_once(path, example_files or (), chosen))
    if as_json:
        print_json(_json(tested))
    else:
        _print_tests(tested)
    if not any(one.outcomes for one in tested) or any(one.failed for one in tested):
        raise typer.Exit(Exit.REFUSED)


async def _once(path: Path, example_files: Sequence[Path], convention: str | None) -> list["Tested"]:
    from decoders.pool import Pool
    from lns.cli.codec_files import scripts

    found = list(scripts(path, example_files))
    pool = Pool()
    await pool.start()
    try:
        return [await _tested(pool, script, convention) for script in found]
    finally:
        await pool.close()


async def _watch(path: Path, example_files: Sequence[Path], convention: str | None) -> None:
    """Test again and again, with a worker that stays."""
    from decoders.pool import Pool
    from lns.cli.codec_files import scripts, stamps

    screen = console()
    pool = Pool()
    await pool.start()
    try:
        while True:
            before = stamps(path, example_files)
            try:
                tested = [await _tested(pool, script, convention) for script in scripts(path, example_files)]
            except CommandError as error:  # a file may be missing for the moment in which it is saved
                screen.print(f"lns: {error}", markup=False)
            else:
                if screen.is_terminal:
                    screen.clear()
                _print_tests(tested)
            screen.print(f"waiting for changes of {path}, Ctrl-C ends", style="dim", markup=False)
            last, now = before, stamps(path, example_files)
            while now == before or now != last:  # what is still being saved is not read yet
                await asyncio.sleep(_LOOK_S)
                last, now = now, stamps(path, example_files)
    finally:
        await pool.close()


async def _tested(pool: "Pool", script: "Script", convention: str | None) -> "Tested":
    from decoders.examples import run_examples
    from lns.cli.codec_picture import Tested

    if not script.source:
        return Tested(script.shown, "", None, unread=script.unread)
    report = await pool.check(script.source, convention)
    if report.problem is not None:
        return Tested(script.shown, script.source, None, (), report.problem, script.unread)
    outcomes = await run_examples(pool, script.source, report.convention, script.examples)
    return Tested(script.shown, script.source, report.convention, outcomes, None, script.unread)


def _print_tests(tested: Sequence["Tested"]) -> None:
    from lns.cli.codec_picture import counted, lines

    screen = console()
    for one in tested:
        if len(tested) == 1 or one.failed:
            for line in lines(one, all_of_them=len(tested) == 1):
                screen.print(line, soft_wrap=True)
    if any(one.outcomes for one in tested):
        screen.print(counted(tested))
    elif not any(one.failed for one in tested):
        screen.print("there are no examples: put examples.json beside the script", style="yellow")


def _json(tested: Sequence["Tested"]) -> dict[str, Any]:
    from lns.api.outcomes import shown_error, shown_outcome

    return {
        "passed": sum(one.passed for one in tested),
        "failed": sum(one.failed for one in tested),
        "codecs": [
            {
                "codec": one.shown,
                "convention": one.convention,
                "problem": None if one.problem is None else shown_error(one.problem, one.source),
                "unread": list(one.unread),
                "outcomes": [shown_outcome(outcome, one.source) for outcome in one.outcomes],
            }
            for one in tested
        ],
    }
