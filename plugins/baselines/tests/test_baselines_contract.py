"""The checks that every detector must pass."""

from dataclasses import replace

import pytest
from adbench_baselines import adbench_detectors

from adbench.testing import detector_checks

SPECS = {spec.name: spec for spec in adbench_detectors()}
# Which class is the user's to name; this one has no name of its own here.
SPECS["pyod"] = replace(SPECS["pyod"], params={"quick": {"detector": "INNE"}})
OURS = [spec for name, spec in SPECS.items() if not name.startswith("pyod")]
PYOD = [spec for name, spec in SPECS.items() if name.startswith("pyod")]

DIVIDES = "PyOD divides by the variance of empty directions: infinite scores, which a trial calls invalid"
TRANSDUCTIVE = "PyOD ranks the scored rows together with the training rows, so the batch counts"


@pytest.mark.parametrize("check", detector_checks(*OURS), ids=str)
def test_contract(check):
    """The check's own text is the claim."""
    check()


# What PyOD, and scikit-learn below it, warn of is logged in a run; here too it must not decide how a fit ends.
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    "check",
    detector_checks(
        *PYOD,
        known={
            **{"pyod-ecod-batch": TRANSDUCTIVE, "pyod-copod-batch": TRANSDUCTIVE},
            **{"pyod-pca-constant_rows": DIVIDES, "pyod-pca-constant_feature": DIVIDES},
        },
    ),
    ids=str,
)
def test_contract_of_pyod(check):
    """The check's own text is the claim."""
    check()
