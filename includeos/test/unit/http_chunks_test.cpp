// Bodies that tell their length as they go.
#include "check.h"
#include "http_client.h"

namespace shoal::test {
namespace {

/// What `body` is answered with, and whether the guest still answers on that connection.
struct Outcome {
  std::string response;
  bool stays;
};

Outcome send_body(std::string_view body, std::string_view path = "/upper", std::string_view fields = "") {
  TestGuest guest(1000, 2 << 20);
  auto& client = guest.connect();
  const std::string response = talk(guest, client, post_chunks(path, body, fields));
  const bool stays = talk(guest, client, post("/", "next")) == ok("NEXT");
  CHECK(stays != (response.find("Connection: close") != std::string::npos));
  CHECK_EQUAL(talk(guest, guest.connect(), post("/", "other")), ok("OTHER"));
  return {response, stays};
}

}  // namespace

TEST("chunks: cut up anywhere they are one text, and the next request is found behind them") {
  const std::string text = "größe " + std::string(3000, 'q');
  const std::string input = post_chunks("/upper", chunked(text, 7, ";name=\"value\"", "X-Sum: 1\r\nY: 2\r\n")) +
                            post_chunks("/lower", chunked("", 1)) + post("/reverse", "abc") + post_chunks("/count", chunked("a b", 1000)) +
                            post_chunks("/nope", chunked(text, 100)) + post("/", "last");
  const std::string output = ok("GRÖSSE " + std::string(3000, 'Q')) + ok("") + ok("cba") + ok("{\"lines\":1,\"words\":2,\"bytes\":3}") +
                             "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 25\r\n\r\n"
                             "unknown operation \"nope\"\n" +
                             ok("LAST");
  check_cut_up(input, output);
}

TEST("chunks: the largest text is taken; one byte more is 413, passed over, and the connection lives on") {
  const Outcome largest = send_body(chunked(std::string(1000, 'a'), 300));
  CHECK_EQUAL(largest.response, ok(std::string(1000, 'A')));
  CHECK(largest.stays);
  for (const size_t size : {1001, 5000, 1'000'000}) {
    const Outcome larger = send_body(chunked(std::string(size, 'a'), 300));
    CHECK_EQUAL(status_of(larger.response), std::string("413"));
    CHECK_EQUAL(body_of(larger.response), std::string("the text is longer than 1000 bytes\n"));
    CHECK(larger.stays);
  }
}

TEST("chunks: what is no chunk is 400, and the end of the connection") {
  const std::string first = "3\r\nabc\r\n";
  for (const std::string& body :
       {std::string("x\r\nabc\r\n"), std::string("\r\n"), std::string(";a\r\n"), std::string("-3\r\nabc\r\n"), std::string("0x3\r\nabc\r\n"),
        std::string("3 \r\nabc\r\n0\r\n\r\n"), std::string("3\nabc\r\n0\r\n\r\n"), std::string("3;a\nabc\r\n0\r\n\r\n"),
        std::string("3;\x01\r\nabc\r\n"), std::string("3\rabc"), std::string("10000000000000000\r\n"), std::string("ffffffffffffffff\r\n"),
        std::string(300, '0') + "3\r\nabc\r\n", "3;" + std::string(300, 'a') + "\r\nabc\r\n", first + "2\r\nabc\r\n0\r\n\r\n",
        std::string("3\r\nabc\n0\r\n\r\n"), std::string("3\r\nabc\rx0\r\n\r\n"), first + "0\r\nA: b\n\r\n", first + "0\r\n\rx", first + "0\r\nA: \x02\r\n\r\n",
        first + "0\r\n" + std::string(5000, 't') + "\r\n\r\n"}) {
    const Outcome outcome = send_body(body);
    CHECK_EQUAL(status_of(outcome.response), std::string("400"));
    CHECK(!outcome.stays);
  }
}

TEST("chunks: of a request that is refused before its body, the body is passed over; one that is damaged there ends the connection") {
  CHECK(send_body(chunked("text", 2), "/nope").stays);
  TestGuest guest;
  auto& client = guest.connect();
  CHECK_EQUAL(status_of(talk(guest, client, post_chunks("/nope", "2\r\nabc"))), std::string("404"));
  CHECK_EQUAL(talk(guest, client, post("/", "hidden")), std::string());
  guest.platform.clock_ns += 3'000'000'000;
  guest.run();
  CHECK(client.stream.finished);

  auto& endless = guest.connect();
  CHECK_EQUAL(status_of(talk(guest, endless, post_chunks("/nope", ""))), std::string("404"));
  const std::string megabyte = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
  for (int i = 0; i < 66; i++) guest.send(endless, megabyte);
  guest.platform.clock_ns += 3'000'000'000;
  guest.run();
  CHECK(endless.stream.finished);
}

TEST("chunks: a client that asks before it sends is told to go on") {
  TestGuest guest;
  auto& client = guest.connect();
  CHECK_EQUAL(talk(guest, client, post_chunks("/", "", "Expect: 100-continue\r\n")), std::string("HTTP/1.1 100 Continue\r\n\r\n"));
  CHECK_EQUAL(talk(guest, client, chunked("text", 3)), ok("TEXT"));
}

TEST("chunks: many at a time wait for memory, hold no more than their text once it is there, and all are answered") {
  TestGuest guest(100'000, 2'400'000);
  std::vector<TestGuest::Client*> clients;
  guest.platform.on_receive = [&] {
    const size_t used = guest.heap.used_bytes();
    for (int i = 0; i < 12; i++) guest.send(*clients.emplace_back(&guest.connect()), post_chunks("/", chunked("text", 3)));
    CHECK(guest.heap.used_bytes() < used + 12 * 1024);
  };
  auto& link = guest.connect();
  guest.exchange(link, request(1, "spin", "20"));
  for (TestGuest::Client* client : clients) CHECK_EQUAL(client->stream.output, ok("TEXT"));

  std::vector<TestGuest::Client*> slow;
  for (int i = 0; i < 12; i++) guest.send(*slow.emplace_back(&guest.connect()), post_chunks("/", "4\r\nte"));
  guest.run();
  CHECK(guest.heap.free_bytes() > 100'000);
  for (TestGuest::Client* client : slow) guest.send(*client, "xt\r\n0\r\n\r\n");
  for (int i = 0; i < 40; i++) guest.run();
  for (TestGuest::Client* client : slow) CHECK_EQUAL(client->stream.output, ok("TEXT"));
}

TEST("chunks: a client that breaks off in the middle leaves nothing behind") {
  TestGuest guest;
  const size_t used = guest.heap.used_bytes();
  auto& client = guest.connect();
  guest.send(client, post_chunks("/", "5\r\nab"));
  client.connection->broken();
  auto& half = guest.connect();
  guest.send(half, post_chunks("/", "5\r\nab"));
  half.connection->peer_finished();
  guest.run();
  CHECK(half.stream.finished);
  CHECK(guest.heap.used_bytes() <= used + sizeof(Piece) + 64);
}

}  // namespace shoal::test
