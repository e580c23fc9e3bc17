#include "port_link.h"

#include "server.h"
#include "shoal/copy.h"

namespace shoal {
namespace {

constexpr std::string_view kAtAnEnd = "400 the connection is at an end";

// A host that closes and opens the port without end must not keep the guest from its work.
constexpr unsigned kRoundsMax = 16;

}  // namespace

bool PortLink::receive() {
  bool came = false;
  bool closed = false;
  bool opened = false;
  for (unsigned round = 0; round < kRoundsMax; round++) {
    Port::Event event = port_.take_event();
    if (round > 0 && event == Port::Event::none) break;
    for (; event != Port::Event::none; event = port_.take_event()) {
      came = true;
      host_open_ = event == Port::Event::opened;
      closed = closed || !host_open_;
    }
    // What came before a close is taken, whatever it has to wait for: the requests in it are in work then.
    for (;;) {
      const std::string_view bytes = waits() && !closed ? std::string_view() : port_.next_input();
      if (bytes.empty()) break;
      came = true;
      if (is_opening(bytes)) {
        open(bytes);
        opened = true;
      } else {
        take(bytes);
      }
      port_.release_input();
    }
    // What the host did while this was read comes to light in another round.
  }
  if (closed && (!host_open_ || !opened)) lose();
  if (due_size_ > due_said_ && say_due()) port_.flush();
  return came;
}

/// A ping with the key for its token. It is whole: the host writes it at once, and a buffer is larger.
bool PortLink::is_opening(std::string_view bytes) const {
  if (bytes.size() < FrameHeader::kSize + key_.size()) return false;
  const FrameHeader header = decode_frame_header(bytes.data());
  if (header.type != FrameType::ping || header.operation_size != 0 || header.token_size != key_.size()) return false;
  if (header.length < key_.size() || header.length > kOpeningMax - FrameHeader::kSize) return false;
  return bytes.size() >= FrameHeader::kSize + header.length && bytes.substr(FrameHeader::kSize, key_.size()) == key_;
}

void PortLink::open(std::string_view bytes) {
  lose();
  host_open_ = true;  // whatever the port has told so far
  FrameHeader header = decode_frame_header(bytes.data());
  const size_t size = FrameHeader::kSize + header.length;
  copy_bytes(due_, bytes.data(), size);
  header.type = FrameType::pong;
  encode_frame_header(header, due_);
  due_size_ = size;
  due_said_ = 0;
  connection_ = &server_.accept(*this);
  if (bytes.size() > size) take(bytes.substr(size));
}

void PortLink::take(std::string_view bytes) {
  if (connection_ == nullptr) return;
  unconsumed_ += bytes.size();
  connection_->received(bytes);
}

/// What was written and did not leave yet must not come to the next connection.
void PortLink::lose() {
  due_size_ = 0;
  due_said_ = 0;
  port_.discard_output();
  if (connection_ == nullptr) return;
  Connection* const lost = connection_;
  connection_ = nullptr;
  unconsumed_ = 0;
  lost->broken();
}

/// False: there is no room for it now.
bool PortLink::say_due() {
  due_said_ += port_.write(due_ + due_said_, due_size_ - due_said_);
  return due_said_ == due_size_;
}

size_t PortLink::write(const char* bytes, size_t size) {
  if (due_size_ > due_said_ && !say_due()) return 0;
  return port_.write(bytes, size);
}

void PortLink::flush() {
  if (due_size_ > due_said_) say_due();
  port_.flush();
}

/// The port itself stays open: a guest cannot close the host's end. So it says that nothing follows, and hears nothing until an opening.
void PortLink::finish() {
  connection_ = nullptr;
  unconsumed_ = 0;
  FrameHeader header{};
  header.length = kAtAnEnd.size();
  header.type = FrameType::error;
  encode_frame_header(header, due_);
  copy_bytes(due_ + FrameHeader::kSize, kAtAnEnd.data(), kAtAnEnd.size());
  due_size_ = FrameHeader::kSize + kAtAnEnd.size();
  due_said_ = 0;
  flush();
}

void PortLink::abort() { finish(); }

}  // namespace shoal
