#include "connection.h"

#include "server.h"
#include "shoal/copy.h"
#include "shoal/text_writer.h"

namespace shoal {
namespace {

// A client that does not read its replies is not read from either, beyond this.
constexpr size_t kOutputHighWater = 64 << 10;

// Neither a byte in the middle of a frame nor a byte taken of what we send for so long: the peer is gone or stuck.
constexpr uint64_t kStallNs = 60'000'000'000;
constexpr uint64_t kStallStoppingNs = 5'000'000'000;

size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

}  // namespace

void Connection::open(Stream& stream, uint64_t number, bool turned_away, uint64_t now_ns) {
  stream_ = &stream;
  number_ = number;
  is_link_ = false;
  is_http_ = false;
  turned_away_ = turned_away;
  linger_end_ns_ = turned_away ? now_ns + kLingerNs : 0;
  stage_ = Stage::protocol;
  peer_finished_ = false;
  draining_ = false;
  header_filled_ = 0;
  refusal_code_ = 0;
  jobs_ = 0;
  progressed_ = true;
}

void Connection::received(std::string_view bytes) {
  progressed_ = true;
  if (held_.empty()) {
    const size_t used = parse(bytes);
    bytes.remove_prefix(used);
    if (used > 0 && in_use()) stream_->consumed(used);
  }
  if (!bytes.empty() && in_use()) hold(bytes);
}

void Connection::peer_finished() { peer_finished_ = true; }

void Connection::broken() {
  stream_ = nullptr;
  release();
}

void Connection::move(uint64_t now_ns) {
  resume();
  while (in_use() && !output_.empty()) {
    const std::string_view front = output_.front();
    const size_t taken = stream_->write(front.data(), front.size());
    output_.drop(taken);
    progressed_ = progressed_ || taken > 0;
    if (taken < front.size()) break;
  }
  if (!in_use()) return;
  stream_->flush();

  const bool said_all = output_.empty() && held_.empty() && jobs_ == 0 && (draining_ || !waits_for_room());
  if (said_all && (peer_finished_ || ((draining_ || turned_away_) && now_ns >= linger_end_ns_))) {
    finish();
    return;
  }
  if (progressed_ || !waits_for_peer()) {
    progressed_ = false;
    progress_ns_ = now_ns;
  } else if (now_ns - progress_ns_ > (server_.stopping() ? kStallStoppingNs : kStallNs)) {
    if (said_all && !has_begun()) {
      finish();
    } else {
      abort();
    }
  }
}

/// While its last words are on their way the peer's acknowledgements move it.
uint64_t Connection::due_ns() const { return linger_end_ns_ > 0 && output_.empty() ? linger_end_ns_ : ~uint64_t{0}; }

bool Connection::waits_for_peer() const {
  if (!output_.empty()) return true;
  if (is_http_) return jobs_ == 0;  // also between two requests: connections are few
  return stage_ != Stage::header || header_filled_ > 0;
}

bool Connection::has_begun() const {
  if (is_http_) return !head_.empty() || partial_ != nullptr;
  return header_filled_ > 0 || stage_ != Stage::protocol;
}

void Connection::send_reply(Chain& frame) { output_.take(frame); }

bool Connection::send_copy(Chain& frame) {
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

// Returns how many bytes are dealt with; fewer than all: there is no room now, and resume() tries again.
size_t Connection::parse(std::string_view bytes) {
  size_t used = 0;
  while (!draining_) {
    const size_t left = bytes.size() - used;
    const char* const from = bytes.data() + used;
    switch (stage_) {
      case Stage::protocol: {
        if (left == 0) return used;
        const size_t part = smaller(left, kProtocolBytes - header_filled_);
        copy_bytes(header_bytes_ + header_filled_, from, part);
        header_filled_ += static_cast<uint32_t>(part);
        used += part;
        if (header_filled_ < kProtocolBytes) return used;
        is_http_ = starts_http();
        if (turned_away_) {
          turn_away();
          break;
        }
        stage_ = is_http_ ? Stage::http_head : Stage::header;
        if (!is_http_) break;
        http_ = {};
        collect_http_head({header_bytes_, kProtocolBytes});
        break;
      }
      case Stage::http_head:
        // One at a time, so that answers come in the order of the requests.
        if (left == 0 || jobs_ > 0 || output_.size() > kOutputHighWater) return used;
        used += collect_http_head({from, left});
        break;
      case Stage::http_admission:
        if (!admit_http()) return used;
        break;
      case Stage::header: {
        if (left == 0 || output_.size() > kOutputHighWater) return used;
        const size_t part = smaller(left, FrameHeader::kSize - header_filled_);
        copy_bytes(header_bytes_ + header_filled_, from, part);
        header_filled_ += static_cast<uint32_t>(part);
        used += part;
        if (header_filled_ < FrameHeader::kSize) return used;
        header_ = decode_frame_header(header_bytes_);
        if (!check_header()) break;
        stage_ = Stage::admission;
        if (!is_link_) {
          is_link_ = true;
          server_.link_opened(*this);
        }
        break;
      }
      case Stage::admission:
        if (!admit()) return used;
        break;
      case Stage::body: {
        const size_t part = smaller(left, body_size_ - body_filled_);
        copy_bytes(partial_->bytes() + body_filled_, from, part);
        body_filled_ += part;
        used += part;
        if (body_filled_ < body_size_) return used;
        finish_body();
        break;
      }
      case Stage::chunks:
        if (left == 0) return used;
        used += take_chunks({from, left});
        break;
      case Stage::skip: {
        const size_t part = smaller(left, skip_left_);
        skip_left_ -= part;
        used += part;
        if (skip_left_ > 0) return used;
        to_next_request();
        break;
      }
    }
  }
  return bytes.size();
}

/// There are too many connections. It may be a client that wants one request answered or a link for thousands: nothing is read of either.
void Connection::turn_away() {
  if (is_http_) {
    http_ = {};
    if (std::string_view(header_bytes_, kProtocolBytes) == "HEAD") http_.method = HttpHead::Method::head;
    refuse_http(503, "busy");
  } else {
    send_error({}, {}, 503, "busy");
    if (in_use()) linger();
  }
}

/// False: nothing that this peer sends can be trusted to be a frame from here on.
bool Connection::check_header() {
  const FrameHeader& header = header_;
  const bool known = header.type == FrameType::request || header.type == FrameType::ping ||
                     header.type == FrameType::cancel || header.type == FrameType::relay;
  TextWriter<128> why;
  if (!known) {
    why.add("a client cannot send frames of type ").add(static_cast<uint64_t>(header.type));
  } else if (header.length > FrameHeader::kLengthMax) {
    why.add("a frame of ").add(header.length).add(" bytes is longer than ").add(FrameHeader::kLengthMax);
  } else if (header.token_size > FrameHeader::kTokenMax) {
    why.add("a token of ").add(header.token_size).add(" bytes is longer than ").add(FrameHeader::kTokenMax);
  } else if (header.names_size() > header.length) {
    why.add("operation and token are longer than the frame of ").add(header.length).add(" bytes");
  } else {
    return true;
  }
  send_error(header, {}, 400, why.text());
  drain();
  return false;
}

/// Decides what to do with a frame of which the header is there. False: there is no room for it now.
bool Connection::admit() {
  skip_left_ = 0;
  refusal_code_ = 0;
  if (header_.type == FrameType::cancel) {
    server_.cancel(*this, header_.id);
    skip_left_ = header_.length;
    stage_ = Stage::skip;
    return true;
  }

  if (header_.type == FrameType::relay) {
    refusal_code_ = 501;
    refusal_ = "this guest relays no commands";
  } else if (header_.payload_size() > server_.payload_max()) {
    refusal_code_ = 413;
  } else if (header_.type == FrameType::request && server_.stopping()) {
    refusal_code_ = 503;
    refusal_ = "stopping";
  } else if (header_.type == FrameType::request && server_.queue_full()) {
    if (!server_.computing()) return false;
    refusal_code_ = 503;
    refusal_ = "busy";
  }

  body_size_ = refusal_code_ == 0 ? header_.length : header_.names_size();
  skip_left_ = header_.length - body_size_;
  body_filled_ = 0;
  return allocate_partial(body_size_);
}

bool Connection::allocate_partial(size_t body_size) {
  partial_ = server_.allocate_job(body_size);
  if (partial_ == nullptr) return false;
  body_size_ = body_size;
  partial_->joined = nullptr;
  partial_->connection = this;
  partial_->connection_number = number_;
  partial_->header = header_;
  partial_->cancelled = false;
  stage_ = Stage::body;
  return true;
}

void Connection::finish_body() {
  Job* const job = partial_;
  partial_ = nullptr;
  if (skip_left_ > 0) {
    stage_ = Stage::skip;
  } else {
    to_next_request();
  }

  if (refusal_code_ == 413) {
    TextWriter<128> why;
    why.add("a text of ").add(header_.payload_size()).add(" bytes is longer than ").add(server_.payload_max());
    send_error(header_, job->token(), 413, why.text());
    server_.free_job(job);
  } else if (refusal_code_ != 0) {
    send_error(header_, job->token(), refusal_code_, refusal_);
    server_.free_job(job);
  } else if (job->header.type == FrameType::ping) {
    send_pong(*job);
    server_.free_job(job);
  } else {
    jobs_++;
    server_.enqueue(job);
  }
}

void Connection::drop_partial() {
  if (partial_ != nullptr) server_.free_job(partial_);
  partial_ = nullptr;
}

void Connection::to_next_request() {
  stage_ = is_http_ ? Stage::http_head : Stage::header;
  header_filled_ = 0;
}

void Connection::send_pong(Job& ping) {
  FrameHeader header = ping.header;
  header.type = FrameType::pong;
  header.length -= header.operation_size;
  header.operation_size = 0;
  const std::string_view rest{ping.bytes() + ping.header.operation_size, header.length};
  if (!output_.append({reinterpret_cast<const char*>(&header), sizeof header}) || !output_.append(rest)) abort();
}

void Connection::hold(std::string_view bytes) {
  if (!held_.append(bytes)) abort();
}

void Connection::resume() {
  if (held_.empty() && waits_for_room()) parse({});
  size_t used = 0;
  while (in_use() && !held_.empty()) {
    const std::string_view front = held_.front();
    const size_t part = parse(front);
    held_.drop(part);
    used += part;
    if (part < front.size()) break;
  }
  if (used > 0 && in_use()) stream_->consumed(used);
}

void Connection::finish() {
  Stream* const stream = stream_;
  stream_ = nullptr;
  release();
  stream->finish();
}

void Connection::abort() {
  if (!in_use()) return;
  Stream* const stream = stream_;
  stream_ = nullptr;
  release();
  stream->abort();
}

void Connection::release() {
  draining_ = true;  // ends parse(), which may be what we were called from
  server_.forget(*this);
  drop_partial();
  head_.clear();
  held_.clear();
  output_.clear();
}

}  // namespace shoal
