"""Intervals and log-odds, held to published values and to simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.transforms.intervals import log_odds, mean_interval, share_interval


def interval_of(values: list[float]) -> tuple[float, float]:
    low, high = mean_interval([sum(values)], [sum(value**2 for value in values)], [len(values)], least=-99, most=99)
    return float(low[0]), float(high[0])


@pytest.mark.parametrize(
    ("count", "quantile"),
    # Of any table of Student's t.
    [(2, 12.706), (3, 4.303), (4, 3.182), (6, 2.571), (11, 2.228), (31, 2.042), (121, 1.980), (100_001, 1.960)],
)
def test_a_mean_has_students_interval(count, quantile):
    values = [0.0] * (count // 2) + [1.0] * (count - count // 2)
    mean = sum(values) / count
    error = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)

    low, high = interval_of(values)

    assert low == pytest.approx(mean - quantile * error, rel=0.01, abs=1e-4)
    assert high == pytest.approx(mean + quantile * error, rel=0.01, abs=1e-4)


def test_one_voice_and_none_have_no_interval():
    low, high = mean_interval([0.5, 0.0], [0.25, 0.0], [1, 0])
    assert np.isnan([*low, *high]).all()


def test_the_same_voice_many_times_is_sure_of_itself_alone():
    assert interval_of([0.3] * 20) == pytest.approx((0.3, 0.3))


def test_a_share_has_wilsons_interval():
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    low, high = share_interval([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_an_interval_of_a_share_holds_the_share(part, rest):
    low, high = (float(end[0]) for end in share_interval([part], [part + rest]))
    if part + rest == 0:
        assert math.isnan(low)
        assert math.isnan(high)
    else:
        assert 0 <= low <= part / (part + rest) <= high <= 1


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50))
def test_an_interval_of_a_mean_holds_the_mean(values):
    low, high = mean_interval([sum(values)], [sum(value**2 for value in values)], [len(values)])
    assert -1 <= low[0] <= sum(values) / len(values) + 1e-9
    assert sum(values) / len(values) - 1e-9 <= high[0] <= 1


def test_intervals_hold_the_truth_as_often_as_they_say():
    chance = np.random.default_rng(2022)
    polarities = chance.choice([-0.6, 0.0, 0.7], p=[0.3, 0.5, 0.2], size=(4000, 200))
    low, high = mean_interval(polarities.sum(axis=1), (polarities**2).sum(axis=1), np.full(4000, 200))
    negative = (polarities < 0).sum(axis=1)
    share_low, share_high = share_interval(negative, np.full(4000, 200))

    assert 0.93 < np.mean((low <= -0.04) & (high >= -0.04)) < 0.97
    assert 0.93 < np.mean((share_low <= 0.3) & (share_high >= 0.3)) < 0.97


def test_log_odds_prefer_what_is_said_of_one_over_what_is_said_of_all():
    #       both alike, of one, of the others, rare and by chance of one
    own = np.array([800, 120, 2, 1])
    others = np.array([8000, 60, 900, 0])

    ratio, z = log_odds(own, others)

    assert ratio[1] > 0 > ratio[2]
    assert next(iter(np.argsort(-z))) == 1
    assert z[1] > 1.96 > z[3] > 0


def test_log_odds_of_alike_groups_are_none():
    ratio, z = log_odds([10, 200, 30], [100, 2000, 300])
    assert ratio == pytest.approx([0, 0, 0], abs=0.05)
    assert np.abs(z).max() < 0.5


def test_log_odds_of_no_word_are_none():
    assert [len(part) for part in log_odds([], [])] == [0, 0]
