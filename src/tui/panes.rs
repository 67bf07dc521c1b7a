//! How the screen is divided.

use ratatui::layout::{Margin, Rect, Size};

use super::heat::LISTED;
use super::state::{Focus, TOP, View};

/// A screen narrower than this, or lower than [`LEAST_HEIGHT`], shows one pane at a time.
const LEAST_WIDTH: u16 = 64;
const LEAST_HEIGHT: u16 = 14;

/// A screen lower than this has no room for [`Panes::notes`].
const LEAST_HEIGHT_FOR_NOTES: u16 = 30;

/// Lines of the notes, with their border.
const NOTES: u16 = 9;

/// Classes shown beside a heatmap, where they are chosen from; elsewhere it is [`TOP`].
const CHOICE: u16 = 12;

/// Lines for what there is to say about a heatmap.
const ADVICE: u16 = 2;

/// Where everything is. What has no room is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panes {
    /// One line on top.
    pub title: Rect,
    /// With its border.
    pub layers: Rect,
    /// With its border.
    pub classes: Rect,
    /// With its border.
    pub picture: Rect,
    /// What was assumed about the model, with its border.
    pub notes: Rect,
    /// The channels that push a class most, with their border.
    pub channels: Rect,
    /// What there is to say about a heatmap: lines at the lower end of the picture's pane.
    pub advice: Rect,
    /// One line.
    pub status: Rect,
    /// One line at the bottom.
    pub footer: Rect,
}

impl Panes {
    /// Divides a screen; the model tells `classes` classes apart.
    pub fn new(size: Size, focus: Focus, view: View, classes: usize) -> Self {
        let screen = Rect::new(0, 0, size.width, size.height);
        let line = |y: u16| Rect::new(0, y, size.width, 1).intersection(screen);
        let body = Rect::new(0, 1, size.width, size.height.saturating_sub(3));
        let panes = Self {
            title: line(0),
            status: line(size.height.saturating_sub(2)),
            footer: line(size.height.saturating_sub(1)),
            ..Self::default()
        };
        if size.width < LEAST_WIDTH || size.height < LEAST_HEIGHT {
            let panes = match focus {
                Focus::Layers => Self {
                    layers: body,
                    ..panes
                },
                Focus::Picture => Self {
                    picture: body,
                    ..panes
                },
            };
            return panes.with_advice(view);
        }
        let top = classes.min(TOP) as u16 + 2;
        let lines = if classes == 0 || top > body.height / 2 {
            0
        } else {
            top
        };
        if view == View::Summary {
            return panes.summary(body, lines);
        }
        let [column, picture] = columns(body, (size.width * 3 / 10).clamp(30, 56));
        let panes = Self { picture, ..panes };
        if view == View::Heatmap {
            return panes.choice(column, classes).with_advice(view);
        }
        let [layers, classes] = rows(column, lines);
        Self {
            layers,
            classes,
            ..panes
        }
    }

    /// Beside a heatmap there are more classes to choose from, and the channels that push them.
    fn choice(self, column: Rect, classes: usize) -> Self {
        let third = column.height / 3;
        let (column, channels) = if column.height < 18 {
            (column, Rect::ZERO)
        } else {
            rows(column, third.min(LISTED as u16 + 2)).into()
        };
        let wanted = classes.min(usize::from(CHOICE)) as u16 + 2;
        let [layers, classes] = rows(column, wanted.min(column.height / 2));
        Self {
            layers,
            classes,
            channels,
            ..self
        }
    }

    fn with_advice(self, view: View) -> Self {
        let room = inside(self.picture);
        if view != View::Heatmap || room.height < 3 * ADVICE {
            return self;
        }
        let [_, advice] = rows(room, ADVICE);
        Self { advice, ..self }
    }

    /// The table, and beside it the photo, what was assumed, and the classes.
    fn summary(self, body: Rect, classes: u16) -> Self {
        let [layers, column] = columns(body, body.width - (body.width * 2 / 5).clamp(30, 70));
        let [column, classes] = rows(column, classes);
        let notes = if body.height + 3 < LEAST_HEIGHT_FOR_NOTES {
            0
        } else {
            NOTES
        };
        let [picture, notes] = rows(column, notes);
        Self {
            layers,
            classes,
            picture,
            notes,
            ..self
        }
    }

    /// Lines of the layer list that are in the room.
    pub fn list_height(&self, view: View) -> usize {
        let header = u16::from(view == View::Summary);
        usize::from(inside(self.layers).height.saturating_sub(header))
    }

    /// The room for pictures.
    pub fn picture_room(&self) -> Size {
        let room = inside(self.picture);
        Size::new(room.width, room.height - self.advice.height)
    }
}

/// Divides an area at a column.
fn columns(area: Rect, left: u16) -> [Rect; 2] {
    let right = Rect {
        x: area.x + left,
        width: area.width - left,
        ..area
    };
    [
        Rect {
            width: left,
            ..area
        },
        right,
    ]
}

/// Takes lines from the lower end of an area.
fn rows(area: Rect, lower: u16) -> [Rect; 2] {
    let upper = area.height - lower;
    let below = Rect {
        y: area.y + upper,
        height: lower,
        ..area
    };
    [
        Rect {
            height: upper,
            ..area
        },
        below,
    ]
}

/// What a border leaves of a pane.
pub fn inside(pane: Rect) -> Rect {
    pane.inner(Margin::new(1, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_screens_show_one_pane() {
        let panes = Panes::new(Size::new(40, 10), Focus::Layers, View::Grid, 5);
        assert_eq!(panes.layers, Rect::new(0, 1, 40, 7));
        assert!(panes.picture.is_empty() && panes.classes.is_empty());
        let panes = Panes::new(Size::new(40, 10), Focus::Picture, View::Grid, 5);
        assert_eq!(panes.picture_room(), Size::new(38, 5));
        assert!(panes.layers.is_empty());
    }

    #[test]
    fn the_panes_of_any_screen_are_inside_and_apart() {
        for (width, height) in [
            (0, 0),
            (1, 1),
            (3, 2),
            (40, 10),
            (64, 14),
            (80, 24),
            (120, 40),
            (300, 90),
            (500, 5),
        ] {
            for (focus, view) in [
                (Focus::Layers, View::Grid),
                (Focus::Picture, View::Grid),
                (Focus::Layers, View::Summary),
                (Focus::Picture, View::Summary),
                (Focus::Layers, View::Heatmap),
                (Focus::Picture, View::Heatmap),
            ] {
                let screen = Rect::new(0, 0, width, height);
                let Panes {
                    title,
                    layers,
                    classes,
                    picture,
                    notes,
                    channels,
                    advice,
                    status,
                    footer,
                } = Panes::new(screen.as_size(), focus, view, 5);
                assert_eq!(advice.intersection(picture).area(), advice.area());
                let all = [
                    title, layers, classes, picture, notes, channels, status, footer,
                ];
                for (index, pane) in all.iter().enumerate() {
                    assert_eq!(
                        pane.intersection(screen).area(),
                        pane.area(),
                        "{width}x{height}: {all:?}"
                    );
                    let apart = |other: &Rect| {
                        !pane.intersects(*other) || pane.is_empty() || other.is_empty()
                    };
                    assert!(
                        height < 3 || all[index + 1..].iter().all(apart),
                        "{width}x{height}: {all:?}"
                    );
                }
            }
        }
    }
}
