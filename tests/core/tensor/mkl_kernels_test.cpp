#include <string>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace automodel::tensor {
namespace {

TEST(MklKernels, TheLinkerTakesOurAnswerForLibTorch) {
  void* const answer = dlsym(RTLD_DEFAULT, "mkl_serv_intel_cpu_true");
  ASSERT_NE(answer, nullptr);
  Dl_info found{};
  ASSERT_NE(dladdr(answer, &found), 0);
  EXPECT_NE(std::string(found.dli_fname).find("libautomodel_engine.so"), std::string::npos)
      << found.dli_fname;
  // LibTorch still has MKL's answer under the same name, and so can be given another.
  void* const torch = dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(torch, nullptr);
  EXPECT_NE(dlsym(torch, "mkl_serv_intel_cpu_true"), nullptr) << "LibTorch's MKL asks something else now";
  dlclose(torch);
}

}  // namespace
}  // namespace automodel::tensor
