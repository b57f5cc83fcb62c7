#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/tokenizer/ffi/automodel_tokenizer.h"

/// C++ manners for the C ABI of the Rust crate: objects that free themselves, errors that are thrown.
namespace automodel::tokenizer::ffi {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using TokenizerHandle = std::unique_ptr<am_tokenizer, Deleter<am_tokenizer_free>>;
using EncodingHandle = std::unique_ptr<am_encoding, Deleter<am_encoding_free>>;
using TextHandle = std::unique_ptr<am_text, Deleter<am_text_free>>;
using TemplateHandle = std::unique_ptr<am_template, Deleter<am_template_free>>;
using RenderingHandle = std::unique_ptr<am_rendering, Deleter<am_rendering_free>>;
using ErrorHandle = std::unique_ptr<am_error, Deleter<am_error_free>>;

inline am_view view(std::string_view text) {
  return {text.data(), text.size()};
}

inline std::string_view text(am_view bytes) {
  return {bytes.data, bytes.size};
}

/// Receives the error of one call: `am_do(..., error)`, then `error.check(...)`.
class CallError {
 public:
  CallError() = default;
  CallError(const CallError&) = delete;
  CallError& operator=(const CallError&) = delete;

  ~CallError() {
    if (error_ != nullptr) am_error_free(error_);
  }

  // NOLINTNEXTLINE(google-explicit-constructor): passed where the C function wants am_error**
  operator am_error**() { return &error_; }

  /// Throws Error(code, "place: message"), with the template's line where there is one, if the call failed.
  /// A caught panic and an unimplemented feature keep their own code.
  void check(ErrorCode code, std::string_view place) const;

  /// For calls that hand a tokenizer file to the tokenizers library: it panics on some that are
  /// malformed, so that a caught panic has `code` too.
  void check_file(ErrorCode code, std::string_view place) const;

 private:
  am_error* error_ = nullptr;
};

}  // namespace automodel::tokenizer::ffi
