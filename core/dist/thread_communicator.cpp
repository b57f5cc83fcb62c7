#include "core/dist/thread_communicator.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/error.h"

namespace automodel::dist {
namespace {

/// What a rank says of a call; the calls of a group must agree in all of it.
struct Header {
  std::string operation, name;
  at::ScalarType dtype = at::kFloat;
  int64_t count = 0;

  bool operator==(const Header&) const = default;
};

std::string to_string(const Header& header) {
  return detail::join(
      header.operation, " \"", header.name, "\" of ", header.count, " ", at::toString(header.dtype));
}

struct Call {
  Header header;
  at::Tensor in, out;
  std::vector<int64_t> send_counts{}, receive_counts{};
};

using Calls = std::vector<std::optional<Call>>;

/// Does the work of all ranks of a collective; runs in the thread of the last one to come.
using Work = std::function<void(const Calls&)>;

/// Where the ranks of a group meet.
class Meeting {
 public:
  Meeting(int64_t size, std::chrono::milliseconds patience)
      : calls_(static_cast<size_t>(size)), patience_(patience) {}

  int64_t size() const { return static_cast<int64_t>(calls_.size()); }

  /// Returns when every rank has brought its call and `work` is done.
  void meet(int64_t rank, Call call, const Work& work) {
    std::unique_lock lock(mutex_);
    check_whole();
    calls_[static_cast<size_t>(rank)] = std::move(call);
    ++num_present_;
    const int64_t round = round_;
    if (num_present_ == size()) {
      finish(work);
    } else if (!changed_.wait_for(lock, patience_, [&] { return round_ != round || broken_; })) {
      break_off(detail::join(missing(), " did not come to ", call_of(rank), " of rank ", rank));
    }
    if (round_ == round) check_whole();
  }

  void post(int64_t from, int64_t to, Call call) {
    const std::scoped_lock lock(mutex_);
    check_whole();
    mail_[{from, to}].push_back(std::move(call));
    changed_.notify_all();
  }

  Call take(int64_t from, int64_t to, const Header& expected) {
    std::unique_lock lock(mutex_);
    std::deque<Call>& queue = mail_[{from, to}];
    if (!changed_.wait_for(lock, patience_, [&] { return !queue.empty() || broken_; }))
      break_off(detail::join(
          "rank ", to, " waits for ", to_string(expected), " from rank ", from, ", which sent nothing"));
    if (queue.empty()) check_whole();
    Call call = std::move(queue.front());
    queue.pop_front();
    if (call.header != expected) {
      break_off(detail::join("rank ",
                             from,
                             " sent ",
                             to_string(call.header),
                             ", but rank ",
                             to,
                             " receives ",
                             to_string(expected)));
      check_whole();
    }
    return call;
  }

  void abort(int64_t rank, const std::string& reason) {
    const std::scoped_lock lock(mutex_);
    if (!broken_) break_off(detail::join("rank ", rank, " left: ", reason));
  }

 private:
  void check_whole() const {
    if (broken_) fail(ErrorCode::kComm, *broken_);
  }

  void break_off(std::string why) {
    broken_ = std::move(why);
    changed_.notify_all();
  }

  void finish(const Work& work) {
    for (size_t r = 1; r < calls_.size(); ++r) {
      if (calls_[r]->header == calls_[0]->header) continue;
      break_off(detail::join(
          "rank 0 calls ", call_of(0), ", rank ", r, " calls ", call_of(static_cast<int64_t>(r))));
      return;
    }
    try {
      work(calls_);
    } catch (const std::exception& error) {
      return break_off(error.what());
    }
    for (auto& call : calls_) call.reset();
    num_present_ = 0;
    ++round_;
    changed_.notify_all();
  }

  std::string call_of(int64_t rank) const { return to_string(calls_[static_cast<size_t>(rank)]->header); }

  std::string missing() const {
    std::string ranks;
    for (size_t r = 0; r < calls_.size(); ++r) {
      if (!calls_[r]) ranks += detail::join(ranks.empty() ? "rank " : ", ", r);
    }
    return ranks;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Calls calls_;
  std::map<std::pair<int64_t, int64_t>, std::deque<Call>> mail_;  ///< by (from, to)
  std::optional<std::string> broken_;
  std::chrono::milliseconds patience_;
  int64_t num_present_ = 0;
  int64_t round_ = 0;
};

/// The sum over ranks of elements [begin, begin + count) of their inputs, in float32 where they are bfloat16.
at::Tensor sum_of(const Calls& calls, int64_t begin, int64_t count) {
  at::Tensor sum;
  for (const auto& call : calls) {
    const at::Tensor part = call->in.view({-1}).narrow(0, begin, count);
    const at::Tensor term = part.scalar_type() == at::kBFloat16 ? part.to(at::kFloat) : part;
    sum = sum.defined() ? sum + term : term.clone();
  }
  return sum;
}

class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Meeting> meeting, int64_t rank)
      : meeting_(std::move(meeting)), rank_(rank) {}

  int64_t rank() const override { return rank_; }

  int64_t size() const override { return meeting_->size(); }

  void all_reduce(const std::string& name, at::Tensor values) override {
    meet("all_reduce", name, values, values, [](const Calls& calls) {
      const at::Tensor sum = sum_of(calls, 0, calls[0]->in.numel());
      for (const auto& call : calls) at::Tensor(call->out).view({-1}).copy_(sum);
    });
  }

  void all_gather(const std::string& name, const at::Tensor& part, at::Tensor whole) override {
    ensure(whole.numel() == part.numel() * size(),
           name,
           ": all_gather of ",
           part.numel(),
           " into ",
           whole.numel());
    meet("all_gather", name, part, whole, [](const Calls& calls) {
      for (const auto& call : calls) {
        for (size_t r = 0; r < calls.size(); ++r) {
          const int64_t n = call->in.numel();
          at::Tensor(call->out)
              .view({-1})
              .narrow(0, static_cast<int64_t>(r) * n, n)
              .copy_(calls[r]->in.view({-1}));
        }
      }
    });
  }

  void reduce_scatter(const std::string& name, const at::Tensor& whole, at::Tensor part) override {
    ensure(whole.numel() == part.numel() * size(),
           name,
           ": reduce_scatter of ",
           whole.numel(),
           " into ",
           part.numel());
    meet("reduce_scatter", name, whole, part, [](const Calls& calls) {
      for (size_t r = 0; r < calls.size(); ++r) {
        at::Tensor out = calls[r]->out;
        out.view({-1}).copy_(sum_of(calls, static_cast<int64_t>(r) * out.numel(), out.numel()));
      }
    });
  }

  void all_to_all(const std::string& name,
                  const at::Tensor& rows,
                  const std::vector<int64_t>& send_counts,
                  at::Tensor received,
                  const std::vector<int64_t>& receive_counts) override {
    // Ranks send differing numbers of rows: only their width is common.
    const Header header{"all_to_all", name, rows.scalar_type(), rows.size(1)};
    meeting_->meet(rank_, {header, rows, std::move(received), send_counts, receive_counts}, exchange);
  }

  void send(const std::string& name, const at::Tensor& values, int64_t to) override {
    meeting_->post(rank_, to, {header_of("send", name, values), values.clone(), {}});
  }

  void receive(const std::string& name, at::Tensor values, int64_t from) override {
    values.copy_(meeting_->take(from, rank_, header_of("send", name, values)).in);
  }

  void barrier(const std::string& name) override {
    meeting_->meet(rank_, {{"barrier", name}, {}, {}}, [](const Calls&) {});
  }

  void abort(const std::string& reason) override { meeting_->abort(rank_, reason); }

 private:
  static Header header_of(const char* operation, const std::string& name, const at::Tensor& values) {
    return {operation, name, values.scalar_type(), values.numel()};
  }

  void meet(const char* operation,
            const std::string& name,
            const at::Tensor& in,
            at::Tensor out,
            const Work& work) {
    ensure(in.is_cpu() && in.is_contiguous() && out.is_contiguous(),
           operation,
           " ",
           name,
           ": contiguous CPU tensors only");
    meeting_->meet(rank_, {header_of(operation, name, in), in, std::move(out)}, work);
  }

  static void exchange(const Calls& calls) {
    const auto num_ranks = calls.size();
    std::vector<int64_t> sent(num_ranks, 0);  // rows that each rank has given away
    for (size_t to = 0; to < num_ranks; ++to) {
      int64_t at = 0;
      for (size_t from = 0; from < num_ranks; ++from) {
        const int64_t count = calls[from]->send_counts.at(to);
        check(count == calls[to]->receive_counts.at(from),
              ErrorCode::kComm,
              to_string(calls[to]->header),
              ": rank ",
              from,
              " sends ",
              count,
              " rows to rank ",
              to,
              ", which expects ",
              calls[to]->receive_counts.at(from));
        at::Tensor(calls[to]->out).narrow(0, at, count).copy_(calls[from]->in.narrow(0, sent[from], count));
        at += count;
        sent[from] += count;
      }
    }
  }

  std::shared_ptr<Meeting> meeting_;
  int64_t rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int64_t size,
                                                                     std::chrono::milliseconds patience) {
  const auto meeting = std::make_shared<Meeting>(size, patience);
  std::vector<std::unique_ptr<Communicator>> communicators;
  for (int64_t rank = 0; rank < size; ++rank)
    communicators.push_back(std::make_unique<ThreadCommunicator>(meeting, rank));
  return communicators;
}

}  // namespace automodel::dist
