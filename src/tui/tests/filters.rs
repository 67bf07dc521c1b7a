//! The views of the patterns that filters look for.

use super::*;
use crate::explain::filters::Recipe;
use crate::model::ChannelId;
use crate::tui::painter::Subject;
use crate::tui::saver::Content;
use crate::tui::state::{Message, View};

const CONV: LayerId = LayerId(2);

fn key(channel: usize) -> PatternKey {
    PatternKey {
        layer: CONV,
        channel: ChannelId(channel),
        recipe: Recipe::Book,
    }
}

/// At the nested convolution, whose shelf is empty and whose values are there.
fn on_the_filter(view: &str) -> Explorer {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("jj");
    explorer.settle();
    explorer.press(view);
    assert_eq!(explorer.jobs(), [Job::Shelf(CONV, Recipe::Book)]);
    explorer.work_off();
    explorer
}

fn urgent(explorer: &Explorer) -> Vec<Job> {
    let now = explorer
        .work
        .iter()
        .filter(|(_, purpose, _)| *purpose == Purpose::Picture);
    now.map(|(_, _, job)| *job).collect()
}

#[test]
fn the_pattern_at_the_cursor_grows_and_moving_on_leaves_it() {
    let mut explorer = on_the_filter("5");
    assert_eq!(urgent(&explorer), [Job::Pattern(key(0))]);
    explorer.happen(Event::Grown(key(0), Arc::new(growth(key(0), 7))));
    for event in std::mem::take(&mut explorer.painted) {
        explorer.happen(event);
    }
    assert!(matches!(explorer.shown().key.subject, Subject::Filter(_, at, 7, _) if at == key(0)));
    assert!(explorer.state.picture_is_busy(), "it isn't finished");
    // The next step takes the older picture's place in the memory.
    let before = explorer.shown().key;
    explorer.happen(Event::Grown(key(0), Arc::new(growth(key(0), 9))));
    for event in std::mem::take(&mut explorer.painted) {
        explorer.happen(event);
    }
    assert!(explorer.state.paintings.peek(&before).is_none());

    explorer.press("l");
    assert_eq!(urgent(&explorer), [Job::Pattern(key(1))]);
    explorer.settle();
    explorer.press("h");
    explorer.settle();
    assert!(explorer.state.growth().unwrap().is_finished());
    assert!(!explorer.state.is_busy() && explorer.jobs().is_empty());
}

#[test]
fn a_pause_stops_the_work_and_another_key_goes_on() {
    let mut explorer = on_the_filter("6");
    explorer.press(" ");
    assert!(explorer.state.filters.paused && explorer.jobs().is_empty());
    explorer.settle();
    assert!(!explorer.state.picture_is_busy());
    explorer.press(" ");
    assert_eq!(urgent(&explorer), [Job::Pattern(key(0))]);
}

#[test]
fn one_key_makes_the_whole_layer() {
    let mut explorer = on_the_filter("6");
    explorer.settle();
    let finished = |explorer: &Explorer| explorer.state.growths().into_iter().flatten().count();
    assert_eq!(finished(&explorer), 2, "the one at hand and its neighbour");
    explorer.press("a");
    explorer.settle();
    assert_eq!(finished(&explorer), 32);
    assert!(matches!(
        explorer.shown().key.subject,
        Subject::Patterns(CONV, Recipe::Book, _)
    ));
}

#[test]
fn another_recipe_has_its_own_patterns() {
    let mut explorer = on_the_filter("5");
    explorer.settle();
    explorer.press("r");
    assert_eq!(explorer.jobs(), [Job::Shelf(CONV, Recipe::Book2)]);
    explorer.settle();
    assert!(explorer.state.growth().is_some());
    explorer.press("rr");
    assert!(!explorer.state.picture_is_busy() || explorer.jobs().is_empty());
}

#[test]
fn the_two_views_lead_to_each_other_and_keep_the_cursor() {
    let mut explorer = on_the_filter("6");
    explorer.settle();
    let columns = explorer.state.tiles().unwrap().columns;
    explorer.press("jl");
    assert_eq!(explorer.state.channel(), ChannelId(columns + 1));
    explorer.code(KeyCode::Enter);
    assert_eq!(explorer.state.view, View::Filter);
    explorer.code(KeyCode::Esc);
    assert_eq!(explorer.state.view, View::Patterns);
    explorer.press("3");
    assert_eq!(explorer.state.channel(), ChannelId(columns + 1));
    // A vector has no filters to look at, and the keys for patterns are of no use elsewhere.
    explorer.press("0Ga");
    assert!(
        matches!(&explorer.state.message, Some(Message::Notice(text)) if text.contains("patterns"))
    );
    explorer.press("5");
    assert_eq!(explorer.state.view, View::Summary);
}

#[test]
fn patterns_are_saved_when_they_are_finished() {
    let mut explorer = on_the_filter("5");
    explorer.press("s");
    assert!(explorer.saves.is_empty());
    explorer.settle();
    explorer.press("s6s");
    let stems: Vec<&str> = explorer
        .saves
        .iter()
        .map(|order| order.stem.as_str())
        .collect();
    assert_eq!(stems[0], "net.chelsea.stem.conv2d.f0.book");
    assert!(matches!(explorer.saves[0].content, Content::Pattern(_)));
    explorer.settle();
    explorer.press("s");
    let last = explorer.saves.last().unwrap();
    assert_eq!(last.stem, "net.chelsea.stem.conv2d.patterns.book");
    let Content::Patterns(growths) = &last.content else {
        panic!("{:?}", last.content)
    };
    assert_eq!((growths.len(), growths.iter().flatten().count()), (32, 2));
}

#[test]
fn without_an_image_there_are_patterns_all_the_same() {
    let mut explorer = Explorer::new(120, 40);
    explorer.state.images.clear();
    explorer.settle();
    explorer.press("jj5");
    explorer.settle();
    assert_eq!(explorer.state.trouble(), None);
    assert_eq!(explorer.shown().sheets.len(), 1);
}
