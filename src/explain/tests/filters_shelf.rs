//! Patterns that are kept, whatever happens to their files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{engine, layer};
use crate::array::Array;
use crate::engine::Engine;
use crate::explain::filters::{Key, Objective, Options, Pattern, Recipe, Shelf};
use crate::model::{ChannelId, ClassId};

const VGG: &str = "weights/vgg16_cats_dogs.safetensors";

fn objective(engine: &Engine, name: &str, channel: usize) -> Objective {
    Objective::Channel {
        layer: layer(engine, name),
        channel: ChannelId(channel),
    }
}

fn key(shelf: &Shelf, engine: &Engine, objective: Objective, options: &Options) -> Key {
    let settings = options.settle(engine.model(), objective).expect("it fits");
    shelf.key(engine, objective, &settings).expect("readable")
}

fn pattern(level: f32) -> Pattern {
    Pattern {
        image: Array::new([3, 4, 5], vec![level; 60]),
        losses: vec![0.5, f64::from(level), 1.0 / 3.0],
        dead: level < 0.0,
    }
}

struct Kept {
    folder: tempfile::TempDir,
    shelf: Shelf,
    keys: Vec<Key>,
}

impl Kept {
    fn new(budget: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::in_folder(folder.path().join("a/b"), budget);
        let engine = engine(VGG);
        let keys = (0..4)
            .map(|channel| {
                let objective = objective(&engine, "block1_conv1", channel);
                key(&shelf, &engine, objective, &Options::default())
            })
            .collect();
        Self {
            folder,
            shelf,
            keys,
        }
    }

    fn file(&self, index: usize) -> PathBuf {
        self.shelf
            .folder()
            .join(format!("{}.pattern", self.keys[index]))
    }

    fn names(&self) -> usize {
        fs::read_dir(self.shelf.folder()).expect("a folder").count()
    }
}

#[test]
fn what_is_kept_comes_back() {
    let kept = Kept::new(1 << 20);
    assert_eq!(kept.shelf.get(kept.keys[0]), None);
    for (index, level) in [1.5, -1.0].into_iter().enumerate() {
        kept.shelf
            .put(kept.keys[index], &pattern(level))
            .expect("written");
        assert_eq!(kept.shelf.get(kept.keys[index]), Some(pattern(level)));
    }
    kept.shelf
        .put(kept.keys[0], &pattern(2.0))
        .expect("replaced");
    assert_eq!(kept.shelf.get(kept.keys[0]), Some(pattern(2.0)));
    assert_eq!(kept.names(), 2);
}

/// Everything that changes a pattern changes its key; what doesn't, doesn't.
#[test]
fn keys() {
    let engine = engine(VGG);
    let shelf = Shelf::in_folder("unused", 1);
    let conv = objective(&engine, "block2_conv1", 3);
    let of = |objective, options: Options| key(&shelf, &engine, objective, &options);
    let start = |value| Options {
        start: Some(Array::new([3, 8, 8], vec![value; 192])),
        ..Options::default()
    };
    let recipe = |recipe| Options {
        recipe,
        size: Some([64, 64]),
        steps: Some(9),
        ..Options::default()
    };
    let keys = [
        of(conv, Options::default()),
        of(objective(&engine, "block2_conv1", 4), Options::default()),
        of(objective(&engine, "block2_conv2", 3), Options::default()),
        of(Objective::Class(ClassId(0)), Options::default()),
        of(Objective::Class(ClassId(1)), Options::default()),
        of(
            conv,
            Options {
                seed: 1,
                ..Options::default()
            },
        ),
        of(
            conv,
            Options {
                steps: Some(41),
                ..Options::default()
            },
        ),
        of(
            conv,
            Options {
                size: Some([150, 151]),
                ..Options::default()
            },
        ),
        of(conv, recipe(Recipe::Book)),
        of(conv, recipe(Recipe::Book2)),
        of(conv, recipe(Recipe::Lucid)),
        of(conv, start(1.0)),
        of(conv, start(2.0)),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{index}");
    }
    // Another process, and the file under another name.
    let again = self::engine(VGG);
    let fresh = Shelf::in_folder("unused", 1);
    assert_eq!(key(&fresh, &again, conv, &Options::default()), keys[0]);
    // Said outright, the recipe's numbers are the same ones.
    let said = Options {
        steps: Some(40),
        size: Some([150, 150]),
        ..Options::default()
    };
    assert_eq!(of(conv, said), keys[0]);
}

/// One other weight in front of the filter is another key; one behind it isn't.
#[test]
fn keys_hold_the_weights_in_front() {
    use crate::model::{Op, Parameter};
    use std::sync::Arc;
    let base = engine(VGG);
    let shelf = Shelf::in_folder("unused", 1);
    let of = |engine: &Engine| {
        let objective = objective(engine, "block2_conv1", 0);
        key(&shelf, engine, objective, &Options::default())
    };
    let changed = |name: &str| {
        let mut model = (**base.model()).clone();
        let id = model.layer(model.find_layer(name).expect("VGG16's")).nodes[0];
        let Op::Conv(conv) = &mut model.nodes[id.0].op else {
            panic!("a convolution")
        };
        let mut values = vec![0.0; conv.weight.len()];
        conv.weight.values.read(0, &mut values).expect("readable");
        values[7] += 1e-3;
        conv.weight = Parameter {
            values: Arc::new(values),
            ..conv.weight.clone()
        };
        Engine::new(Arc::new(model), base.device())
    };
    assert_ne!(of(&changed("block1_conv2")), of(&base));
    assert_eq!(of(&changed("block2_conv2")), of(&base));
}

/// Each byte matters, and each length.
#[test]
fn damaged_files_are_not_there() {
    let kept = Kept::new(1 << 20);
    kept.shelf
        .put(kept.keys[0], &pattern(1.0))
        .expect("written");
    let whole = fs::read(kept.file(0)).expect("there");
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x10;
        fs::write(kept.file(0), broken).expect("written");
        assert_eq!(kept.shelf.get(kept.keys[0]), None, "byte {at}");
    }
    for length in 0..whole.len() {
        fs::write(kept.file(0), &whole[..length]).expect("written");
        assert_eq!(kept.shelf.get(kept.keys[0]), None, "{length} bytes");
    }
    // Another pattern's file isn't this one's.
    fs::write(kept.file(1), &whole).expect("written");
    assert_eq!(kept.shelf.get(kept.keys[1]), None);
    kept.shelf
        .put(kept.keys[0], &pattern(1.0))
        .expect("replaced");
    assert_eq!(kept.shelf.get(kept.keys[0]), Some(pattern(1.0)));
    fs::remove_file(kept.file(0)).expect("there");
    fs::create_dir(kept.file(0)).expect("made");
    assert_eq!(kept.shelf.get(kept.keys[0]), None);
    assert!(kept.shelf.put(kept.keys[0], &pattern(1.0)).is_err());
}

#[test]
fn the_oldest_go() {
    let one = {
        let kept = Kept::new(1 << 20);
        kept.shelf
            .put(kept.keys[0], &pattern(1.0))
            .expect("written");
        fs::metadata(kept.file(0)).expect("there").len()
    };
    let kept = Kept::new(2 * one);
    for index in 0..4 {
        kept.shelf
            .put(kept.keys[index], &pattern(1.0))
            .expect("written");
        let written = fs::File::options()
            .write(true)
            .open(kept.file(index))
            .expect("there");
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(index as u64);
        written.set_modified(time).expect("set");
        // Not a pattern: stays.
        fs::write(kept.shelf.folder().join("notes.txt"), [0; 5000]).expect("written");
    }
    let there: Vec<bool> = (0..4)
        .map(|index| kept.shelf.get(kept.keys[index]).is_some())
        .collect();
    assert_eq!(there, [false, false, true, true]);
    assert_eq!(kept.names(), 3);
    // A budget below one pattern keeps the one just made.
    let kept = Kept::new(1);
    kept.shelf
        .put(kept.keys[0], &pattern(1.0))
        .expect("written");
    kept.shelf
        .put(kept.keys[1], &pattern(1.0))
        .expect("written");
    assert_eq!(kept.names(), 1);
}

#[test]
fn what_a_killed_process_left_goes() {
    let kept = Kept::new(1 << 20);
    kept.shelf
        .put(kept.keys[0], &pattern(1.0))
        .expect("written");
    for (name, hours) in [(".convscope-old.part", 25), (".convscope-new.part", 1)] {
        let path = kept.shelf.folder().join(name);
        let file = fs::File::create(path).expect("made");
        let age = std::time::Duration::from_hours(hours);
        file.set_modified(std::time::SystemTime::now() - age)
            .expect("set");
    }
    kept.shelf
        .put(kept.keys[1], &pattern(1.0))
        .expect("written");
    assert_eq!(kept.names(), 3);
    assert!(!kept.shelf.folder().join(".convscope-old.part").exists());
}

#[test]
fn folders_that_cant_be_written_to() {
    let kept = Kept::new(1 << 20);
    kept.shelf
        .put(kept.keys[0], &pattern(1.0))
        .expect("written");
    // The superuser may write anywhere, but not make a folder of a file.
    let blocked = kept.folder.path().join("file");
    fs::write(&blocked, "").expect("written");
    let shelf = Shelf::in_folder(blocked.join("patterns"), 1 << 20);
    let message = shelf
        .put(kept.keys[0], &pattern(1.0))
        .expect_err("a file")
        .to_string();
    assert!(message.contains("file/patterns"), "{message}");
    assert_eq!(shelf.get(kept.keys[0]), None);
    let read_only = fs::Permissions::from_mode(0o555);
    fs::set_permissions(kept.shelf.folder(), read_only).expect("set");
    assert_eq!(kept.shelf.get(kept.keys[0]), Some(pattern(1.0)));
    // Whether or not this may write: what was there is whole.
    let _ = kept.shelf.put(kept.keys[0], &pattern(1.0));
    assert_eq!(kept.shelf.get(kept.keys[0]), Some(pattern(1.0)));
    fs::set_permissions(kept.shelf.folder(), fs::Permissions::from_mode(0o755)).expect("set");
}
