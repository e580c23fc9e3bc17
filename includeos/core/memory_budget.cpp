#include "memory_budget.h"

#include "capacity.h"
#include "frame.h"

namespace shoal {
namespace {

// A reply may be this long even if requests must be shorter: a digest of one byte has 64.
constexpr size_t kReplyMaxLeast = 4096;

// A connection's window in whole pieces, and the head of an HTTP request.
constexpr size_t kHeldMax = (kWindowMax / Piece::kCapacity + 3) * sizeof(Piece);

// One piece with the answer for each connection that is turned away.
constexpr size_t kTurnedAwayBytes = kTurnedAwayMax * (sizeof(Piece) + 64);

// Small frames, errors and pongs.
constexpr size_t kSlackBytes = 64 << 10;

constexpr size_t kFloorBytes = kConnectionMax * kHeldMax + kTurnedAwayBytes + kSlackBytes;

size_t request_max(const Settings& settings) {
  return sizeof(Job) + FrameHeader::kOperationMax + FrameHeader::kTokenMax + FrameHeader::kTypedMax + settings.payload_max;
}

size_t larger(size_t a, size_t b) { return a > b ? a : b; }

}  // namespace

MemoryBudget::MemoryBudget(Heap& heap, KeptReplies& kept, const Settings& settings)
    : heap_(heap),
      kept_(kept),
      total_bytes_(heap.free_bytes() + heap.used_bytes()),
      reply_max_(reply_max(settings)),
      requests_max_(larger((total_bytes_ - kFloorBytes - reply_max_) / 2, 2 * request_max(settings))) {}

size_t MemoryBudget::least_bytes(const Settings& settings) {
  return kFloorBytes + reply_max(settings) + 2 * request_max(settings);
}

size_t MemoryBudget::reply_max(const Settings& settings) { return larger(settings.payload_max, kReplyMaxLeast); }

Job* MemoryBudget::allocate_request(size_t body_size, bool is_http) {
  const size_t bytes = sizeof(Job) + body_size;
  if (held_bytes_ + bytes > requests_max_) return nullptr;
  if (is_http && http_held_bytes_ + bytes > requests_max_ / 2) return nullptr;
  auto* const job = static_cast<Job*>(allocate(bytes, reserve_bytes()));
  if (job == nullptr) return nullptr;
  *job = {};
  job->held_bytes = static_cast<uint32_t>(bytes);
  job->is_http = is_http;
  held_bytes_ += bytes;
  if (is_http) http_held_bytes_ += bytes;
  return job;
}

Job* MemoryBudget::allocate_small_frame(size_t body_size) {
  auto* const job = static_cast<Job*>(allocate(sizeof(Job) + body_size, 0));
  if (job != nullptr) *job = {};
  return job;
}

void MemoryBudget::shrink(Job* job, size_t body_size) {
  const size_t given_back = job->held_bytes - (sizeof(Job) + body_size);
  job->held_bytes -= static_cast<uint32_t>(given_back);
  held_bytes_ -= given_back;
  if (job->is_http) http_held_bytes_ -= given_back;
  heap_.shrink(job, sizeof(Job) + body_size);
}

void MemoryBudget::free(Job* job) {
  held_bytes_ -= job->held_bytes;
  if (job->is_http) http_held_bytes_ -= job->held_bytes;
  heap_.free(job);
}

void* MemoryBudget::allocate_scratch(size_t bytes) { return allocate(bytes, floor_left()); }

bool MemoryBudget::make_room(size_t bytes) { return leave_free(floor_left(), bytes); }

bool MemoryBudget::has_room(size_t bytes) const { return heap_.free_bytes() >= bytes + floor_left(); }

size_t MemoryBudget::reserve_bytes() const { return floor_left() + reply_max_; }

bool MemoryBudget::could_ever_allocate(const Job& job, size_t bytes) const {
  return bytes <= total_bytes_ && kFloorBytes + job.held_bytes + bytes <= total_bytes_;
}

bool MemoryBudget::is_in_the_way(const Job& job) const {
  const size_t before = heap_.offset_of(&job);
  // So close to an end, it takes nothing away but what must be left free in any case.
  return before > kFloorBytes && before + job.held_bytes + kFloorBytes < total_bytes_;
}

/// What of the floor is not in use already.
size_t MemoryBudget::floor_left() const { return waiting_bytes_ < kFloorBytes ? kFloorBytes - waiting_bytes_ : 0; }

/// Drops kept replies until `left_free` remain beside `bytes`; false: there is no way.
bool MemoryBudget::leave_free(size_t left_free, size_t bytes) {
  while (heap_.free_bytes() < bytes + left_free) {
    if (!kept_.drop_oldest()) return false;
  }
  return true;
}

void* MemoryBudget::allocate(size_t bytes, size_t left_free) {
  if (bytes > total_bytes_ || !leave_free(left_free, bytes)) return nullptr;
  void* memory = heap_.allocate(bytes);
  // There may be enough, but not in one piece.
  while (memory == nullptr && kept_.drop_oldest()) memory = heap_.allocate(bytes);
  return memory;
}

}  // namespace shoal
