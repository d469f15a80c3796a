//! Closed sets of words. A macro, because the enum, the list of its members and their spellings would otherwise be three
//! tables that can drift apart.

macro_rules! named {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$member_meta:meta])* $member:ident = $text:literal $(| $alias:literal)* ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`.")]
                $(#[$member_meta])*
                $member,
            )+
        }

        impl $name {
            /// Every member, in order of declaration.
            pub const ALL: &[Self] = &[$(Self::$member),+];

            /// The spelling that ModSecurity's manual uses.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$member => $text,)+
                }
            }

            /// The member spelled so, in any case; aliases count.
            #[must_use]
            pub fn from_name(name: &[u8]) -> Option<Self> {
                $(
                    if name.eq_ignore_ascii_case($text.as_bytes()) $(|| name.eq_ignore_ascii_case($alias.as_bytes()))* {
                        return Some(Self::$member);
                    }
                )+
                None
            }
        }
    };
}

pub(crate) use named;
