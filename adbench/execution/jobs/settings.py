"""The job that checks a user's ``NAME.PARAM=VALUE`` settings against the code they are for."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adbench.execution.host import resolve

_GIVEN_BY_HARNESS = {"self", "arrays", "seed", "repetition"}


def check(
    what: str, target: str, method: str, params: Mapping[str, Any], settings: Sequence[str], **_: Any
) -> dict[str, Any]:
    """Say whether keyword arguments fit a class, or one of its methods.

    Parameters
    ----------
    what
        The detector or task, as messages name it.
    target, method
        ``module:Class``, and a method's name or nothing for the constructor.
    params
        All keyword arguments, resolved.
    settings
        Those of them that the user set; only these are judged by type.

    Returns
    -------
    dict
        ``{}``, or ``{"error": why}``.
    """
    try:
        made = resolve(target)
    except ImportError:
        return {}  # the trial itself will say what to install
    function = getattr(made, method) if method else made
    error = _unknown_name(what, function, settings) or _wrong_type(what, function, params, settings)
    if not error and not method:
        try:
            function(**params)
        except Exception as refusal:  # noqa: BLE001 - a constructor may refuse in its own words
            error = f"{what!r} refuses its settings: {' '.join(str(refusal).split())}"
    return {"error": error} if error else {}


def _unknown_name(what: str, function: Callable[..., Any], settings: Sequence[str]) -> str:
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return ""
    known = [name for name in parameters if name not in _GIVEN_BY_HARNESS]
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            return f"{what!r} has no parameter {name!r}.{hint} (It has: {', '.join(known) or 'none'}.)"
    return ""


def _wrong_type(what: str, function: Callable[..., Any], params: Mapping[str, Any], settings: Sequence[str]) -> str:
    hints = _hints(function)
    for name in settings:
        if name in hints and not _fits(params[name], hints[name]):
            return f"{name!r} of {what} must be {_told(hints[name])}; got {params[name]!r}"
    return ""


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(vars(function)["__init__"] if isinstance(function, type) else function)
    except (KeyError, NameError, TypeError):
        return {}  # annotations that only a type checker can read


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a JSON value fits an annotation; annotations beyond plain types admit all."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, str):
        return isinstance(value, hint)
    if hint is type(None):
        return value is None
    return True


def _told(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    return getattr(hint, "__name__", str(hint))
