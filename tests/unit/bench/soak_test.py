#!/usr/bin/env python3
"""What the soak of bench/soak.py says of memory that grows, of memory that goes up and down, and of noise."""

import random
import sys
import unittest

sys.path.insert(0, sys.argv.pop(1))
import soak  # noqa: E402

SAMPLES, HOURS = 600, 5 / 6  # fifty minutes, one each five seconds


class Soak(unittest.TestCase):
    def judge(self, at, tolerated=1.6):
        noise = random.Random(1)
        return soak.verdict([at(i, noise) for i in range(SAMPLES)], HOURS, tolerated)

    def test_slope_of_a_line(self):
        self.assertEqual(soak.slope([3 * i + 1 for i in range(24)]), (3, 3, 3))

    def test_noise_is_flat(self):
        self.assertEqual(self.judge(lambda i, noise: 80 + noise.random())[1], "flat")

    def test_folds_are_flat(self):
        self.assertEqual(self.judge(lambda i, noise: 80 + i % 17 / 4 + noise.random())[1], "flat")

    def test_a_slow_leak_is_found(self):
        self.assertEqual(self.judge(lambda i, noise: 80 + 2 * i / SAMPLES + noise.random())[1], "grows")

    def test_memory_that_is_given_back_is_flat(self):
        self.assertEqual(self.judge(lambda i, noise: 80 - 6 * i / SAMPLES + noise.random())[1], "flat")

    def test_a_leak_is_found_below_folds(self):
        (slope, low, high), word = self.judge(lambda i, noise: 80 + 6 * i / SAMPLES + i % 17 / 4 + noise.random())
        self.assertEqual(word, "grows")
        self.assertLessEqual(low, 6 / HOURS)
        self.assertGreaterEqual(high, 6 / HOURS)
        self.assertAlmostEqual(slope, 6 / HOURS, delta=1)

    def test_more_noise_than_an_hour_can_tell(self):
        self.assertEqual(self.judge(lambda i, noise: 80 + noise.random() * 400)[1], "cannot tell")


if __name__ == "__main__":
    unittest.main()
