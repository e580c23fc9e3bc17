#include "http_head.h"

#include "settings.h"

namespace shoal {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// `wanted` is in lower case.
bool same_word(std::string_view got, std::string_view wanted) {
  if (got.size() != wanted.size()) return false;
  for (size_t i = 0; i < got.size(); i++) {
    if (lower(got[i]) != wanted[i]) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The first line, without its end; `text` moves past it. A lone LF ends a line as well.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line{text.data(), end == std::string_view::npos ? text.size() : end};
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool is_clean(std::string_view line) {
  for (const char c : line) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

bool is_name(std::string_view name) {
  for (const char c : name) {
    const bool letter = lower(c) >= 'a' && lower(c) <= 'z';
    if (!letter && (c < '0' || c > '9') && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

void refuse(HttpHead& head, unsigned code, std::string_view why) {
  if (head.refusal_code != 0) return;  // the first one is the cause
  head.refusal_code = code;
  head.refusal = why;
}

void read_target(HttpHead& head, std::string_view target) {
  if (target.size() > 7 && same_word({target.data(), 7}, "http://")) {  // as a proxy is asked
    const size_t slash = target.find('/', 7);
    target.remove_prefix(slash == std::string_view::npos ? target.size() : slash);
    if (target.empty()) target = "/";
  }
  if (target == "*" && head.method == HttpHead::Method::other) return;
  if (!target.starts_with('/')) {
    refuse(head, 400, "the target is no path");
    return;
  }
  target.remove_prefix(1);
  const size_t end = target.find_first_of("?#");
  head.operation = {target.data(), end == std::string_view::npos ? target.size() : end};
}

void read_request_line(HttpHead& head, std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_name({line.data(), first}) || !is_clean(line)) {
    refuse(head, 400, "neither a frame nor an HTTP request");
    return;
  }
  const std::string_view method{line.data(), first};
  const std::string_view target{line.data() + first + 1, last - first - 1};
  const std::string_view version{line.data() + last + 1, line.size() - last - 1};
  if (method == "POST") head.method = HttpHead::Method::post;
  if (method == "GET") head.method = HttpHead::Method::get;
  if (method == "HEAD") head.method = HttpHead::Method::head;

  head.version_1_0 = version == "HTTP/1.0";
  head.keep_alive = !head.version_1_0;
  if (!version.starts_with("HTTP/")) {
    refuse(head, 400, "neither a frame nor an HTTP request");
  } else if (version.size() != 8 || !version.starts_with("HTTP/1.") || version[7] < '0' || version[7] > '9') {
    refuse(head, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  } else if (target.find(' ') != std::string_view::npos) {
    refuse(head, 400, "the target is no path");
  } else {
    read_target(head, target);
  }
}

void read_connection(HttpHead& head, std::string_view value) {
  while (!value.empty()) {
    const size_t comma = value.find(',');
    const std::string_view option = trimmed({value.data(), comma == std::string_view::npos ? value.size() : comma});
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    if (same_word(option, "close")) {
      head.keep_alive = false;
      return;
    }
    if (same_word(option, "keep-alive")) head.keep_alive = true;
  }
}

void read_field(HttpHead& head, std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_name({line.data(), colon}) || !is_clean(line)) {
    refuse(head, 400, "a header line is malformed");
    return;
  }
  const std::string_view name{line.data(), colon};
  const std::string_view value = trimmed({line.data() + colon + 1, line.size() - colon - 1});
  if (same_word(name, "content-length")) {
    uint64_t length = 0;
    if (!read_decimal(value, INT64_MAX, length) || (head.has_length && length != head.length)) {
      refuse(head, 400, "the Content-Length is no number");
    }
    head.has_length = true;
    head.length = length;
  } else if (same_word(name, "transfer-encoding")) {
    if (head.chunked || !same_word(value, "chunked")) refuse(head, 501, "of the transfer encodings only chunked is read");
    head.chunked = true;
  } else if (same_word(name, "content-type")) {
    if (!head.content_type.empty()) refuse(head, 400, "the Content-Type is there twice");
    head.content_type = value;
  } else if (same_word(name, "connection")) {
    read_connection(head, value);
  } else if (same_word(name, "expect")) {
    head.expects_continue = same_word(value, "100-continue");
  }
}

}  // namespace

HttpHead read_http_head(std::string_view text) {
  HttpHead head;
  read_request_line(head, take_line(text));
  while (!text.empty() && head.refusal_code == 0) {
    const std::string_view line = take_line(text);
    if (!line.empty()) read_field(head, line);
  }
  // Two readers could disagree on where such a request ends.
  if (head.chunked && head.has_length) refuse(head, 400, "a body has either a Content-Length or a Transfer-Encoding");
  if (head.chunked && head.version_1_0) refuse(head, 400, "HTTP/1.0 has no transfer encodings");
  if (head.refusal_code != 0) head.keep_alive = false;
  return head;
}

std::string_view http_reason(unsigned code) {
  switch (code) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Cancelled";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
  }
}

}  // namespace shoal
