// Replies that found their connection gone. They wait for the next one, and answer a request that is sent again meanwhile.
//
// Keeping them is a courtesy: they are the first to go when memory is needed, and a request whose reply is lost can be sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chain.h"
#include "heap.h"

namespace shoal {

class Connection;
struct Job;

class KeptReplies {
 public:
  static constexpr size_t kCountMax = 64;
  static constexpr size_t kBytesMax = 256 << 10;
  static constexpr uint64_t kSendNs = 30'000'000'000;   // until then a new connection gets them
  static constexpr uint64_t kDedupNs = 60'000'000'000;  // until then the same token gets the same reply

  explicit KeptReplies(Heap& heap) : heap_(heap) {}
  KeptReplies(const KeptReplies&) = delete;
  KeptReplies& operator=(const KeptReplies&) = delete;
  ~KeptReplies() {
    while (drop_oldest()) {
    }
  }

  /// Keeps a copy of a reply or error frame to a request that came on the connection of that number. Older ones make room for it; it is not
  /// kept if it is too large, or if less than `heap_reserve_bytes` would be left.
  void keep(Chain& frame, uint64_t connection_number, uint64_t now_ns, size_t heap_reserve_bytes);

  /// Sends what was meant for connections older than this one.
  void send_to(Connection& connection, uint64_t now_ns);

  /// Answers a request whose token is that of a kept reply. False: there is none.
  bool answer(Job& request, uint64_t now_ns);

  void expire(uint64_t now_ns);

  /// False: there is none.
  bool drop_oldest();

  size_t count() const { return count_; }

 private:
  struct Kept {
    Kept* next;
    uint64_t kept_ns;
    uint64_t connection_number;
    size_t size;
    bool sent;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    std::string_view token();
  };

  Heap& heap_;
  Kept* oldest_ = nullptr;
  Kept* newest_ = nullptr;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

}  // namespace shoal
