//! How the screen is divided.

use ratatui::layout::{Margin, Rect, Size};

use super::state::Focus;

/// A screen narrower than this, or lower than [`LEAST_HEIGHT`], shows one pane at a time.
const LEAST_WIDTH: u16 = 64;
const LEAST_HEIGHT: u16 = 14;

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
    /// One line.
    pub status: Rect,
    /// One line at the bottom.
    pub footer: Rect,
}

impl Panes {
    /// Divides a screen; `classes` lines are wanted for the classes.
    pub fn new(size: Size, focus: Focus, classes: usize) -> Self {
        let screen = Rect::new(0, 0, size.width, size.height);
        let line = |y: u16| Rect::new(0, y, size.width, 1).intersection(screen);
        let body = Rect::new(0, 1, size.width, size.height.saturating_sub(3));
        let mut panes = Self {
            title: line(0),
            status: line(size.height.saturating_sub(2)),
            footer: line(size.height.saturating_sub(1)),
            ..Self::default()
        };
        if size.width < LEAST_WIDTH || size.height < LEAST_HEIGHT {
            match focus {
                Focus::Layers => panes.layers = body,
                Focus::Picture => panes.picture = body,
            }
            return panes;
        }
        let left = (size.width * 3 / 10).clamp(30, 56);
        let column = Rect {
            width: left,
            ..body
        };
        panes.picture = Rect {
            x: left,
            width: size.width - left,
            ..body
        };
        let wanted = classes as u16 + 2;
        let lines = if classes == 0 || wanted > body.height / 2 {
            0
        } else {
            wanted
        };
        panes.layers = Rect {
            height: body.height - lines,
            ..column
        };
        panes.classes = Rect {
            y: column.y + body.height - lines,
            height: lines,
            ..column
        };
        panes
    }

    /// Lines of the layer list that are in the room.
    pub fn list_height(&self) -> usize {
        usize::from(inside(self.layers).height)
    }

    /// The room for pictures.
    pub fn picture_room(&self) -> Size {
        inside(self.picture).as_size()
    }
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
        let panes = Panes::new(Size::new(40, 10), Focus::Layers, 5);
        assert_eq!(panes.layers, Rect::new(0, 1, 40, 7));
        assert!(panes.picture.is_empty() && panes.classes.is_empty());
        let panes = Panes::new(Size::new(40, 10), Focus::Picture, 5);
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
            for focus in [Focus::Layers, Focus::Picture] {
                let screen = Rect::new(0, 0, width, height);
                let Panes {
                    title,
                    layers,
                    classes,
                    picture,
                    status,
                    footer,
                } = Panes::new(screen.as_size(), focus, 5);
                let all = [title, layers, classes, picture, status, footer];
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
