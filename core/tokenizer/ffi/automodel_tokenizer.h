#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The C ABI of the Rust crate: Hugging Face's tokenizers, and chat templates.
///
/// Texts are UTF-8 with a length, not ended by zero. A function that can fail takes `am_error** error`, which
/// may not be null: on failure it returns null or false and sets *error, to be freed with am_error_free. No
/// panic crosses this border. Objects are immutable unless a function says otherwise: any thread may use
/// them.
#ifdef __cplusplus
extern "C" {
#endif

typedef struct am_error am_error;
typedef struct am_tokenizer am_tokenizer;
typedef struct am_encoding am_encoding;
typedef struct am_text am_text;
typedef struct am_template am_template;
typedef struct am_rendering am_rendering;

typedef struct {
  const char* data;
  size_t size;
} am_view;

/// What failed; texts inside live as long as the error.
enum am_error_kind {
  AM_ERROR_FAILED = 0,       ///< the input is wrong
  AM_ERROR_SYNTAX = 1,       ///< a template does not compile
  AM_ERROR_RAISED = 2,       ///< a template called raise_exception
  AM_ERROR_UNSUPPORTED = 3,  ///< right, but not implemented
  AM_ERROR_INTERNAL = 4      ///< a panic was caught: a bug
};

int32_t am_error_code(const am_error* error);
am_view am_error_message(const am_error* error);
/// The template line, or 0.
uint32_t am_error_line(const am_error* error);
void am_error_free(am_error* error);

/// From the text of a tokenizer.json. Padding and truncation that the file asks for are switched off.
am_tokenizer* am_tokenizer_from_json(am_view json, am_error** error);
void am_tokenizer_free(am_tokenizer* tokenizer);
/// An independent copy.
am_tokenizer* am_tokenizer_clone(const am_tokenizer* tokenizer, am_error** error);

/// Adds tokens, a JSON list of {content, single_word, lstrip, rstrip, normalized, special}. Changes the
/// tokenizer.
bool am_tokenizer_add_tokens(am_tokenizer* tokenizer, am_view json, am_error** error);
/// Replaces the post-processor by one that puts these tokens first and last (empty: none). Changes the
/// tokenizer.
bool am_tokenizer_set_template(am_tokenizer* tokenizer, am_view first, am_view last, am_error** error);
/// Whether the tokenizer has a post-processor.
bool am_tokenizer_has_post_processor(const am_tokenizer* tokenizer);
/// Treat special tokens in the text as plain text. Changes the tokenizer.
void am_tokenizer_set_split_special(am_tokenizer* tokenizer, bool split);

/// `texts` are encoded in parallel when there are several.
am_encoding* am_tokenizer_encode(const am_tokenizer* tokenizer,
                                 const am_view* texts,
                                 size_t num_texts,
                                 bool add_special_tokens,
                                 bool with_offsets,
                                 am_error** error);
size_t am_encoding_length(const am_encoding* encoding, size_t index);
const uint32_t* am_encoding_ids(const am_encoding* encoding, size_t index);
/// Pairs [begin, end) in code points of the text; null when they were not asked for.
const uint64_t* am_encoding_offsets(const am_encoding* encoding, size_t index);
void am_encoding_free(am_encoding* encoding);

am_text* am_tokenizer_decode(const am_tokenizer* tokenizer,
                             const uint32_t* ids,
                             size_t num_ids,
                             bool skip_special_tokens,
                             am_error** error);
am_view am_text_view(const am_text* text);
void am_text_free(am_text* text);

/// The added tokens as a JSON list in order of their ids, in the form of am_tokenizer_add_tokens.
am_text* am_tokenizer_added_tokens(const am_tokenizer* tokenizer, am_error** error);
/// Ids, added tokens included.
size_t am_tokenizer_vocab_size(const am_tokenizer* tokenizer);
/// The token's id, or -1.
int64_t am_tokenizer_token_to_id(const am_tokenizer* tokenizer, am_view token);

am_template* am_template_compile(am_view source, am_error** error);
void am_template_free(am_template* chat_template);
bool am_template_has_generation(const am_template* chat_template);
/// `variables` is the text of a JSON object; `now` fixes the clock ("2024-07-26T12:00:00") unless it is
/// empty.
am_rendering* am_template_render(const am_template* chat_template,
                                 am_view variables,
                                 am_view now,
                                 am_error** error);
am_view am_rendering_text(const am_rendering* rendering);
/// Spans of {% generation %} as pairs [begin, end) in code points.
size_t am_rendering_num_spans(const am_rendering* rendering);
const uint64_t* am_rendering_spans(const am_rendering* rendering);
/// For each span the index of the message whose round of a loop wrote it, or -1.
const int64_t* am_rendering_span_messages(const am_rendering* rendering);
void am_rendering_free(am_rendering* rendering);

#ifdef __cplusplus
}
#endif
