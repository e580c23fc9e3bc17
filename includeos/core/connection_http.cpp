// The part of a connection that speaks HTTP/1. One request at a time, so that answers come in order: what is pipelined behind it waits.
#include "connection.h"
#include "server.h"
#include "shoal/copy.h"
#include "shoal/text_writer.h"

namespace shoal {
namespace {

constexpr std::string_view kTextType = "text/plain; charset=utf-8";
constexpr std::string_view kBytesType = "application/octet-stream";  // of bytes of which nobody has said more

}  // namespace

/// No frame starts with four printable characters, since it would be longer than any may be; every HTTP request does.
bool Connection::starts_http() const {
  for (size_t i = 0; i < kProtocolBytes; i++) {
    if (header_bytes_[i] < ' ' || header_bytes_[i] > '~') return false;
  }
  return true;
}

/// Takes bytes up to the end of a line into the head. Returns how many.
size_t Connection::collect_http_head(std::string_view bytes) {
  const size_t newline = bytes.find('\n');
  const size_t part = newline == std::string_view::npos ? bytes.size() : newline + 1;
  if (head_.size() + part > HttpHead::kSizeMax) {
    refuse_http(431, "the request's head is longer than 4000 bytes");
    return part;
  }
  if (!head_.append({bytes.data(), part})) {
    abort();
    return part;
  }
  if (newline == std::string_view::npos) return part;
  const std::string_view head = head_.front();
  if (head == "\r\n" || head == "\n") {
    head_.clear();  // an empty line between two requests
  } else if (head.ends_with("\n\r\n") || head.ends_with("\n\n")) {
    http_ = read_http_head(head);
    stage_ = Stage::http_admission;
  }
  return part;
}

/// Decides what to do with a request of which the head is there. False: there is no room for it now.
bool Connection::admit_http() {
  if (http_.refusal_code != 0) {
    refuse_http(http_.refusal_code, http_.refusal);
  } else if (http_.method == HttpHead::Method::post) {
    return admit_http_post();
  } else if (http_.method != HttpHead::Method::other && http_.operation.empty()) {
    TextWriter<2048> description;
    server_.describe(description);
    answer_http(200, description.text());
  } else if (!server_.knows(http_.operation)) {
    answer_http_unknown();
  } else {
    answer_http(405, "POST a text here");
  }
  return true;
}

bool Connection::admit_http_post() {
  TextWriter<128> why;
  if (!server_.knows(http_.operation)) {
    answer_http_unknown();
  } else if (server_.takes_bytes() && !http_.content_type.empty() && !is_content_type(http_.content_type)) {
    answer_http(400, "the Content-Type is not 1 to 255 printable ASCII characters");
  } else if (!http_.has_length && !http_.chunked) {
    answer_http(411, "a text needs a Content-Length, or to be chunked");
  } else if (http_.length > server_.payload_max()) {
    answer_http(413, why.add("a text of ").add(http_.length).add(" bytes is longer than ").add(server_.payload_max()).text());
  } else if (server_.stopping()) {
    http_.keep_alive = false;
    answer_http(503, "stopping");
  } else if (server_.queue_full() && server_.computing()) {
    answer_http(503, "busy");
  } else if (server_.queue_full()) {
    return false;
  } else if (!read_http_body()) {
    if (may_wait_for_memory()) return false;
    answer_http(503, "busy");
  }
  return true;
}

/// False: there is no memory for it now.
bool Connection::read_http_body() {
  header_ = {};
  header_.type = server_.takes_bytes() ? FrameType::typed_request : FrameType::request;
  header_.operation_size = static_cast<uint8_t>(http_.operation.size());
  // Nobody knows how long a chunked text will be: there is room for the longest, and finish_chunks() gives back what is left over.
  const size_t text_size = http_.chunked ? server_.payload_max() : static_cast<size_t>(http_.length);
  const size_t typed_size = server_.takes_bytes() ? 1 + http_.content_type.size() : 0;
  header_.length = static_cast<uint32_t>(http_.operation.size() + typed_size + text_size);
  if (!read_request(header_.length)) return false;
  copy_bytes(partial_->bytes(), http_.operation.data(), http_.operation.size());
  body_filled_ = http_.operation.size();
  if (typed_size > 0) {
    partial_->bytes()[body_filled_] = static_cast<char>(http_.content_type.size());
    copy_bytes(partial_->bytes() + body_filled_ + 1, http_.content_type.data(), http_.content_type.size());
    body_filled_ += typed_size;
  }
  refusal_code_ = 0;
  skip_left_ = 0;
  head_.clear();
  if (http_.chunked) {
    chunks_ = {};
    stage_ = Stage::chunks;
  }
  if (http_.expects_continue && !http_.version_1_0 && !output_.append("HTTP/1.1 100 Continue\r\n\r\n")) abort();
  return true;
}

/// Takes a piece of a chunked body: into the request or, if that is answered already, nowhere. Returns how many bytes.
size_t Connection::take_chunks(std::string_view bytes) {
  std::string_view rest = bytes;
  const std::string_view body = chunks_.take(rest);
  if (partial_ == nullptr) {
    if (!chunks_.defect().empty() || body.size() > skip_left_) {
      linger();
    } else {
      skip_left_ -= body.size();
    }
  } else if (!chunks_.defect().empty()) {
    drop_partial();
    refuse_http(400, chunks_.defect());
  } else if (body.size() > body_size_ - body_filled_) {
    drop_partial();
    TextWriter<128> why;
    send_http_text(413, why.add("the text is longer than ").add(server_.payload_max()).add(" bytes").text());
    if (in_use() && !http_.keep_alive) linger();
    skip_left_ = FrameHeader::kLengthMax;
  } else {
    copy_bytes(partial_->bytes() + body_filled_, body.data(), body.size());
    body_filled_ += body.size();
  }
  if (chunks_.finished() && !draining_) finish_chunks();
  return bytes.size() - rest.size();
}

void Connection::finish_chunks() {
  if (partial_ == nullptr) {
    to_next_request();
    return;
  }
  partial_->header.length = static_cast<uint32_t>(body_filled_);
  server_.memory().shrink(partial_, body_filled_);
  finish_body();
}

/// Answers without the request's body, which is passed over. A client that asked whether to send it at all may do either: then the
/// connection ends, since what comes next could be both.
void Connection::answer_http(unsigned code, std::string_view message) {
  if (http_.has_body() && (http_.expects_continue || http_.length > FrameHeader::kLengthMax)) http_.keep_alive = false;
  send_http_text(code, message);
  if (!in_use()) return;
  head_.clear();
  if (!http_.keep_alive) {
    linger();
    return;
  }
  if (http_.chunked) {
    skip_left_ = FrameHeader::kLengthMax;
    chunks_ = {};
    stage_ = Stage::chunks;
    return;
  }
  skip_left_ = static_cast<size_t>(http_.length);
  stage_ = skip_left_ > 0 ? Stage::skip : Stage::http_head;
}

void Connection::answer_http_unknown() {
  TextWriter<128> why;
  answer_http(404, why.add("unknown operation \"").add_foreign(http_.operation).add("\"").text());
}

/// Nothing that this peer sends can be trusted to be a request from here on.
void Connection::refuse_http(unsigned code, std::string_view message) {
  http_.keep_alive = false;
  send_http_text(code, message);
  if (in_use()) linger();
}

/// Reads on for a moment before it closes: a close with bytes unread is a reset, which would take the answer along.
void Connection::linger() {
  drain();
  linger_end_ns_ = server_.platform().now_ns() + kLingerNs;
}

void Connection::send_http_text(unsigned code, std::string_view message) {
  if (!send_http_head(code, kTextType, message.size() + (code == 200 ? 0 : 1))) return;
  if (http_.method == HttpHead::Method::head) return;
  if (!output_.append(message) || (code != 200 && !output_.append("\n"))) abort();
}

bool Connection::send_http_head(unsigned code, std::string_view type, size_t length) {
  server_.count_served();
  TextWriter<320 + kContentTypeMax> head;
  head.add("HTTP/1.1 ").add(code).add(" ").add(http_reason(code));
  head.add("\r\nContent-Type: ").add(type).add("\r\nContent-Length: ").add(length).add("\r\n");
  if (code == 405) head.add(http_.operation.empty() ? "Allow: GET, HEAD, POST\r\n" : "Allow: POST\r\n");
  if (code == 503) head.add("Retry-After: 1\r\n");
  if (!http_.keep_alive) {
    head.add("Connection: close\r\n");
  } else if (http_.version_1_0) {
    head.add("Connection: keep-alive\r\n");
  }
  if (output_.append(head.add("\r\n").text())) return true;
  abort();
  return false;
}

void Connection::send_http_reply(ReplyBuffer& reply) {
  if (reply.error_code() != 0) {
    send_http_text(reply.error_code(), reply.error_message());
  } else {
    Chain& frame = reply.close();
    const size_t front = FrameHeader::kSize + reply.typed_size();
    const std::string_view type = reply.content_type().empty() ? kBytesType : reply.content_type();
    if (!send_http_head(200, server_.takes_bytes() ? type : kTextType, frame.size() - front)) return;
    frame.drop(front);
    output_.take(frame);
  }
  if (in_use() && !http_.keep_alive) drain();
}

}  // namespace shoal
