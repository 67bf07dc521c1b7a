//! Against PyTorch: every layer of EfficientNet-Lite0 for two photos.

use serde_json::Value;

use super::{TOLERANCE, close, engine, largest, upload};
use crate::explain::{activations, predictions, statistics};
use crate::golden;

#[test]
fn efficientnet_lite0() {
    for photo in ["chelsea", "panda"] {
        let golden = golden::open(&format!("torch/efficientnet_lite0__{photo}.safetensors"));
        let engine = engine("weights/efficientnet_lite0.safetensors");
        let inputs = [upload(&golden.f32("input"))];
        let layers: Value = serde_json::from_str(&golden.note("layers")).expect("JSON");
        let layers = layers.as_array().expect("a list");
        let [means, stds, maxima] =
            ["mean", "std", "max"].map(|key| golden.f32(&format!("stats.{key}")));
        let names: Vec<&str> = layers
            .iter()
            .map(|layer| layer["name"].as_str().expect("a name"))
            .collect();
        let ids: Vec<_> = names
            .iter()
            .map(|name| super::layer(&engine, name))
            .collect();
        let mut seen = 0;
        activations(&engine, &inputs, &ids, |id, activation| {
            let index = ids
                .iter()
                .position(|other| *other == id)
                .expect("asked for");
            let (entry, name) = (&layers[index], names[index]);
            let numbers = |value: &Value| {
                value.as_array().map(|v| {
                    v.iter()
                        .filter_map(Value::as_u64)
                        .map(|n| n as usize)
                        .collect::<Vec<_>>()
                })
            };
            let shape = numbers(&entry["shape"]).expect("a shape");
            assert_eq!(
                activation.shape(),
                &shape[1..1 + activation.shape().len()],
                "{name}"
            );
            let offset = entry["offset"].as_u64().expect("an offset") as usize;
            let scale = largest(activation.values());
            let count = shape[1];
            // A vector's units are channels of one value here.
            let maps = activation
                .clone()
                .reshaped([count, 1, activation.values().len() / count]);
            let found = statistics(&maps);
            let part =
                |array: &crate::array::Array| array.values()[offset..offset + count].to_vec();
            let column = |of: fn(&crate::explain::ChannelStatistics) -> f32| {
                found.iter().map(of).collect::<Vec<f32>>()
            };
            close(
                &column(|s| s.mean as f32),
                &part(&means),
                scale,
                TOLERANCE,
                &format!("{name} mean"),
            );
            close(
                &column(|s| s.std as f32),
                &part(&stds),
                scale,
                TOLERANCE,
                &format!("{name} std"),
            );
            close(
                &column(|s| s.max),
                &part(&maxima),
                scale,
                TOLERANCE,
                &format!("{name} max"),
            );
            let key = format!("map.{name}.ch0_ch3");
            if golden.names().contains(&key) {
                let wanted = golden.f32(&key);
                close(maps.at(0), wanted.at(0), scale, TOLERANCE, &key);
                close(maps.at(3), wanted.at(1), scale, TOLERANCE, &key);
            }
            seen += 1;
            Ok(())
        })
        .expect("computable");
        assert_eq!(seen, layers.len());

        let mut run = engine.forward(&inputs, &[]).expect("computable");
        let answer = predictions(&engine, &mut run).expect("a head");
        let (_, top) = golden.i64("top5.index");
        let wanted = golden.f32("top5.prob");
        let logits = golden.f32("logits");
        let labels: Vec<String> = serde_json::from_str(&golden.note("top5.label")).expect("JSON");
        for (index, prediction) in answer.iter().take(5).enumerate() {
            assert_eq!(prediction.class.0 as i64, top[index]);
            assert_eq!(engine.model().class_name(prediction.class), labels[index]);
            assert!((prediction.probability as f32 - wanted.values()[index]).abs() < TOLERANCE);
            let logit = logits.values()[prediction.class.0];
            assert!((prediction.logit as f32 - logit).abs() < TOLERANCE * largest(logits.values()));
        }
    }
}
