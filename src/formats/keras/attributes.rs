//! The text in a group's attributes: the model's configuration, the names of layers and weights.
//!
//! h5py writes text in three ways (variable length in a heap, fixed length padded with zeros, and an empty
//! list as an array of no floats); all are read.

use hdf5_reader::group::Group;
use hdf5_reader::messages::attribute::AttributeMessage;
use hdf5_reader::{Datatype, RawAttribute, StringPadding, StringSize, VarLenKind};

use super::Outcome;
use super::file::damaged;
use super::show::excerpt;

/// All attributes of a group, as stored.
pub struct Attributes {
    group: Group,
    stored: Vec<RawAttribute>,
    /// How many bytes of text may come out of them: a heap's text can be referred to any number of times.
    budget: u64,
}

impl Attributes {
    /// Finds them.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn of(group: &Group) -> Outcome<Self> {
        // Not `attributes()`, which would decode all of them at once, whatever comes out.
        let stored = group.raw_attributes().map_err(damaged)?;
        Ok(Self {
            group: group.clone(),
            stored,
            budget: group.storage().len(),
        })
    }

    /// A string; `None` if there is no such attribute.
    ///
    /// # Errors
    /// When it is not one string.
    pub fn text(&self, name: &str) -> Outcome<Option<String>> {
        let Some(attribute) = self.find(name) else {
            return Ok(None);
        };
        let mut strings = self.strings(attribute)?;
        match strings.len() {
            1 => Ok(strings.pop()),
            count => Err(format!(
                "holds {count} strings in its attribute '{name}', expected one"
            )),
        }
    }

    /// A list of strings. Keras cuts long ones into several attributes: `layer_names0`, `layer_names1`, ...
    ///
    /// # Errors
    /// When they are not strings.
    pub fn list(&self, name: &str) -> Outcome<Option<Vec<String>>> {
        if let Some(attribute) = self.find(name) {
            return self.strings(attribute).map(Some);
        }
        let parts = (0_usize..).map_while(|part| self.find(&format!("{name}{part}")));
        let parts = parts
            .map(|part| self.strings(part))
            .collect::<Outcome<Vec<_>>>()?;
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }

    fn find(&self, name: &str) -> Option<&AttributeMessage> {
        let mut messages = self.stored.iter().map(RawAttribute::message);
        messages.find(|attribute| attribute.name == name)
    }

    fn strings(&self, attribute: &AttributeMessage) -> Outcome<Vec<String>> {
        let count = attribute.dataspace.num_elements().map_err(damaged)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let fail = |what: &str| {
            let name = excerpt(&attribute.name);
            format!("is damaged: its attribute '{name}' {what}")
        };
        let (width, padding, variable) = match &attribute.datatype {
            Datatype::String {
                size: StringSize::Fixed(width),
                padding,
                ..
            } => (*width as usize, *padding, false),
            Datatype::String { padding, .. }
            | Datatype::VarLen {
                kind: VarLenKind::String,
                padding,
                ..
            } => {
                let reference = 4 + usize::from(self.group.offset_size()) + 4;
                (reference, *padding, true)
            }
            _ => return Err(fail("is not text")),
        };
        let count = usize::try_from(count).map_err(|_| fail("is too long"))?;
        let elements = attribute.raw_data.chunks_exact(width.max(1));
        if width == 0 || elements.len() < count {
            return Err(fail("is cut short"));
        }
        let mut left = self.budget;
        elements
            .take(count)
            .map(|element| {
                let bytes = if variable {
                    let reference = self.group.resolve_vlen_reference_bytes(element, 1);
                    reference.map_err(damaged)?
                } else {
                    element.to_vec()
                };
                left = left
                    .checked_sub(bytes.len() as u64)
                    .ok_or_else(|| fail("holds more text than the file"))?;
                let text = unpadded(bytes, padding);
                String::from_utf8(text).map_err(|_| fail("is not UTF-8"))
            })
            .collect()
    }
}

fn unpadded(mut bytes: Vec<u8>, padding: StringPadding) -> Vec<u8> {
    let length = match padding {
        StringPadding::NullTerminate => bytes.iter().position(|&byte| byte == 0),
        StringPadding::NullPad => bytes.iter().rposition(|&byte| byte != 0).map(|end| end + 1),
        StringPadding::SpacePad => bytes
            .iter()
            .rposition(|&byte| byte != b' ')
            .map(|end| end + 1),
    };
    match (length, padding) {
        (Some(length), _) => bytes.truncate(length),
        (None, StringPadding::NullTerminate) => {}
        (None, _) => bytes.clear(),
    }
    bytes
}
