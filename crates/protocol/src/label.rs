//! Closed lists of words that stand in JSON, in rules and in the database: an enum, its words, and the way back.

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($(#[$label_doc:meta])* $label:ident $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub enum $name {$(
            $(#[$label_doc])*
            #[serde(rename = $text)]
            $label,
        )*}

        impl $name {
            /// All of them, in a fixed order.
            pub const ALL: &[$name] = &[$($name::$label),*];

            /// Its name in JSON, rules and the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$label => $text,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($text => Ok($name::$label),)*
                    _ => Err(()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

pub(crate) use labels;
