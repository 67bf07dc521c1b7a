//! Random numbers that are the same on every machine.

use std::f64::consts::TAU;

/// SplitMix64: Steele et al. 2014.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// A sequence of its own for each list of numbers.
    pub(super) fn new(seeds: &[u64]) -> Self {
        let mut random = Self(0);
        for seed in seeds {
            random.0 = random.next() ^ seed;
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// In 0..count; near enough to equal chances for small counts.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }

    /// Mean 0, standard deviation 1: Box & Muller 1958.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_as_they_should_be() {
        let mut random = Random::new(&[1, 2]);
        let count = 20_000;
        let moments = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            (mean, square / values.len() as f64)
        };
        let (mean, variance) = moments((0..count).map(|_| random.uniform()).collect());
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.003);
        let (mean, variance) = moments((0..count).map(|_| random.normal()).collect());
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04);
        let mut seen = [0; 9];
        for _ in 0..count {
            seen[random.below(9)] += 1;
        }
        assert!(seen.iter().all(|&n| (2000..2450).contains(&n)), "{seen:?}");
    }

    #[test]
    fn each_seed_has_its_own_and_always_the_same() {
        let first = |seeds: &[u64]| Random::new(seeds).next();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[0]), first(&[0, 0]));
    }
}
