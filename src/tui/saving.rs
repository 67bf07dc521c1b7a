//! What there is to save, and under which name.

use std::path::Path;
use std::sync::Arc;

use super::filters::Growth;
use super::saver::{Content, SaveOrder};
use super::state::{State, View};
use crate::picture::{Provenance, file_name};

/// Of each part of a file's name, so that the last one, which tells the files apart, is never cut off.
const LONGEST_PART: usize = 32;

/// An order for what is shown.
///
/// # Errors
/// With words for the user if there is nothing yet.
pub(super) fn order(state: &State) -> Result<SaveOrder, String> {
    let nothing = || "there is nothing to save yet".to_owned();
    if state.shows_patterns() && state.view == View::Filter && state.picture_is_busy() {
        return Err("the pattern isn't finished yet".to_owned());
    }
    if state.picture_is_busy() && state.view != View::Patterns {
        return Err(nothing());
    }
    let (outline, image) = state
        .outline
        .as_ref()
        .zip(state.image_path())
        .ok_or_else(nothing)?;
    let row = state.row().ok_or_else(nothing)?;
    let (colormap, style) = (state.colormap, state.style());
    let mut provenance = Provenance::default()
        .with("model", state.model.display().to_string())
        .with(
            "architecture",
            outline.architecture.clone().unwrap_or_default(),
        )
        .with("image", image.display().to_string());
    let (content, what) = if state.shows_photo() {
        let photo = state.photo().ok_or_else(nothing)?;
        (
            Content::Photo(photo.fitted.clone(), photo.input.clone()),
            "photo".to_owned(),
        )
    } else if state.shows_patterns() {
        let layer = part(&row.name);
        let recipe = state.filters.recipe.name();
        provenance = provenance
            .with("layer", row.name.as_str())
            .with("recipe", recipe);
        if state.view == View::Patterns {
            let finished = |growth: Arc<Growth>| Some(growth).filter(|growth| growth.is_finished());
            let growths = state.growths().into_iter();
            let growths: Vec<_> = growths.map(|growth| growth.and_then(finished)).collect();
            let what = format!("{layer}.patterns.{recipe}");
            (Content::Patterns(growths), what)
        } else {
            let growth = state.growth().ok_or_else(nothing)?;
            let channel = state.channel().0;
            provenance = provenance
                .with("channel", channel.to_string())
                .with("steps", growth.done.to_string());
            (
                Content::Pattern(growth.clone()),
                format!("{layer}.f{channel}.{recipe}"),
            )
        }
    } else if state.view == View::Heatmap {
        let heat = &state.heat;
        let (photo, heatmap) = state.photo().zip(state.heatmap()).ok_or_else(nothing)?;
        let class = state.class().ok_or_else(nothing)?;
        let overlay = heat.overlay();
        provenance = provenance
            .with("method", "gradcam")
            .with("dialect", heat.dialect.name())
            .with("colormap", overlay.colormap.name())
            .with("alpha", overlay.alpha.to_string())
            .with("layer", row.name.as_str())
            .with("class", format!("{} ({})", class.name, class.class.0))
            .with("score", heatmap.settings.score.name());
        (
            Content::Heatmap {
                heat: heatmap.clone(),
                photo: photo.full.clone(),
                region: photo.region,
                overlay,
                layout: heat.layout,
            },
            format!("{}.{}.cam", part(&row.name), part(&class.name)),
        )
    } else {
        let values = state.activation().ok_or_else(nothing)?.values.clone();
        let layer = part(&row.name);
        provenance = provenance
            .with("layer", row.name.as_str())
            .with("colormap", colormap.name());
        if state.channel_count() == 0 {
            (
                Content::Layer(values, style, colormap),
                format!("{layer}.vector"),
            )
        } else {
            provenance = provenance.with("style", style.name());
            if state.view == View::Grid {
                (
                    Content::Layer(values, style, colormap),
                    format!("{layer}.grid"),
                )
            } else {
                let channel = state.channel();
                provenance = provenance.with("channel", channel.0.to_string());
                (
                    Content::Channel(values, channel, style, colormap),
                    format!("{layer}.c{}", channel.0),
                )
            }
        }
    };
    Ok(SaveOrder {
        folder: state.output_dir.clone(),
        stem: format!("{}.{}.{what}", stem(&state.model), stem(image)),
        content,
        provenance,
    })
}

fn stem(path: &Path) -> String {
    part(&State::stem(path))
}

fn part(text: &str) -> String {
    file_name(text).chars().take(LONGEST_PART).collect()
}
