//! Walking through a network by keys.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::*;
use crate::model::ChannelId;
use crate::picture::{Colormap, Style};
use crate::terminal::Notice;
use crate::tui::painter::Subject;
use crate::tui::saver::Content;
use crate::tui::state::{Exit, Focus, Message, Pause, View};

const FIRST: ImageId = ImageId(0);
const SECOND: ImageId = ImageId(1);
const CONV: LayerId = LayerId(2);

/// In the grid of the nested convolution.
fn in_the_grid() -> Explorer {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("jj");
    explorer.code(KeyCode::Enter);
    explorer.settle();
    explorer
}

#[test]
fn the_model_is_opened_first_then_the_photo_then_the_classes() {
    let mut explorer = Explorer::new(120, 40);
    assert_eq!(explorer.jobs(), [Job::Open]);
    assert!(explorer.state.is_busy());
    explorer.work_off();
    assert_eq!(explorer.jobs(), [Job::Photo(FIRST), Job::Classes(FIRST)]);
    explorer.work_off();
    assert_eq!(explorer.jobs(), [Job::Classes(FIRST)]);
    explorer.work_off();
    assert_eq!(
        explorer.jobs(),
        [Job::Activation(FIRST, LayerId(0))],
        "ahead"
    );
    explorer.settle();
    assert!(!explorer.state.is_busy());
    assert_eq!(explorer.shown().key.subject, Subject::Photo(FIRST));
}

#[test]
fn enter_leads_from_the_list_to_the_channel_and_escape_back() {
    let mut explorer = in_the_grid();
    assert_eq!(
        (explorer.state.focus, explorer.state.view),
        (Focus::Picture, View::Grid)
    );
    explorer.press("lll");
    explorer.code(KeyCode::Enter);
    explorer.settle();
    let subject = Subject::Channel(FIRST, CONV, ChannelId(3), Style::MinMax);
    assert_eq!(explorer.shown().key.subject, subject);
    explorer.press("h");
    assert_eq!(explorer.state.channel(), ChannelId(2));
    explorer.code(KeyCode::Esc);
    assert_eq!(explorer.state.view, View::Grid);
    explorer.code(KeyCode::Backspace);
    assert_eq!(explorer.state.focus, Focus::Layers);
    explorer.code(KeyCode::Esc);
    assert_eq!(
        (explorer.state.view, explorer.state.exit),
        (View::Summary, None)
    );
}

#[test]
fn the_cursor_of_the_grid_moves_by_tiles() {
    let mut explorer = in_the_grid();
    let tiles = explorer.state.tiles().unwrap();
    explorer.press("jl");
    assert_eq!(explorer.state.channel(), ChannelId(tiles.columns + 1));
    explorer.press("k");
    assert_eq!(explorer.state.channel(), ChannelId(1));
    explorer.press("G");
    assert_eq!(explorer.state.channel(), ChannelId(31));
    explorer.press("g");
    assert_eq!(explorer.state.channel(), ChannelId(0));
    explorer.press("hk");
    assert_eq!(explorer.state.channel(), ChannelId(0));
}

#[test]
fn a_large_grid_scrolls_with_the_cursor() {
    let mut explorer = Explorer::settled(80, 24);
    explorer.press("jjj");
    explorer.code(KeyCode::Enter);
    explorer.settle();
    let tiles = explorer.state.tiles().unwrap();
    assert!(tiles.rows() > tiles.rows_in_room);
    explorer.press("G");
    let visible = tiles.visible(explorer.state.grid_top);
    assert!(visible.contains(&299) && visible.start > 0, "{visible:?}");
    assert!(
        !explorer.state.is_busy(),
        "scrolling needs no other picture"
    );
    explorer.code(KeyCode::Home);
    assert_eq!(explorer.state.grid_top, 0);
}

#[test]
fn each_layer_keeps_its_channel() {
    let mut explorer = in_the_grid();
    explorer.press("ll]l[");
    assert_eq!(
        (explorer.state.layer, explorer.state.channel()),
        (CONV, ChannelId(2))
    );
    explorer.press("]");
    assert_eq!(explorer.state.channel(), ChannelId(1));
}

#[test]
fn coming_back_is_instant() {
    let mut explorer = in_the_grid();
    let before = explorer.shown().clone();
    explorer.press("3");
    explorer.settle();
    explorer.press("]");
    explorer.settle();
    explorer.press("[2");
    assert_eq!(explorer.shown(), &before);
    assert!(!explorer.state.is_busy() && explorer.jobs().is_empty());
}

#[test]
fn what_was_asked_for_is_stale_when_the_user_has_moved_on() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("n");
    explorer.press("2jj");
    let picture: Vec<_> = explorer
        .work
        .iter()
        .filter(|(_, purpose, _)| *purpose == Purpose::Picture)
        .collect();
    let [(newest, _, Job::Activation(SECOND, CONV))] = picture[..] else {
        panic!("{picture:?}")
    };
    let newest = *newest;

    // An older answer is kept, but isn't what the pane waits for.
    let older = Job::Activation(SECOND, LayerId(1));
    explorer.happen(Event::Answer(
        Ticket(newest.0 - 1),
        older,
        Ok(outcome(older)),
    ));
    assert!(explorer.state.picture_is_busy());
    assert!(
        explorer
            .state
            .activations
            .peek(&(SECOND, LayerId(1)))
            .is_some()
    );
    // Nor is its failure anybody's business.
    explorer.happen(Event::Answer(
        Ticket(newest.0 - 1),
        older,
        Err("too late".to_owned()),
    ));
    assert_eq!(explorer.state.message, None);
}

#[test]
fn back_on_known_ground_the_work_is_called_off() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("2jjjjjj");
    explorer.forgotten.clear();
    explorer.press("kkkkkk");
    assert!(explorer.forgotten.contains(&Purpose::Picture));
    assert!(
        !explorer
            .jobs()
            .contains(&Job::Activation(FIRST, LayerId(6)))
    );
}

#[test]
fn neighbours_are_computed_when_nothing_else_is_asked_for() {
    let mut explorer = in_the_grid();
    let known = |explorer: &Explorer, layer| {
        explorer
            .state
            .activations
            .peek(&(FIRST, LayerId(layer)))
            .is_some()
    };
    assert!(known(&explorer, 1) && known(&explorer, 2) && known(&explorer, 3));
    assert!(!known(&explorer, 5));
    explorer.press("]");
    explorer.settle();
    // The one after it can't be computed.
    assert!(!explorer.state.is_busy() && explorer.jobs().is_empty());
}

#[test]
fn images_go_round_and_the_layer_stays() {
    let mut explorer = in_the_grid();
    explorer.press("n");
    assert!(explorer.state.picture_is_busy() && explorer.state.classes_are_busy());
    explorer.settle();
    assert_eq!(
        explorer.shown().key.subject,
        Subject::Grid(SECOND, CONV, Style::Book)
    );
    assert_eq!(explorer.state.answer().unwrap()[0].name, "boathouse");
    explorer.press("n");
    assert_eq!(explorer.state.image, FIRST);
    explorer.press("p");
    assert_eq!(explorer.state.image, SECOND);
}

#[test]
fn another_colormap_or_style_needs_no_computing() {
    let mut explorer = in_the_grid();
    explorer.press("c");
    assert_eq!(explorer.state.colormap, Colormap::Magma);
    assert!(explorer.state.picture_is_busy() && explorer.jobs().is_empty());
    explorer.settle();
    assert_eq!(explorer.shown().key.colormap, Colormap::Magma);
    explorer.press("v");
    assert!(explorer.state.picture_is_busy() && explorer.jobs().is_empty());
    explorer.settle();
    assert_eq!(
        explorer.shown().key.subject,
        Subject::Grid(FIRST, CONV, Style::MinMax)
    );
}

#[test]
fn a_vector_has_no_channels() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("jjjjj");
    explorer.code(KeyCode::Enter);
    explorer.settle();
    assert_eq!(
        explorer.shown().key.subject,
        Subject::Vector(FIRST, LayerId(5))
    );
    explorer.code(KeyCode::Enter);
    assert!(
        matches!(&explorer.state.message, Some(Message::Notice(text)) if text.contains("flatten"))
    );
    assert_eq!(explorer.state.view, View::Grid);
    explorer.press("j");
    assert_eq!(explorer.state.message, None);
}

#[test]
fn a_layer_that_cant_be_computed_says_why() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("2jjjj");
    explorer.settle();
    assert!(
        explorer
            .state
            .trouble()
            .unwrap()
            .contains("layers of type Lambda")
    );
    assert!(!explorer.state.is_busy());
}

#[test]
fn a_failure_is_shown_and_tried_again_on_return() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("2jjjjj");
    let (ticket, _, job) = explorer
        .work
        .iter()
        .find(|(_, purpose, _)| *purpose == Purpose::Picture)
        .copied()
        .unwrap();
    explorer.work.clear();
    explorer.happen(Event::Answer(ticket, job, Err("out of memory".to_owned())));
    assert_eq!(
        explorer.state.message,
        Some(Message::Error("out of memory".to_owned()))
    );
    assert_eq!(explorer.state.trouble(), Some("out of memory"));
    assert!(
        !explorer.state.is_busy() && !explorer.jobs().contains(&job),
        "it isn't tried at once"
    );
    explorer.press("gG");
    explorer.press("k");
    assert!(explorer.jobs().contains(&job));
}

#[test]
fn a_failed_painting_is_no_endless_loop() {
    let mut explorer = in_the_grid();
    explorer.press("v");
    let Some(Event::Painted(ticket, _)) = explorer.painted.pop() else {
        panic!("nothing to paint")
    };
    explorer.happen(Event::Painted(ticket, Err("a slip".to_owned())));
    assert_eq!(explorer.state.trouble(), Some("a slip"));
    assert!(explorer.painted.is_empty() && !explorer.state.is_busy());
    explorer.press("3");
    explorer.settle();
    assert_eq!(explorer.state.trouble(), None);
}

#[test]
fn a_resize_asks_for_another_picture() {
    let mut explorer = in_the_grid();
    explorer.happen(Event::Resize(Size::new(90, 30), None));
    assert!(explorer.state.picture_is_busy());
    explorer.settle();
    assert_eq!(
        explorer.shown().key.room,
        explorer.state.panes().picture_room()
    );
    for (width, height) in [(0, 0), (1, 1), (5, 3), (40, 10), (400, 120)] {
        explorer.happen(Event::Resize(Size::new(width, height), None));
        explorer.settle();
        assert!(!explorer.state.is_busy());
    }
}

#[test]
fn saving_names_what_is_shown() {
    let mut explorer = in_the_grid();
    explorer.press("s");
    explorer.press("ll3");
    explorer.settle();
    explorer.press("s1");
    explorer.settle();
    explorer.press("s");
    let stems: Vec<&str> = explorer
        .saves
        .iter()
        .map(|order| order.stem.as_str())
        .collect();
    assert_eq!(
        stems,
        [
            "net.chelsea.stem.conv2d.grid",
            "net.chelsea.stem.conv2d.c2",
            "net.chelsea.photo"
        ]
    );
    assert!(matches!(
        explorer.saves[1].content,
        Content::Channel(_, ChannelId(2), Style::MinMax, Colormap::Viridis)
    ));
    assert!(
        explorer.saves[1]
            .provenance
            .pairs()
            .contains(&("convscope:layer".to_owned(), "stem/conv2d".to_owned()))
    );
    explorer.happen(Event::Saved(Err(
        "out: no permission to write here".to_owned()
    )));
    assert!(
        matches!(&explorer.state.message, Some(Message::Error(text)) if text.contains("no permission"))
    );
}

#[test]
fn what_isnt_there_yet_is_saved_when_it_is() {
    let mut explorer = in_the_grid();
    explorer.press("ns");
    assert!(explorer.saves.is_empty());
    assert!(
        matches!(&explorer.state.message, Some(Message::Notice(text)) if text.contains("as soon as"))
    );
    explorer.settle();
    assert_eq!(explorer.saves.len(), 1);
    // Not when the user has turned to something else.
    explorer.press("vsv");
    explorer.settle();
    assert_eq!(explorer.saves.len(), 1);
    explorer.state.images.clear();
    explorer.press("1s");
    assert!(
        matches!(&explorer.state.message, Some(Message::Notice(text)) if text.contains("nothing to save"))
    );
}

#[test]
fn the_end_has_its_reasons() {
    let mut explorer = Explorer::settled(120, 40);
    explorer.press("q");
    assert_eq!(explorer.state.exit, Some(Exit::Quit));

    let mut explorer = Explorer::new(120, 40);
    explorer.happen(Event::Key(KeyEvent::new(
        KeyCode::Char('c'),
        KeyModifiers::CONTROL,
    )));
    assert_eq!(explorer.state.exit, Some(Exit::Quit));

    let mut explorer = Explorer::new(120, 40);
    explorer.happen(Event::Answer(
        Ticket(1),
        Job::Open,
        Err("net.h5: is no model".to_owned()),
    ));
    assert_eq!(
        explorer.state.exit,
        Some(Exit::Failed("net.h5: is no model".to_owned()))
    );
}

#[test]
fn a_broken_image_among_others_is_passed_by() {
    let mut explorer = Explorer::new(120, 40);
    explorer.work_off();
    let (ticket, _, job) = explorer.work.remove(0);
    explorer.happen(Event::Answer(
        ticket,
        job,
        Err("chelsea.png: is empty".to_owned()),
    ));
    assert_eq!(explorer.state.exit, None);
    assert_eq!(explorer.state.trouble(), Some("chelsea.png: is empty"));
    explorer.press("n");
    explorer.settle();
    assert_eq!(explorer.state.trouble(), None);
}

#[test]
fn without_a_readable_image_there_is_still_the_table() {
    let mut explorer = Explorer::new(120, 40);
    explorer.state.images = vec![PathBuf::from("none.png")];
    explorer.work_off();
    let (ticket, _, job) = explorer.work.remove(0);
    let reason = "none.png: no such file";
    explorer.happen(Event::Answer(ticket, job, Err(reason.to_owned())));
    assert_eq!(explorer.state.exit, None);
    assert_eq!(explorer.state.trouble(), Some(reason));
    explorer.press("jj");
    assert_eq!(explorer.state.layer, LayerId(2));
}

#[test]
fn the_summary_is_a_table_to_be_entered() {
    let mut explorer = Explorer::settled(120, 40);
    assert_eq!(explorer.state.view, View::Summary);
    explorer.press("jj");
    explorer.settle();
    assert_eq!(
        (explorer.state.view, explorer.state.layer),
        (View::Summary, CONV)
    );
    assert_eq!(explorer.shown().key.subject, Subject::Photo(FIRST));
    // From the photo beside it, closer to the photo.
    explorer.code(KeyCode::Tab);
    explorer.press("l");
    assert_eq!(explorer.state.image, SECOND);
    explorer.code(KeyCode::Enter);
    assert_eq!(explorer.state.view, View::Photo);
    explorer.press("0");
    assert_eq!(
        (explorer.state.view, explorer.state.focus),
        (View::Summary, Focus::Layers)
    );
    explorer.code(KeyCode::Enter);
    explorer.settle();
    let grid = Subject::Grid(SECOND, CONV, Style::Book);
    assert_eq!(explorer.shown().key.subject, grid);
}

#[test]
fn without_an_image_there_is_still_the_list() {
    let mut explorer = Explorer::new(120, 40);
    explorer.state.images.clear();
    explorer.settle();
    explorer.press("jjn3");
    explorer.settle();
    assert!(explorer.state.trouble().unwrap().contains("No image"));
    assert!(!explorer.state.is_busy());
}

#[test]
fn the_help_scrolls_and_closes() {
    let mut explorer = Explorer::settled(40, 10);
    explorer.press("?");
    assert_eq!(explorer.state.help, Some(0));
    explorer.press("jj");
    assert_eq!(
        (explorer.state.help, explorer.state.layer),
        (Some(2), LayerId(0))
    );
    explorer.press("G");
    assert_eq!(explorer.state.help, Some(29));
    explorer.press("x");
    assert_eq!(explorer.state.help, None);
    explorer.press("?n");
    assert_eq!((explorer.state.help, explorer.state.image), (None, FIRST));
}

#[test]
fn a_small_screen_has_one_pane_at_a_time() {
    let mut explorer = Explorer::settled(40, 10);
    assert!(explorer.state.panes().picture.is_empty());
    explorer.press("jj3");
    explorer.settle();
    assert_eq!(explorer.state.focus, Focus::Picture);
    assert!(matches!(explorer.shown().key.subject, Subject::Channel(..)));
    explorer.code(KeyCode::Tab);
    assert!(explorer.state.panes().picture.is_empty());
}

#[test]
fn pasted_text_is_no_key() {
    let mut explorer = in_the_grid();
    explorer.happen(Event::Paste("jjsq".to_owned()));
    assert_eq!(
        (explorer.state.layer, explorer.state.exit.clone()),
        (CONV, None)
    );
    explorer.press("/");
    explorer.happen(Event::Paste("of old\n".to_owned()));
    let search = explorer.state.search.clone().unwrap();
    let found = search.found(explorer.state.answer().unwrap());
    assert_eq!((search.text.as_str(), found.len()), ("of old", 3));
}

#[test]
fn the_terminal_is_given_back_for_a_while() {
    let mut explorer = in_the_grid();
    explorer.happen(Event::Key(KeyEvent::new(
        KeyCode::Char('z'),
        KeyModifiers::CONTROL,
    )));
    assert_eq!(explorer.state.pause, Some(Pause::Begins));
    explorer.happen(Event::Signal(Notice::Continue));
    assert_eq!(explorer.state.pause, Some(Pause::Ends));
}
