#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace automodel::store {

/// An append-only file of JSON records, one a line, in the form Python's json.dumps gives ({"step": 0,
/// "loss": 7.5}). Every line is written by one system call as soon as it is known: a killed run loses nothing
/// it logged. A line that a crash or a full disk left without its end is closed before the next one. One
/// thread.
class JsonLines {
 public:
  /// Opens for append, creating the file and its folder. Throws Error(kIo).
  explicit JsonLines(std::filesystem::path path);
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  /// Throws Error(kIo) when the line could not be written whole.
  void append(const nlohmann::ordered_json& record);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

/// `value` as json.dumps(value, ensure_ascii=False) prints it.
std::string python_json(const nlohmann::ordered_json& value);

}  // namespace automodel::store
