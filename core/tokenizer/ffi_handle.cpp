#include "core/tokenizer/ffi_handle.h"

namespace automodel::tokenizer::ffi {

void CallError::check(ErrorCode code, std::string_view place) const {
  if (error_ == nullptr) return;
  const int32_t kind = am_error_code(error_);
  if (kind == AM_ERROR_INTERNAL) code = ErrorCode::kInternal;
  if (kind == AM_ERROR_UNSUPPORTED) code = ErrorCode::kUnsupported;
  const uint32_t line = am_error_line(error_);
  fail(code, place, line > 0 ? ", line " + std::to_string(line) : "", ": ", text(am_error_message(error_)));
}

void CallError::check_file(ErrorCode code, std::string_view place) const {
  if (error_ != nullptr && am_error_code(error_) == AM_ERROR_INTERNAL) {
    fail(code, place, ": the tokenizers library gave up on it: ", text(am_error_message(error_)));
  }
  check(code, place);
}

}  // namespace automodel::tokenizer::ffi
