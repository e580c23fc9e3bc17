#include "kept_replies.h"

#include "connection.h"
#include "job.h"
#include "shoal/copy.h"

namespace shoal {

std::string_view KeptReplies::Kept::token() {
  return {bytes() + FrameHeader::kSize, decode_frame_header(bytes()).token_size};
}

void KeptReplies::keep(Chain& frame, uint64_t connection_number, uint64_t now_ns, size_t heap_reserve_bytes) {
  const size_t size = frame.size();
  if (size > kBytesMax) return;
  while (count_ >= kCountMax || bytes_ + size > kBytesMax) drop_oldest();
  const size_t heap_bytes = sizeof(Kept) + size;
  while (heap_.free_bytes() < heap_bytes + heap_reserve_bytes && drop_oldest()) {
  }
  if (heap_.free_bytes() < heap_bytes + heap_reserve_bytes) return;
  auto* kept = static_cast<Kept*>(heap_.allocate(heap_bytes));
  if (kept == nullptr) return;

  *kept = {nullptr, now_ns, connection_number, size, false};
  size_t filled = 0;
  for (const Piece* piece = frame.first(); piece != nullptr; piece = piece->next) {
    copy_bytes(kept->bytes() + filled, piece->bytes + piece->start, piece->size());
    filled += piece->size();
  }
  if (newest_ != nullptr) {
    newest_->next = kept;
  } else {
    oldest_ = kept;
  }
  newest_ = kept;
  count_++;
  bytes_ += size;
}

void KeptReplies::send_to(Connection& connection, uint64_t now_ns) {
  for (Kept* kept = oldest_; kept != nullptr; kept = kept->next) {
    if (kept->sent || kept->connection_number >= connection.number() || now_ns - kept->kept_ns > kSendNs) continue;
    if (!connection.send_frame({kept->bytes(), kept->size})) return;  // no memory: the rest waits for another connection
    kept->sent = true;
  }
}

bool KeptReplies::answer(Job& request, uint64_t now_ns) {
  expire(now_ns);
  for (Kept* kept = oldest_; kept != nullptr; kept = kept->next) {
    if (kept->token() != request.token()) continue;
    FrameHeader header = decode_frame_header(kept->bytes());
    header.id = request.header.id;
    encode_frame_header(header, kept->bytes());
    if (!request.connection->send_frame({kept->bytes(), kept->size})) return false;  // then it is worked on again
    kept->sent = true;
    return true;
  }
  return false;
}

void KeptReplies::expire(uint64_t now_ns) {
  while (oldest_ != nullptr && now_ns - oldest_->kept_ns > kDedupNs) drop_oldest();
}

bool KeptReplies::drop_oldest() {
  Kept* const dropped = oldest_;
  if (dropped == nullptr) return false;
  oldest_ = dropped->next;
  if (oldest_ == nullptr) newest_ = nullptr;
  count_--;
  bytes_ -= dropped->size;
  heap_.free(dropped);
  return true;
}

}  // namespace shoal
