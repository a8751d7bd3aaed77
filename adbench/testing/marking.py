"""Lists of checks for ``pytest.mark.parametrize``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def marked(
    checks: Iterable[Callable[[], None]],
    known: Mapping[str, str] | None,
    is_slow: Callable[[Any], bool] = lambda check: False,
) -> list[Any]:
    """Return checks, marked as slow or as expected failures where they are.

    Parameters
    ----------
    checks
        Their text is their test's name.
    known
        Test name -> why it cannot be met; it must then fail.
    is_slow
        Which checks take long.

    Raises
    ------
    ValueError
        If ``known`` names no check.
    """
    import pytest

    reasons = dict(known or {})
    made: list[Any] = []
    for check in checks:
        reason = reasons.pop(str(check), None)
        marks: list[Any] = [pytest.mark.slow] if is_slow(check) else []
        if reason is not None:
            marks.append(pytest.mark.xfail(reason=reason, strict=True))
        made.append(pytest.param(check, marks=marks) if marks else check)
    if reasons:
        raise ValueError(f"no such checks: {', '.join(reasons)}")
    return made
