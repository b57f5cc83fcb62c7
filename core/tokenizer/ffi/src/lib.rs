//! Tokenizers and chat templates of automodel. The C ABI is described in automodel_tokenizer.h.

mod border;
mod template_abi;
mod tokenizer;
mod tokenizer_abi;
