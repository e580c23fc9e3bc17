// HTTP as curl, a browser or somebody's mistake speaks it.
#include "check.h"
#include "http_client.h"

namespace shoal::test {

TEST("http: a text is posted to an operation, and the connection stays") {
  TestGuest guest;
  auto& client = guest.connect();
  CHECK_EQUAL(talk(guest, client, post("/", "größe")), ok("GRÖSSE"));
  CHECK_EQUAL(talk(guest, client, post("/lower", "ABC")), ok("abc"));
  CHECK_EQUAL(talk(guest, client, post("/reverse?x=1", "abc")), ok("cba"));
  CHECK_EQUAL(talk(guest, client, post("http://h:9000/upper", "abc")), ok("ABC"));
  CHECK_EQUAL(talk(guest, client, post("/upper", "")), ok(""));
  CHECK(!client.stream.ended());
}

TEST("http: a large reply comes whole") {
  TestGuest guest;
  CHECK(talk(guest, guest.connect(), post("/upper", std::string(60'000, 'a'))) == ok(std::string(60'000, 'A')));
}

TEST("http: cut up anywhere and pipelined, answers come in order") {
  const std::string input = post("/upper", "one") + "\r\n" + "GET /nope HTTP/1.1\r\n\r\n" + post("/reverse", std::string(9000, 'q') + "z") +
                            post("/spin", "3") + "POST /upper HTTP/1.1\nContent-length:   4\nX: y\n\nlast";
  const std::string output = ok("ONE") +
                             "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 25\r\n\r\n"
                             "unknown operation \"nope\"\n" +
                             ok("z" + std::string(9000, 'q')) + ok("spun 3") + ok("LAST");
  check_cut_up(input, output);
}

TEST("http: GET and HEAD say what this is") {
  const std::string description = talk("GET / HTTP/1.1\r\n\r\n");
  CHECK_EQUAL(status_of(description), std::string("200"));
  CHECK(body_of(description).find("Operations: upper lower") != std::string::npos);
  const std::string head = talk("HEAD / HTTP/1.1\r\n\r\n");
  CHECK_EQUAL(head, description.substr(0, description.find("\r\n\r\n") + 4));
}

TEST("http: what is no request for an operation, and the connection lives on") {
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, std::string>>{
           {"GET /upper HTTP/1.1\r\n\r\n", "405"},
           {"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405"},
           {"OPTIONS * HTTP/1.1\r\n\r\n", "405"},
           {"GET /favicon.ico HTTP/1.1\r\n\r\n", "404"},
           {post("/nope", "text"), "404"},
           {post("/upper/lower", "text"), "404"},
           {post("/" + std::string(3000, 'o'), "text"), "404"},
           {"POST /upper HTTP/1.1\r\n\r\n", "411"},
           {post("/upper", "a\xff"), "400"},
           {post("/spin", "x"), "400"},
           {post("/upper", std::string(70'000, 'x')), "413"}}) {
    TestGuest guest;
    auto& client = guest.connect();
    const std::string response = talk(guest, client, bytes);
    CHECK_EQUAL(status_of(response), status);
    CHECK(response.find("Connection: close") == std::string::npos);
    CHECK_EQUAL(talk(guest, client, post("/", "next")), ok("NEXT"));
  }
}

TEST("http: what cannot be followed by anything is told, read for a moment, and closed") {
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, std::string>>{
           {"hello there\n\n", "400"},
           {"POST  / HTTP/1.1\r\n\r\n", "400"},
           {"POST upper HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nno colon\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nA: \x01\r\n\r\n", "400"},
           {"GET / HTTP/9.9\r\n\r\n", "505"},
           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400"},
           {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nContent-Length: 9999999999999\r\n\r\n", "413"},
           {"GET / HTTP/1.1\r\nA: " + std::string(5000, 'a') + "\r\n\r\n", "431"},
           {"GET / HTTP/1.1\r\n" + std::string(50'000, 'a'), "431"}}) {
    TestGuest guest;
    auto& client = guest.connect();
    const std::string response = talk(guest, client, bytes);
    CHECK_EQUAL(status_of(response), status);
    CHECK(response.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK_EQUAL(talk(guest, client, post("/", "after")), std::string());
    CHECK(!client.stream.ended());
    guest.platform.clock_ns += 3'000'000'000;
    guest.run();
    CHECK(client.stream.finished);
    CHECK_EQUAL(talk(guest, guest.connect(), post("/", "x")), ok("X"));
  }
}

TEST("http: the connection is closed when the client wants it, and kept in 1.0 only then") {
  struct Case {
    std::string head;
    std::string fields;
    bool closed;
  };
  for (const Case& it : {Case{"POST / HTTP/1.1\r\nConnection: close\r\n", "Connection: close\r\n", true},
                         Case{"POST / HTTP/1.1\r\nConnection: x , Close\r\n", "Connection: close\r\n", true},
                         Case{"POST / HTTP/1.0\r\n", "Connection: close\r\n", true},
                         Case{"POST / HTTP/1.0\r\nconnection: Keep-Alive\r\n", "Connection: keep-alive\r\n", false},
                         Case{"POST / HTTP/1.1\r\n", "", false}}) {
    TestGuest guest;
    auto& client = guest.connect();
    CHECK_EQUAL(talk(guest, client, it.head + "Content-Length: 1\r\n\r\nx"), ok("X", it.fields));
    CHECK_EQUAL(client.stream.finished, it.closed);
  }
}

TEST("http: a client that asks before it sends a large text is told to go on, or not") {
  TestGuest guest;
  auto& client = guest.connect();
  const std::string expect = "Expect: 100-continue\r\n";
  const std::string good = post("/", "text", expect);
  CHECK_EQUAL(talk(guest, client, good.substr(0, good.size() - 4)), std::string("HTTP/1.1 100 Continue\r\n\r\n"));
  CHECK_EQUAL(talk(guest, client, "text"), ok("TEXT"));
  const std::string bad = post("/nope", "text", expect);
  const std::string response = talk(guest, client, bad.substr(0, bad.size() - 4));
  CHECK_EQUAL(status_of(response), std::string("404"));
  CHECK(response.find("Connection: close") != std::string::npos);
}

TEST("http: a half-closed client gets its answers; one that breaks takes its request along") {
  TestGuest guest;
  auto& client = guest.connect();
  guest.send(client, post("/", "one") + post("/", "two") + "POST / HT");
  client.connection->peer_finished();
  for (int i = 0; i < 3; i++) guest.run();
  CHECK_EQUAL(client.stream.output, ok("ONE") + ok("TWO"));
  CHECK(client.stream.finished);

  auto& broken = guest.connect();
  guest.send(broken, post("/spin", "60000"));
  guest.platform.on_receive = [&] { broken.connection->broken(); };
  guest.run();
  CHECK(guest.platform.clock_ns < 2'000'000'000);
}

TEST("http: idle connections are closed after a minute, not while their request is worked on; links stay") {
  TestGuest guest;
  auto& link = guest.connect();
  guest.exchange(link, encode(FrameType::ping, 1));
  auto& idle = guest.connect();
  talk(guest, idle, post("/", "x"));
  auto& cut_off = guest.connect();
  talk(guest, cut_off, "POST / HTTP/1.1\r\n");
  auto& busy = guest.connect();
  guest.platform.step_ns = 1'000'000;
  CHECK_EQUAL(talk(guest, busy, post("/spin", "90000")), ok("spun 90000"));
  CHECK(idle.stream.finished);
  CHECK(!idle.stream.aborted);
  CHECK(cut_off.stream.aborted);
  CHECK(!busy.stream.ended());
  CHECK(!link.stream.ended());
}

TEST("http: busy and stopping, told as 503") {
  TestGuest guest;
  auto& link = guest.connect();
  auto& busy = guest.connect();
  auto& stopped = guest.connect();
  guest.send(link, request(1, "spin", "50"));
  guest.platform.on_receive = [&] {
    std::string burst;
    for (uint64_t i = 0; i < kQueueMax; i++) burst += request(2 + i, "", "x");
    guest.send(link, burst);
    guest.send(busy, post("/", "x"));
    guest.server->stop();
    guest.send(stopped, post("/", "x"));
  };
  guest.run();
  CHECK_EQUAL(status_of(busy.stream.output), std::string("503"));
  CHECK_EQUAL(body_of(busy.stream.output), std::string("busy\n"));
  CHECK_EQUAL(body_of(stopped.stream.output), std::string("stopping\n"));
}

TEST("http: a request waits for room in the queue, though nothing more comes in") {
  TestGuest guest;
  auto& link = guest.connect();
  auto& client = guest.connect();
  std::string burst;
  for (uint64_t i = 0; i < kQueueMax; i++) burst += request(i, "", "x");
  guest.send(link, burst + encode(FrameType::request, 5000));
  guest.send(client, post("/", ""));
  client.connection->peer_finished();
  for (int i = 0; i < 3; i++) guest.run();
  CHECK_EQUAL(client.stream.output, ok(""));
  CHECK_EQUAL(link.stream.take_frames().size(), kQueueMax + 1);
}

TEST("http: a slow reader gets its large reply, and holds up nobody") {
  TestGuest guest;
  auto& slow = guest.connect();
  slow.stream.room = 10;
  guest.send(slow, post("/", std::string(60'000, 'a')));
  guest.run();
  CHECK_EQUAL(talk(guest, guest.connect(), post("/", "x")), ok("X"));
  for (int i = 0; i < 100; i++) {
    slow.stream.room = 1000;
    guest.run();
  }
  CHECK(slow.stream.output == ok(std::string(60'000, 'A')));
}

}  // namespace shoal::test
