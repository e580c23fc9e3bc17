// The part of a connection that says things in frames.
#include "connection.h"
#include "server.h"
#include "shoal/text_writer.h"

namespace shoal {

void Connection::send_reply(Chain& frame) { output_.take(frame); }

bool Connection::send_frame(std::string_view frame) { return server_.memory().has_room(frame.size()) && output_.append(frame); }

bool Connection::send_copy(Chain& frame) {
  if (!server_.memory().make_room(frame.size())) return false;
  Chain copy(heap_);
  for (const Piece* piece = frame.first(); piece != nullptr; piece = piece->next) {
    if (!copy.append({piece->bytes + piece->start, piece->size()})) return false;
  }
  output_.take(copy);
  return true;
}

void Connection::send_error(const FrameHeader& about, std::string_view token, unsigned code, std::string_view message) {
  TextWriter<256> payload;
  payload.add(code).add(" ").add(message);
  FrameHeader header{};
  header.length = static_cast<uint32_t>(token.size() + payload.text().size());
  header.type = FrameType::error;
  header.token_size = static_cast<uint16_t>(token.size());
  header.id = about.id;
  TextWriter<FrameHeader::kSize + FrameHeader::kTokenMax + 256> frame;
  frame.add({reinterpret_cast<const char*>(&header), sizeof header}).add(token).add(payload.text());
  if (!output_.append(frame.text())) abort();  // a request must not stay without any answer: the peer sees the connection break
}

/// Repeats the ping without its operation. `body` is all that followed the header.
void Connection::send_pong(std::string_view body) {
  FrameHeader header = header_;
  body.remove_prefix(header.operation_size);
  header.type = FrameType::pong;
  header.length = static_cast<uint32_t>(body.size());
  header.operation_size = 0;
  if (body.size() > MemoryBudget::kSmallFrameMax && !server_.memory().make_room(body.size())) {
    send_error(header_, body.substr(0, header.token_size), 503, "busy");
  } else if (!output_.append({reinterpret_cast<const char*>(&header), sizeof header}) || !output_.append(body)) {
    abort();
  }
}

}  // namespace shoal
