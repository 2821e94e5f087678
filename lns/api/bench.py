"""Checking sources and running examples before a version is stored or used."""

from collections.abc import Sequence
from typing import Any

import msgspec

from decoders.example_files import ExampleError
from decoders.examples import Outcome, run_examples
from lns.api.problems import ApiProblem
from lns.api.services import Services
from lns.library.example_json import from_ts013
from lns.library.excerpt import excerpt
from lns.registry.codecs import MAX_EXAMPLES, Tested
from lns.registry.rows import CodecVersion

_NAMED = 3
"""Failing examples that a refusal names."""


class Bench(msgspec.Struct, frozen=True):
    """How the examples of a source went, as they are stored and in detail."""

    tested: Tested
    outcomes: list[Outcome]


async def checked(services: Services, source: str, wanted: str | None = None) -> str:
    """The convention a source follows, or is to follow; a source that cannot run is refused."""
    report = await services.decoder_pool.check(source, wanted)
    if report.problem is not None:
        shown = excerpt(source, report.problem.line, report.problem.column)
        raise ApiProblem(422, "invalid", "\n".join(filter(None, (f"source: {report.problem.text()}", shown))))
    return report.convention or ""


async def tried(services: Services, source: str, convention: str | None, examples: Sequence[dict[str, Any]]) -> Bench:
    """Run examples in the format of TS013."""
    if len(examples) > MAX_EXAMPLES:
        raise ApiProblem(422, "invalid", f"there are {len(examples)} examples, at most {MAX_EXAMPLES} fit")
    try:
        read = from_ts013(list(examples))
    except ExampleError as error:
        raise ApiProblem(422, "invalid", f"examples: {error}") from error
    outcomes = await run_examples(services.decoder_pool, source, convention or None, read)
    failed = sum(not outcome.passed for outcome in outcomes)
    return Bench(Tested(list(examples), len(outcomes) - failed, failed), outcomes)


async def tried_again(services: Services, version: CodecVersion) -> Bench:
    """Run the stored examples of a version."""
    convention = None if version.convention in ("", "builtin") else version.convention
    return await tried(services, version.source, convention, version.examples)


def refusal(bench: Bench) -> str | None:
    """Why a version may not be used; None when every example passes."""
    failing = [outcome for outcome in bench.outcomes if not outcome.passed]
    if not failing:
        return None
    named = "; ".join(f"{o.example.description!r}: {o.differences[0].text()}" for o in failing[:_NAMED])
    more = "" if len(failing) <= _NAMED else f"; and {len(failing) - _NAMED} more"
    return f"{len(failing)} of {len(bench.outcomes)} examples fail: {named}{more}"
