// Requests in the order of their arrival, over all connections.
#pragma once

#include <cstddef>

#include "job.h"

namespace shoal {

class JobQueue {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push(Job* job) {
    job->next = nullptr;
    if (last_ != nullptr) {
      last_->next = job;
    } else {
      first_ = job;
    }
    last_ = job;
    size_++;
  }

  Job* pop() {
    Job* const job = first_;
    first_ = job->next;
    if (first_ == nullptr) last_ = nullptr;
    size_--;
    return job;
  }

  /// Takes every job out for which `matches(job)` holds and hands it to `use(job)`.
  template <typename Matches, typename Use>
  void extract(Matches matches, Use use) {
    Job* job = first_;
    first_ = nullptr;
    last_ = nullptr;
    size_ = 0;
    while (job != nullptr) {
      Job* const next = job->next;
      if (matches(*job)) {
        use(job);
      } else {
        push(job);
      }
      job = next;
    }
  }

 private:
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace shoal
