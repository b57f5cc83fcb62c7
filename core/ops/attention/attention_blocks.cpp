// Attention of f32 and f64 on a CPU: blocks of queries against all keys that they see. The scores of a block
// stay in the cache; its products run at the speed of large ones, which those of ATen's smaller blocks do
// not.
#include <algorithm>
#include <atomic>
#include <functional>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/kernels/softmax_rows.h"
#include "core/ops/attention/attention_tile.h"
#include "core/ops/dispatch.h"
#include "core/tensor/matrix_product.h"

namespace automodel::ops {
namespace {

using kernels::Visible;
using tensor::Matrix;

/// Queries of a block: its scores take half a megabyte.
int64_t rows_of_block(int64_t keys) {
  constexpr int64_t kScores = 1 << 17, kFewest = 32, kMost = 128;
  return std::clamp(kScores / std::max<int64_t>(keys, 1), kFewest, kMost);
}

struct Block {
  int64_t begin, rows;  ///< of queries
  int64_t keys;         ///< that any of them sees, from the first on
};

/// Block `index` of `in`, the last queries first.
Block block_of(const TileInput& in, int64_t index) {
  const int64_t queries = in.q_BNTH.size(2), keys = in.k_BKSH.size(2);
  const int64_t rows = rows_of_block(keys);
  const int64_t begin = ((queries + rows - 1) / rows - 1 - index) * rows;
  const int64_t end = std::min(queries, begin + rows);
  return {begin, end - begin, in.causal ? std::min(keys, end) : keys};
}

int64_t num_blocks(const TileInput& in) {
  const int64_t rows = rows_of_block(in.k_BKSH.size(2));
  return (in.q_BNTH.size(2) + rows - 1) / rows;
}

/// The rows of one head of x [B, N, T, H].
template <class T>
Matrix<T> head_of(const at::Tensor& x, int64_t b, int64_t n) {
  return {data<T>(x) + b * x.stride(0) + n * x.stride(1), x.stride(2)};
}

/// The first element of one head.
template <class T>
T* mutable_head_of(const at::Tensor& x, int64_t b, int64_t n) {
  return mutable_data<T>(x) + b * x.stride(0) + n * x.stride(1);
}

template <class T>
Matrix<T> from_row(const Matrix<T>& rows, int64_t first) {
  return {rows.data + first * rows.stride, rows.stride};
}

template <class T>
Matrix<T> transposed(const Matrix<T>& rows) {
  return {rows.data, rows.stride, true};
}

template <class T>
Visible<T> visible_of(const TileInput& in, const Block& block, int64_t b, int64_t n) {
  Visible<T> visible{in.causal ? block.begin + 1 : block.keys, in.causal ? 1 : 0, nullptr, 0};
  if (!in.mask.defined()) return visible;
  const auto step = [&](int64_t dim) { return in.mask.size(dim) == 1 ? 0 : in.mask.stride(dim); };
  visible.mask = data<T>(in.mask) + b * step(0) + n * step(1) + block.begin * step(2);
  visible.mask_stride = step(2);
  return visible;
}

/// Threads take one piece after another: those at the end of a causal row are larger.
void share_out(int64_t pieces, const std::function<void(int64_t)>& body) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, std::min<int64_t>(pieces, at::get_num_threads()), 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < pieces; i = next++) body(i);
  });
}

at::Tensor with_even_rows(const at::Tensor& x) {
  return x.stride(3) == 1 ? x : x.contiguous();
}

TileInput checked(TileInput in) {
  in.q_BNTH = with_even_rows(in.q_BNTH);
  in.k_BKSH = with_even_rows(in.k_BKSH);
  in.v_BKSV = with_even_rows(in.v_BKSV);
  if (!in.mask.defined()) return in;
  while (in.mask.dim() < 4) in.mask = in.mask.unsqueeze(0);
  ensure(in.mask.scalar_type() == in.q_BNTH.scalar_type() && in.mask.size(3) == in.k_BKSH.size(2),
         "an attention mask ",
         in.mask.sizes(),
         " of type ",
         in.mask.scalar_type());
  in.mask = with_even_rows(in.mask);
  return in;
}

/// [B, N, T, H] that lies as [B, T, N, H].
at::Tensor tokens_first(const at::Tensor& like, int64_t heads, int64_t tokens, int64_t width) {
  return at::empty({like.size(0), tokens, heads, width}, like.options()).transpose(1, 2);
}

template <class T>
class Forward {
 public:
  explicit Forward(const TileInput& in)
      : in_(in),
        heads_(in.q_BNTH.size(1)),
        heads_of_key_(heads_ / in.k_BKSH.size(1)),
        out_(tokens_first(in.q_BNTH, heads_, in.q_BNTH.size(2), in.v_BKSV.size(3))),
        lse_(at::empty(in.q_BNTH.sizes().slice(0, 3), in.q_BNTH.options())) {}

  TileOutput run() {
    const int64_t all_heads = in_.q_BNTH.size(0) * heads_;
    share_out(num_blocks(in_) * all_heads,
              [&](int64_t i) { block(block_of(in_, i / all_heads), i % all_heads); });
    return {out_, lse_, {}, {}};
  }

 private:
  void block(const Block& block, int64_t head) {
    const int64_t b = head / heads_, n = head % heads_;
    const int64_t keys = block.keys, width = in_.v_BKSV.size(3);
    const at::Tensor scores = at::empty({block.rows, keys}, in_.q_BNTH.options());
    const at::Tensor inverse_sums = at::empty({block.rows}, in_.q_BNTH.options());
    T* s = mutable_data<T>(scores);
    multiply(block.rows,
             keys,
             in_.q_BNTH.size(3),
             from_row(head_of<T>(in_.q_BNTH, b, n), block.begin),
             transposed(head_of<T>(in_.k_BKSH, b, n / heads_of_key_)),
             T(0),
             s,
             keys,
             static_cast<T>(in_.scale));
    kernels::softmax_rows(s,
                          visible_of<T>(in_, block, b, n),
                          mutable_data<T>(inverse_sums),
                          mutable_data<T>(lse_) + head * in_.q_BNTH.size(2) + block.begin,
                          block.rows,
                          keys);
    const int64_t stride = out_.stride(2);
    T* out = mutable_head_of<T>(out_, b, n) + block.begin * stride;
    const Matrix<T> v = head_of<T>(in_.v_BKSV, b, n / heads_of_key_);
    multiply(block.rows, width, keys, Matrix<T>{s, keys}, v, T(0), out, stride);
    kernels::scale_rows(out, stride, data<T>(inverse_sums), block.rows, width);
  }

  const TileInput& in_;
  int64_t heads_, heads_of_key_;
  at::Tensor out_, lse_;
};

/// Heads side by side; the blocks of one after another, which add to the gradients of its keys.
template <class T>
class Backward {
 public:
  Backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout)
      : in_(in),
        out_(with_even_rows(out.out_BNTV)),
        lse_(out.lse_BNT.contiguous()),
        dout_(with_even_rows(dout)),
        heads_(in.q_BNTH.size(1)),
        heads_of_key_(heads_ / in.k_BKSH.size(1)),
        dq_(tokens_first(in.q_BNTH, heads_, in.q_BNTH.size(2), in.q_BNTH.size(3))),
        dk_(tokens_first(in.q_BNTH, heads_, in.k_BKSH.size(2), in.k_BKSH.size(3))),
        dv_(tokens_first(in.q_BNTH, heads_, in.k_BKSH.size(2), in.v_BKSV.size(3))) {}

  TileGrads run() {
    share_out(in_.q_BNTH.size(0) * heads_, [&](int64_t head) {
      const int64_t keys = in_.k_BKSH.size(2);
      const int64_t rows = std::min(rows_of_block(keys), in_.q_BNTH.size(2));
      const at::Tensor buffer = at::empty({2, rows * keys}, in_.q_BNTH.options());
      const at::Tensor means = at::empty({rows}, in_.q_BNTH.options());
      for (int64_t i = 0; i < num_blocks(in_); ++i)
        block(block_of(in_, i), head, i == 0, mutable_data<T>(buffer), mutable_data<T>(means));
    });
    return {dq_, of_key_heads(dk_), of_key_heads(dv_)};
  }

 private:
  void block(const Block& block, int64_t head, bool first, T* s, T* means) {
    const int64_t b = head / heads_, n = head % heads_;
    const int64_t rows = block.rows, keys = block.keys;
    const int64_t width = in_.q_BNTH.size(3), v_width = in_.v_BKSV.size(3);
    T* ds = s + rows * keys;
    const T scale = static_cast<T>(in_.scale);
    const T keep = first ? 0 : 1;  // the first block sees every key
    const Matrix<T> q = from_row(head_of<T>(in_.q_BNTH, b, n), block.begin);
    const Matrix<T> k = head_of<T>(in_.k_BKSH, b, n / heads_of_key_);
    const Matrix<T> v = head_of<T>(in_.v_BKSV, b, n / heads_of_key_);
    const Matrix<T> out = from_row(head_of<T>(out_, b, n), block.begin);
    const Matrix<T> dout = from_row(head_of<T>(dout_, b, n), block.begin);
    T* dq = mutable_head_of<T>(dq_, b, n) + block.begin * dq_.stride(2);
    T *dk = mutable_head_of<T>(dk_, b, n), *dv = mutable_head_of<T>(dv_, b, n);
    multiply(rows, keys, width, q, transposed(k), T(0), s, keys, scale);
    multiply(rows, keys, v_width, dout, transposed(v), T(0), ds, keys);
    kernels::row_products(dout.data, dout.stride, out.data, out.stride, means, rows, v_width);
    const T* lse = data<T>(lse_) + head * in_.q_BNTH.size(2) + block.begin;
    kernels::softmax_rows_backward(s, ds, visible_of<T>(in_, block, b, n), lse, means, rows, keys);
    multiply(keys, v_width, rows, Matrix<T>{s, keys, true}, dout, keep, dv, dv_.stride(2));
    multiply(keys, width, rows, Matrix<T>{ds, keys, true}, q, keep, dk, dk_.stride(2), scale);
    multiply(rows, width, keys, Matrix<T>{ds, keys}, k, T(0), dq, dq_.stride(2), scale);
  }

  /// Summed over the heads that share a key.
  at::Tensor of_key_heads(const at::Tensor& x_BNSH) const {
    if (heads_of_key_ == 1) return x_BNSH;
    const at::Tensor x = x_BNSH.transpose(1, 2);
    return x.view({x.size(0), x.size(1), heads_ / heads_of_key_, heads_of_key_, x.size(3)})
        .sum({3})
        .transpose(1, 2);
  }

  const TileInput& in_;
  at::Tensor out_, lse_, dout_;
  int64_t heads_, heads_of_key_;
  at::Tensor dq_, dk_, dv_;
};

}  // namespace

TileOutput blocked_forward(const TileInput& in) {
  const TileInput even = checked(in);
  return in.q_BNTH.scalar_type() == at::kDouble ? Forward<double>(even).run() : Forward<float>(even).run();
}

TileGrads blocked_backward(const TileInput& in, const TileOutput& out, const at::Tensor& dout_BNTV) {
  const TileInput even = checked(in);
  return in.q_BNTH.scalar_type() == at::kDouble ? Backward<double>(even, out, dout_BNTV).run()
                                                : Backward<float>(even, out, dout_BNTV).run();
}

}  // namespace automodel::ops
