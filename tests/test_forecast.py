import time

from adbench.execution.forecast import Forecast


def test_forecasts(synthetic):
    """The same pair's last timing counts, else the detector's median, which learns."""
    forecast = Forecast([("alpha", "moons", "novelty", 9.0), ("alpha", "moons", "novelty", 1.0)])
    known, other, unknown = synthetic.trial(), synthetic.trial(task="outlier"), synthetic.trial("beta")

    assert [forecast.seconds(trial) for trial in (known, other, unknown)] == [1.0, 5.0, None]
    forecast.learn("alpha", "circles", "novelty", 20.0)
    assert forecast.seconds(other) == 9.0


def test_many_trials_are_forecast_fast(synthetic):
    """A median is reckoned once a detector, not once a trial: 5,000 of each take no second."""
    forecast = Forecast(("alpha", "circles", "novelty", float(number)) for number in range(5_000))
    trials = [synthetic.trial(repetition=number) for number in range(5_000)]

    began = time.perf_counter()
    assert forecast.total(trials, jobs=2) == 2499.5 * 5_000 / 2
    assert time.perf_counter() - began < 0.5
