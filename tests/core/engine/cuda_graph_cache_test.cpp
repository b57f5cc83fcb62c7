#include "core/engine/cuda_graph_cache.h"

#include <gtest/gtest.h>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "core/ops/cuda/cuda.h"

namespace automodel::engine {
namespace {

nn::MicroBatch batch_of(int64_t rows, int64_t length) {
  nn::MicroBatch batch;
  batch.input_ids_BT = at::zeros({rows, length}, at::kLong);
  batch.labels_BT = at::zeros({rows, length}, at::kLong);
  return batch;
}

TEST(CudaGraphCache, OnlyWhatQueuesTheSameWorkHasTheSameKey) {
  const CudaGraphCache::Key key = CudaGraphCache::key_of(batch_of(2, 8), {false, true});
  EXPECT_EQ(CudaGraphCache::key_of(batch_of(2, 8), {false, true}), key);
  EXPECT_NE(CudaGraphCache::key_of(batch_of(1, 8), {false, true}), key);
  EXPECT_NE(CudaGraphCache::key_of(batch_of(2, 9), {false, true}), key);
  EXPECT_NE(CudaGraphCache::key_of(batch_of(2, 8), {true, true}), key);
  nn::MicroBatch packed = batch_of(2, 8);
  packed.tokens.documents_BT = at::zeros({2, 8}, at::kInt);
  EXPECT_NE(CudaGraphCache::key_of(packed, {false, true}), key);
}

TEST(CudaGraphCache, AMicroBatchWithoutALabelHasAKeyOfItsOwn) {
  nn::MicroBatch batch = batch_of(2, 8);
  const CudaGraphCache::Key labelled = CudaGraphCache::key_of(batch, {});
  batch.labels_BT.fill_(batch.ignore_index);
  const CudaGraphCache::Key unlabelled = CudaGraphCache::key_of(batch, {});
  EXPECT_NE(unlabelled, labelled);
  batch.labels_BT[1][3] = 5;
  EXPECT_EQ(CudaGraphCache::key_of(batch, {}), labelled);
  batch.labels_BT = at::full({2, 1}, 0.5);
  EXPECT_EQ(CudaGraphCache::key_of(batch, {}), labelled);
  batch.labels_BT.reset();
  EXPECT_EQ(CudaGraphCache::key_of(batch, {}), unlabelled);
}

TEST(CudaGraphCache, WhatHasNotRunOrIsRefusedIsNotWanted) {
  if (ops::num_cuda_devices() > 0) GTEST_SKIP() << "there is a GPU to ask";
  CudaGraphCache graphs(Graphs::kOn, at::kCPU);
  const CudaGraphCache::Key key = CudaGraphCache::key_of(batch_of(2, 8), {});
  EXPECT_FALSE(graphs.wants(key));
  graphs.saw(key, /*device_waited=*/false, 0);
  EXPECT_ANY_THROW(graphs.wants(key));  // it would be: asks the GPU, which is not there, for its memory
  graphs.refuse(key, "test");
  EXPECT_FALSE(graphs.wants(key));
  EXPECT_EQ(graphs.find(key), nullptr);
}

TEST(CudaGraphCache, ACopyOfAMicroBatchIsRefilledInPlace) {
  nn::MicroBatch batch = batch_of(2, 8);
  batch.tokens.lengths_B = at::full({2}, 8, at::kLong);
  const nn::MicroBatch fixed = fixed_copy(batch);
  const void* place = fixed.input_ids_BT.const_data_ptr();
  EXPECT_FALSE(fixed.labels_BT.defined());
  nn::MicroBatch next = batch_of(2, 8);
  next.input_ids_BT.fill_(7);
  next.tokens.lengths_B = at::full({2}, 5, at::kLong);
  refill(fixed, next);
  EXPECT_EQ(fixed.input_ids_BT.const_data_ptr(), place);
  EXPECT_TRUE(fixed.input_ids_BT.equal(next.input_ids_BT));
  EXPECT_TRUE(fixed.tokens.lengths_B.equal(next.tokens.lengths_B));
  EXPECT_TRUE(batch.input_ids_BT.eq(0).all().item<bool>());
}

}  // namespace
}  // namespace automodel::engine
