"""Writes a C++ source that holds text files: embed.py ROOT OUTPUT FILE..."""
import json
import pathlib
import sys

root, output, names = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
lines = ['#include "core/base/embedded.h"', "", "namespace automodel {", "",
         "const std::map<std::string, std::string>& embedded_texts() {",
         "  static const std::map<std::string, std::string> texts = {"]
for name in sorted(names):
    # One literal a line of text: compilers limit the length of a single literal.
    text = (root / name).read_text(encoding="utf-8").splitlines(keepends=True)
    literals = "\n".join("     " + json.dumps(line, ensure_ascii=True).replace("\\u", "\\\\u") for line in text) or '""'
    if "\\\\u" in literals:
        sys.exit(f"{name}: only ASCII is embedded")
    lines.append(f'    {{"{name}",\n{literals}}},')
lines += ["  };", "  return texts;", "}", "", "}  // namespace automodel", ""]
output.write_text("\n".join(lines))
