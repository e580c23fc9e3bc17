// Divides the heap, so that every request that was accepted can be answered and no connection breaks for lack of memory.
//
//   floor      bytes that wait in the connections' windows, errors and pongs; requests, replies and operations leave it free
//   reply      one reply of the largest size; requests leave it free as well
//   requests   at most half of the rest, HTTP requests at most half of that; the other half is for operations and unread replies
//
// Kept replies give way to all of them.
#pragma once

#include <cstddef>

#include "chain.h"
#include "heap.h"
#include "job.h"
#include "kept_replies.h"
#include "settings.h"

namespace shoal {

class MemoryBudget {
 public:
  static constexpr size_t kSmallFrameMax = 1024;

  MemoryBudget(Heap& heap, KeptReplies& kept, const Settings& settings);
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Whether `heap_bytes` are enough for one largest request over HTTP, one on a link, and one largest reply.
  static bool suffices(size_t heap_bytes, const Settings& settings) { return heap_bytes >= least_bytes(settings); }
  static size_t least_bytes(const Settings& settings);

  /// The longest reply, in bytes.
  static size_t reply_max(const Settings& settings);

  /// Null: the requests that are held leave no room for another one of this size.
  Job* allocate_request(size_t body_size, bool is_http);

  /// For a frame of at most kSmallFrameMax that is answered as soon as it is complete: a ping, or a request that is refused. Null: the
  /// floor itself is used up.
  Job* allocate_small_frame(size_t body_size);

  void shrink(Job* job, size_t body_size);
  void free(Job* job);

  /// For the operation in work. Null: there is not so much.
  void* allocate_scratch(size_t bytes);
  void free_scratch(void* memory) { heap_.free(memory); }

  /// Whether a reply may take so much more. Drops kept replies if that helps.
  bool make_room(size_t bytes) ;

  /// The same, and drops nothing.
  bool has_room(size_t bytes) const;

  /// How much a kept reply must leave free.
  size_t reserve_bytes() const;

  /// Whether a request of `job`'s size could be given `bytes` if it were the only one.
  bool could_ever_allocate(const Job& job, size_t bytes) const;

  /// Whether there is less in one piece for `job` than if it had come to an idle guest: it lies in the midst of the memory, where other
  /// requests left it.
  bool is_in_the_way(const Job& job) const;

  /// A connection's bytes that wait for room take so much more of the floor, or less.
  void count_waiting(ptrdiff_t bytes) { waiting_bytes_ += static_cast<size_t>(bytes); }

  /// Bytes of all requests that are being read, wait or are in work.
  size_t held_bytes() const { return held_bytes_; }

 private:
  size_t floor_left() const;
  bool leave_free(size_t left_free, size_t bytes);
  void* allocate(size_t bytes, size_t left_free);

  Heap& heap_;
  KeptReplies& kept_;
  const size_t total_bytes_;
  const size_t reply_max_;
  const size_t requests_max_;
  size_t held_bytes_ = 0;
  size_t http_held_bytes_ = 0;
  size_t waiting_bytes_ = 0;
};

}  // namespace shoal
