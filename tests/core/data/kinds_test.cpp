#include "core/data/kinds.h"

#include <utility>

#include <gtest/gtest.h>

namespace automodel::data {
namespace {

using Kind = decltype(config::DatasetConfig::kind);

template <size_t... Indices>
std::vector<Kind> all_kinds(std::index_sequence<Indices...> /*indices*/) {
  return {Kind(std::in_place_index<Indices>)...};
}

TEST(SetKind, EveryKindHasARowInBothTablesAndTheyAgree) {
  for (const Kind& kind : all_kinds(std::make_index_sequence<std::variant_size_v<Kind>>())) {
    config::DatasetConfig dataset;
    dataset.kind = kind;
    const config::DatasetKind& known = config::kind_of(dataset);
    const bool is_stream = std::holds_alternative<SetKind::OpenStream>(set_kind_of(dataset).open);
    EXPECT_EQ(known.has_rows, !is_stream) << known.name;
    EXPECT_TRUE(known.has_rows || !known.has_own_lengths) << known.name;
  }
}

}  // namespace
}  // namespace automodel::data
