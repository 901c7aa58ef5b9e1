//! The macros that make a leaf shape of one line of a table.
//!
//! Owns what every string, blob, integer, list, map and enum shape has in common: its Rust type,
//! its description, how it is read and written. Must not know any one shape.

/// Declares a string shape: a newtype over String that holds only what the bounds allow.
macro_rules! text {
    ($($(#[$meta:meta])* $name:ident = $shape:literal, $min:literal ..= $max:expr
        $(, pattern $pattern:literal by $matches:expr)?;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// A value that the server itself made, for an answer.
            pub fn of(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// A value that comes from elsewhere than a request, if the shape's bounds allow it.
            pub fn parse(text: &str) -> Option<Self> {
                crate::leaf::fits(<Self as crate::Shape>::INFO, text).then(|| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: $shape,
                kind: crate::ShapeKind::Text {
                    min: $min,
                    max: $max,
                    pattern: crate::declare::pattern!($($pattern by $matches)?),
                },
                sensitive: false,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                crate::leaf::read_text(Self::INFO, node, at, reader).map(Self)
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.text(&self.0);
            }
        }
    )*};
}

macro_rules! pattern {
    () => {
        None
    };
    ($text:literal by $matches:expr) => {
        Some(crate::Pattern { text: $text, matches: $matches })
    };
}

/// Declares a string shape that is a secret: it can't be printed or copied, and is wiped when it
/// is dropped. Whether the model marks it sensitive is said beside it; that no audit record holds
/// it is seen to by [`crate::ShapeInfo::recorded`].
macro_rules! secret {
    ($($(#[$meta:meta])* $name:ident = $shape:literal, $min:literal ..= $max:expr,
        sensitive: $sensitive:literal;)*) => {$(
        $(#[$meta])*
        pub struct $name(zeroize::Zeroizing<String>);

        impl $name {
            /// A value that the server itself made, for an answer.
            pub fn of(text: zeroize::Zeroizing<String>) -> Self {
                Self(text)
            }

            /// The text. What the caller copies of it, the caller wipes.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: $shape,
                kind: crate::ShapeKind::Text { min: $min, max: $max, pattern: None },
                sensitive: $sensitive,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                let text = crate::leaf::read_text(Self::INFO, node, at, reader)?;
                Some(Self(zeroize::Zeroizing::new(text)))
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.text(&self.0);
            }
        }
    )*};
}

/// Declares a blob shape: bytes within bounds, wiped when dropped.
macro_rules! blob {
    ($($(#[$meta:meta])* $name:ident = $shape:literal, $min:literal ..= $max:literal,
        sensitive: $sensitive:literal;)*) => {$(
        $(#[$meta])*
        pub struct $name(zeroize::Zeroizing<Vec<u8>>);

        impl $name {
            /// Bytes that the server itself made, for an answer.
            pub fn of(bytes: zeroize::Zeroizing<Vec<u8>>) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: $shape,
                kind: crate::ShapeKind::Blob { min: $min, max: $max },
                sensitive: $sensitive,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                let bytes = crate::leaf::read_blob(Self::INFO, node, at, reader)?;
                Some(Self(zeroize::Zeroizing::new(bytes)))
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.blob(&self.0);
            }
        }
    )*};
}

/// Declares an integer shape, by the range that its values are in.
macro_rules! integer {
    ($($(#[$meta:meta])* $name:ident = $shape:literal, $range:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(i32);

        impl $name {
            /// A number that the server itself chose, for an answer.
            pub const fn of(value: i32) -> Self {
                Self(value)
            }
        }

        impl crate::Integer for $name {
            fn value(self) -> i32 {
                self.0
            }
        }

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: $shape,
                kind: crate::ShapeKind::Integer { min: *($range).start(), max: *($range).end() },
                sensitive: false,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                crate::leaf::read_integer(Self::INFO, node, at, reader).map(Self)
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.integer(i64::from(self.0));
            }
        }
    )*};
}

/// Declares a list shape; without bounds of its own, the body's limit on values bounds it.
macro_rules! list {
    ($($(#[$meta:meta])* $name:ident = $shape:literal of $member:ty,
        $min:literal ..= $max:expr;)*) => {$(
        $(#[$meta])*
        pub struct $name(pub Vec<$member>);

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: $shape,
                kind: crate::ShapeKind::List {
                    member: <$member as crate::Shape>::INFO,
                    min: $min,
                    max: $max,
                },
                sensitive: false,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                crate::leaf::read_list(Self::INFO, node, at, reader).map(Self)
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.list(&self.0);
            }
        }
    )*};
}

/// Declares a map shape: pairs of a key, which is a string or an enum's value, and a value.
macro_rules! map {
    ($($(#[$meta:meta])* $name:ident = $shape:literal of $key:ty => $value:ty;)*) => {$(
        $(#[$meta])*
        pub struct $name(pub Vec<($key, $value)>);

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: $shape,
                kind: crate::ShapeKind::Map {
                    key: <$key as crate::Shape>::INFO,
                    value: <$value as crate::Shape>::INFO,
                },
                sensitive: false,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                crate::leaf::read_pairs(node, at, reader).map(Self)
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.map(&self.0);
            }
        }
    )*};
}

/// Declares an enum; its shape in the model has the type's name, unless another is given.
macro_rules! enums {
    ($($(#[$meta:meta])* $name:ident $(= $model_name:literal)? {
        $($variant:ident = $value:literal),* $(,)?
    })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the values are the model's")]
        pub enum $name { $($variant),* }

        impl $name {
            /// Every value, in the model's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value),* }
            }

            /// The value of that text.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    serde::de::Error::custom(concat!("unknown ", stringify!($name)))
                })
            }
        }

        impl crate::Shape for $name {
            const INFO: &'static crate::ShapeInfo = &crate::ShapeInfo {
                name: crate::model_name!($name $($model_name)?),
                kind: crate::ShapeKind::Enum { values: &[$($value),*] },
                sensitive: false,
            };

            fn read(
                node: &crate::Node<'_>,
                at: &crate::Path<'_>,
                reader: &mut crate::Reader,
            ) -> Option<Self> {
                let place = crate::leaf::read_enum(Self::INFO, node, at, reader)?;
                Self::ALL.get(place).copied()
            }
        }

        impl crate::Write for $name {
            fn write<W: crate::Writer>(&self, out: &mut W) {
                out.text(self.as_str());
            }
        }
    )*};
}

pub(crate) use {blob, enums, integer, list, map, pattern, secret, text};
