#include "core/tensor/flat_parameter.h"

#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

namespace automodel::tensor {
namespace {

TEST(FlatParameter, EveryTensorStartsAtAMultipleOf256) {
  const FlatParameter unit("u", {{"a", {3, 5}}, {"b", {256}}, {"c", {1}}}, {});
  for (const Parameter& parameter : unit.parameters())
    EXPECT_EQ(parameter.offset % kAlignment, 0) << parameter.name;
  EXPECT_EQ(unit.main_weights().numel(), 3 * kAlignment);
}

TEST(FlatParameter, AMasterCopyIsRoundedWhenGatheredAndAgainAfterAChange) {
  FlatParameter::Options options;
  options.compute_dtype = at::kBFloat16;
  FlatParameter unit("u", {{"a", {4}}}, options);
  unit.main_weight(0).fill_(1.001f);
  unit.main_changed();
  unit.gather();
  EXPECT_EQ(unit.weight(0).scalar_type(), at::kBFloat16);
  EXPECT_EQ(unit.weight(0)[0].item<float>(), 1.0f);
  unit.main_weight(0).fill_(3.0f);
  unit.gather();
  EXPECT_EQ(unit.weight(0)[0].item<float>(), 1.0f) << "not told of the change yet";
  unit.main_changed();
  unit.gather();
  EXPECT_EQ(unit.weight(0)[0].item<float>(), 3.0f);
}

TEST(FlatParameter, GradientsThatNoOpWroteAreZeroAfterTheStep) {
  FlatParameter unit("u", {{"a", {4}}, {"b", {4}}}, {});
  unit.begin_step();
  unit.grad(0).fill_(5);
  unit.grad(1).fill_(5);
  unit.mark_grad_written(1, 1);
  unit.reduce_grads();
  EXPECT_TRUE(unit.grad(0).eq(0).all().item<bool>());
  EXPECT_TRUE(unit.grad(1).eq(5).all().item<bool>());
}

TEST(FlatParameter, NeighboursWithoutGapsAreOneMatrix) {
  const FlatParameter whole("u", {{"q", {2, 256}}, {"k", {1, 256}}}, {});
  EXPECT_TRUE(whole.contiguous(0, 2));
  const FlatParameter gap("u", {{"q", {2, 100}}, {"k", {1, 100}}}, {});
  EXPECT_FALSE(gap.contiguous(0, 2));
  const FlatParameter widths("u", {{"q", {2, 256}}, {"k", {2, 128}}}, {});
  EXPECT_FALSE(widths.contiguous(0, 2));
}

TEST(FlatParameter, ReleasedWeightsReadNanInADebugBuild) {
  FlatParameter::Options options;
  options.placement = Placement::kTransient;
  FlatParameter unit("u", {{"a", {4}}}, options);
  unit.gather();
  const at::Tensor kept = unit.weight(0);
  unit.release();
  EXPECT_EQ(kept.isnan().all().item<bool>(), kDebugBuild);
}

TEST(FlatParameter, SlicesAreItsParametersInOrderAndShareTheirMemory) {
  FlatParameter unit("u", {{"a", {3, 5}}, {"b", {7}}}, {});
  std::vector<std::string> seen;
  unit.for_each_slice([&](const Slice& slice) {
    EXPECT_EQ(slice.begin, 0);
    EXPECT_FALSE(slice.main_grads.defined()) << "no step has begun";
    at::Tensor values = slice.main_weights;
    values.fill_(static_cast<double>(slice.index) + 1);
    seen.push_back(detail::join(unit.parameters()[slice.index].name, values.numel()));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"a15", "b7"}));
  EXPECT_EQ(unit.main_weight(1)[6].item<float>(), 2);
  EXPECT_EQ(unit.main_weights().sum().item<float>(), 15 + 14) << "gaps stay zero";
}

/// Holds elements [begin, begin + count) only.
class PartOfStorage : public FlatStorage {
 public:
  PartOfStorage(int64_t begin, int64_t count) : begin_(begin), main_(at::zeros({count})) {}

  const at::Tensor& main_weights() const override { return main_; }

  int64_t main_begin() const override { return begin_; }

  const at::Tensor& compute_weights() const override { return none_; }

  void gather() override {}

  void release() override {}

  void main_changed() override {}

  const at::Tensor& grads() const override { return none_; }

  void begin_step() override {}

  const at::Tensor& main_grads() const override { return none_; }

  void set_grad_dtype(at::ScalarType) override {}

 private:
  int64_t begin_;
  at::Tensor main_, none_;
};

TEST(FlatParameter, OnlyWhatARankHoldsIsWrittenAndVisited) {
  // "a" ends at 300, "b" begins at 512: this rank holds [250, 600).
  FlatParameter unit("u", {{"a", {3, 100}}, {"b", {200}}}, {}, std::make_unique<PartOfStorage>(250, 350));
  for (const size_t index : {size_t{0}, size_t{1}}) {
    unit.write_main_weight(index, [](at::Tensor weight) {
      weight.copy_(at::arange(weight.numel(), weight.options()).view(weight.sizes()));
    });
  }
  std::vector<std::pair<int64_t, int64_t>> held;
  unit.for_each_slice([&](const Slice& slice) {
    held.emplace_back(slice.begin, slice.main_weights.numel());
    EXPECT_EQ(slice.main_weights[0].item<int64_t>(), slice.begin);
  });
  EXPECT_EQ(held, (std::vector<std::pair<int64_t, int64_t>>{{250, 50}, {0, 88}}));
  EXPECT_THROW(unit.main_weight(0), Error);
}

TEST(LocalShape, RanksShareGranulesOfEachPart) {
  EXPECT_EQ(local_shape({12, 5}, {.dim = 0, .granule = 2, .parts = 2}, 3), (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(local_shape({12, 5}, {}, 3), (std::vector<int64_t>{12, 5}));
  EXPECT_THROW(local_shape({12, 5}, {.dim = 0, .granule = 4}, 2), Error);
}

}  // namespace
}  // namespace automodel::tensor
