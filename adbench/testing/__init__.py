"""Checks that every detector and every dataset must pass, for a plugin's own tests.

::

    from adbench.testing import dataset_checks, detector_checks

    @pytest.mark.parametrize("check", detector_checks(*adbench_detectors()), ids=str)
    def test_contract(check):
        check()

What a check claims is the first line of its function's docstring.
"""

from adbench.testing.datasets import dataset_checks as dataset_checks
from adbench.testing.detectors import detector_checks as detector_checks

__all__ = ["dataset_checks", "detector_checks"]
