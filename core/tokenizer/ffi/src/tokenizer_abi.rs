//! C functions for tokenizers.

use std::ptr;

use tokenizers::Tokenizer;

use crate::border::{free, guarded, guarded_new, Failure, View};
use crate::tokenizer::{self, Encoded};

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_from_json(json: View, error: *mut *mut Failure) -> *mut Tokenizer {
    guarded_new(error, || tokenizer::from_json(json.text()?))
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_free(tokenizer: *mut Tokenizer) {
    free(tokenizer);
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_clone(
    tokenizer: *const Tokenizer,
    error: *mut *mut Failure,
) -> *mut Tokenizer {
    guarded_new(error, || Ok((*tokenizer).clone()))
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_add_tokens(
    tokenizer: *mut Tokenizer,
    json: View,
    error: *mut *mut Failure,
) -> bool {
    guarded(error, false, || tokenizer::add_tokens(&mut *tokenizer, json.text()?).map(|()| true))
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_set_template(
    tokenizer: *mut Tokenizer,
    first: View,
    last: View,
    error: *mut *mut Failure,
) -> bool {
    guarded(error, false, || {
        tokenizer::set_template(&mut *tokenizer, first.text()?, last.text()?).map(|()| true)
    })
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_has_post_processor(tokenizer: *const Tokenizer) -> bool {
    (*tokenizer).get_post_processor().is_some()
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_set_split_special(tokenizer: *mut Tokenizer, split: bool) {
    (*tokenizer).set_encode_special_tokens(split);
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_encode(
    tokenizer: *const Tokenizer,
    texts: *const View,
    num_texts: usize,
    add_special_tokens: bool,
    with_offsets: bool,
    error: *mut *mut Failure,
) -> *mut Vec<Encoded> {
    guarded_new(error, || {
        let views = if num_texts == 0 { &[] } else { std::slice::from_raw_parts(texts, num_texts) };
        let texts: Result<Vec<&str>, Failure> = views.iter().map(|view| view.text()).collect();
        tokenizer::encode(&*tokenizer, texts?, add_special_tokens, with_offsets)
    })
}

#[no_mangle]
pub unsafe extern "C" fn am_encoding_length(encoding: *const Vec<Encoded>, index: usize) -> usize {
    (&*encoding)[index].ids.len()
}

#[no_mangle]
pub unsafe extern "C" fn am_encoding_ids(encoding: *const Vec<Encoded>, index: usize) -> *const u32 {
    (&*encoding)[index].ids.as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn am_encoding_offsets(encoding: *const Vec<Encoded>, index: usize) -> *const u64 {
    (&*encoding)[index].offsets.as_ref().map_or(ptr::null(), |offsets| offsets.as_ptr())
}

#[no_mangle]
pub unsafe extern "C" fn am_encoding_free(encoding: *mut Vec<Encoded>) {
    free(encoding);
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_decode(
    tokenizer: *const Tokenizer,
    ids: *const u32,
    num_ids: usize,
    skip_special_tokens: bool,
    error: *mut *mut Failure,
) -> *mut String {
    guarded_new(error, || {
        let ids = if num_ids == 0 { &[] } else { std::slice::from_raw_parts(ids, num_ids) };
        Ok((*tokenizer).decode(ids, skip_special_tokens)?)
    })
}

#[no_mangle]
pub unsafe extern "C" fn am_text_view(text: *const String) -> View {
    View::of(&*text)
}

#[no_mangle]
pub unsafe extern "C" fn am_text_free(text: *mut String) {
    free(text);
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_added_tokens(
    tokenizer: *const Tokenizer,
    error: *mut *mut Failure,
) -> *mut String {
    guarded_new(error, || tokenizer::added_tokens(&*tokenizer))
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_vocab_size(tokenizer: *const Tokenizer) -> usize {
    (*tokenizer).get_vocab_size(true)
}

#[no_mangle]
pub unsafe extern "C" fn am_tokenizer_token_to_id(tokenizer: *const Tokenizer, token: View) -> i64 {
    match token.text() {
        Ok(token) => (*tokenizer).token_to_id(token).map_or(-1, i64::from),
        Err(_) => -1,
    }
}
