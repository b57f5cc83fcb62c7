#include "core/data/python_text.h"

#include <array>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/python_json.h"

namespace automodel::data {
namespace {

// What str.isspace() says yes to, as UTF-8.
constexpr std::array<std::string_view, 29> kSpaces = {" ",
                                                      "\t",
                                                      "\n",
                                                      "\v",
                                                      "\f",
                                                      "\r",
                                                      "\x1c",
                                                      "\x1d",
                                                      "\x1e",
                                                      "\x1f",
                                                      "\xc2\x85",
                                                      "\xc2\xa0",
                                                      "\xe1\x9a\x80",
                                                      "\xe2\x80\x80",
                                                      "\xe2\x80\x81",
                                                      "\xe2\x80\x82",
                                                      "\xe2\x80\x83",
                                                      "\xe2\x80\x84",
                                                      "\xe2\x80\x85",
                                                      "\xe2\x80\x86",
                                                      "\xe2\x80\x87",
                                                      "\xe2\x80\x88",
                                                      "\xe2\x80\x89",
                                                      "\xe2\x80\x8a",
                                                      "\xe2\x80\xa8",
                                                      "\xe2\x80\xa9",
                                                      "\xe2\x80\xaf",
                                                      "\xe2\x81\x9f",
                                                      "\xe3\x80\x80"};

}  // namespace

std::string_view python_strip(std::string_view text) {
  const auto strip_one = [&text] {
    for (const std::string_view space : kSpaces) {
      if (text.starts_with(space)) {
        text.remove_prefix(space.size());
        return true;
      }
      if (text.ends_with(space)) {
        text.remove_suffix(space.size());
        return true;
      }
    }
    return false;
  };
  while (strip_one()) {
  }
  return text;
}

std::string python_str(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_number_float()) return io::python_float(value.get<double>());
  if (const auto digits = io::written_json(value)) return std::string(*digits);
  ensure(value.is_number_integer(), "python_str of a list or an object");
  return value.dump();
}

std::string python_json_dumps(const nlohmann::ordered_json& value) {
  return io::write_python_json(value);
}

}  // namespace automodel::data
