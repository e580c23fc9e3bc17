// Connections beyond those that there is room for.
#include "check.h"
#include "http_client.h"

namespace shoal::test {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

void fill(TestGuest& guest) {
  for (size_t i = 0; i < Server::kConnectionMax; i++) guest.connect();
}

}  // namespace

TEST("turned away: one connection too many is told busy in its own protocol, however that is cut up, and closed") {
  const std::string frames = encode(FrameType::ping, 7) + request(8, "", "x", "token");
  const std::string http = post("/", "text");
  for (const size_t step : {1, 3, 4, 1000}) {
    for (const bool is_http : {false, true}) {
      TestGuest guest;
      fill(guest);
      auto& late = guest.connect();
      const std::string_view input = is_http ? http : frames;
      for (size_t at = 0; at < input.size(); at += step) guest.send(late, input.substr(at, step));
      guest.run();
      if (is_http) {
        CHECK_EQUAL(status_of(late.stream.output), std::string("503"));
        CHECK(late.stream.output.find("\r\nRetry-After: 1\r\nConnection: close\r\n\r\nbusy\n") != std::string::npos);
      } else {
        const auto told = late.stream.take_frames();
        CHECK_EQUAL(told.size(), size_t{1});
        CHECK_EQUAL(told[0].type, FrameType::error);
        CHECK_EQUAL(told[0].id, uint64_t{0});
        CHECK_EQUAL(told[0].token, std::string());
        CHECK_EQUAL(told[0].payload, std::string("503 busy"));
      }
      CHECK_EQUAL(late.stream.consumed_bytes, input.size());
      CHECK(!late.stream.ended());
      guest.platform.clock_ns += 3 * kSecondNs;
      guest.run();
      CHECK(late.stream.finished);
    }
  }
}

TEST("turned away: a HEAD has no body, a client that has its answer and goes leaves at once, one that says nothing is closed") {
  TestGuest guest;
  fill(guest);
  const std::string head = talk(guest, guest.connect(), "HEAD / HTTP/1.1\r\n\r\n");
  CHECK_EQUAL(status_of(head), std::string("503"));
  CHECK_EQUAL(body_of(head), std::string());
  auto& gone = guest.connect();
  guest.send(gone, "GET / HTTP/1.1\r\n\r\n");
  gone.connection->peer_finished();
  guest.run();
  CHECK(gone.stream.finished);
  auto& silent = guest.connect();
  guest.run();
  CHECK(!silent.stream.ended());
  guest.platform.clock_ns += 3 * kSecondNs;
  guest.run();
  CHECK(silent.stream.finished);
  CHECK_EQUAL(silent.stream.output, std::string());
}

TEST("turned away: the guest wakes up to close them, however seldom it reports") {
  TestGuest guest;
  guest.settings.status_interval_ms = 3'600'000;
  guest.platform.clock_ns += kSecondNs;
  fill(guest);
  guest.run();
  CHECK(guest.server->due_ns() > guest.platform.clock_ns + 3000 * kSecondNs);
  guest.connect();
  auto& told = guest.connect();
  guest.send(told, post("/", "x"));
  for (TestGuest::Client* late : {guest.clients[Server::kConnectionMax].get(), &told}) {
    guest.run();
    CHECK(!late->stream.ended());
    CHECK(guest.server->due_ns() < guest.platform.clock_ns + 3 * kSecondNs);
  }
  guest.platform.clock_ns = guest.server->due_ns();
  guest.run();
  guest.platform.clock_ns += kSecondNs;
  guest.run();
  CHECK(told.stream.finished);
  CHECK(guest.server->due_ns() > guest.platform.clock_ns + 3000 * kSecondNs);
}

TEST("turned away: the others go on, and there is room again when one of them ends") {
  TestGuest guest;
  fill(guest);
  guest.send(guest.connect(), encode(FrameType::ping, 1));
  CHECK_EQUAL(guest.exchange(*guest.clients[31], request(1, "", "x"))[0].payload, std::string("X"));
  guest.clients[5]->connection->broken();
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "y"))[0].payload, std::string("Y"));
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "z"))[0].payload, std::string("503 busy"));
}

TEST("turned away: so many at a time and no more, in little memory, and never fewer connections for that") {
  TestGuest guest;
  fill(guest);
  const size_t used = guest.heap.used_bytes();
  for (size_t i = 0; i < Server::kTurnedAwayMax; i++) {
    auto& late = guest.connect();
    late.stream.room = 0;
    guest.send(late, post("/", std::string(50'000, 'x')));
    CHECK(late.stream.consumed_bytes > 50'000);
  }
  CHECK(guest.heap.used_bytes() < used + Server::kTurnedAwayMax * 5000);
  TestStream beyond;
  CHECK(guest.server->accept(beyond) == nullptr);
  for (size_t i = 0; i < Server::kConnectionMax; i++) guest.clients[i]->connection->broken();
  for (size_t i = 0; i < Server::kConnectionMax; i++) {
    CHECK_EQUAL(guest.exchange(guest.connect(), request(i, "", "x"))[0].payload, std::string("X"));
  }
  CHECK(guest.server->accept(beyond) == nullptr);
  guest.platform.clock_ns += 120 * kSecondNs;
  guest.run();
  for (size_t i = 0; i < Server::kTurnedAwayMax; i++) CHECK(guest.clients[Server::kConnectionMax + i]->stream.aborted);
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "z"))[0].payload, std::string("503 busy"));
}

}  // namespace shoal::test
