//! Server reflection (`grpc.reflection.v1` and `v1alpha`) as pure functions: which request comes next, given the answers
//! so far. The engine sends.

use std::collections::BTreeSet;

use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, prost::Message as _};

use super::{GrpcError, model};
use crate::{
    model::Model,
    wire::{Answer, Request, grpc},
};

/// Requests for one server, at most.
pub const REQUESTS_MAX: usize = 300;

/// A version of the protocol; the messages are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `grpc.reflection.v1`.
    V1,
    /// `grpc.reflection.v1alpha`.
    V1Alpha,
}

impl Version {
    /// The path of its method.
    pub const fn path(self) -> &'static str {
        match self {
            Self::V1 => "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            Self::V1Alpha => "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        }
    }
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send this and ask again with its answer behind the others.
    Send(Request),
    /// All is known.
    Done(Box<Model>),
}

/// What a reflection answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reflected {
    /// Names of services.
    pub services: Vec<String>,
    /// Serialized `FileDescriptorProto`s.
    pub files: Vec<Vec<u8>>,
    /// The code and message of an error.
    pub error: Option<(u64, String)>,
}

/// What to send next to learn what a server offers, and the model once all is known. Services that the server names but
/// does not describe are noted.
///
/// # Errors
/// The first answer is no list of services, or the descriptors do not fit together.
pub fn next(version: Version, answers: &[Answer]) -> Result<Step, GrpcError> {
    let Some((listed, mut answers)) = answers.split_first() else {
        return Ok(Step::Send(ask(version, &list_services())));
    };
    let listed = read(&listed.body);
    if listed.services.is_empty() {
        let why = listed.error.map_or_else(|| "no services are listed".to_owned(), |(_, message)| message);
        return Err(GrpcError::Reflection(why));
    }
    let mut files: Vec<FileDescriptorProto> = Vec::new();
    let mut undescribed = Vec::new();
    let mut wanted: Vec<(String, bool)> = listed
        .services
        .iter()
        .filter(|name| !name.starts_with("grpc.reflection."))
        .map(|name| (name.clone(), true))
        .rev()
        .collect();
    let mut asked = BTreeSet::new();
    while let Some((name, is_symbol)) = wanted.pop() {
        let is_there =
            files.iter().any(|file| if is_symbol { offers(file, &name) } else { file.name() == name });
        if is_there || !asked.insert((name.clone(), is_symbol)) || asked.len() >= REQUESTS_MAX {
            continue;
        }
        let Some((answer, rest)) = answers.split_first() else {
            let request = if is_symbol { containing_symbol(&name) } else { by_filename(&name) };
            return Ok(Step::Send(ask(version, &request)));
        };
        answers = rest;
        let reflected = read(&answer.body);
        if reflected.files.is_empty() {
            undescribed.push(name);
        }
        for bytes in &reflected.files {
            let Ok(file) = FileDescriptorProto::decode(bytes.as_slice()) else { continue };
            if !files.iter().any(|own| own.name() == file.name()) {
                wanted.extend(file.dependency.iter().map(|name| (name.clone(), false)));
                files.push(file);
            }
        }
    }
    finish(files, &undescribed)
}

fn finish(files: Vec<FileDescriptorProto>, undescribed: &[String]) -> Result<Step, GrpcError> {
    // A missing import that is well known is known here too.
    let mut pool = DescriptorPool::global();
    let known: Vec<String> = pool.files().map(|it| it.name().to_owned()).collect();
    let files = files.into_iter().filter(|file| !known.contains(&file.name().to_owned())).collect();
    pool.add_file_descriptor_set(FileDescriptorSet { file: files })
        .map_err(|error| GrpcError::Descriptors(error.to_string()))?;
    let mut model = model(&pool)?;
    for name in undescribed {
        model.notes.push(crate::model::Note {
            place: name.clone(),
            text: "the server names it and does not describe it".to_owned(),
        });
    }
    Ok(Step::Done(Box::new(model)))
}

fn offers(file: &FileDescriptorProto, service: &str) -> bool {
    let (package, name) = service.rsplit_once('.').unwrap_or(("", service));
    file.package() == package && file.service.iter().any(|own| own.name() == name)
}

/// The request for a message of reflection.
pub fn ask(version: Version, message: &[u8]) -> Request {
    grpc::request(version.path(), grpc::frame(message))
}

/// `list_services`.
pub fn list_services() -> Vec<u8> {
    field(7, b"*")
}

/// `file_containing_symbol`.
pub fn containing_symbol(name: &str) -> Vec<u8> {
    field(4, name.as_bytes())
}

/// `file_by_filename`.
pub fn by_filename(name: &str) -> Vec<u8> {
    field(3, name.as_bytes())
}

/// What a framed answer of reflection says; what cannot be read is left out.
pub fn read(body: &[u8]) -> Reflected {
    let mut reflected = Reflected::default();
    for message in grpc::messages(body) {
        for (number, part) in fields(&message) {
            match number {
                4 => reflected.files.extend(only(part, 1).map(<[u8]>::to_vec)),
                6 => {
                    for service in only(part, 1) {
                        reflected
                            .services
                            .extend(only(service, 1).map(|it| String::from_utf8_lossy(it).into_owned()));
                    }
                }
                7 => {
                    let message = only(part, 2).map(|it| String::from_utf8_lossy(it).into_owned()).next();
                    let code = part.get(1).copied().unwrap_or_default();
                    reflected.error = Some((u64::from(code), message.unwrap_or_default()));
                }
                _ => {}
            }
        }
    }
    reflected
}

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(value);
    bytes
}

/// The length-delimited fields of a message with this number.
fn only(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter(move |(own, _)| *own == number).map(|(_, value)| value)
}

/// The length-delimited fields of a message; ends at what is no message.
fn fields(message: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            let key = varint(&mut rest)?;
            match key & 7 {
                0 => drop(varint(&mut rest)?),
                1 => rest = rest.get(8..)?,
                5 => rest = rest.get(4..)?,
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).ok()?;
                    let (value, behind) = rest.split_at_checked(length)?;
                    rest = behind;
                    return Some((key >> 3, value));
                }
                _ => return None,
            }
        }
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
