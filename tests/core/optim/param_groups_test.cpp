#include "core/optim/param_groups.h"

#include <sstream>

#include <gtest/gtest.h>

#include <ATen/ops/arange.h>

#include "core/base/error.h"

namespace automodel::optim {
namespace {

/// "u:group first+count begin+numel" for each range.
std::string text_of(const std::vector<Range>& ranges) {
  std::ostringstream out;
  for (const Range& range : ranges)
    out << range.unit->name() << ":" << range.group << " " << range.first_parameter << "+"
        << range.num_parameters << " " << range.begin << "+" << range.numel << "\n";
  return out.str();
}

TEST(ParamGroups, NeighboursOfOneGroupAreOneRange) {
  tensor::FlatParameter first("u", {{"a", {300}}, {"norm", {4}}, {"b", {2, 3}}, {"c", {5}}}, {});
  tensor::FlatParameter second("v", {{"d", {256}}, {"e", {1}}}, {});
  const std::vector<tensor::FlatParameter*> units = {&first, &second};
  const auto all = [](const tensor::Parameter&) { return size_t{0}; };
  EXPECT_EQ(text_of(ranges_of(units, all)), "u:0 0+4 0+1280\nv:0 0+2 0+512\n") << "one call per unit";
  const auto vectors = [](const tensor::Parameter& parameter) { return size_t{parameter.shape.size() == 1}; };
  EXPECT_EQ(text_of(ranges_of(units, vectors)),
            "u:1 0+2 0+768\nu:0 2+1 768+256\nu:1 3+1 1024+256\nv:1 0+2 0+512\n");
}

TEST(ParamGroups, ARangeKnowsWhereItsParametersLie) {
  tensor::FlatParameter unit("u", {{"a", {300}}, {"b", {2, 3}}, {"c", {5}}}, {});
  const auto group_of = [](const tensor::Parameter& parameter) { return size_t{parameter.name != "a"}; };
  const std::vector<Range> ranges = ranges_of({&unit}, group_of);
  ASSERT_EQ(ranges.size(), 2);
  const at::Tensor flat = at::arange(ranges[1].numel);
  EXPECT_TRUE(ranges[1].view(flat, 1).equal(at::arange(6).view({2, 3})));
  EXPECT_TRUE(ranges[1].view(flat, 2).equal(at::arange(256, 261)));
  EXPECT_THROW(ranges[1].view(flat, 0), Error);
}

}  // namespace
}  // namespace automodel::optim
