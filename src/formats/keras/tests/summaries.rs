//! Summaries against the text that Keras 2 itself prints: names, types, shapes, parameters, connections.

use super::*;

/// One row of Keras's table.
#[derive(Debug, PartialEq)]
struct Row {
    /// Without the names of the models around it.
    name: String,
    kind: String,
    shape: String,
    parameters: usize,
    inputs: Vec<String>,
    depth: usize,
}

/// Keras cuts cells that are too long and goes on in the next line.
fn rows(text: &str) -> Vec<Row> {
    let header = text
        .lines()
        .find(|line| line.contains("Layer (type)"))
        .unwrap();
    let column = |title: &str| header.find(title);
    let starts = [
        column("Layer (type)"),
        column("Output Shape"),
        column("Param #"),
    ]
    .map(Option::unwrap);
    let connected = column("Connected to").unwrap_or(usize::MAX);
    let mut cells: Vec<([String; 4], usize)> = Vec::new();
    for line in text
        .lines()
        .skip_while(|line| !line.starts_with('='))
        .skip(1)
    {
        if line.starts_with('=') {
            break;
        }
        if line.contains('¯') || line.contains('_') && line.trim_matches('_').is_empty() {
            continue;
        }
        let depth = usize::from(line.starts_with('|'));
        let line = line.replace('|', " ");
        // The column of parameters is moved to the left in the rows of a nested model.
        let shift = depth;
        let cut = |from: usize, to: usize| -> String {
            let chars = line.chars().skip(from).take(to - from);
            chars.collect::<String>().trim().to_owned()
        };
        let found = [
            cut(starts[0], starts[1] - shift),
            cut(starts[1] - shift, starts[2] - shift),
            cut(starts[2] - shift, connected.min(1000)),
            if connected < 1000 {
                cut(connected, 1000)
            } else {
                String::new()
            },
        ];
        match cells.last_mut() {
            Some((last, _)) if found[2].is_empty() => {
                for (cell, more) in last.iter_mut().zip(&found) {
                    cell.push_str(more);
                }
            }
            _ if found[2].is_empty() => {}
            _ => cells.push((found, depth)),
        }
    }
    let row = |([name, shape, parameters, inputs], depth): ([String; 4], usize)| {
        let (name, kind) = name.split_once(" (").unwrap();
        let inputs = inputs.trim_matches(['[', ']']).split(',');
        let inputs = inputs.map(|input| input.trim_matches(['\'', ' ']).replace("[0][0]", ""));
        Row {
            name: name.to_owned(),
            kind: kind.trim_end_matches(')').to_owned(),
            shape: shape.trim_matches(['[', ']']).to_owned(),
            parameters: parameters.parse().unwrap(),
            inputs: inputs.filter(|input| !input.is_empty()).collect(),
            depth,
        }
    };
    cells.into_iter().map(row).collect()
}

/// The number behind a title such as `Total params: `.
fn total(text: &str, title: &str) -> usize {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(title))
        .unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

fn compare(file: &Path, text: &str) {
    let text = std::fs::read_to_string(root().join("tests/golden/keras").join(text)).unwrap();
    let model = read(file).unwrap();
    let summary = model.summary(model.input_size());
    let with_inputs = text.contains("Connected to");
    let found = summary.rows.iter().map(|row| {
        let layer = model.layer(row.layer);
        let inputs = row.inputs.iter().filter(|_| with_inputs);
        Row {
            name: layer.name.rsplit('/').next().unwrap().to_owned(),
            kind: layer.kind.clone(),
            shape: model.show_shape(row.shape.as_ref().expect("can be computed")),
            parameters: row.parameters,
            inputs: inputs
                .map(|&input| model.layer(input).name.clone())
                .collect(),
            depth: layer.depth,
        }
    });
    let found: Vec<Row> = found.collect();
    let wanted = rows(&text);
    assert!(wanted.len() > 10, "{wanted:?}");
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.len(), wanted.len());
    assert_eq!(summary.total, total(&text, "Total params: "));
    assert_eq!(summary.trainable, total(&text, "Trainable params: "));
}

#[test]
fn the_books_convnet_is_as_keras_describes_it() {
    compare(
        &root().join("weights/cats_and_dogs_small_2.h5"),
        "book_summary_keras2.txt",
    );
}

#[test]
fn a_branching_network_is_as_keras_describes_it() {
    for file in ["fx_mixed_k2.h5", "fx_mixed_k3.h5"] {
        compare(&fixture(file), "fixtures/fx_mixed_summary.txt");
    }
}

#[test]
fn nested_models_are_as_keras_describes_them() {
    for file in ["fx_nested_k2.h5", "fx_nested_k3.h5"] {
        compare(&fixture(file), "fixtures/fx_nested_summary.txt");
    }
}

#[test]
fn a_model_says_where_it_comes_from_and_how_images_are_prepared() {
    let model = read(&root().join("weights/cats_and_dogs_small_2.h5")).unwrap();
    assert_eq!(
        (model.name.as_str(), model.format.as_str()),
        ("sequential_2", "Keras 2.21.0 (HDF5)")
    );
    assert_eq!(model.preprocessing, Preprocessing::book([150, 150]));
    assert_eq!(
        model.assumptions,
        ["preprocessing: pixels / 255; the file doesn't say how images are scaled"]
    );
    let model = read(&fixture("fx_mixed_k3.h5")).unwrap();
    assert_eq!(model.format, "Keras 3.15.1 (HDF5)");
    assert_eq!(
        model.preprocessing.describe(),
        "29x33 RGB, squashed (nearest), pixels"
    );
    assert_eq!(
        model.assumptions,
        [
            "preprocessing: pixels 0 to 255 as they are, since the network itself scales them in 'rescale'"
        ]
    );
}
