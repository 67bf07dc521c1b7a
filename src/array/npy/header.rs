//! The header of a `.npy` file: a Python dictionary with the type, the layout and the shape.

use half::f16;

/// What the header says about the data.
pub(super) struct Header {
    pub element: Element,
    /// Whether the first axis runs fastest.
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

impl Header {
    /// # Errors
    /// One phrase that follows the file's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let broken = || {
            let shown: String = text.trim().chars().take(120).collect();
            format!("has a NumPy header that can't be understood: {shown:?}")
        };
        let mut descr = None;
        let mut fortran_order = None;
        let mut shape = None;
        let mut python = Python { rest: text };
        let mut more = python.take("{");
        while !python.take("}") {
            if !more {
                return Err(broken());
            }
            let key = python.string().filter(|_| python.take(":"));
            match key.ok_or_else(broken)? {
                "descr" if python.take("[") => {
                    return Err("holds records; an array of numbers was expected".into());
                }
                "descr" => descr = python.string(),
                "fortran_order" => fortran_order = python.boolean(),
                "shape" => shape = python.tuple(),
                _ => return Err(broken()),
            }
            more = python.take(",");
        }
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
            return Err(broken());
        };
        let Some(element) = Element::parse(descr) else {
            return Err(format!(
                "holds values of type {descr:?}; floats of 2, 4 or 8 bytes or integers were expected"
            ));
        };
        Ok(Self {
            element,
            fortran_order,
            shape,
        })
    }
}

/// How one value is stored.
#[derive(Clone, Copy)]
pub(super) struct Element {
    kind: Kind,
    big_endian: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    F2,
    F4,
    F8,
    U1,
    U2,
    U4,
    U8,
    I1,
    I2,
    I4,
    I8,
}

impl Element {
    /// From NumPy's notation, such as `<f4`.
    fn parse(descr: &str) -> Option<Self> {
        let (order, kind) = descr.split_at_checked(1)?;
        let big_endian = match order {
            "<" | "|" => false,
            ">" => true,
            _ => return None,
        };
        let kind = match kind {
            "f2" => Kind::F2,
            "f4" => Kind::F4,
            "f8" => Kind::F8,
            "b1" | "u1" => Kind::U1,
            "u2" => Kind::U2,
            "u4" => Kind::U4,
            "u8" => Kind::U8,
            "i1" => Kind::I1,
            "i2" => Kind::I2,
            "i4" => Kind::I4,
            "i8" => Kind::I8,
            _ => return None,
        };
        Some(Self { kind, big_endian })
    }

    /// Bytes of a value.
    pub fn size(self) -> usize {
        match self.kind {
            Kind::U1 | Kind::I1 => 1,
            Kind::F2 | Kind::U2 | Kind::I2 => 2,
            Kind::F4 | Kind::U4 | Kind::I4 => 4,
            Kind::F8 | Kind::U8 | Kind::I8 => 8,
        }
    }

    /// The value that `bytes`, of this element's size, stand for, rounded to `f32`.
    pub fn value(self, bytes: &[u8]) -> f32 {
        let mut word = [0; 8];
        for (byte, stored) in word.iter_mut().zip(bytes) {
            *byte = *stored;
        }
        if self.big_endian {
            word[..self.size()].reverse();
        }
        let [a, b, c, d, ..] = word;
        match self.kind {
            Kind::F2 => f16::from_le_bytes([a, b]).to_f32(),
            Kind::F4 => f32::from_le_bytes([a, b, c, d]),
            Kind::F8 => f64::from_le_bytes(word) as f32,
            Kind::U1 => f32::from(a),
            Kind::U2 => f32::from(u16::from_le_bytes([a, b])),
            Kind::U4 => u32::from_le_bytes([a, b, c, d]) as f32,
            Kind::U8 => u64::from_le_bytes(word) as f32,
            Kind::I1 => f32::from(a as i8),
            Kind::I2 => f32::from(i16::from_le_bytes([a, b])),
            Kind::I4 => i32::from_le_bytes([a, b, c, d]) as f32,
            Kind::I8 => i64::from_le_bytes(word) as f32,
        }
    }
}

/// A reader of the few Python literals that a header is made of.
struct Python<'a> {
    rest: &'a str,
}

impl<'a> Python<'a> {
    /// Whether `token` comes next; then it is passed.
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = if self.take("'") {
            '\''
        } else if self.take("\"") {
            '"'
        } else {
            return None;
        };
        let (string, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(string)
    }

    fn boolean(&mut self) -> Option<bool> {
        let yes = self.take("True");
        (yes || self.take("False")).then_some(yes)
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut numbers = Vec::new();
        let mut more = self.take("(");
        if !more {
            return None;
        }
        while !self.take(")") {
            if !more {
                return None;
            }
            numbers.push(self.number()?);
            more = self.take(",");
        }
        Some(numbers)
    }

    /// Python 2 ended long integers with an `L`.
    fn number(&mut self) -> Option<usize> {
        let text = self.rest.trim_start();
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let number = text[..end].parse().ok()?;
        self.rest = &text[end..];
        self.take("L");
        Some(number)
    }
}
