//! The few operations on Hugging Face's tokenizer that automodel needs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Encoding, Tokenizer};

use crate::border::Failure;

pub struct Encoded {
    pub ids: Vec<u32>,
    /// begin, end, begin, end, ... in code points
    pub offsets: Option<Vec<u64>>,
}

#[derive(Deserialize, Serialize)]
struct TokenSpec {
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

impl From<tokenizers::Error> for Failure {
    fn from(error: tokenizers::Error) -> Failure {
        Failure::new(error.to_string())
    }
}

pub fn from_json(json: &str) -> Result<Tokenizer, Failure> {
    let mut tokenizer = Tokenizer::from_str(json)?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None)?;
    Ok(tokenizer)
}

pub fn add_tokens(tokenizer: &mut Tokenizer, json: &str) -> Result<(), Failure> {
    let specs: Vec<TokenSpec> =
        serde_json::from_str(json).map_err(|error| Failure::new(error.to_string()))?;
    let tokens = specs.into_iter().map(|spec| {
        AddedToken::from(spec.content, spec.special)
            .single_word(spec.single_word)
            .lstrip(spec.lstrip)
            .rstrip(spec.rstrip)
            .normalized(spec.normalized)
    });
    tokenizer.add_tokens(tokens)?;
    Ok(())
}

/// The added tokens in the form that `add_tokens` takes, in order of their ids.
pub fn added_tokens(tokenizer: &Tokenizer) -> Result<String, Failure> {
    let mut tokens: Vec<_> = tokenizer.get_added_tokens_decoder().into_iter().collect();
    tokens.sort_by_key(|(id, _)| *id);
    let specs: Vec<TokenSpec> = tokens
        .into_iter()
        .map(|(_, token)| TokenSpec {
            content: token.content,
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            normalized: token.normalized,
            special: token.special,
        })
        .collect();
    serde_json::to_string(&specs).map_err(|error| Failure::new(error.to_string()))
}

/// A post-processor that puts `first` before and `last` after the text.
pub fn set_template(tokenizer: &mut Tokenizer, first: &str, last: &str) -> Result<(), Failure> {
    let mut single = vec!["$A:0".to_string()];
    let mut special = Vec::new();
    let mut id_of = |token: &str| match tokenizer.token_to_id(token) {
        Some(id) => {
            special.push((token.to_string(), id));
            Ok(())
        }
        None => Err(Failure::new(format!("the token \"{token}\" is not in the vocabulary"))),
    };
    if !first.is_empty() {
        id_of(first)?;
        single.insert(0, format!("{first}:0"));
    }
    if !last.is_empty() {
        id_of(last)?;
        single.push(format!("{last}:0"));
    }
    let pieces = tokenizers::processors::template::Template::try_from(single).map_err(Failure::new)?;
    let mut builder = TemplateProcessing::builder();
    builder.single(pieces).special_tokens(special);
    let processor = builder.build().map_err(|error| Failure::new(error.to_string()))?;
    tokenizer.with_post_processor(Some(processor));
    Ok(())
}

pub fn encode(
    tokenizer: &Tokenizer,
    texts: Vec<&str>,
    add_special_tokens: bool,
    with_offsets: bool,
) -> Result<Vec<Encoded>, Failure> {
    let encodings = match &texts[..] {
        [text] if with_offsets => vec![tokenizer.encode_char_offsets(*text, add_special_tokens)?],
        [text] => vec![tokenizer.encode_fast(*text, add_special_tokens)?],
        _ if with_offsets => tokenizer.encode_batch_char_offsets(texts, add_special_tokens)?,
        _ => tokenizer.encode_batch_fast(texts, add_special_tokens)?,
    };
    Ok(encodings.iter().map(|encoding| flatten(encoding, with_offsets)).collect())
}

fn flatten(encoding: &Encoding, with_offsets: bool) -> Encoded {
    let flat =
        || encoding.get_offsets().iter().flat_map(|(begin, end)| [*begin as u64, *end as u64]).collect();
    Encoded { ids: encoding.get_ids().to_vec(), offsets: with_offsets.then(flat) }
}
