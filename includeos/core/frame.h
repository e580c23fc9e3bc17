// The frame header of the guest contract, version 1: 16 bytes, little endian. Operation, token and payload follow, in this order. In a typed
// request or reply the content type stands before the payload, and its length in a byte before that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace shoal {

enum class FrameType : uint8_t {
  request = 1,
  reply = 2,
  error = 3,
  ping = 4,
  pong = 5,
  cancel = 6,
  relay = 7,
  typed_request = 8,  // to a service that takes bytes
  typed_reply = 9,    // to a typed request
};

struct FrameHeader {
  static constexpr size_t kSize = 16;
  static constexpr size_t kOperationMax = 255;
  static constexpr size_t kTokenMax = 256;
  static constexpr size_t kTypedMax = 256;  // content type, and the byte with its length
  static constexpr uint32_t kLengthMax = 64 << 20;  // beyond it the peer has lost the thread: no reason to skip so much

  uint32_t length;  // of all that follows the header
  FrameType type;
  uint8_t operation_size;
  uint16_t token_size;
  uint64_t id;

  size_t names_size() const { return size_t{operation_size} + token_size; }
  size_t payload_size() const { return length - names_size(); }

  bool is_request() const { return type == FrameType::request || type == FrameType::typed_request; }

  /// What of the payload may be something else than the text.
  size_t typed_max() const { return type == FrameType::typed_request ? kTypedMax : 0; }
};

static_assert(sizeof(FrameHeader) == FrameHeader::kSize);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "FrameHeader is copied as it lies in memory");

inline FrameHeader decode_frame_header(const char* bytes) {
  FrameHeader header;
  std::memcpy(&header, bytes, sizeof header);
  return header;
}

inline void encode_frame_header(const FrameHeader& header, char* bytes) { std::memcpy(bytes, &header, sizeof header); }

}  // namespace shoal
