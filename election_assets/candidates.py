"""Work done candidate by candidate, so that one's trouble is that one's alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import dagster as dg

Result = TypeVar("Result")


def each_candidate(
    context: dg.AssetExecutionContext, work: Callable[[str], Result]
) -> tuple[dict[str, Result], dict[str, str]]:
    """Does the work for every candidate of the run; what fails for one is logged and kept, and the others go on.

    Returns:
        The results and the errors, each by the candidate's key.

    Raises:
        dg.Failure: If it failed for all.
    """
    results: dict[str, Result] = {}
    errors: dict[str, str] = {}
    for key in context.partition_keys:
        try:
            results[key] = work(key)
        except Exception as error:
            errors[key] = sentence(error)
            context.log.warning(f"{key}: {errors[key]}", exc_info=True)
    if errors and not results:
        first = next(iter(errors.values()))
        raise dg.Failure(
            description=f"Failed for every candidate ({', '.join(errors)}). The first: {first}",
            metadata={key: dg.MetadataValue.text(text) for key, text in errors.items()},
        )
    return results, errors


def report_errors(context: dg.AssetExecutionContext, errors: dict[str, str]) -> None:
    """Records the candidates' errors with their partitions."""
    for key, text in errors.items():
        context.add_asset_metadata({"error": text}, partition_key=key)


def completeness(name: str, asset: dg.AssetKey, errors: dict[str, str]) -> dg.AssetCheckResult:
    """A check, not a blocking one, that fails if some candidate had trouble."""
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=asset,
        passed=not errors,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"Failed for {', '.join(errors)}." if errors else None,
        metadata={key: dg.MetadataValue.text(text) for key, text in errors.items()},
    )


def sentence(error: BaseException) -> str:
    """An error's message on one line, with its kind where the message says nothing."""
    return " ".join(str(error).split())[:500] or type(error).__name__
