#include "core/io/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::io {
namespace {

using nlohmann::json;

/// Receives the header's JSON piece by piece; whatever does not belong there ends the parse at once, so
/// neither depth nor size of hostile JSON costs more than its text.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  explicit HeaderReader(std::string origin) : origin_(std::move(origin)) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }

  bool boolean(bool) override { unexpected("a truth value"); }

  bool number_integer(number_integer_t value) override { unexpected(std::to_string(value)); }

  bool number_float(number_float_t, const string_t& text) override { unexpected(text); }

  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!numbers_) unexpected(std::to_string(value));
    check(value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()),
          ErrorCode::kFormat,
          where(),
          value,
          " is too large");
    numbers_->push_back(static_cast<int64_t>(value));
    return true;
  }

  bool string(string_t& value) override {
    if (level_ == Level::kMetadata) {
      header_.metadata[key_] = value;
    } else if (level_ == Level::kTensor && key_ == "dtype") {
      try {
        header_.tensors.back().dtype = dtype_from_safetensors(value);
      } catch (const Error& error) {
        fail(ErrorCode::kFormat, where(), error.message());
      }
    } else {
      unexpected("\"" + value + "\"");
    }
    return true;
  }

  bool start_object(size_t) override {
    if (level_ == Level::kOutside) {
      level_ = Level::kRoot;
    } else if (level_ == Level::kRoot && key_ == "__metadata__") {
      level_ = Level::kMetadata;
    } else if (level_ == Level::kRoot) {
      level_ = Level::kTensor;
      header_.tensors.emplace_back().name = key_;
    } else {
      unexpected("an object");
    }
    inner_keys_.clear();
    return true;
  }

  bool key(string_t& name) override {
    std::set<std::string>& seen = level_ == Level::kRoot ? names_ : inner_keys_;
    check(seen.insert(name).second, ErrorCode::kFormat, where(), "\"", name, "\" stands twice");
    key_ = name;
    if (level_ == Level::kTensor) {
      check(name == "dtype" || name == "shape" || name == "data_offsets",
            ErrorCode::kFormat,
            where(),
            "unknown field; expected dtype, shape and data_offsets");
    }
    return true;
  }

  bool end_object() override {
    if (level_ == Level::kTensor) finish_tensor();
    level_ = level_ == Level::kRoot ? Level::kOutside : Level::kRoot;
    key_.clear();
    return true;
  }

  bool start_array(size_t) override {
    if (level_ != Level::kTensor || numbers_ || key_ == "dtype") unexpected("a list");
    numbers_ = key_ == "shape" ? &header_.tensors.back().shape : &offsets_;
    numbers_->clear();
    return true;
  }

  bool end_array() override {
    numbers_ = nullptr;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    fail(ErrorCode::kFormat, origin_, ": the header is not JSON (byte ", position, " of it): ", error.what());
  }

 private:
  enum class Level { kOutside, kRoot, kMetadata, kTensor };

  std::string where() const {
    if (level_ == Level::kTensor && !header_.tensors.empty()) {
      return detail::join(
          origin_, ": tensor \"", header_.tensors.back().name, "\": ", key_.empty() ? "" : key_ + ": ");
    }
    return detail::join(origin_, ": header: ", key_.empty() ? "" : "\"" + key_ + "\": ");
  }

  [[noreturn]] void unexpected(const std::string& what) const {
    const char* expected = "an object of tensors";
    if (level_ == Level::kRoot) expected = "an object";
    if (level_ == Level::kMetadata) expected = "a string";
    if (level_ == Level::kTensor) expected = key_ == "dtype" ? "a string" : "a list of non-negative integers";
    fail(ErrorCode::kFormat, where(), "found ", what, " where ", expected, " was expected");
  }

  void finish_tensor() {
    key_.clear();
    HeaderEntry& tensor = header_.tensors.back();
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      check(inner_keys_.contains(field), ErrorCode::kFormat, where(), field, " is missing");
    }
    check(offsets_.size() == 2 && offsets_[0] <= offsets_[1],
          ErrorCode::kFormat,
          where(),
          "data_offsets is not [begin, end]");
    tensor.begin = offsets_[0];
    tensor.end = offsets_[1];
  }

  std::string origin_;
  SafetensorsHeader header_;
  Level level_ = Level::kOutside;
  std::string key_;
  std::set<std::string> names_;
  std::set<std::string> inner_keys_;
  std::vector<int64_t> offsets_;
  std::vector<int64_t>* numbers_ = nullptr;
};

/// Bytes that dtype and shape ask for.
int64_t bytes_of(const HeaderEntry& tensor, const std::string& where) {
  int64_t bytes = size_of(tensor.dtype);
  for (const int64_t dim : tensor.shape) {
    check(!__builtin_mul_overflow(bytes, dim, &bytes),
          ErrorCode::kFormat,
          where,
          "its shape is larger than any file");
  }
  return bytes;
}

void check_ranges(const std::vector<HeaderEntry>& tensors, int64_t data_bytes, const std::string& origin) {
  int64_t expected_begin = 0;
  for (const HeaderEntry& tensor : tensors) {
    const std::string where = detail::join(origin, ": tensor \"", tensor.name, "\": ");
    const int64_t bytes = bytes_of(tensor, where);
    check(tensor.end <= data_bytes,
          ErrorCode::kFormat,
          where,
          "its bytes end at ",
          tensor.end,
          " but the file holds ",
          data_bytes,
          " bytes of data; it is truncated or its header is wrong");
    check(tensor.begin >= expected_begin,
          ErrorCode::kFormat,
          where,
          "its bytes begin at ",
          tensor.begin,
          ", inside the tensor before it, which ends at ",
          expected_begin);
    check(tensor.begin == expected_begin,
          ErrorCode::kFormat,
          where,
          "its bytes begin at ",
          tensor.begin,
          ", leaving a hole after ",
          expected_begin);
    check(tensor.end - tensor.begin == bytes,
          ErrorCode::kFormat,
          where,
          "its range has ",
          tensor.end - tensor.begin,
          " bytes but its shape and type need ",
          bytes);
    expected_begin = tensor.end;
  }
  check(expected_begin == data_bytes,
        ErrorCode::kFormat,
        origin,
        ": ",
        data_bytes - expected_begin,
        " bytes after the last tensor belong to none; the header or the file is wrong");
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text,
                                           int64_t data_bytes,
                                           const std::string& origin) {
  HeaderReader reader(origin);
  json::sax_parse(text.begin(), text.end(), &reader);
  SafetensorsHeader header = reader.take();
  std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  check_ranges(header.tensors, data_bytes, origin);
  return header;
}

}  // namespace automodel::io
