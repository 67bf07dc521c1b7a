//! The heatmap view.

use super::*;
use crate::explain::cam::{Dialect, Score};
use crate::model::ChannelId;
use crate::picture::Colormap;
use crate::tui::heat::Layout;
use crate::tui::painter::Subject;
use crate::tui::saver::Content;
use crate::tui::state::{Focus, Message, View};

const SECOND: ImageId = ImageId(1);
const CONV: LayerId = LayerId(2);
const LAST: LayerId = LayerId(3);

fn on_the_heatmap() -> Explorer {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("4");
    explorer.settle();
    explorer
}

/// What the user waits for.
fn wanted_now(explorer: &Explorer) -> Vec<Job> {
    let urgent = explorer
        .work
        .iter()
        .filter(|(_, purpose, _)| *purpose == Purpose::Picture);
    urgent.map(|(_, _, job)| *job).collect()
}

fn shown(explorer: &Explorer) -> (LayerId, ClassId, Dialect, u8, Layout) {
    match explorer.shown().key.subject {
        Subject::Heatmap(key, dialect, opacity, layout) => {
            (key.layer, key.class, dialect, opacity, layout)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_begins_with_the_top_class_at_the_last_feature_maps() {
    let explorer = on_the_heatmap();
    assert_eq!(
        shown(&explorer),
        (LAST, ClassId(0), Dialect::Book, 40, Layout::Overlay)
    );
    assert_eq!(explorer.shown().key.colormap, Colormap::Jet);
    assert_eq!(explorer.state.focus, Focus::Picture);
    // From a layer's own picture, it is that layer's.
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("jj");
    explorer.code(KeyCode::Enter);
    explorer.press("4");
    explorer.settle();
    assert_eq!(shown(&explorer).0, CONV);
    // From one that has none, the usual one.
    explorer.press("2]]]4");
    assert_eq!(explorer.state.layer, LAST);
}

#[test]
fn a_class_and_a_layer_further_need_one_job_each_and_coming_back_none() {
    let mut explorer = on_the_heatmap();
    // The other classes and the layer before were made when there was nothing else to do.
    explorer.press("j");
    assert_eq!(wanted_now(&explorer), []);
    explorer.settle();
    assert_eq!(shown(&explorer).1, ClassId(1));
    explorer.press("n[");
    assert_eq!(explorer.state.layer, CONV);
    let settings = explorer.state.heat.settings();
    let key = |class| HeatKey {
        image: SECOND,
        layer: CONV,
        class: ClassId(class),
        settings,
    };
    assert_eq!(wanted_now(&explorer), [Job::Photo(SECOND)]);
    explorer.work_off();
    explorer.work_off();
    assert_eq!(wanted_now(&explorer), [Job::Heatmap(key(1))]);
    explorer.settle();
    explorer.press("p]");
    explorer.settle();
    explorer.press("n[");
    assert_eq!(wanted_now(&explorer), []);
    explorer.press("kkkk");
    assert_eq!(explorer.state.class().unwrap().class, ClassId(0));
    explorer.press("G");
    assert_eq!(explorer.state.class().unwrap().class, ClassId(2));
    // Down the network there is none.
    explorer.press("]]]");
    assert_eq!(explorer.state.layer, LAST);
}

#[test]
fn score_dialect_layout_and_opacity_have_keys() {
    let mut explorer = on_the_heatmap();
    explorer.press("t");
    assert_eq!(explorer.state.heat.settings().score, Score::Logit);
    explorer.press("d");
    explorer.settle();
    assert_eq!(
        shown(&explorer),
        (
            LAST,
            ClassId(0),
            Dialect::PytorchGradCam,
            50,
            Layout::Overlay
        )
    );
    explorer.press("++-");
    explorer.settle();
    assert_eq!(shown(&explorer).3, 60);
    explorer.press("m");
    explorer.settle();
    let beside = shown(&explorer);
    assert_eq!(beside.4, Layout::SideBySide);
    explorer.press("mc");
    explorer.settle();
    assert_eq!(shown(&explorer).4, Layout::Alone);
    assert_ne!(explorer.shown().key.colormap, Colormap::Jet);
    // The colours of the feature maps are their own.
    assert_eq!(explorer.state.colormap, Colormap::Viridis);
    for _ in 0..20 {
        explorer.press("-");
    }
    assert_eq!(explorer.state.heat.opacity(), 0);
    explorer.press("0t");
    assert!(
        matches!(&explorer.state.message, Some(Message::Notice(text)) if text.contains("heatmaps"))
    );
}

#[test]
fn the_channels_that_push_the_class_can_be_jumped_to() {
    let mut explorer = on_the_heatmap();
    explorer.press("ll");
    explorer.code(KeyCode::Enter);
    explorer.settle();
    assert_eq!(
        (explorer.state.view, explorer.state.channel()),
        (View::Channel, ChannelId(29))
    );
    explorer.code(KeyCode::Esc);
    assert_eq!(explorer.state.view, View::Heatmap);
    explorer.press("3");
    explorer.code(KeyCode::Esc);
    assert_eq!(
        explorer.state.view,
        View::Grid,
        "not jumped to from the heatmap"
    );
}

#[test]
fn a_class_is_found_by_its_name() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("/IR");
    explorer.code(KeyCode::Enter);
    explorer.settle();
    assert_eq!(explorer.state.view, View::Heatmap);
    assert_eq!(shown(&explorer).1, ClassId(2));
    // Keys are letters while something is looked for; what isn't found changes nothing.
    explorer.press("/q4");
    explorer.code(KeyCode::Enter);
    assert_eq!(
        (explorer.state.exit.clone(), explorer.state.search.clone()),
        (None, None)
    );
    assert_eq!(explorer.state.class().unwrap().class, ClassId(2));
    explorer.press("/");
    explorer.code(KeyCode::Down);
    explorer.code(KeyCode::Down);
    explorer.code(KeyCode::Up);
    explorer.code(KeyCode::Enter);
    assert_eq!(explorer.state.class().unwrap().class, ClassId(1));
    explorer.press("/d");
    explorer.code(KeyCode::Backspace);
    assert!(explorer.state.search.is_some());
    explorer.code(KeyCode::Backspace);
    assert!(explorer.state.search.is_none());
}

#[test]
fn another_image_has_its_own_top_class_unless_one_was_chosen() {
    let mut explorer = on_the_heatmap();
    explorer.press("n");
    assert!(explorer.state.picture_is_busy());
    explorer.settle();
    assert_eq!(explorer.state.class().unwrap().name, "boathouse");
    explorer.press("jn");
    explorer.settle();
    assert_eq!(shown(&explorer).1, ClassId(1));
}

#[test]
fn it_is_saved_as_it_is_laid() {
    let mut explorer = on_the_heatmap();
    explorer.press("s");
    let order = &explorer.saves[0];
    assert_eq!(order.stem, "net.chelsea.conv2d_1.cat.cam");
    let Content::Heatmap { overlay, photo, .. } = &order.content else {
        panic!("{:?}", order.content)
    };
    assert_eq!((overlay.alpha, photo.width()), (0.4, 451));
    let pairs = order.provenance.pairs();
    for (key, value) in [
        ("class", "cat (0)"),
        ("dialect", "book"),
        ("score", "softmax"),
    ] {
        let pair = (format!("convscope:{key}"), value.to_owned());
        assert!(pairs.contains(&pair), "{pair:?} in {pairs:?}");
    }
}

#[test]
fn without_classes_there_are_none() {
    let mut explorer = Explorer::new(120, 40);
    explorer.work_off();
    let outline = explorer.state.outline.as_mut().unwrap();
    outline.heat_layer = None;
    outline.no_heat = "the model has no classes".to_owned();
    explorer.press("4");
    assert_eq!(explorer.state.view, View::Summary);
    assert!(
        matches!(&explorer.state.message, Some(Message::Notice(text)) if text.contains("no classes"))
    );
}
