"""The tasks that tables and a user's images offer; each names a function of :mod:`adbench_tabular.protocols`."""

from __future__ import annotations

from adbench import TaskSpec

# 12,000 keeps the small and middling ADBench files whole in every profile, so that published results
# can be compared with; 50,000 is the cap of the DTE paper.
_TABLE_SIZES = {
    "quick": {"max_rows": 12_000},
    "standard": {"max_rows": 50_000},
    "full": {"max_rows": None},
}
# As many as the image pairs take, training and test together.
_IMAGE_SIZES = {
    "quick": {"max_rows": 4_000},
    "standard": {"max_rows": 20_000},
    "full": {"max_rows": None},
}

NOVELTY = TaskSpec(name="novelty", setting="novelty", params={"protocol": "novelty"}, sizes=_TABLE_SIZES)
OUTLIER = TaskSpec(name="outlier", setting="outlier", params={"protocol": "outlier"}, sizes=_TABLE_SIZES)
PYOD_6040 = TaskSpec(
    name="pyod-6040", setting="outlier", lane="published", default=False, params={"protocol": "pyod-6040"}
)
FIRST_HALF = TaskSpec(
    name="first-half", setting="novelty", lane="published", default=False, params={"protocol": "first-half"}
)
IMAGE_NOVELTY = TaskSpec(name="novelty", setting="novelty", params={"protocol": "novelty"}, sizes=_IMAGE_SIZES)
IMAGE_OUTLIER = TaskSpec(name="outlier", setting="outlier", params={"protocol": "outlier"}, sizes=_IMAGE_SIZES)

#: What splitting needs: imported by a host, not by every look at the files.
PRELOAD = ("sklearn.model_selection", "sklearn.preprocessing", "adbench_tabular.protocols")
