// fuzz_replay CORPUS: every file of CORPUS/NAME through target NAME. Needs no fuzzer.
#include <filesystem>
#include <iostream>

#include "core/base/files.h"
#include "tests/fuzz/targets.h"

namespace {

/// Whether the folder has files and its target survives them all.
bool replay(const automodel::fuzz::Target& target, const std::filesystem::path& folder) {
  int accepted = 0, refused = 0;
  bool survived = true;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    try {
      ++(automodel::fuzz::survive(target, automodel::read_file(entry.path())) ? accepted : refused);
    } catch (const std::exception& error) {
      std::cout << entry.path().string() << ": " << error.what() << '\n';
      survived = false;
    }
  }
  std::cout << target.name << ": " << accepted << " accepted, " << refused << " refused\n";
  return survived && accepted > 0 && refused > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path corpus = argv[1];
  bool good = true;
  for (const auto& target : automodel::fuzz::targets()) good &= replay(target, corpus / target.name);
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    automodel::fuzz::target_of(entry.path().filename().string());
  }
  return good ? 0 : 1;
}
