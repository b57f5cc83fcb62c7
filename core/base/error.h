#pragma once

#include <exception>
#include <source_location>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace automodel {

/// What kind of thing went wrong; decides the exit status of the program.
enum class ErrorCode {
  kUsage,            ///< wrong command line
  kConfig,           ///< wrong recipe
  kInvalidArgument,  ///< a function was called against its contract
  kData,             ///< a row or file of the user's data is wrong
  kFormat,           ///< a checkpoint or another foreign file is malformed
  kIo,               ///< the operating system refused a read or write
  kUnsupported,      ///< right, but not implemented here
  kOutOfMemory,
  kDevice,
  kComm,
  kInternal,
};

/// Exit status of the program for an error of this kind: 1 failed, 2 usage or configuration,
/// 3 bad data or checkpoint, 4 out of memory, 5 device or communication.
int exit_status(ErrorCode code);

/// Lower-case name of a code as printed in `--json` output: "config", "data", ...
std::string_view error_code_name(ErrorCode code);

/// The only exception type of the project: a code, a message, and the context it passed through.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message);

  ErrorCode code() const { return code_; }

  const std::string& message() const { return message_; }

  /// Adds a line that says what was being done; the innermost context comes first.
  Error& add_context(std::string context);

  /// The message, then one line "  while ..." a context.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string text_;
};

namespace detail {
template <class... Parts>
std::string join(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// A condition and the place that states it: lets `ensure` take a parameter pack after the location.
struct Invariant {
  bool holds;
  std::source_location where;

  // NOLINTNEXTLINE(google-explicit-constructor): callers write ensure(n > 0, ...)
  Invariant(bool condition, std::source_location location = std::source_location::current())
      : holds(condition), where(location) {}
};

[[noreturn]] void throw_broken_invariant(const std::source_location& where, const std::string& message);
}  // namespace detail

/// Throws Error(code, parts joined).
template <class... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, detail::join(parts...));
}

/// For the user's input: throws Error(code, parts joined) when the condition does not hold.
template <class... Parts>
void check(bool condition, ErrorCode code, const Parts&... parts) {
  if (!condition) throw Error(code, detail::join(parts...));
}

/// For our own invariants: throws Error(kInternal) naming file and line.
template <class... Parts>
void ensure(detail::Invariant condition, const Parts&... parts) {
  if (!condition.holds) detail::throw_broken_invariant(condition.where, detail::join(parts...));
}

}  // namespace automodel
