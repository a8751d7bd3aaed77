"""The checks that every detector must pass."""

import pytest
from adbench_baselines import adbench_detectors

from adbench.testing import detector_checks

TRANSDUCTIVE = "PyOD ranks the scored rows together with the training rows, so the batch counts"


@pytest.mark.parametrize(
    "check",
    detector_checks(*adbench_detectors(), known={"pyod-ecod-batch": TRANSDUCTIVE, "pyod-copod-batch": TRANSDUCTIVE}),
    ids=str,
)
def test_contract(check):
    """The check's own text is the claim."""
    check()
