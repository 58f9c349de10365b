"""A small world of photos and tastes: what is seen of a photo is drawn at random, opinions follow a known rule."""

import numpy as np

from metaiqa_core.taste.ratings import Ratings, Star
from metaiqa_core.taste.space import LOOKS, Layout, TasteSpace
from metaiqa_core.taste.taste import Taste, evidence_of

LAYOUT = Layout((8, 16), (1.0,) * 24)


def names_of(count):
    return [f"photo {number}" for number in range(count)]


def draw_seen(count, seed=0):
    """What is seen of photos: general scores around 0.5, looks and features of deviation 1."""
    seen = np.random.default_rng(seed).normal(size=(count, LAYOUT.width))
    seen[:, 0] = 0.5 + 0.1 * seen[:, 0]
    seen[:, 1 : 1 + LOOKS] *= 0.1
    return seen


def stars_of(opinions, photos):
    """The stars that an opinion (standard deviation 1) gives to some photos."""
    stars = np.clip(np.round(3 + 1.2 * opinions), 1, 5).astype(int)
    names = names_of(len(opinions))
    return Ratings.of(Star(names[photo], int(stars[photo])) for photo in photos)


def taste_of(seen, ratings):
    return Taste(TasteSpace(seen, LAYOUT), evidence_of(ratings, names_of(len(seen))))
