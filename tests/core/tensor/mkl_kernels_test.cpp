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
}

}  // namespace
}  // namespace automodel::tensor
