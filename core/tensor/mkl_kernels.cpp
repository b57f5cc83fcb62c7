// LibTorch carries Intel's MKL for its float32 products. MKL asks its own `mkl_serv_intel_cpu_true` whether
// the processor is Intel's, and on any other leaves its best kernels unused, though the instructions are
// there: on an AMD EPYC with AVX-512 products run at 110-180 GFLOP/s instead of 200-220. Documented by those
// who run such clusters, https://documentation.sigma2.no/jobs/mkl.html. The dynamic linker finds the
// definition below before LibTorch's. MKL still asks the processor itself which instructions it has.

#include <cstdlib>
#include <string>

#include "core/base/log.h"

/// 1: choose kernels by instructions. `AUTOMODEL_MKL=plain` in the environment leaves MKL's choice for
/// processors of other vendors as it was; on Intel's that variable only takes kernels away. MKL asks often.
extern "C" __attribute__((visibility("default"))) int mkl_serv_intel_cpu_true() {
  static const bool plain = [] {
    const char* choice = std::getenv("AUTOMODEL_MKL");
    const std::string word = choice ? choice : "";
    if (!word.empty() && word != "plain")
      automodel::log::warning("AUTOMODEL_MKL=", word, ": expected plain; without effect");
    return word == "plain";
  }();
  return plain ? 0 : 1;
}
