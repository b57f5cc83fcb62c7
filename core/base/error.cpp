#include "core/base/error.h"

#include <utility>

namespace automodel {

int exit_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kConfig:
    case ErrorCode::kUnsupported:
      return 2;
    case ErrorCode::kData:
    case ErrorCode::kFormat:
      return 3;
    case ErrorCode::kOutOfMemory:
      return 4;
    case ErrorCode::kDevice:
    case ErrorCode::kComm:
      return 5;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 1;
  }
  return 1;
}

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kConfig:
      return "config";
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kData:
      return "data";
    case ErrorCode::kFormat:
      return "format";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kUnsupported:
      return "not_supported";
    case ErrorCode::kOutOfMemory:
      return "out_of_memory";
    case ErrorCode::kDevice:
      return "device";
    case ErrorCode::kComm:
      return "comm";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

Error::Error(ErrorCode code, std::string message)
    : code_(code), message_(std::move(message)), text_(message_) {}

Error& Error::add_context(std::string context) {
  text_ += "\n  while " + std::move(context);
  return *this;
}

namespace detail {
void throw_broken_invariant(const std::source_location& where, const std::string& message) {
  throw Error(ErrorCode::kInternal,
              join(where.file_name(),
                   ":",
                   where.line(),
                   ": broken invariant: ",
                   message,
                   "; this is a defect of automodel, please report it"));
}
}  // namespace detail

}  // namespace automodel
