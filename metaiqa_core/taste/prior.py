"""The prior on tastes: what is thought of a person before the first rating.

A person's opinion of a photo x, in units of the standard deviation of their opinions, is

    f(x) = c + b z(x) + h(x),    h ~ GP(0, v_l k_l + v_f k_f),

where z is the general model's score, standardised over the person's photos, k_l and k_f are linear kernels of the
photo's looks and of its pooled features, stage by stage, and ratings deviate from f by noise of variance s. Nothing of
b, v_l, v_f and s is known: a grid of `Hypothesis` stands for all of them, each with a prior probability. The one
without h says "this person is like everybody", and has most of the probability: only ratings that contradict it move a
model away from the general one.
"""

import itertools
from dataclasses import dataclass

UNKNOWN_LEVEL = 10.0
"""Prior variance of c: nothing is known of how generous a person is."""


@dataclass(frozen=True)
class Hypothesis:
    """One setting of everything that is not known of a taste.

    Attributes:
        probability: Prior probability.
        slope: Prior mean of b.
        slope_variance: Prior variance of b.
        looks: Variance v_l of what looks explain.
        features: Variance v_f of what features explain.
        noise: Variance s of a rating around the opinion.
    """

    probability: float
    slope: float
    slope_variance: float
    looks: float
    features: float
    noise: float


@dataclass(frozen=True)
class Prior:
    """Settings of the prior; the defaults were chosen on raters other than those reported (docs/taste.md).

    Attributes:
        like_everybody: Probability that a person agrees with the general model but for noise.
        slope: Prior mean of b for such a person.
        slope_variance: Prior variance of b for such a person.
        own_slope: Prior mean of b for a person with a taste of their own.
        own_slope_variance: Prior variance of b for a person with a taste of their own.
        variances: Variances of h, equally likely.
        shares: Shares of v_l in v_l + v_f, equally likely.
        noises: Variances of a rating around the opinion, with their probabilities.
    """

    like_everybody: float = 0.65
    slope: float = 0.6
    slope_variance: float = 0.04
    own_slope: float = 0.3
    own_slope_variance: float = 0.1
    variances: tuple[float, ...] = (0.1, 0.3, 0.9)
    shares: tuple[float, ...] = (0.0, 0.3, 0.7)
    noises: tuple[tuple[float, float], ...] = ((0.1, 0.1), (0.2, 0.25), (0.4, 0.3), (0.7, 0.25), (1.0, 0.1))

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Return all settings with their probabilities, which add up to 1."""
        own = (1 - self.like_everybody) / (len(self.variances) * len(self.shares))
        found = [
            Hypothesis(self.like_everybody * probability, self.slope, self.slope_variance, 0.0, 0.0, noise)
            for noise, probability in self.noises
        ]
        for (noise, probability), variance, share in itertools.product(self.noises, self.variances, self.shares):
            looks, features = share * variance, (1 - share) * variance
            found.append(Hypothesis(own * probability, self.own_slope, self.own_slope_variance, looks, features, noise))
        return tuple(found)
