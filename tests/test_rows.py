"""The check that every detector's rows go through."""

import numpy as np
import pytest

from adbench import PluginError, check_rows

BAD = {
    "nan": (np.array([[0.0], [np.nan]]), None, "NaN or infinite values, first in row 1 of 2"),
    "infinite": (np.array([[np.inf], [-np.inf], [0.0]]), None, "first in row 0 of 3"),
    "another width": (np.zeros((2, 3)), (4,), r"fitted on rows of shape \(4,\); got rows of shape \(3,\)"),
    "an image for a row": (np.zeros((2, 2, 2, 1), np.float32), (4,), r"got rows of shape \(2, 2, 1\)"),
    "none": (np.zeros((0, 3)), None, "at least 1 rows are needed; got 0"),
}


@pytest.mark.parametrize(("X", "like", "told"), BAD.values(), ids=BAD)
def test_bad_rows_are_refused_in_one_line(X, like, told):
    """The message names what was expected and what was found."""
    with pytest.raises(PluginError, match=told):
        check_rows(X, like)


def test_a_sum_that_overflows_is_no_fault():
    """Huge but finite values pass."""
    check_rows(np.full((2, 2), 1e308), (2,))
