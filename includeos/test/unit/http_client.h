// Requests and answers of HTTP as text, and a client that speaks it with a guest without a machine.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "check.h"
#include "test_guest.h"

namespace shoal::test {

inline std::string post(std::string_view path, std::string_view text, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "Content-Length: " + std::to_string(text.size()) +
         "\r\n\r\n" + std::string(text);
}

inline std::string ok(std::string_view text, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + std::to_string(text.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(text);
}

/// All that comes back; it is taken out.
inline std::string talk(TestGuest& guest, TestGuest::Client& client, std::string_view bytes) {
  guest.send(client, bytes);
  guest.run();
  guest.run();
  return std::exchange(client.stream.output, std::string());
}

inline std::string talk(std::string_view bytes) {
  TestGuest guest;
  return talk(guest, guest.connect(), bytes);
}

inline std::string status_of(const std::string& response) { return response.size() < 12 ? response : response.substr(9, 3); }
inline std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

/// Sends `input` cut up in many ways to a guest each: what comes back is always `output`, and the connection stays.
inline void check_cut_up(std::string_view input, std::string_view output) {
  for (const size_t step : {1, 2, 3, 5, 7, 15, 16, 31, 1000, 4096, 100'000}) {
    TestGuest guest;
    auto& client = guest.connect();
    for (size_t at = 0; at < input.size(); at += step) {
      guest.send(client, input.substr(at, step));
      if (step > 4) guest.run();
    }
    for (int i = 0; i < 8; i++) guest.run();
    CHECK(client.stream.output == output);
    CHECK_EQUAL(client.stream.consumed_bytes, input.size());
    CHECK(!client.stream.ended());
  }
}

/// A text in chunks of that size.
inline std::string chunked(std::string_view text, size_t chunk_size, std::string_view extension = "", std::string_view trailers = "") {
  std::string body;
  for (; !text.empty(); text.remove_prefix(std::min(chunk_size, text.size()))) {
    const std::string_view chunk = text.substr(0, chunk_size);
    char size[20];
    std::snprintf(size, sizeof size, chunk.size() % 2 == 0 ? "%zx" : "%04zX", chunk.size());
    body.append(size).append(extension).append("\r\n").append(chunk).append("\r\n");
  }
  return body.append("0").append(extension).append("\r\n").append(trailers).append("\r\n");
}

inline std::string post_chunks(std::string_view path, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace shoal::test
