"""Headers: #pragma once, no mutable variable at namespace or class level (two libraries would hold two copies), no
`using namespace`; public headers are documented."""
import re

from tree import cpp_files, read, report


def without_comments_and_strings(text: str) -> str:
    """The same length and lines, with comments and literals blanked."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"\(.*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


VARIABLE = re.compile(r"\b(?:static|inline|thread_local|extern)\b[^;{}()=]*(?P<end>[;{(=])")
CONSTANT = re.compile(r"\b(const|constexpr|consteval|constinit|using|namespace|class|struct|concept|template|operator)\b")

breaches = []
headers = [name for name in cpp_files() if name.endswith(".h")]
for name in headers:
    text = read(name)
    code = without_comments_and_strings(text)
    if "#pragma once" not in code:
        breaches.append(f"{name}:1: no #pragma once")
    for match in re.finditer(r"\busing\s+namespace\b", code):
        breaches.append(f"{name}:{code.count(chr(10), 0, match.start()) + 1}: using namespace in a header")
    for match in VARIABLE.finditer(code):
        declaration = match.group(0)
        language = re.fullmatch(r"extern\s*\{", declaration)  # extern "C" {
        if match.group("end") != "(" and not language and not CONSTANT.search(declaration):
            breaches.append(f"{name}:{code.count(chr(10), 0, match.start()) + 1}: mutable variable in a header: "
                            f"{' '.join(declaration.split())}")
    if name.startswith(("core/", "cli/", "launcher/")) and not re.search(r"^ *///? ", text, re.MULTILINE):
        breaches.append(f"{name}:1: nothing in this header is documented")
report(breaches, len(headers))
