// The reply that is being written: a frame with its header and token in front, sent only once the operation has returned.
#pragma once

#include <string_view>

#include "chain.h"
#include "content_type.h"
#include "frame.h"
#include "memory_budget.h"
#include "shoal/service.h"

namespace shoal {

class ReplyBuffer final : public Reply {
 public:
  ReplyBuffer(Heap& heap, MemoryBudget& memory) : frame_(heap), memory_(memory) {}

  void open(const FrameHeader& request, std::string_view token, size_t payload_max);

  /// The finished frame, a reply or an error. Empty: there was not even memory for that.
  Chain& close();

  /// Puts another request's id into the finished frame.
  void set_id(uint64_t id);

  /// 0: none.
  unsigned error_code() const { return error_code_; }
  /// Whether it ends early because there was no memory for more.
  bool lacks_memory() const { return lacks_memory_; }

  std::string_view error_message() const { return {error_message_, error_message_size_}; }

  /// All that is written so far, behind header and token.
  const Piece* pieces() {
    commit();
    return frame_.first();
  }

  /// What the service has said; empty: nothing.
  std::string_view content_type() const { return {content_type_, content_type_size_}; }

  /// How much of a typed reply stands before its payload, behind the token.
  size_t typed_size() const { return is_typed_ ? 1 + content_type_size_ : 0; }

 protected:
  bool grow() override;
  void set_error(unsigned code, std::string_view message) override;
  bool set_content_type(std::string_view type) override;

 private:
  void commit();
  void begin_typed();
  void write_error();
  void open_window(Piece* piece);

  Chain frame_;
  MemoryBudget& memory_;
  FrameHeader header_ = {};
  size_t frame_max_ = 0;
  size_t payload_max_ = 0;
  bool is_typed_ = false;
  bool has_begun_ = false;  // of a typed one: the content type is written
  size_t content_type_size_ = 0;
  char content_type_[kContentTypeMax] = {};
  bool lacks_memory_ = false;
  unsigned error_code_ = 0;
  size_t error_message_size_ = 0;
  char error_message_[480] = {};  // 160 characters of UTF-16, which is what a script's error may have (engine/prelude.js)
};

}  // namespace shoal
