// A link that drops and comes again: nothing is lost, nothing is computed twice, and what is kept is bounded.
#include "check.h"
#include "test_guest.h"

namespace shoal::test {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

/// Lets a connection break after its requests were accepted and before they were worked on.
void drop_with(TestGuest& guest, const std::string& requests) {
  auto& client = guest.connect();
  guest.send(client, requests);
  client.connection->broken();
}

std::vector<Frame> ping_on_new_connection(TestGuest& guest) {
  return guest.exchange(guest.connect(), encode(FrameType::ping, 1));
}

}  // namespace

TEST("kept replies: requests with a token are finished after their link dropped, and answered on the next one") {
  TestGuest guest;
  drop_with(guest, request(7, "upper", "one", "token 7") + request(8, "upper", "nobody's") + request(9, "nope", "", "token 9"));
  guest.run();
  guest.platform.console.clear();
  guest.platform.clock_ns = guest.server->due_ns();
  guest.run();
  CHECK(guest.platform.console.find("inflight=0") != std::string::npos);
  const auto frames = ping_on_new_connection(guest);
  CHECK_EQUAL(frames.size(), size_t{3});
  CHECK_EQUAL(frames[0].type, FrameType::reply);
  CHECK_EQUAL(frames[0].id, uint64_t{7});
  CHECK_EQUAL(frames[0].token, std::string("token 7"));
  CHECK_EQUAL(frames[0].payload, std::string("ONE"));
  CHECK_EQUAL(frames[1].type, FrameType::error);
  CHECK_EQUAL(frames[1].id, uint64_t{9});
  CHECK_EQUAL(frames[1].token, std::string("token 9"));
  CHECK_EQUAL(frames[1].payload, std::string("404 unknown operation \"nope\""));
  CHECK_EQUAL(frames[2].type, FrameType::pong);
  CHECK_EQUAL(ping_on_new_connection(guest).size(), size_t{1});
}

TEST("kept replies: the request in work goes on when its link drops, and is answered on a link that came meanwhile") {
  TestGuest guest;
  auto& client = guest.connect();
  TestGuest::Client* next = nullptr;
  guest.send(client, request(1, "spin", "50", "t"));
  guest.platform.on_receive = [&] {
    client.connection->broken();
    next = &guest.connect();
    guest.send(*next, encode(FrameType::ping, 2));
  };
  guest.run();
  const auto frames = next->stream.take_frames();
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[1].payload, std::string("spun 50"));
  CHECK_EQUAL(frames[1].id, uint64_t{1});
}

TEST("kept replies: a link whose other end has closed counts as dropped; without a token the answer still goes out on it") {
  TestGuest guest;
  auto& client = guest.connect();
  const auto frames = guest.last_exchange(client, request(1, "", "kept", "t") + request(2, "", "sent"));
  CHECK_EQUAL(frames.size(), size_t{1});
  CHECK_EQUAL(frames[0].payload, std::string("SENT"));
  CHECK(client.stream.finished);
  CHECK_EQUAL(ping_on_new_connection(guest)[0].payload, std::string("KEPT"));
}

TEST("kept replies: neither an older connection gets them, nor one that speaks no frames") {
  TestGuest guest;
  auto& older = guest.connect();
  guest.exchange(older, encode(FrameType::ping, 1));
  drop_with(guest, request(1, "", "kept", "t"));
  guest.run();
  CHECK_EQUAL(guest.exchange(older, encode(FrameType::ping, 2)).size(), size_t{1});
  CHECK_EQUAL(guest.exchange(guest.connect(), std::string(64, '\xee'))[0].payload.substr(0, 4), std::string("400 "));
  CHECK_EQUAL(ping_on_new_connection(guest)[0].payload, std::string("KEPT"));
}

TEST("kept replies: for 30 seconds, and no longer than 60 for a request that comes again") {
  for (const uint64_t seconds : {29, 31, 59, 61}) {
    TestGuest guest;
    drop_with(guest, request(1, "", "first", "t"));
    guest.run();
    guest.platform.clock_ns += seconds * kSecondNs;
    auto& client = guest.connect();
    CHECK_EQUAL(guest.exchange(client, encode(FrameType::ping, 2)).size(), size_t{seconds < 30 ? 2u : 1u});
    const auto frames = guest.exchange(client, request(5, "", "second", "t"));
    CHECK_EQUAL(frames.size(), size_t{1});
    CHECK_EQUAL(frames[0].id, uint64_t{5});
    CHECK_EQUAL(frames[0].payload, std::string(seconds < 60 ? "FIRST" : "SECOND"));
  }
}

TEST("kept replies: at most 64, the newest") {
  TestGuest guest;
  std::string requests;
  for (uint64_t i = 0; i < 100; i++) requests += request(i, "", "x", "t" + std::to_string(i));
  drop_with(guest, requests);
  guest.run();
  const auto frames = ping_on_new_connection(guest);
  CHECK_EQUAL(frames.size(), size_t{65});
  CHECK_EQUAL(frames[0].id, uint64_t{36});
  CHECK_EQUAL(frames[63].id, uint64_t{99});
}

TEST("kept replies: at most 256 KiB, and less when memory is needed") {
  TestGuest guest;
  const size_t used = guest.heap.used_bytes();
  std::string requests;
  for (uint64_t i = 0; i < 12; i++) requests += request(i, "", std::string(40'000, 'x'), "t" + std::to_string(i));
  drop_with(guest, requests);
  guest.run();
  CHECK(guest.heap.used_bytes() < used + (260 << 10));
  auto frames = ping_on_new_connection(guest);
  CHECK_EQUAL(frames.size(), size_t{7});
  CHECK_EQUAL(frames[5].id, uint64_t{11});
  CHECK_EQUAL(frames[5].payload.size(), size_t{40'000});

  TestGuest small(64 << 10, 1'850'000);
  for (uint64_t i = 0; i < 6; i++) {
    drop_with(small, request(i, "", std::string(40'000, 'x'), "t" + std::to_string(i)));
    small.run();
  }
  std::vector<TestGuest::Client*> clients;
  for (int i = 0; i < 28; i++) {
    clients.push_back(&small.connect());
    CHECK_EQUAL(small.exchange(*clients.back(), request(1, "lower", std::string(60'000, 'Y'))).back().payload.size(), size_t{60'000});
  }
}

TEST("kept replies: a reply too large to keep does no harm") {
  TestGuest guest(1 << 20, 16 << 20);
  drop_with(guest, request(1, "", std::string(300'000, 'x'), "large") + request(2, "", "small", "small"));
  guest.run();
  const auto frames = ping_on_new_connection(guest);
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].id, uint64_t{2});
}

TEST("dedup: a request with the token of one in work joins it, from any connection, and each gets its reply") {
  TestGuest guest;
  auto& client = guest.connect();
  auto& other = guest.connect();
  guest.send(client, request(1, "spin", "40", "s") + request(2, "", "text", "t"));
  guest.send(other, request(3, "", "text", "t") + request(4, "", "own"));
  guest.platform.on_receive = [&] { guest.send(other, request(5, "spin", "40", "s")); };
  guest.run();
  CHECK(guest.platform.clock_ns < 60'000'000);
  const auto mine = client.stream.take_frames();
  CHECK_EQUAL(mine.size(), size_t{2});
  CHECK_EQUAL(mine[0].payload, std::string("spun 40"));
  CHECK_EQUAL(mine[0].id, uint64_t{1});
  CHECK_EQUAL(mine[1].id, uint64_t{2});
  const auto others = other.stream.take_frames();
  CHECK_EQUAL(others.size(), size_t{3});
  CHECK_EQUAL(others[0].id, uint64_t{5});
  CHECK_EQUAL(others[0].payload, std::string("spun 40"));
  CHECK_EQUAL(others[0].token, std::string("s"));
  CHECK_EQUAL(others[1].id, uint64_t{3});
  CHECK_EQUAL(others[1].payload, std::string("TEXT"));
  CHECK_EQUAL(others[2].payload, std::string("OWN"));
}

TEST("dedup: a request that is sent again on the next link is answered there, once for each id, and computed once") {
  TestGuest guest;
  drop_with(guest, request(1, "spin", "40", "s"));
  const auto frames = guest.exchange(guest.connect(), request(2, "spin", "40", "s"));
  CHECK(guest.platform.clock_ns < 60'000'000);
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].id, uint64_t{2});
  CHECK_EQUAL(frames[1].id, uint64_t{1});
  CHECK_EQUAL(frames[1].payload, std::string("spun 40"));
}

TEST("dedup: requests without a token, and those already answered, are worked on again") {
  TestGuest guest;
  auto& client = guest.connect();
  auto frames = guest.exchange(client, request(1, "", "a") + request(2, "", "b") + request(3, "", "c", "t"));
  CHECK_EQUAL(frames[1].payload, std::string("B"));
  frames = guest.exchange(client, request(4, "", "d", "t"));
  CHECK_EQUAL(frames[0].payload, std::string("D"));
}

TEST("dedup: cancelling one of several leaves the others their answer; cancelling all ends the work") {
  TestGuest guest;
  auto& client = guest.connect();
  guest.send(client, request(1, "", "a", "t") + request(2, "", "a", "t") + request(3, "", "a", "t"));
  auto frames = guest.exchange(client, encode(FrameType::cancel, 1) + encode(FrameType::cancel, 3));
  CHECK_EQUAL(frames.size(), size_t{3});
  CHECK_EQUAL(frames[0].payload, std::string("499 cancelled"));
  CHECK_EQUAL(frames[1].id, uint64_t{3});
  CHECK_EQUAL(frames[2].id, uint64_t{2});
  CHECK_EQUAL(frames[2].payload, std::string("A"));

  guest.send(client, request(4, "spin", "1000", "s") + request(5, "spin", "1000", "s"));
  guest.platform.on_receive = [&] {
    guest.send(client, encode(FrameType::cancel, 4));
    guest.platform.on_receive = [&] { guest.send(client, encode(FrameType::cancel, 5)); };
  };
  guest.run();
  frames = client.stream.take_frames();
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].payload, std::string("499 cancelled"));
  CHECK_EQUAL(frames[1].payload, std::string("499 cancelled"));
  CHECK(guest.platform.clock_ns < kSecondNs);
}

TEST("dedup: those that join count for the queue, which stays bounded") {
  TestGuest guest;
  auto& client = guest.connect();
  std::string burst;
  for (uint64_t i = 0; i < 3000; i++) burst += request(i, "spin", "50", "same");
  guest.send(client, request(9999, "spin", "50", "same"));
  guest.platform.on_receive = [&] { guest.send(client, burst); };
  guest.run();
  const auto frames = client.stream.take_frames();
  CHECK_EQUAL(count_of(frames, "spun 50"), kQueueMax + 1);
  CHECK_EQUAL(count_of(frames, "503 busy"), 3000 - kQueueMax);
}

}  // namespace shoal::test
