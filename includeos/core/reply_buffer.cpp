#include "reply_buffer.h"

#include "shoal/copy.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"

namespace shoal {

bool Reply::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (cursor_ == end_ && !grow()) return false;
    const size_t room = static_cast<size_t>(end_ - cursor_);
    const size_t part = bytes.size() < room ? bytes.size() : room;
    copy_bytes(cursor_, bytes.data(), part);
    cursor_ += part;
    bytes.remove_prefix(part);
  }
  return true;
}

bool Reply::fail(unsigned code, std::string_view message) {
  set_error(code, message);
  return false;
}

void ReplyBuffer::open(const FrameHeader& request, std::string_view token, size_t payload_max) {
  error_code_ = 0;
  lacks_memory_ = false;
  cursor_ = nullptr;
  end_ = nullptr;
  payload_max_ = payload_max;
  frame_max_ = FrameHeader::kSize + token.size() + payload_max;
  is_typed_ = request.type == FrameType::typed_request;
  has_begun_ = false;
  content_type_size_ = 0;
  header_ = request;
  header_.type = is_typed_ ? FrameType::typed_reply : FrameType::reply;
  header_.operation_size = 0;

  // A piece that is kept from one request to the next would lie in the midst of the memory, where it was free once.
  frame_.clear();
  Piece* const piece = frame_.extend();
  if (piece == nullptr) {
    lacks_memory_ = true;
    return;
  }
  copy_bytes(piece->bytes + FrameHeader::kSize, token.data(), token.size());
  const size_t front = FrameHeader::kSize + token.size();
  piece->end = static_cast<uint32_t>(front);
  frame_.grown(front);
  // The first write opens that of a typed reply, whose content type stands before it.
  if (!is_typed_) open_window(piece);
}

/// The content type is settled.
void ReplyBuffer::begin_typed() {
  static_assert(FrameHeader::kSize + FrameHeader::kTokenMax + FrameHeader::kTypedMax < Piece::kCapacity);
  has_begun_ = true;
  Piece* const piece = frame_.first();
  piece->bytes[piece->end] = static_cast<char>(content_type_size_);
  copy_bytes(piece->bytes + piece->end + 1, content_type_, content_type_size_);
  piece->end += static_cast<uint32_t>(typed_size());
  frame_.grown(typed_size());
  frame_max_ += typed_size();
  open_window(piece);
}

Chain& ReplyBuffer::close() {
  if (frame_.first() == nullptr) return frame_;
  if (error_code_ != 0) {
    write_error();
  } else {
    if (is_typed_ && !has_begun_) begin_typed();
    commit();
  }
  header_.length = static_cast<uint32_t>(frame_.size() - FrameHeader::kSize);
  encode_frame_header(header_, frame_.first()->bytes);
  return frame_;
}

void ReplyBuffer::set_id(uint64_t id) {
  header_.id = id;
  encode_frame_header(header_, frame_.first()->bytes);
}

/// In the place of what was written of a reply. Header and token stay; one piece has room for it all.
void ReplyBuffer::write_error() {
  static_assert(FrameHeader::kSize + FrameHeader::kTokenMax + sizeof error_message_ + 8 <= Piece::kCapacity);
  header_.type = FrameType::error;
  TextWriter<sizeof error_message_ + 8> payload;
  payload.add(error_code_).add(" ").add(error_message());
  const size_t front = FrameHeader::kSize + header_.token_size;
  frame_.rewind();
  frame_.first()->end = static_cast<uint32_t>(front);
  frame_.grown(front);
  frame_.append(payload.text());
}

bool ReplyBuffer::grow() {
  if (error_code_ != 0 || lacks_memory_) return false;
  if (is_typed_ && !has_begun_) {
    begin_typed();
    return cursor_ != end_ || grow();
  }
  commit();
  if (frame_.size() == frame_max_) {
    TextWriter<128> why;
    why.add("the reply is longer than ").add(payload_max_).add(" bytes");
    set_error(413, why.text());
    return false;
  }
  Piece* const piece = memory_.make_room(sizeof(Piece)) ? frame_.extend() : nullptr;
  if (piece == nullptr) {
    lacks_memory_ = true;
    return false;
  }
  open_window(piece);
  return true;
}

void ReplyBuffer::set_error(unsigned code, std::string_view message) {
  if (error_code_ != 0) return;  // the first one is the cause
  error_code_ = code >= 400 && code <= 599 ? code : 500;
  message = utf8_prefix(message, sizeof error_message_);
  error_message_size_ = message.size();
  copy_bytes(error_message_, message.data(), message.size());
  cursor_ = nullptr;
  end_ = nullptr;
}

bool ReplyBuffer::set_content_type(std::string_view type) {
  if (has_begun_ || !is_content_type(type)) return false;
  content_type_size_ = type.size();
  copy_bytes(content_type_, type.data(), type.size());
  return true;
}

void ReplyBuffer::commit() {
  Piece* const piece = frame_.last();
  if (cursor_ == nullptr || piece == nullptr) return;
  const uint32_t end = static_cast<uint32_t>(cursor_ - piece->bytes);
  frame_.grown(end - piece->end);
  piece->end = end;
}

void ReplyBuffer::open_window(Piece* piece) {
  const size_t left = frame_max_ - frame_.size();
  cursor_ = piece->bytes + piece->end;
  end_ = cursor_ + (left < piece->room() ? left : piece->room());
}

}  // namespace shoal
