//! What gradient ascents need of the engine: arithmetic on the device, parts of a model, pictures from spectra.

use std::f64::consts::PI;
use std::sync::Arc;

use super::{conv, engine, input, model, noise, random, read, upload};
use crate::array::Array;
use crate::engine::{Device, Engine, Feed, Glimpse, ReluRule, Spectrum, Tensor};
use crate::model::{Activation, Merge, NodeId, Op};

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.read().expect("computed").into_values()
}

#[test]
fn arithmetic() {
    let a = upload(&Array::new([1, 2, 2], vec![1.0, -2.0, 3.0, 0.5]));
    let b = upload(&Array::new([1, 2, 2], vec![2.0, 1.0, -1.0, 4.0]));
    assert_eq!(a.dot(&b).expect("computable"), -1.0);
    let rms = a.root_mean_square().expect("computable");
    assert!((rms - (14.25_f64 / 4.0).sqrt()).abs() < 1e-6);
    let sum = a.plus(&b, -2.0).expect("computable");
    assert_eq!(values(&sum), [0.0, -2.5, 3.5, -1.5]);
    assert_eq!(values(&a), [1.0, -2.0, 3.0, 0.5]);
    let other = upload(&Array::zeros([1, 4]));
    let message = a.dot(&other).expect_err("other shapes").to_string();
    assert!(message.contains("[1, 2, 2]") && message.contains("[1, 4]"));
}

/// A model that shares a parameter finds it uploaded; when it is gone, what only it had is forgotten.
#[test]
fn engines_share_weights() {
    let (first, second) = (conv(4, 3, [3, 3], 1), conv(2, 4, [3, 3], 3));
    let whole = engine(vec![
        (input(&[3, 6, 6]), vec![]),
        (Op::Conv(first.clone()), vec![0]),
        (Op::Conv(second), vec![1]),
    ]);
    let x = upload(&random(&[1, 3, 6, 6], 9));
    let compute = |engine: &Engine, node: usize| {
        let mut run = engine
            .forward(std::slice::from_ref(&x), &[NodeId(node)])
            .expect("computable");
        read(engine, &mut run, node)
    };
    let wanted = compute(&whole, 1);
    let count = |engine: &Engine| engine.weights.lock().expect("whole").count();
    assert_eq!(count(&whole), 2);
    let part = model(vec![
        (input(&[3, 6, 6]), vec![]),
        (Op::Conv(first), vec![0]),
        (Op::Conv(conv(5, 4, [3, 3], 7)), vec![1]),
    ]);
    let part = whole.beside(Arc::new(part));
    assert_eq!(compute(&part, 1), wanted);
    assert_eq!(count(&whole), 2);
    compute(&part, 2);
    assert_eq!(count(&whole), 4);
    drop(part);
    compute(&whole, 2);
    assert_eq!(count(&whole), 4, "two forgotten, two added");
    whole.interrupt().set();
    let part = whole.beside(whole.model().clone());
    assert!(
        part.forward(std::slice::from_ref(&x), &[NodeId(1)])
            .is_err()
    );
}

/// The same as a pass and a sweep, over a branch whose values are needed twice.
#[test]
fn a_gradient_in_one_go() {
    let relu = || Op::Activation(Activation::RELU);
    let engine = engine(vec![
        (input(&[3, 7, 6]), vec![]),
        (Op::Conv(conv(4, 3, [3, 3], 1)), vec![0]),
        (relu(), vec![1]),
        (Op::Conv(conv(4, 4, [3, 3], 3)), vec![2]),
        (relu(), vec![3]),
        (Op::Merge(Merge::Multiply), vec![2, 4]),
        (Op::Activation(Activation::Sigmoid), vec![5]),
        (Op::Merge(Merge::Add), vec![6, 2]),
    ]);
    let x = upload(&random(&[2, 3, 7, 6], 5));
    let cotangents = upload(&random(&[2, 4, 7, 6], 6));
    let inputs = std::slice::from_ref(&x);
    for (output, node) in [(7, 0), (7, 2), (6, 0), (5, 1), (2, 0)] {
        let (output, node) = (NodeId(output), NodeId(node));
        let (value, gradient) = engine
            .gradient(inputs, output, &cotangents, node, ReluRule::Gradient)
            .expect("computable");
        let mut run = engine.forward(inputs, &[output]).expect("computable");
        let wanted = engine
            .vjp(&mut run, output, &cotangents, &[node], ReluRule::Gradient)
            .expect("computable");
        assert_eq!(values(&gradient), values(&wanted[0]));
        assert_eq!(
            value.read().expect("computed"),
            read(&engine, &mut run, output.0)
        );
    }
    let wrong = upload(&Array::zeros([1, 4, 7, 5]));
    let refused = engine.gradient(inputs, NodeId(7), &wrong, NodeId(0), ReluRule::Gradient);
    assert!(refused.is_err());
}

const PLAIN: [f64; 3] = [1.0; 3];

fn feed() -> Feed {
    Feed {
        order: vec![0, 1, 2],
        factor: PLAIN.to_vec(),
        shift: vec![0.0; 3],
    }
}

fn still(size: [usize; 2]) -> Glimpse {
    Glimpse {
        size,
        offset: [0.0; 2],
        zoom: 1.0,
        angle: 0.0,
    }
}

fn spectrum(size: [usize; 2], planes: usize) -> (Array, Spectrum) {
    let start = random(&[planes, size[0], size[1] / 2 + 1, 2], 4);
    let made = Spectrum::new(&start, size, Device::CPU).expect("memory");
    (start, made)
}

/// A grey picture from the sum that the inverse transform stands for.
#[test]
fn a_spectrum_is_a_sum_of_waves() {
    for [height, width] in [[6, 8], [5, 7]] {
        let (start, made) = spectrum([height, width], 1);
        let found = values(&made.picture().expect("memory"));
        let half = width / 2 + 1;
        for y in 0..height {
            for x in 0..width {
                let mut sum = 0.0;
                for v in 0..height {
                    for u in 0..half {
                        let at = 2 * (v * half + u);
                        let [re, im] = [0, 1].map(|i| f64::from(start.values()[at + i]));
                        let (fy, fx) = (
                            v.min(height - v) as f64 / height as f64,
                            u as f64 / width as f64,
                        );
                        let unitary = ((height * width) as f64).sqrt();
                        let scale = unitary / fy.hypot(fx).max(1.0 / height.max(width) as f64);
                        let turn = 2.0
                            * PI
                            * ((v * y) as f64 / height as f64 + (u * x) as f64 / width as f64);
                        // The half that isn't stored is the other's conjugate.
                        let both = if u == 0 || 2 * u == width { 1.0 } else { 2.0 };
                        // Where a column is its own mirror image only its symmetric part counts.
                        let wave = if both == 1.0 {
                            let mirror = 2 * ((height - v) % height * half + u);
                            let [mre, mim] = [0, 1].map(|i| f64::from(start.values()[mirror + i]));
                            let (re, im) = (f64::midpoint(re, mre), (im - mim) / 2.0);
                            re * turn.cos() - im * turn.sin()
                        } else {
                            both * (re * turn.cos() - im * turn.sin())
                        };
                        sum += scale * wave;
                    }
                }
                let wanted = sum / (height * width) as f64 / 4.0;
                let wanted = 1.0 / (1.0 + (-wanted).exp());
                let found = f64::from(found[y * width + x]);
                assert!(
                    (found - wanted).abs() < 1e-5,
                    "({y},{x}): {found}, {wanted}"
                );
            }
        }
    }
}

/// Held still, the middle of a larger glimpse is the picture and the rest is grey; planes are fed as said.
#[test]
fn a_glimpse_of_the_picture() {
    let (_, made) = spectrum([6, 6], 3);
    let picture = values(&made.picture().expect("memory"));
    let feed = Feed {
        order: vec![2, 1, 0],
        factor: vec![2.0, 3.0, 4.0],
        shift: vec![-1.0, 0.0, 1.0],
    };
    let seen = made.seen(still([10, 10]), &feed).expect("memory");
    assert_eq!(seen.shape(), [1, 3, 10, 10]);
    let seen = values(&seen);
    for plane in 0..3 {
        for y in 0..10 {
            for x in 0..10 {
                let inside = (2..8).contains(&y) && (2..8).contains(&x);
                let value = if inside {
                    picture[feed.order[plane] as usize * 36 + (y - 2) * 6 + x - 2]
                } else {
                    0.5
                };
                let wanted = value * feed.factor[plane] as f32 + feed.shift[plane] as f32;
                let found = seen[plane * 100 + y * 10 + x];
                assert!((found - wanted).abs() < 1e-4, "{plane} ({y},{x})");
            }
        }
    }
    let moved = Glimpse {
        offset: [1.0, -2.0],
        ..still([6, 6])
    };
    let moved = values(&made.seen(moved, &self::feed()).expect("memory"));
    assert!((moved[0] - 0.5).abs() < 1e-5);
    assert!((moved[2] - picture[6]).abs() < 1e-5);
    // A quarter turn: the first row of the glimpse is a column of the picture.
    let turned = Glimpse {
        angle: Glimpse::degrees(90.0),
        ..still([6, 6])
    };
    let turned = values(&made.seen(turned, &self::feed()).expect("memory"));
    for x in 0..6 {
        assert!((turned[x] - picture[x * 6 + 5]).abs() < 1e-4, "{x}");
    }
    let near = Glimpse {
        zoom: 2.0,
        ..still([12, 12])
    };
    let near = values(&made.seen(near, &self::feed()).expect("memory"));
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    assert!((mean(&near[..144]) - mean(&picture[..36])).abs() < 0.02);
}

/// The gradient at the coefficients against differences, through every step at once.
#[test]
fn a_gradient_comes_back_to_the_spectrum() {
    let size = [6, 5];
    let start = random(&[3, 6, 3, 2], 4);
    let glimpse = Glimpse {
        size: [8, 7],
        offset: [0.4, -0.7],
        zoom: 1.1,
        angle: 0.1,
    };
    let weights = upload(&random(&[1, 3, 8, 7], 5));
    let loss = |start: &Array| {
        let made = Spectrum::new(start, size, Device::CPU).expect("memory");
        let seen = made.seen(glimpse, &feed()).expect("memory");
        seen.dot(&weights).expect("computable")
    };
    // Adam's first step is the gradient's sign times the rate.
    const RATE: f64 = 1e-3;
    let mut made = Spectrum::new(&start, size, Device::CPU).expect("memory");
    made.climb(glimpse, &feed(), RATE, |seen| {
        assert!((seen.dot(&weights)? - loss(&start)).abs() < 1e-6);
        Ok(Some(weights.clone()))
    })
    .expect("computable");
    let after = Vec::<f32>::try_from(made.coefficients().flatten(0, -1)).expect("floats");
    let mut checked = 0;
    for (index, after) in after.iter().enumerate() {
        let shifted = |by: f32| {
            let mut start = start.clone();
            start.values_mut()[index] += by;
            loss(&start)
        };
        let slope = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
        // Imaginary parts of what is its own mirror image have no effect.
        if slope.abs() > 1e-2 {
            let step = f64::from(after - start.values()[index]) / RATE;
            assert!(
                (step - slope.signum()).abs() < 1e-2,
                "{index}: {step}, {slope}"
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
    let before = values(&made.picture().expect("memory"));
    made.climb(glimpse, &feed(), RATE, |_| Ok(None))
        .expect("computable");
    assert_eq!(values(&made.picture().expect("memory")), before);
}

#[test]
fn other_spectra_are_refused() {
    let refused = |shape: &[usize]| {
        let start = Array::new(shape, noise(shape.iter().product(), 1));
        let made = Spectrum::new(&start, [6, 6], Device::CPU);
        made.expect_err("another shape").to_string()
    };
    assert!(refused(&[3, 6, 6, 2]).contains("6x6"));
    assert!(refused(&[2, 6, 4, 2]).contains("1 or 3 planes"));
}
