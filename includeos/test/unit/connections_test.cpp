// Which connections are served when there are more than the guest has room for.
#include "check.h"
#include "http_client.h"

namespace shoal::test {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMinuteNs = 60 * kSecondNs;

void pass(TestGuest& guest, uint64_t duration_ns) {
  guest.run();
  guest.platform.clock_ns += duration_ns;
  guest.run();
}

TestGuest::Client& connect_link(TestGuest& guest) {
  auto& link = guest.connect();
  guest.send(link, encode(FrameType::ping, 1));
  guest.run();
  return link;
}

bool answers(TestGuest& guest, TestGuest::Client& link) {
  link.stream.take_frames();
  const auto frames = guest.exchange(link, encode(FrameType::ping, 2));
  return frames.size() == 1 && frames[0].type == FrameType::pong;
}

/// As many links as there may be connections; each has just been used.
std::vector<TestGuest::Client*> fill(TestGuest& guest) {
  std::vector<TestGuest::Client*> links;
  for (size_t i = 0; i < kConnectionMax; i++) links.push_back(&connect_link(guest));
  return links;
}

std::vector<TestGuest::Client*> fill_over_http(TestGuest& guest) {
  std::vector<TestGuest::Client*> clients;
  for (size_t i = 0; i < kHttpConnectionMax; i++) {
    CHECK_EQUAL(talk(guest, *clients.emplace_back(&guest.connect()), post("/", "x")), ok("X"));
  }
  return clients;
}

}  // namespace

TEST("connections: one too many is told busy in its own protocol, however that is cut up, and closed") {
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
      pass(guest, 3 * kSecondNs);
      CHECK(late.stream.finished);
    }
  }
}

TEST("connections: a HEAD that is turned away gets no body, and a client that has its answer and goes leaves at once") {
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
}

TEST("connections: the guest wakes up to close those that it turned away, however seldom it reports") {
  TestGuest guest;
  guest.settings.status_interval_ms = 3'600'000;
  guest.platform.clock_ns += kSecondNs;
  fill(guest);
  guest.run();
  CHECK(guest.server->due_ns() > guest.platform.clock_ns + 3000 * kSecondNs);
  auto& told = guest.connect();
  guest.send(told, post("/", "x"));
  guest.run();
  CHECK(!told.stream.ended());
  CHECK(guest.server->due_ns() < guest.platform.clock_ns + 3 * kSecondNs);
  guest.platform.clock_ns = guest.server->due_ns();
  guest.run();
  CHECK(told.stream.finished);
  CHECK(guest.server->due_ns() > guest.platform.clock_ns + 3000 * kSecondNs);
}

TEST("connections: those that are served go on, and there is a place again when one of them ends") {
  TestGuest guest;
  const auto links = fill(guest);
  guest.send(guest.connect(), encode(FrameType::ping, 1));
  CHECK(answers(guest, *links[31]));
  links[5]->connection->broken();
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "y"))[0].payload, std::string("Y"));
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "z"))[0].payload, std::string("503 busy"));
}

TEST("connections: HTTP cannot take the last places, and a link has one beside any number of clients") {
  TestGuest guest;
  const auto clients = fill_over_http(guest);
  for (int i = 0; i < 100; i++) CHECK_EQUAL(status_of(talk(guest, guest.connect(), post("/", "x"))), std::string("503"));
  for (size_t i = kHttpConnectionMax; i < kConnectionMax; i++) CHECK(answers(guest, guest.connect()));
  for (TestGuest::Client* client : clients) CHECK_EQUAL(talk(guest, *client, post("/", "y")), ok("Y"));
}

TEST("connections: an HTTP connection that is idle gives way to a new one, the one that was idle longest first") {
  TestGuest guest;
  const auto clients = fill_over_http(guest);
  auto& working = *clients[0];
  auto& reading = *clients[1];
  auto& oldest = *clients[2];
  guest.send(working, post("/spin", "3000"));
  guest.send(reading, post("/", "half").substr(0, 40));
  guest.platform.on_receive = [&] {
    guest.platform.clock_ns += kSecondNs / 2;
    for (size_t i = 3; i < clients.size(); i++) guest.send(*clients[i], post("/", "x").substr(0, 4));
    guest.server->move();
    guest.platform.clock_ns += kSecondNs;
    CHECK_EQUAL(status_of(talk(guest, guest.connect(), "GET / HTTP/1.1\r\n\r\n")), std::string("200"));
    CHECK(oldest.stream.finished);
    CHECK_EQUAL(status_of(talk(guest, guest.connect(), post("/", "x"))), std::string("503"));
  };
  guest.run();
  CHECK_EQUAL(working.stream.output, ok("spun 3000"));
  CHECK_EQUAL(talk(guest, reading, post("/", "half").substr(40)), ok("HALF"));
}

TEST("connections: HTTP never displaces a link; a link displaces idle HTTP first, then the link that was idle longest") {
  TestGuest guest;
  std::vector<TestGuest::Client*> links;
  for (size_t i = 1; i < kConnectionMax; i++) links.push_back(&connect_link(guest));
  auto& http = guest.connect();
  CHECK_EQUAL(talk(guest, http, post("/", "x")), ok("X"));
  pass(guest, 2 * kSecondNs);
  CHECK(answers(guest, *links[0]));
  CHECK(answers(guest, guest.connect()));
  CHECK(http.stream.finished);
  CHECK_EQUAL(status_of(talk(guest, guest.connect(), post("/", "x"))), std::string("503"));
  guest.send(*links[1], request(1, "", "half").substr(0, 18));
  guest.run();
  CHECK(answers(guest, guest.connect()));
  CHECK(links[2]->stream.finished);
  for (const size_t i : {size_t{0}, size_t{1}, size_t{3}}) CHECK(!links[i]->stream.ended());
}

TEST("connections: any number that say nothing keep nobody out; they are closed in the end") {
  TestGuest guest;
  std::vector<TestGuest::Client*> silent;
  for (int i = 0; i < 200; i++) {
    silent.push_back(&guest.connect());
    guest.send(*silent.back(), std::string_view("POS", static_cast<size_t>(i % 4)));
  }
  guest.run();
  size_t open = 0;
  for (TestGuest::Client* client : silent) open += client->stream.ended() ? 0 : 1;
  CHECK_EQUAL(open, kStreamMax);
  for (size_t i = 0; i < kConnectionMax; i++) CHECK(answers(guest, guest.connect()));
  pass(guest, kMinuteNs + kSecondNs);
  for (TestGuest::Client* client : silent) CHECK(client->stream.ended());
}

TEST("connections: one that was told busy gives way before one that has said nothing yet") {
  TestGuest guest;
  fill(guest);
  auto& quiet = guest.connect();
  std::vector<TestGuest::Client*> told;
  for (size_t i = 1; i < kTurnedAwayMax; i++) {
    CHECK_EQUAL(status_of(talk(guest, *told.emplace_back(&guest.connect()), post("/", "x"))), std::string("503"));
  }
  for (size_t i = 0; i < told.size(); i++) {
    CHECK(!told[i]->stream.ended());
    guest.connect();
    CHECK(told[i]->stream.finished);
  }
  CHECK(!quiet.stream.ended());
  guest.connect();
  CHECK(quiet.stream.finished);
}

TEST("connections: those that are turned away take little memory, also if they read nothing, and go in the end") {
  TestGuest guest;
  const auto links = fill(guest);
  const size_t used = guest.heap.used_bytes();
  std::vector<TestGuest::Client*> told;
  for (size_t i = 0; i < kTurnedAwayMax; i++) {
    auto& late = *told.emplace_back(&guest.connect());
    late.stream.room = 0;
    guest.send(late, post("/", std::string(50'000, 'x')));
    CHECK(late.stream.consumed_bytes > 50'000);
  }
  CHECK(guest.heap.used_bytes() < used + kTurnedAwayMax * 5000);
  for (TestGuest::Client* link : links) link->connection->broken();
  for (size_t i = 0; i < kConnectionMax; i++) CHECK(answers(guest, guest.connect()));
  pass(guest, 2 * kMinuteNs);
  for (TestGuest::Client* late : told) CHECK(late->stream.aborted);
}

}  // namespace shoal::test
