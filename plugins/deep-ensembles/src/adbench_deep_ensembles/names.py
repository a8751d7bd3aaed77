"""Names of the scores: plain values, since listing plugins may import no framework."""

from __future__ import annotations

VAE_ENERGIES = ("elbo", "iwae", "rate", "distortion")
POSTERIOR_SCORES = (
    "posterior-mean-variance",
    "posterior-mean-mean",
    "posterior-variance-mean",
    "posterior-variance-variance",
)
STATISTICS = ("single", "mean", "variance", "waic")


def names_of(energies: tuple[str, ...], headline: str, *others: str) -> tuple[str, ...]:
    """Return the names of all statistics of all energies and the others, the declared headline first.

    Examples
    --------
    >>> names_of(("logit",), "logit-waic")
    ('logit-waic', 'logit-single', 'logit-mean', 'logit-variance')
    """
    names = (*(f"{energy}-{statistic}" for energy in energies for statistic in STATISTICS), *others)
    return (headline, *(name for name in names if name != headline))


# WAIC is what the method is named after, and was declared before any result was seen. For the critics the
# paper prefers the variance; it needs long training, where the sum is sound on made-up images from the start.
VAE_SCORES = names_of(VAE_ENERGIES, "elbo-waic", *POSTERIOR_SCORES)
WGAN_SCORES = names_of(("logit",), "logit-waic")
