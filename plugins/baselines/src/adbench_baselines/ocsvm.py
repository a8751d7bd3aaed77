"""One-class SVM: libsvm's exact solution, and one whose cost is linear in the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.pipeline import make_pipeline
from sklearn.svm import OneClassSVM as ExactOneClassSVM

from adbench import UsageError, check_rows

_SOLVERS = ("auto", "exact", "nystroem")


@dataclass
class OneClassSVM:
    """Separate the training rows from the origin in the feature space of an RBF kernel.

    Parameters
    ----------
    solver
        ``exact`` is libsvm: quadratic in the rows or worse. ``nystroem`` maps the rows to
        ``n_components`` kernel features and solves the linear problem by averaged SGD. ``auto``
        is exact up to ``exact_up_to`` training rows.
    nu
        In (0, 1]: at most this share of the training rows lies outside.
    gamma
        Kernel width: ``exp(-gamma * |x - x'|^2)``. ``scale`` is ``1 / (n_features * X.var())``,
        taken on the training rows and the same for both solvers.
    n_components
        Training rows drawn as landmarks of the Nystroem map.
    epochs
        Passes of SGD over the training rows.
    exact_up_to
        See ``solver``.

    References
    ----------
    Schölkopf, Platt, Shawe-Taylor, Smola & Williamson (2001). Estimating the support of a
    high-dimensional distribution. Neural Computation 13(7).
    Williams & Seeger (2001). Using the Nyström method to speed up kernel machines. NeurIPS.
    """

    solver: Literal["auto", "exact", "nystroem"] = "auto"
    nu: float = 0.5
    gamma: float | Literal["scale"] = "scale"
    n_components: int = 1000
    epochs: int = 20
    exact_up_to: int = 10_000

    def fit(self, X, *, seed):
        """Solve for the training rows; the seed draws landmarks and the order of SGD."""
        if self.solver not in _SOLVERS:
            raise UsageError(f"'solver' of ocsvm must be one of {', '.join(_SOLVERS)}; got {self.solver!r}")
        check_rows(X)
        self.shape_ = X.shape[1:]
        exact = self.solver == "exact" or (self.solver == "auto" and len(X) <= self.exact_up_to)
        make = self._exact if exact else self._nystroem
        self.model_ = make(X, seed).fit(X)
        return self

    def score(self, X):
        """Return the distance beyond the plane: scikit-learn's decision function runs the other way."""
        check_rows(X, self.shape_)
        return -self.model_.decision_function(X).astype(np.float64)

    def _exact(self, X, seed):
        return libsvm(seed, nu=self.nu, gamma=self._gamma(X))

    def _nystroem(self, X, seed):
        # As many landmarks as there are rows at most: scikit-learn warns beyond.
        landmarks = min(self.n_components, len(X))
        # The mean over the last three quarters of the steps: the last step alone jumps about, and the
        # first ones are far off (with nu = .1 they cost .01 of AUROC on mammography).
        burn_in = max(self.epochs * len(X) // 4, 1)
        return make_pipeline(
            Nystroem(gamma=self._gamma(X), n_components=landmarks, random_state=seed),
            SGDOneClassSVM(nu=self.nu, average=burn_in, max_iter=self.epochs, tol=None, random_state=seed),
        )

    def _gamma(self, X):
        if self.gamma != "scale":
            return self.gamma
        spread = X.shape[1] * X.var(dtype=np.float64)
        return 1 / spread if spread > 0 else 1.0


def libsvm(seed, **settings):
    """Return scikit-learn's exact one-class SVM, not yet fitted, that leaves the global random stream alone."""
    model = ExactOneClassSVM(**settings)
    # libsvm draws nothing here, yet scikit-learn takes a number from the global stream unless told.
    model.random_state = seed
    return model
