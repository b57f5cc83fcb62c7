#include "core/ops/scan/causal_conv.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "tests/core/ops/gradient_check.h"

namespace automodel::ops {
namespace {

using testing::check_gradients;
using testing::random_tensor;
using testing::random_unit;

constexpr int64_t kChannels = 131;  // more than a block of channels
constexpr int64_t kKernel = 4;

std::unique_ptr<tensor::FlatParameter> conv_unit() {
  return random_unit({{"weight", {kChannels, 1, kKernel}}, {"bias", {kChannels}}}, 1);
}

CausalConv conv_of(tensor::FlatParameter* unit, bool bias, bool silu) {
  return {{unit, 0}, bias ? tensor::Weight{unit, 1} : tensor::Weight(), silu};
}

/// Torch's own convolution of one document [1, T, C].
at::Tensor plain(const at::Tensor& x, const CausalConv& conv) {
  const at::Tensor bias = conv.bias ? conv.bias.value() : at::Tensor();
  const at::Tensor y = at::conv1d(x.transpose(1, 2), conv.weight.value(), bias, 1, kKernel - 1, 1, x.size(2))
                           .narrow(2, 0, x.size(1));
  return (conv.silu ? at::silu(y) : y).transpose(1, 2);
}

TEST(CausalConv, EachDocumentOfARowAsTorchConvolvesItAlone) {
  const auto unit = conv_unit();
  GradSink sink;
  const OpContext context{&sink};
  const at::Tensor x = random_tensor({2, 37, kChannels + 5}, 2).narrow(2, 3, kChannels);
  const std::vector<std::vector<int64_t>> lengths = {{1, 2, 20, 14}, {37}};
  at::Tensor documents = at::zeros({2, 37}, at::kInt);
  std::vector<at::Tensor> rows;
  for (const bool full : {true, false}) {
    const CausalConv conv = conv_of(unit.get(), full, full);
    rows.clear();
    for (int64_t b = 0; b < 2; ++b) {
      std::vector<at::Tensor> parts;
      int64_t at = 0;
      for (const int64_t length : lengths[static_cast<size_t>(b)]) {
        documents[b].narrow(0, at, length).fill_(at + 5);
        parts.push_back(plain(x.narrow(0, b, 1).narrow(1, at, length), conv));
        at += length;
      }
      rows.push_back(at::cat(parts, 1));
    }
    const at::Tensor y = causal_conv(x, conv, first_of_document(documents), context);
    EXPECT_LT((y - at::cat(rows)).abs().max().item<double>(), 1e-12);
  }
}

TEST(CausalConv, Gradients) {
  const auto unit = conv_unit();
  const at::Tensor documents =
      at::tensor({3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1, 1, 1, 1, 1, 1, 1, -1, -1}, at::kInt)
          .view({2, 11});
  for (const bool silu : {true, false}) {
    for (const bool packed : {true, false}) {
      const CausalConv conv = conv_of(unit.get(), true, silu);
      check_gradients(
          [&](const std::vector<at::Tensor>& inputs, const OpContext& context) {
            return causal_conv(
                inputs[0], conv, packed ? first_of_document(documents) : at::Tensor(), context);
          },
          {random_tensor({2, 11, kChannels}, 3)},
          {unit.get()});
    }
  }
}

TEST(CausalConv, PiecesWithAStateAreTheWhole) {
  const auto unit = conv_unit();
  const CausalConv conv = conv_of(unit.get(), true, true);
  const at::Tensor x = random_tensor({2, 12, kChannels}, 4);
  GradSink sink;
  const at::Tensor whole = causal_conv(x, conv, {}, {&sink});
  at::Tensor state;
  std::vector<at::Tensor> pieces;
  int64_t at = 0;
  for (const int64_t length : {5, 1, 1, 2, 3}) {
    pieces.push_back(causal_conv_next(x.narrow(1, at, length), conv, state));
    at += length;
  }
  EXPECT_TRUE(at::cat(pieces, 1).equal(whole));
}

TEST(CausalConv, FirstOfDocument) {
  const at::Tensor documents = at::tensor({7, 7, 2, 2, 2, 7, -1, -1}, at::kInt).view({1, 8});
  const at::Tensor expected = at::tensor({0, 0, 2, 2, 2, 5, 6, 6}, at::kInt).view({1, 8});
  EXPECT_TRUE(first_of_document(documents).equal(expected));
  EXPECT_TRUE(first_of_document(documents.narrow(1, 0, 1)).equal(expected.narrow(1, 0, 1)));
  EXPECT_FALSE(first_of_document({}).defined());
}

}  // namespace
}  // namespace automodel::ops
