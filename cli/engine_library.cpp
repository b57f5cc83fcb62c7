#include "cli/engine_library.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <dlfcn.h>

#include "core/base/error.h"

namespace automodel::cli {
namespace {

constexpr const char* kEngineFile = "libautomodel_engine.so";

/// Beside the program in a build folder, in ../lib in an installation.
std::filesystem::path engine_path() {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::filesystem::path beside = folder / kEngineFile;
  if (std::filesystem::exists(beside, ignored)) return beside;
  const std::filesystem::path installed = folder.parent_path() / "lib" / kEngineFile;
  return std::filesystem::exists(installed, ignored) ? installed : beside;
}

/// GNU OpenMP lets a thread that waits for others spin for milliseconds; where another process wants the same
/// cores a training step then takes four times as long. Some microseconds cost nothing elsewhere. Read when
/// the engine is opened; what the user says stands.
void spin_briefly() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) ::setenv("GOMP_SPINCOUNT", "4000", /*overwrite=*/0);
}

const recipes::Engine* open_engine() {
  spin_briefly();
  const std::filesystem::path path = engine_path();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const std::string reason = dlerror();
    fail(ErrorCode::kInternal,
         "this command needs ",
         path.string(),
         ", which cannot be opened: ",
         reason,
         "; build it with cmake -DAUTOMODEL_ENGINE=ON (packaging/setup installs LibTorch)");
  }
  void* symbol = dlsym(library, recipes::kEngineSymbol);
  check(symbol != nullptr,
        ErrorCode::kInternal,
        path.string(),
        " has no symbol ",
        recipes::kEngineSymbol,
        "; it belongs to another version of automodel: build both again");
  return reinterpret_cast<recipes::EngineFunction>(symbol)();
}

}  // namespace

const recipes::Engine& load_engine() {
  static const recipes::Engine* const engine = open_engine();
  return *engine;
}

}  // namespace automodel::cli
