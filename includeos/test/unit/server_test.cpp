// Connections, the queue, cancelling, stopping.
#include "check.h"
#include "http_client.h"

namespace shoal::test {

TEST("server: while a request is computed, pings are answered and cancelling ends it") {
  TestGuest guest;
  auto& client = guest.connect();
  auto& other = guest.connect();
  guest.send(client, request(1, "spin", "1000"));
  guest.platform.on_receive = [&] {
    guest.send(other, encode(FrameType::ping, 8, "", "", "there?"));
    guest.platform.on_receive = [&] {
      const auto frames = other.stream.take_frames();
      CHECK_EQUAL(frames.size(), size_t{1});
      CHECK_EQUAL(frames[0].payload, std::string("there?"));
      guest.send(client, encode(FrameType::cancel, 1));
    };
  };
  guest.run();
  const auto frames = client.stream.take_frames();
  CHECK_EQUAL(frames.size(), size_t{1});
  CHECK_EQUAL(frames[0].payload, std::string("499 cancelled"));
  CHECK_EQUAL(guest.platform.console.find("spun"), std::string::npos);
}

TEST("server: reports go on while a request is computed") {
  TestGuest guest;
  auto& client = guest.connect();
  guest.platform.console.clear();
  guest.exchange(client, request(1, "spin", "3500"));
  CHECK(guest.platform.console.find("seq=4 cpu=100.0 ram=") != std::string::npos);
  CHECK(guest.platform.console.find("inflight=1 served=0") != std::string::npos);
}

TEST("server: reports count what is read, waits or is worked on, and what was answered, over HTTP as on links") {
  TestGuest guest;
  auto& link = guest.connect();
  auto& http = guest.connect();
  const auto report = [&] {
    guest.platform.console.clear();
    guest.platform.clock_ns += 1'000'000'000;
    guest.server->move();
    const size_t at = guest.platform.console.find("inflight=");
    return guest.platform.console.substr(at, guest.platform.console.find('\n', at) - at);
  };
  CHECK_EQUAL(report(), std::string("inflight=0 served=0"));
  const std::string on_link = request(1, "", "on a link");
  const std::string over_http = post("/", "over HTTP");
  guest.send(link, on_link.substr(0, 20));
  guest.send(http, over_http.substr(0, 20));
  CHECK_EQUAL(report(), std::string("inflight=2 served=0"));
  guest.send(http, over_http.substr(20, over_http.size() - 21));
  CHECK_EQUAL(report(), std::string("inflight=2 served=0"));
  guest.send(link, on_link.substr(20));
  guest.send(http, over_http.substr(over_http.size() - 1));
  auto& chunks = guest.connect();
  guest.send(chunks, post_chunks("/", "5\r\nhal"));
  CHECK_EQUAL(report(), std::string("inflight=3 served=0"));
  guest.run();
  CHECK_EQUAL(report(), std::string("inflight=1 served=2"));
  http.stream.output.clear();
  CHECK_EQUAL(status_of(talk(guest, http, post("/nope", "x"))), std::string("404"));
  CHECK_EQUAL(status_of(talk(guest, http, "GET / HTTP/1.1\r\n\r\n")), std::string("200"));
  guest.exchange(link, request(2, "", std::string(70'000, 'x')) + request(3, "nope", "") + encode(FrameType::ping, 4, "", "", "x"));
  guest.send(chunks, "f!\r\n0\r\n\r\n");
  guest.run();
  CHECK_EQUAL(report(), std::string("inflight=0 served=7"));
}

TEST("server: cancelling a waiting request, an unknown one, another connection's, and a finished one") {
  TestGuest guest;
  auto& client = guest.connect();
  auto& other = guest.connect();
  guest.send(client, request(1, "", "a") + request(2, "", "b") + request(3, "", "c"));
  guest.send(other, request(3, "", "other") + encode(FrameType::cancel, 1));
  auto frames = guest.exchange(client, encode(FrameType::cancel, 2) + encode(FrameType::cancel, 77));
  CHECK_EQUAL(frames.size(), size_t{3});
  CHECK_EQUAL(frames[0].id, uint64_t{2});
  CHECK_EQUAL(frames[0].payload, std::string("499 cancelled"));
  CHECK_EQUAL(frames[1].payload, std::string("A"));
  CHECK_EQUAL(frames[2].payload, std::string("C"));
  CHECK_EQUAL(other.stream.take_frames()[0].payload, std::string("OTHER"));
  CHECK(guest.exchange(client, encode(FrameType::cancel, 1)).empty());
}

TEST("server: a half-closed connection gets its answers, then ends; half a frame is forgotten") {
  TestGuest guest;
  auto& client = guest.connect();
  const auto frames = guest.last_exchange(client, request(1, "", "one") + request(2, "", "two") + request(3, "", "cut").substr(0, 18));
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[1].payload, std::string("TWO"));
  CHECK(client.stream.finished);
  CHECK(!client.stream.aborted);
}

TEST("server: a connection that breaks takes its requests along, also the one in work, and nothing else") {
  TestGuest guest;
  const size_t used = guest.heap.used_bytes();
  auto& client = guest.connect();
  auto& other = guest.connect();
  guest.send(client, request(1, "spin", "60000") + request(2, "", "x") + request(3, "", "half").substr(0, 20));
  guest.send(other, request(1, "", "mine"));
  guest.platform.on_receive = [&] { client.connection->broken(); };
  guest.run();
  CHECK(guest.platform.clock_ns < 2'000'000'000);
  CHECK_EQUAL(client.stream.output, std::string());
  CHECK_EQUAL(other.stream.take_frames()[0].payload, std::string("MINE"));
  other.connection->broken();
  CHECK(guest.heap.used_bytes() <= used + sizeof(Piece) + 64);
}

TEST("server: a client that does not read stalls itself only, and is let go in the end") {
  TestGuest guest(16 << 10, 2 << 20);
  auto& client = guest.connect();
  client.stream.room = 100;
  const std::string text(10'000, 'a');
  size_t sent = 0;
  for (int i = 0; i < 200; i++) {
    const std::string frame = request(static_cast<uint64_t>(i), "", text);
    guest.send(client, frame);
    sent += frame.size();
    guest.run();
    if (client.stream.consumed_bytes < sent) break;  // its window is full: it can send no more
  }
  CHECK(client.stream.consumed_bytes < sent);
  CHECK(guest.heap.used_bytes() < (512 << 10));
  CHECK_EQUAL(guest.exchange(guest.connect(), request(1, "", "x"))[0].payload, std::string("X"));
  CHECK(!client.stream.aborted);
  guest.platform.clock_ns += 61'000'000'000;
  guest.run();
  CHECK(client.stream.aborted);
}

TEST("server: a client that reads again gets everything") {
  TestGuest guest(16 << 10, 2 << 20);
  auto& client = guest.connect();
  client.stream.room = 0;
  for (uint64_t i = 0; i < 10; i++) guest.send(client, request(i, "", std::string(10'000, 'a')));
  guest.run();
  std::vector<Frame> frames;
  for (int i = 0; i < 1000 && frames.size() < 10; i++) {
    client.stream.room = 700;
    guest.run();
    for (Frame& frame : client.stream.take_frames()) frames.push_back(std::move(frame));
  }
  CHECK_EQUAL(frames.size(), size_t{10});
  for (uint64_t i = 0; i < frames.size(); i++) {
    CHECK_EQUAL(frames[i].id, i);
    CHECK(frames[i].payload == std::string(10'000, 'A'));
  }
}

TEST("server: more requests than the queue holds wait in the window, unless a computation keeps them waiting") {
  TestGuest guest;
  auto& client = guest.connect();
  std::string burst;
  for (uint64_t i = 0; i < 3000; i++) burst += request(i, "", "x", "");
  CHECK_EQUAL(guest.exchange(client, burst).size(), size_t{3000});

  guest.send(client, request(9999, "spin", "50"));
  guest.platform.on_receive = [&] { guest.send(client, burst); };
  guest.run();
  const auto frames = client.stream.take_frames();
  CHECK_EQUAL(count_of(frames, "spun 50"), size_t{1});
  CHECK_EQUAL(count_of(frames, "X"), kQueueMax);
  CHECK_EQUAL(count_of(frames, "503 busy"), 3000 - kQueueMax);
}

TEST("server: large requests on all connections at a time wait for memory, and all are answered") {
  TestGuest guest(100'000, 2'000'000);
  const std::string text(100'000, 'a');
  const std::string frame = request(1, "lower", text);
  struct Sender {
    TestGuest::Client* client;
    size_t sent = 0;
  };
  std::vector<Sender> senders;
  for (int i = 0; i < 16; i++) senders.push_back({&guest.connect()});
  constexpr size_t kWindow = 16'000;
  size_t answered = 0;
  for (int round = 0; round < 3000 && answered < senders.size(); round++) {
    for (Sender& sender : senders) {
      const size_t open = kWindow - (sender.sent - sender.client->stream.consumed_bytes);
      const size_t part = std::min({open, frame.size() - sender.sent, size_t{1460}});
      guest.send(*sender.client, std::string_view(frame).substr(sender.sent, part));
      sender.sent += part;
    }
    guest.run();
    for (Sender& sender : senders) {
      for (const Frame& reply : sender.client->stream.take_frames()) {
        CHECK(reply.payload == text);
        answered++;
      }
    }
  }
  CHECK_EQUAL(answered, senders.size());
}

TEST("server: who says nothing for a minute does not keep his place from others; a link may be idle") {
  TestGuest guest;
  auto& link = guest.connect();
  guest.exchange(link, encode(FrameType::ping, 1));
  auto& silent = guest.connect();
  auto& begun = guest.connect();
  guest.send(begun, "PO");
  guest.run();
  guest.platform.clock_ns += 59'000'000'000;
  guest.run();
  CHECK(!silent.stream.ended());
  guest.platform.clock_ns += 2'000'000'000;
  guest.run();
  CHECK(silent.stream.finished);
  CHECK(begun.stream.aborted);
  CHECK(!link.stream.ended());
}

TEST("server: stop finishes what is accepted and takes nothing new") {
  TestGuest guest;
  auto& client = guest.connect();
  guest.send(client, request(1, "spin", "30") + request(2, "", "waiting"));
  guest.platform.on_receive = [&] {
    guest.server->stop();
    guest.send(client, request(3, "", "too late") + encode(FrameType::ping, 4));
    CHECK(!guest.server->finished());
  };
  client.stream.room = 0;
  guest.run();
  CHECK(!guest.server->finished());
  client.stream.room = SIZE_MAX;
  guest.run();
  CHECK(guest.server->finished());
  const auto frames = client.stream.take_frames();
  CHECK_EQUAL(frames.size(), size_t{4});
  CHECK_EQUAL(frames[0].payload, std::string("503 stopping"));
  CHECK_EQUAL(frames[1].type, FrameType::pong);
  CHECK_EQUAL(frames[2].payload, std::string("spun 30"));
  CHECK_EQUAL(frames[3].payload, std::string("WAITING"));
}

TEST("server: a request that is being read at the stop is answered too, if it does not take long") {
  for (const bool in_time : {true, false}) {
    TestGuest guest;
    auto& client = guest.connect();
    const std::string bytes = post("/", "half");
    guest.send(client, bytes.substr(0, bytes.size() - 1));
    guest.server->stop();
    guest.run();
    CHECK(!guest.server->finished());
    CHECK(guest.server->due_ns() < guest.platform.clock_ns + 2'000'000'000);
    if (in_time) {
      CHECK_EQUAL(talk(guest, client, bytes.substr(bytes.size() - 1)), ok("HALF"));
    } else {
      guest.platform.clock_ns += 2'000'000'000;
    }
    CHECK(guest.server->finished());
  }
}

TEST("server: too small a heap is found out before") {
  CHECK(!MemoryBudget::suffices(4 << 20, test_settings(1 << 20)));
  CHECK(MemoryBudget::suffices(5 << 20, test_settings(1 << 20)));
  CHECK(!MemoryBudget::suffices(1 << 20, test_settings(64 << 10)));
  CHECK(MemoryBudget::suffices(1'800'000, test_settings(64 << 10)));
}

}  // namespace shoal::test
