//! Structures: named members, each required or optional.
//!
//! Owns the [`crate::structure!`] macro, which declares a structure once and makes of it the Rust
//! type, its reader, its writer and its description.

use crate::leaf::ShapeInfo;

/// A structure's description, as the service model has it.
#[derive(Debug)]
pub struct StructureInfo {
    /// Its name in the model, such as `EncryptRequest`.
    pub name: &'static str,
    /// Its members in the order of the model.
    pub members: &'static [MemberInfo],
}

/// A member's description.
#[derive(Debug)]
pub struct MemberInfo {
    /// Its name on the wire, such as `KeyId`.
    pub name: &'static str,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What it holds.
    pub shape: &'static ShapeInfo,
}

/// A type declared by [`crate::structure!`].
pub trait Structure: crate::Shape + crate::Write {
    /// Its description.
    const STRUCTURE: &'static StructureInfo;
}

/// Declares a structure: `pub struct EncryptRequest { key_id: KeyId = required "KeyId", … }`.
///
/// The Rust type has a public field for each member, an `Option` where the member is optional.
#[macro_export]
macro_rules! structure {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(= $model_name:literal)? {
            $($field:ident: $shape:ty = $presence:ident $member:literal),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[allow(missing_docs, reason = "the members are the model's")]
        $vis struct $name {
            $($vis $field: $crate::field_type!($presence $shape),)*
        }

        impl $crate::Structure for $name {
            const STRUCTURE: &'static $crate::StructureInfo = &$crate::StructureInfo {
                name: $crate::model_name!($name $($model_name)?),
                members: &[$($crate::MemberInfo {
                    name: $member,
                    required: $crate::is_required!($presence),
                    shape: <$shape as $crate::Shape>::INFO,
                }),*],
            };
        }

        impl $crate::Shape for $name {
            const INFO: &'static $crate::ShapeInfo = &$crate::ShapeInfo {
                name: <$name as $crate::Structure>::STRUCTURE.name,
                kind: $crate::ShapeKind::Structure(<$name as $crate::Structure>::STRUCTURE),
                sensitive: false,
            };

            fn read(
                node: &$crate::Node<'_>,
                at: &$crate::Path<'_>,
                reader: &mut $crate::Reader,
            ) -> Option<Self> {
                if !reader.is_structure(node) {
                    return None;
                }
                $(let $field = reader.member::<$shape>(
                    node, at, $member, $crate::is_required!($presence));)*
                let _ = at;
                Some(Self { $($field: $crate::field_value!($presence $field),)* })
            }
        }

        impl $crate::Write for $name {
            fn write<W: $crate::Writer>(&self, out: &mut W) {
                out.structure(|out| {
                    $($crate::write_field!($presence self out $field $member);)*
                    let _ = out;
                });
            }
        }
    )*};
}

/// The name of a structure in the model: that of the type, unless another is given.
#[doc(hidden)]
#[macro_export]
macro_rules! model_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $model_name:literal) => {
        $model_name
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! field_type {
    (required $shape:ty) => { $shape };
    (optional $shape:ty) => { Option<$shape> };
}

#[doc(hidden)]
#[macro_export]
macro_rules! is_required {
    (required) => {
        true
    };
    (optional) => {
        false
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! field_value {
    (required $field:ident) => {
        $field?
    };
    (optional $field:ident) => {
        $field
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! write_field {
    (required $self:ident $out:ident $field:ident $member:literal) => {
        $out.member($member, &$self.$field)
    };
    (optional $self:ident $out:ident $field:ident $member:literal) => {
        if let Some(value) = &$self.$field {
            $out.member($member, value);
        }
    };
}
