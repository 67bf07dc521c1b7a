//! Saving what is shown, at full resolution, on a thread of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use image::{RgbImage, imageops};

use super::filters::Growth;
use super::heat::Layout;
use super::protocol::{Event, Form};
use super::rescue::rescued;
use crate::array::{Array, npy};
use crate::error::{Error, Result};
use crate::explain::cam::Heatmap;
use crate::model::ChannelId;
use crate::photo::Region;
use crate::picture::{
    self, Colormap, Format, GRID_COLUMNS, Indexed, Overlay, Picture, Provenance, Style, save_unique,
};

/// Patterns in a row of a saved grid, and pixels between them; as the book has it.
const PATTERN_COLUMNS: usize = 8;
const PATTERN_GAP: usize = 5;

/// Something to be saved.
#[derive(Clone, Debug)]
pub struct SaveOrder {
    /// Made if it is missing.
    pub folder: PathBuf,
    /// What the files' names begin with.
    pub stem: String,
    /// What is saved.
    pub content: Content,
    /// Text for the picture's file.
    pub provenance: Provenance,
}

/// What is saved.
#[derive(Clone, Debug)]
pub enum Content {
    /// The network's input: the picture, and the numbers (C,H,W).
    Photo(Arc<RgbImage>, Arc<Array>),
    /// A layer: the grid of its channels or its vector, and the numbers.
    Layer(Arc<Array>, Style, Colormap),
    /// One channel, and its numbers (H,W).
    Channel(Arc<Array>, ChannelId, Style, Colormap),
    /// A filter's pattern, and its numbers (C,h,w).
    Pattern(Arc<Growth>),
    /// The patterns of a layer in a grid, those that aren't finished black, and their numbers (N,C,h,w).
    Patterns(Vec<Option<Arc<Growth>>>),
    /// A heatmap at the photo's full size, and its numbers (h,w) at the layer's resolution.
    Heatmap {
        /// What is laid over.
        heat: Arc<Heatmap>,
        /// Over what.
        photo: Arc<RgbImage>,
        /// The part of it that the network sees.
        region: Region,
        /// How.
        overlay: Overlay,
        /// Over the photo, beside it, or alone.
        layout: Layout,
    },
}

/// The thread that saves.
#[derive(Debug)]
pub struct Saver {
    orders: Sender<SaveOrder>,
    thread: JoinHandle<()>,
}

impl Saver {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(events: Sender<Event>) -> io::Result<Self> {
        let (sender, orders) = mpsc::channel::<SaveOrder>();
        let work = move || {
            for order in orders {
                let saved = rescued(|| save(&order));
                let saved = saved.and_then(|saved| saved.map_err(|error| error.to_string()));
                // When nobody listens any more, what is left is saved all the same.
                let _ = events.send(Event::Saved(saved));
            }
        };
        let thread = thread::Builder::new()
            .name("saver".to_owned())
            .spawn(work)?;
        Ok(Self {
            orders: sender,
            thread,
        })
    }

    /// Takes an order.
    pub fn save(&self, order: SaveOrder) {
        // The thread is there as long as this is.
        let _ = self.orders.send(order);
    }

    /// Takes no more orders. The handle finishes when all is saved.
    pub fn close(self) -> JoinHandle<()> {
        self.thread
    }
}

/// Writes the picture and the numbers side by side, and says so.
fn save(order: &SaveOrder) -> Result<String> {
    let SaveOrder {
        folder,
        stem,
        content,
        provenance,
    } = order;
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let (picture, numbers) = content.files()?;
    let bytes = picture::encode(&picture, Format::Png, provenance.pairs())?;
    let picture = save_unique(folder, stem, "png", &bytes)?;
    let numbers = save_unique(folder, stem, "npy", &numbers).inspect_err(|_| {
        // Half of it would be taken for all. If it can't be removed either, it stays.
        let _ = fs::remove_file(&picture);
    })?;
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    Ok(format!(
        "saved {} and {}",
        picture.display(),
        name(&numbers)
    ))
}

impl Content {
    /// The picture, and the bytes of the array's file.
    fn files(&self) -> Result<(Picture, Vec<u8>)> {
        match self {
            Self::Photo(picture, input) => {
                Ok((Picture::Rgb((**picture).clone()), npy::bytes(input)))
            }
            Self::Layer(values, style, colormap) => {
                let picture = match Form::of(values.shape()) {
                    Form::Maps {
                        channels,
                        size: [height, width],
                    } => {
                        let maps = (**values).clone().reshaped([channels, height, width]);
                        picture::grid(&maps, *style, *colormap, GRID_COLUMNS, 0)?
                    }
                    Form::Vector => picture::vector(values.values(), *colormap)?,
                };
                Ok((Picture::Indexed(picture), npy::bytes(values)))
            }
            Self::Pattern(growth) => {
                let numbers = npy::bytes(&growth.pattern.image);
                Ok((Picture::Rgb(growth.picture.clone()), numbers))
            }
            Self::Patterns(growths) => patterns(growths),
            Self::Heatmap {
                heat,
                photo,
                region,
                overlay,
                layout,
            } => {
                let picture = match layout {
                    Layout::Overlay => overlay.lay(&heat.heat, photo, *region)?.into(),
                    Layout::SideBySide => {
                        let over = overlay.lay(&heat.heat, photo, *region)?;
                        let mut both = RgbImage::new(2 * photo.width(), photo.height());
                        imageops::replace(&mut both, &**photo, 0, 0);
                        imageops::replace(&mut both, &over, i64::from(photo.width()), 0);
                        both.into()
                    }
                    Layout::Alone => {
                        let size = [region.height as usize, region.width as usize];
                        let levels = overlay.levels(&heat.heat, size)?;
                        Indexed::new(region.width, region.height, levels, overlay.colormap).into()
                    }
                };
                Ok((picture, npy::bytes(&heat.heat)))
            }
            Self::Channel(values, channel, style, colormap) => {
                let Form::Maps {
                    channels,
                    size: [height, width],
                } = Form::of(values.shape())
                else {
                    return Err(Error::request("a vector has no channels to save"));
                };
                let volume = height * width;
                let map = values.values().chunks_exact(volume).nth(channel.0);
                let map = map
                    .ok_or_else(|| Error::request(format!("there are only {channels} channels")))?;
                let picture = picture::channel(map, height, width, *style, *colormap)?;
                let numbers = npy::bytes(&Array::new([height, width], map.to_vec()));
                Ok((Picture::Indexed(picture), numbers))
            }
        }
    }
}

/// What is missing is 0.
fn patterns(growths: &[Option<Arc<Growth>>]) -> Result<(Picture, Vec<u8>)> {
    let Some(first) = growths.iter().flatten().next() else {
        return Err(Error::request("none of the patterns is finished"));
    };
    let (width, height) = first.picture.dimensions();
    let picture = |growth: &Option<Arc<Growth>>| match growth {
        Some(growth) => growth.picture.clone(),
        None => RgbImage::new(width, height),
    };
    let pictures: Vec<RgbImage> = growths.iter().map(picture).collect();
    let mut shape = vec![growths.len()];
    shape.extend(first.pattern.image.shape());
    let volume = first.pattern.image.values().len();
    let mut numbers = Vec::with_capacity(growths.len() * volume);
    for growth in growths {
        match growth {
            Some(growth) => numbers.extend_from_slice(growth.pattern.image.values()),
            None => numbers.resize(numbers.len() + volume, 0.0),
        }
    }
    let grid = picture::pattern_grid(&pictures, PATTERN_COLUMNS, PATTERN_GAP)?;
    Ok((Picture::Rgb(grid), npy::bytes(&Array::new(shape, numbers))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(folder: &Path) -> SaveOrder {
        let values = Array::new([2, 1, 2], vec![0.0, 1.0, 5.0, 7.0]);
        SaveOrder {
            folder: folder.to_path_buf(),
            stem: "net.cat.conv.c1".to_owned(),
            content: Content::Channel(
                Arc::new(values),
                ChannelId(1),
                Style::MinMax,
                Colormap::Gray,
            ),
            provenance: Provenance::default(),
        }
    }

    #[test]
    fn a_missing_folder_is_made_and_nothing_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a/b");
        let first = save(&order(&inside)).unwrap();
        assert!(
            first.ends_with("net.cat.conv.c1.png and net.cat.conv.c1.npy"),
            "{first}"
        );
        let second = save(&order(&inside)).unwrap();
        assert!(
            second.ends_with("net.cat.conv.c1-2.png and net.cat.conv.c1-2.npy"),
            "{second}"
        );
        let numbers = npy::read(&inside.join("net.cat.conv.c1.npy")).unwrap();
        assert_eq!(numbers, Array::new([1, 2], vec![5.0, 7.0]));
        let picture = image::open(inside.join("net.cat.conv.c1.png"))
            .unwrap()
            .to_luma8();
        assert_eq!(picture.as_raw(), &[0, 255]);
    }

    #[test]
    fn a_folder_that_cant_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let message = save(&order(&file.join("below"))).unwrap_err().to_string();
        assert!(message.contains("file/below"), "{message}");
    }
}
