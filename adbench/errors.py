"""Everything adbench raises on purpose.

::

    AdbenchError                the root: one line that a user can act on; exit code 2
     ├─ UsageError              a wrong command line, or a wrong argument from Python
     │   └─ UnknownName         no such detector, dataset, task, group or trial
     ├─ PluginError             a plugin breaks its contract or cannot be imported
     ├─ DatasetError            data that is damaged, mislabelled or unreadable
     │   └─ DataMissing         data that is not on this machine
     └─ StoreError              a store that cannot be read, written or shared
    SkipTrial                   raised by a plugin: this pairing makes no sense, and why
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import PurePath


class AdbenchError(Exception):
    """Root of all errors that are the user's to mend; its text is one line."""


class UsageError(AdbenchError):
    """A wrong command line, or a wrong argument from Python."""


class UnknownName(UsageError):
    """A name that nothing has, with the nearest known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], shown_by: str = "adbench list") -> None:
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        super().__init__(f"no {kind} named {name!r}.{hint} ({shown_by!r} shows all.)")


class PluginError(AdbenchError):
    """A plugin breaks its contract or cannot be imported."""


class DatasetError(AdbenchError):
    """Data that is damaged, mislabelled or unreadable; nothing was run."""

    @classmethod
    def in_file(cls, path: PurePath, *, expected: str, found: str, way_out: str) -> DatasetError:
        """Return the error for a file that is not what it should be: one line, without the folders above its own.

        Examples
        --------
        >>> print(DatasetError.in_file(PurePath("a/b/c.csv"), expected="a header", found="nothing", way_out="Add one."))
        b/c.csv: expected a header; found nothing. Add one.
        """
        return cls(one_line(f"{path.parent.name}/{path.name}: expected {expected}; found {found}. {way_out}"))


class DataMissing(DatasetError):
    """Data that is not on this machine; the text says how to get it."""


class StoreError(AdbenchError):
    """A store that cannot be read, written or shared."""


class SkipTrial(Exception):
    """Raised inside ``fit`` or ``score``: the pairing makes no sense; the text says why."""


def one_line(text: str, most: int = 500) -> str:
    r"""Return a foreign text as one printable line of bounded length.

    Examples
    --------
    >>> one_line("the matrix\nis singular")
    'the matrix is singular'
    """
    # Cut first: what a plugin raises may be megabytes long.
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * most])
    flat = " ".join(printable.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
