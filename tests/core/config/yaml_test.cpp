#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/config/text/node_json.h"
#include "core/config/text/python_literal.h"
#include "core/config/text/redact.h"
#include "core/config/text/yaml_reader.h"
#include "core/config/text/yaml_writer.h"

namespace automodel::config {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "r.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfig);
    return error.message();
  }
  return "";
}

TEST(Yaml, NodesKnowTheirLines) {
  const Node root = parse_yaml("a: 1\nb:\n  c: [2,\n    3]\n", "r.yaml");
  EXPECT_EQ(root.find_path("b.c")->line, 3);
  EXPECT_EQ(root.find_path("b.c")->items[1].line, 4);
  EXPECT_EQ(root.entries[1].line, 2);
}

TEST(Yaml, NullIsNullHoweverWritten) {
  EXPECT_EQ(to_json(parse_yaml("a:\nb: ~\nc: null\nd: [null, ~]\ne: {f: , g}\n", "r.yaml")),
            R"({"a":null,"b":null,"c":null,"d":[null,null],"e":{"f":null,"g":null}})");
}

TEST(Yaml, MergedKeysComeFirstAndOwnKeysWin) {
  EXPECT_EQ(to_json(parse_yaml("b: &b {x: 1, y: 2}\nc: {z: 0, <<: *b, y: 3}\n", "r.yaml").entries[1].value),
            R"({"x":1,"y":3,"z":0})");
}

TEST(Yaml, WhatYamlCppLetsPassIsRefused) {
  EXPECT_EQ(error_of("a: 1\nbroken\n"), "r.yaml:2: \"broken\" has no colon after it");
  EXPECT_EQ(error_of("a: 1\nb: 'open\n"), "r.yaml:2: the quoted text that begins here is never closed");
  EXPECT_EQ(error_of("a: [1, , 2]\n"), "r.yaml:1: a list has a comma with no value");
}

TEST(Yaml, DuplicateKeysNameBothLines) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"),
            "r.yaml:3: the key \"a\" stands twice in one map, first in line 1; remove one of them");
}

TEST(PythonLiteral, TypesTextAsTheReferenceDoes) {
  EXPECT_EQ(to_json(typed_value("1e-5")), "1e-05");
  EXPECT_EQ(to_json(typed_value("(0.9, 0.95)")), "[0.9,0.95]");
  EXPECT_EQ(to_json(typed_value("['*q_proj']")), R"(["*q_proj"])");
  EXPECT_EQ(to_json(typed_value("none")), "null");
  EXPECT_EQ(to_json(typed_value("train[:100]")), R"("train[:100]")");
  EXPECT_EQ(to_json(typed_value("08")), R"("08")");
}

TEST(Redact, HidesSecretsAndNotTokenizers) {
  Node root = parse_yaml(
      "wandb: {api_key: abc}\nhf_token: ${HF_TOKEN}\npassword: ${P,default}\ntokenizer: {path: "
      "x}\nbos_token: 5\n",
      "r.yaml");
  redact(root);
  EXPECT_EQ(to_yaml(root),
            "wandb:\n  api_key: '******'\nhf_token: ${HF_TOKEN}\npassword: '******'\ntokenizer:\n  path: "
            "x\nbos_token: 5\n");
}

}  // namespace
}  // namespace automodel::config
