//! Against Keras 2 and 3.

use super::{
    TOLERANCE, channels_first, close, engine, largest, same_maps, same_statistics, upload, value,
};
use crate::explain::{self, predictions};
use crate::golden;
use crate::model::HeadKind;
use crate::picture::{self, Colormap, Style};

#[test]
fn the_books_convnet_on_a_cat() {
    let golden = golden::open("keras/book_chelsea.safetensors");
    let grids = golden::open("keras/book_chelsea_grids.safetensors");
    let engine = engine("weights/cats_and_dogs_small_2.h5");
    let inputs = [upload(&channels_first(&golden.f32("input")))];
    let mut run = engine.forward(&inputs, &[]).expect("computable");
    for name in golden.note("layers").split(',') {
        let activation = value(&engine, &mut run, name);
        same_statistics(&golden, name, &activation);
        same_maps(&golden, &format!("{name}/maps_4_7"), &[4, 7], &activation);
        let (_, top) = golden.i64(&format!("{name}/top2_channels"));
        same_maps(
            &golden,
            &format!("{name}/maps_top2"),
            &[top[0] as usize, top[1] as usize],
            &activation,
        );
        if golden.names().contains(&format!("{name}/full")) {
            let full = channels_first(&golden.f32(&format!("{name}/full")));
            close(
                activation.values(),
                full.values(),
                largest(full.values()),
                TOLERANCE,
                name,
            );
        }

        let maps = activation.clone().reshaped(&activation.shape()[1..]);
        let (_, dead) = golden.i64(&format!("{name}/dead_channels"));
        let found = explain::statistics(&maps);
        let found = (0..found.len()).filter(|&channel| found[channel].dead());
        assert!(found.map(|channel| channel as i64).eq(dead), "{name}");
        let (_, wanted) = grids.u8(&format!("{name}/grid"));
        let grid = picture::grid(&maps, Style::Book, Colormap::Viridis, 16, 0).expect("a grid");
        assert_eq!(grid.pixels().len(), wanted.len(), "{name}");
        let off = grid
            .pixels()
            .iter()
            .zip(&wanted)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(off <= Some(1), "{name}: levels differ by {off:?}");
    }
    for name in ["flatten_2", "dropout_1", "dense_3", "dense_4"] {
        let wanted = golden.f32(&format!("{name}/out"));
        let found = value(&engine, &mut run, name);
        let count = wanted.values().len();
        close(
            &found.values()[..count],
            wanted.values(),
            largest(wanted.values()),
            TOLERANCE,
            name,
        );
    }
    let answer = predictions(&engine, &mut run).expect("a head");
    let dog = golden.f32("prediction").values()[0];
    assert_eq!(
        engine.model().head.map(|head| head.kind),
        Some(HeadKind::Sigmoid)
    );
    assert_eq!(
        answer
            .iter()
            .map(|p| engine.model().class_name(p.class))
            .collect::<Vec<_>>(),
        ["cat", "dog"]
    );
    assert!((answer[1].probability - f64::from(dog)).abs() < 1e-5);
    assert!((answer[0].probability + answer[1].probability - 1.0).abs() < 1e-12);
}

#[test]
fn vgg16_on_a_cat() {
    let golden = golden::open("keras/vgg_chelsea.safetensors");
    let engine = engine("weights/vgg16_cats_dogs.safetensors");
    let inputs = [upload(&channels_first(&golden.f32("input")))];
    let mut run = engine.forward(&inputs, &[]).expect("computable");
    for name in golden.names() {
        let Some(name) = name.strip_suffix("/shape") else {
            continue;
        };
        let activation = value(&engine, &mut run, name);
        same_statistics(&golden, name, &activation);
        if golden.names().contains(&format!("{name}/maps_0_3")) {
            same_maps(&golden, &format!("{name}/maps_0_3"), &[0, 3], &activation);
        }
    }
    let pooled = value(&engine, &mut run, "global_average_pooling2d");
    let wanted = golden.f32("gap");
    close(
        pooled.values(),
        wanted.values(),
        largest(wanted.values()),
        TOLERANCE,
        "gap",
    );
    let answer = predictions(&engine, &mut run).expect("a head");
    for prediction in &answer {
        let class = prediction.class.0;
        let logit = golden.f32("logits").values()[class];
        let probability = golden.f32("prediction").values()[class];
        assert!((prediction.logit as f32 - logit).abs() < TOLERANCE * logit.abs().max(1.0));
        assert!((prediction.probability as f32 - probability).abs() < 1e-5);
    }
    assert_eq!(engine.model().class_name(answer[0].class), "cat");
}

/// Every layer of two synthetic models, as Keras 2 and Keras 3 saved them.
#[test]
fn fixtures() {
    for fixture in ["fx_mixed", "fx_nested"] {
        let golden = golden::open(&format!("keras/fixtures/{fixture}.safetensors"));
        for version in ["k2", "k3"] {
            let engine = engine(&format!(
                "tests/golden/keras/fixtures/{fixture}_{version}.h5"
            ));
            let inputs = [upload(&channels_first(&golden.f32("input")))];
            let mut run = engine.forward(&inputs, &[]).expect("computable");
            for name in golden.note("order").split(',') {
                // Keras 3 and 2 differ in whether a nested model's input is a layer of its own.
                if engine.model().find_layer(name).is_err() && name.ends_with("block_in") {
                    continue;
                }
                let wanted = channels_first(&golden.f32(&format!("layer/{name}")));
                let found = value(&engine, &mut run, name);
                assert_eq!(found.shape(), wanted.shape(), "{fixture}_{version} {name}");
                let what = format!("{fixture}_{version} {name}");
                close(
                    found.values(),
                    wanted.values(),
                    largest(wanted.values()),
                    TOLERANCE,
                    &what,
                );
            }
        }
    }
}

/// Streaming all layers gives what asking for each gives.
#[test]
fn one_pass_for_all_layers() {
    let golden = golden::open("keras/book_chelsea.safetensors");
    let engine = engine("weights/cats_and_dogs_small_2.h5");
    let inputs = [upload(&channels_first(&golden.f32("input")))];
    let layers = engine.model().pictured_layers();
    let mut seen = Vec::new();
    explain::activations(&engine, &inputs, &layers, |id, activation| {
        seen.push((id, activation));
        Ok(())
    })
    .expect("computable");
    assert_eq!(seen.iter().map(|(id, _)| *id).collect::<Vec<_>>(), layers);
    for (id, activation) in seen {
        let mut run = engine.forward(&inputs, &[]).expect("computable");
        let found = value(&engine, &mut run, &engine.model().layer(id).name);
        assert_eq!(found.values(), activation.values());
    }
}
