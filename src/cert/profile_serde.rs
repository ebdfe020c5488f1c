//! (private) Profiles for programs: codes and peers by their stable texts.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::{Effect, Peer, Profile, Reaction, Remark, RemarkCode, Usage};

macro_rules! as_text {
    ($($type:ident),+) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        })+
    };
}

as_text!(Effect, Peer, RemarkCode, Usage);

impl Serialize for Reaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { peer, effect } = self;
        let mut fields = serializer.serialize_struct("Reaction", 2)?;
        fields.serialize_field("peer", peer)?;
        fields.serialize_field("effect", effect)?;
        fields.end()
    }
}

impl Serialize for Remark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Remark", 4)?;
        fields.serialize_field("code", &self.code())?;
        fields.serialize_field("reactions", self.reactions())?;
        fields.serialize_field("sentence", self.sentence())?;
        fields.serialize_field("cure", self.cure())?;
        fields.end()
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Profile", 2)?;
        fields.serialize_field("usage", &self.usage())?;
        fields.serialize_field("remarks", self.remarks())?;
        fields.end()
    }
}
