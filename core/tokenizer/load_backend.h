#pragma once

#include <filesystem>

#include "core/tokenizer/ffi_handle.h"
#include "core/tokenizer/hub_folder.h"

namespace automodel::tokenizer {

/// The crate's tokenizer of a folder, with its added and special tokens as transformers adds them.
/// Throws Error(kUnsupported) naming the file when the folder holds only a vocabulary of another kind.
ffi::TokenizerHandle load_backend(const HubFolder& folder);

/// The crate's tokenizer of one tokenizer.json, as it stands.
ffi::TokenizerHandle load_tokenizer_file(const std::filesystem::path& file);

/// Puts `first` and `last` (empty: nothing) around every text that is encoded with special tokens.
void set_post_processor(am_tokenizer* backend, std::string_view first, std::string_view last);

}  // namespace automodel::tokenizer
