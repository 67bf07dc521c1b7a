//! The terminal, and how pictures are drawn on it.

use std::env;

use anyhow::Result;
use ratatui::layout::Size;
use serde_json::{Value, json};

use super::Row;
use crate::cli::aside::traits;
use crate::terminal::{
    Brand, CellSource, Choice, ColorDepth, Finding, Hint, Multiplexer, Protocol, Screen, Tmux,
    Traits,
};

/// The terminal, and how pictures are drawn on it.
#[derive(Debug)]
pub(super) struct Terminal {
    /// `TERM`.
    term: String,
    size: Size,
    depth: ColorDepth,
    depth_why: &'static str,
    traits: Traits,
    choice: Choice,
}

/// Asks the terminal, if there is one.
pub(super) fn look(wanted: Option<Protocol>) -> Result<Option<Terminal>> {
    let Some(traits) = traits()? else {
        return Ok(None);
    };
    let term = env::var("TERM").unwrap_or_default();
    let (declared, depth_why) = ColorDepth::explained();
    let depth = declared.seen_in(&traits);
    let depth_why = if depth == declared {
        depth_why
    } else {
        "this terminal is known to have them"
    };
    Ok(Some(Terminal {
        term,
        size: Screen::size()?,
        depth,
        depth_why,
        choice: Choice::new(wanted, depth, &traits),
        traits,
    }))
}

impl Terminal {
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = vec![("name", self.name())];
        match &self.traits.multiplexer {
            Some(Multiplexer::Screen) => rows.push(("inside", "GNU screen".to_owned())),
            Some(Multiplexer::Tmux(tmux)) => rows.push(("inside", around(tmux))),
            None => {}
        }
        rows.push((
            "size",
            format!("{} columns, {} rows", self.size.width, self.size.height),
        ));
        rows.push(("cell", self.cell()));
        rows.push((
            "colours",
            format!("{}: {}", self.depth.words(), self.depth_why),
        ));
        let background = self
            .background()
            .unwrap_or_else(|| "not answered".to_owned());
        rows.push(("background", background));
        rows.push(("answers", self.answers()));
        for Finding {
            protocol,
            usable,
            evidence,
        } in Finding::all(&self.traits)
        {
            let answer = if usable { "yes" } else { "no" };
            let more = match protocol {
                Protocol::Sixel if self.traits.sixel => self.sixel(),
                _ => String::new(),
            };
            rows.push((protocol.name(), format!("{answer}: {evidence}{more}")));
        }
        let chosen = self.choice.canvas.protocol.name();
        rows.push(("pictures", format!("{chosen}: {}", self.choice.why)));
        if let Some(hint) = self.choice.hint {
            rows.push(("hint", hint.full().to_owned()));
        }
        rows
    }

    fn name(&self) -> String {
        let known = match (&self.traits.name, self.traits.brand) {
            (Some(name), _) => format!("{name}, "),
            (None, Some(brand)) if self.traits.tmux().is_some() => {
                format!("{}, as tmux says, ", brand.title())
            }
            (None, Some(brand)) => format!("{}, by its environment, ", brand.title()),
            (None, None) => String::new(),
        };
        format!("{known}TERM={}", self.term)
    }

    fn cell(&self) -> String {
        match (self.traits.cell, self.traits.cell_source) {
            (Some([height, width]), Some(source)) => {
                format!("{width} x {height} pixels, {}", source.words())
            }
            _ => "not known".to_owned(),
        }
    }

    fn background(&self) -> Option<String> {
        let [red, green, blue] = self.traits.background?;
        Some(format!("#{red:02x}{green:02x}{blue:02x}"))
    }

    fn milliseconds(&self) -> Option<f64> {
        let took = self.traits.took?;
        Some((took.as_secs_f64() * 1e4).round() / 10.0)
    }

    fn answers(&self) -> String {
        match self.milliseconds() {
            Some(milliseconds) => format!("after {milliseconds} ms"),
            None if matches!(self.term.as_str(), "" | "dumb") => {
                "not asked, as TERM says".to_owned()
            }
            None => "none in two seconds".to_owned(),
        }
    }

    /// What sixel pictures may be like.
    fn sixel(&self) -> String {
        let count = self.traits.registers;
        let colors = count.map_or(String::new(), |count| format!("; {count} colours"));
        let size = self.traits.largest;
        let size = size.map_or(String::new(), |[height, width]| {
            format!("; up to {width} x {height} pixels")
        });
        colors + &size
    }

    pub(super) fn json(&self) -> Value {
        let Traits {
            name,
            brand,
            multiplexer,
            registers,
            largest,
            cell,
            cell_source,
            ..
        } = &self.traits;
        let protocols: Vec<Value> = Finding::all(&self.traits)
            .iter()
            .map(|found| {
                json!({
                    "name": found.protocol.name(),
                    "usable": found.usable,
                    "evidence": found.evidence,
                })
            })
            .collect();
        json!({
            "term": self.term,
            "name": name,
            "brand": brand.map(Brand::title),
            "size": [self.size.height, self.size.width],
            "cell": cell,
            "cell_source": cell_source.map(CellSource::name),
            "colors": self.depth.words(),
            "colors_why": self.depth_why,
            "background": self.background(),
            "milliseconds": self.milliseconds(),
            "sixel_colors": registers,
            "sixel_size": largest,
            "multiplexer": multiplexer.as_ref().map(between),
            "protocols": protocols,
            "protocol": self.choice.canvas.protocol.name(),
            "protocol_why": self.choice.why,
            "hint": self.choice.hint.map(Hint::full),
        })
    }
}

fn around(tmux: &Tmux) -> String {
    let version = tmux.version.as_deref().unwrap_or("of unknown version");
    let passthrough = match tmux.passthrough {
        Some(true) => "on",
        Some(false) => "off",
        None => "not known",
    };
    let outer = match &tmux.outer {
        Some(outer) => format!(", in {outer}"),
        None => String::new(),
    };
    format!("tmux {version}{outer}; allow-passthrough: {passthrough}")
}

fn between(multiplexer: &Multiplexer) -> Value {
    match multiplexer {
        Multiplexer::Screen => json!({"name": "screen"}),
        Multiplexer::Tmux(tmux) => json!({
            "name": "tmux",
            "version": tmux.version,
            "passthrough": tmux.passthrough,
            "outer": tmux.outer,
            "sixel": tmux.sixel,
        }),
    }
}
