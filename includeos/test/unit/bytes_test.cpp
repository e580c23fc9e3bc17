// A service that takes and gives any bytes, with a content type: over frames and over HTTP.
#include "check.h"
#include "http_client.h"
#include "test_guest.h"

namespace shoal::test {
namespace {

bool run_echo(const Request& request, Reply& reply) {
  if (!request.content_type.empty() && !reply.content_type(request.content_type)) return reply.fail(500, "no content type");
  return reply.write(request.text);
}

bool run_type(const Request& request, Reply& reply) {
  const bool good = reply.content_type(request.text);
  reply.write(good ? "good" : "bad");
  return reply.write(reply.content_type("text/plain") ? " late" : "");
}

bool run_bad(const Request&, Reply& reply) { return reply.content_type("a/b") && reply.fail(422, "no"); }

constexpr Operation kOperations[] = {{"echo", run_echo}, {"type", run_type}, {"bad", run_bad}};
const Service kBytes = {kOperations, /*idempotent=*/true, Payload::bytes};

bool run_wrong(const Request& request, Reply& reply) {
  for (size_t i = 0; i < 5000; i++) {
    if (!reply.write("\xe2\x82\xac")) return false;  // three bytes, so that pieces cut some in two
  }
  return reply.write(request.text == "cut" ? "\xe2\x82" : request.text == "bad" ? "\xff" : "");
}

bool run_refuse(const Request& request, Reply& reply) { return reply.fail(422, request.text); }

constexpr Operation kWrong[] = {{"wrong", run_wrong}, {"refuse", run_refuse}};
const Service kText = {kWrong, /*idempotent=*/true};

std::string typed(std::string_view type, std::string_view text) {
  std::string payload(1, static_cast<char>(type.size()));
  return payload.append(type).append(text);
}

std::string typed_request(uint64_t id, std::string_view operation, std::string_view type, std::string_view text, std::string_view token = "") {
  return encode(FrameType::typed_request, id, operation, token, typed(type, text));
}

/// What is refused at once is answered before what is worked on.
std::vector<Frame> by_id(std::vector<Frame> frames) {
  std::sort(frames.begin(), frames.end(), [](const Frame& a, const Frame& b) { return a.id < b.id; });
  return frames;
}

const std::string kAll = [] {
  std::string all;
  for (int byte = 0; byte < 256; byte++) all.push_back(static_cast<char>(byte));
  return all;
}();

}  // namespace

TEST("bytes: the ready line says so, and that of a text service says nothing") {
  TestGuest bytes(64 << 10, 4 << 20, kBytes);
  CHECK(bytes.platform.console.find(" idempotent=1 payload=bytes ops=echo,type,bad\n") != std::string::npos);
  TestGuest text;
  CHECK(text.platform.console.find("payload=") == std::string::npos);
}

TEST("bytes: any go in and come out, with their content type, however they are cut up") {
  std::string large;
  for (int i = 0; i < 200; i++) large += kAll;
  const std::string longest(255, 'x');
  const std::string input = typed_request(1, "echo", "image/png", kAll, "t1") + typed_request(2, "", "", large) +
                            typed_request(3, "echo", longest, "") + request(4, "echo", kAll);
  for (const size_t step : {1, 7, 16, 17, 4096, 100'000}) {
    TestGuest guest(64 << 10, 4 << 20, kBytes);
    auto& client = guest.connect();
    for (size_t at = 0; at < input.size(); at += step) {
      guest.send(client, std::string_view(input).substr(at, step));
      guest.run();
    }
    const auto frames = client.stream.take_frames();
    CHECK_EQUAL(frames.size(), size_t{4});
    CHECK_EQUAL(frames[0].type, FrameType::typed_reply);
    CHECK_EQUAL(frames[0].token, std::string("t1"));
    CHECK(frames[0].payload == typed("image/png", kAll));
    CHECK(frames[1].payload == typed("", large));
    CHECK(frames[2].payload == typed(longest, ""));
    // Who asks without a content type may not know of any.
    CHECK_EQUAL(frames[3].type, FrameType::reply);
    CHECK(frames[3].payload == kAll);
  }
}

TEST("bytes: a content type that is none is refused, and the next request is answered") {
  TestGuest guest(1000, 4 << 20, kBytes);
  auto& client = guest.connect();
  const std::string refused = "400 the content type is not 1 to 255 printable ASCII characters";
  const std::string beyond = encode(FrameType::typed_request, 5, "echo", "t", "\x09" "a/b");
  const auto frames = by_id(guest.exchange(client, typed_request(1, "echo", "a\r\nb: c", "x", "t") + typed_request(2, "echo", " a", "x") +
                                                 typed_request(3, "echo", "\xc3\xa4", "x") + encode(FrameType::typed_request, 4) + beyond +
                                                 typed_request(6, "echo", "a/b", "x")));
  CHECK_EQUAL(frames.size(), size_t{6});
  for (size_t i = 0; i < 5; i++) {
    CHECK_EQUAL(frames[i].type, FrameType::error);
    CHECK_EQUAL(frames[i].payload, refused);
  }
  CHECK_EQUAL(frames[0].token, std::string("t"));
  CHECK_EQUAL(frames[5].payload, typed("a/b", "x"));
}

TEST("bytes: the longest is the longest beside its content type") {
  TestGuest guest(1000, 4 << 20, kBytes);
  auto& client = guest.connect();
  const std::string longest(1000, 'x');
  const auto frames = by_id(guest.exchange(client, typed_request(1, "echo", "a/b", longest) + typed_request(2, "echo", "a/b", longest + "x") +
                                                       typed_request(3, "echo", "", std::string(5000, 'x'))));
  CHECK_EQUAL(frames.size(), size_t{3});
  CHECK_EQUAL(frames[0].payload, typed("a/b", longest));
  CHECK_EQUAL(frames[1].payload, std::string("413 a text of 1001 bytes is longer than 1000"));
  CHECK_EQUAL(frames[2].type, FrameType::error);
}

TEST("bytes: a reply's content type is settled before its first byte, and an error has none") {
  TestGuest guest(64 << 10, 4 << 20, kBytes);
  auto& client = guest.connect();
  const auto frames = guest.exchange(client, typed_request(1, "type", "", "image/png") + typed_request(2, "type", "", "a\nb") +
                                                 typed_request(3, "type", "", std::string(256, 'x')) + typed_request(4, "bad", "", ""));
  CHECK_EQUAL(frames[0].payload, typed("image/png", "good"));
  CHECK_EQUAL(frames[1].payload, typed("", "bad"));
  CHECK_EQUAL(frames[2].payload, typed("", "bad"));
  CHECK_EQUAL(frames[3].type, FrameType::error);
  CHECK_EQUAL(frames[3].payload, std::string("422 no"));
}

TEST("bytes: a kept reply comes with its content type") {
  TestGuest guest(64 << 10, 4 << 20, kBytes);
  auto& lost = guest.connect();
  guest.send(lost, typed_request(1, "echo", "image/png", kAll, "kept"));
  lost.connection->broken();
  guest.run();
  auto& next = guest.connect();
  const auto frames = guest.exchange(next, encode(FrameType::ping, 7));
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].type, FrameType::typed_reply);
  CHECK(frames[0].payload == typed("image/png", kAll));
}

TEST("bytes: a text service takes no typed requests, and checks both ways") {
  TestGuest guest;
  auto& client = guest.connect();
  const auto frames = by_id(guest.exchange(client, request(1, "upper", "\xff") + typed_request(2, "upper", "a/b", "x")));
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].payload, std::string("400 the text is not valid UTF-8"));
  CHECK_EQUAL(frames[1].payload, std::string("400 a client cannot send frames of type 8"));

  TestGuest wrong(64 << 10, 4 << 20, kText);
  auto& asker = wrong.connect();
  const std::string no_text = "400 the service's reply is not valid UTF-8, and it is one that gives text";
  const auto replies = wrong.exchange(asker, request(1, "wrong", "") + request(2, "wrong", "cut") + request(3, "wrong", "bad") + request(4, "wrong", "cut", "t"));
  CHECK_EQUAL(replies[0].payload.size(), size_t{15'000});
  CHECK_EQUAL(replies[1].payload, no_text);
  CHECK_EQUAL(replies[2].payload, no_text);
  CHECK_EQUAL(replies[3].payload, no_text);
}

TEST("bytes: a long message of an error is cut between two characters") {
  TestGuest guest(64 << 10, 4 << 20, kText);
  for (const auto& [character, count] : {std::pair{"\xe2\x82\xac", 160}, std::pair{"\xf0\x9f\x98\x80", 120}, std::pair{"x", 480}}) {
    std::string text = "y";
    for (int i = 0; i < 500; i++) text += character;
    std::string expected = "422 y";
    for (int i = 1; i < count; i++) expected += character;
    const auto frames = guest.exchange(guest.connect(), request(1, "refuse", text));
    CHECK_EQUAL(frames[0].payload, expected);
  }
}

TEST("bytes: over HTTP the content type is a header, both ways, whole or in chunks") {
  TestGuest guest(64 << 10, 4 << 20, kBytes);
  auto& client = guest.connect();
  const auto answer = [](std::string_view type, std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  };
  CHECK(talk(guest, client, post("/echo", kAll, "content-type:  image/png \r\n")) == answer("image/png", kAll));
  CHECK(talk(guest, client, post("/", kAll)) == answer("application/octet-stream", kAll));
  CHECK(talk(guest, client, post_chunks("/echo", chunked(kAll, 100), "Content-Type: a/b; c=d\r\n")) == answer("a/b; c=d", kAll));
  CHECK_EQUAL(status_of(talk(guest, client, post("/echo", "x", "Content-Type: a\tb\r\n"))), std::string("400"));
  CHECK_EQUAL(status_of(talk(guest, client, post("/echo", "x", "Content-Type: " + std::string(256, 'x') + "\r\n"))), std::string("400"));
  CHECK(talk(guest, client, post("/bad", "")).find("Content-Type: text/plain; charset=utf-8\r\n") != std::string::npos);
  CHECK(body_of(talk(guest, client, "GET / HTTP/1.1\r\n\r\n")).find("The largest text has 65536 bytes.\n") != std::string::npos);
  const std::string twice = talk(guest, client, post("/echo", "x", "Content-Type: a/b\r\nContent-Type: c/d\r\n"));
  CHECK_EQUAL(status_of(twice), std::string("400"));
}

}  // namespace shoal::test
