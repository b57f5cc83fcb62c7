// What libFuzzer calls; AUTOMODEL_FUZZ_TARGET is the target's name.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const automodel::fuzz::Target& target = automodel::fuzz::target_of(AUTOMODEL_FUZZ_TARGET);
  automodel::fuzz::survive(target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
