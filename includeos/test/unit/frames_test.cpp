// What a client sees of the frames, however they are cut up.
#include <algorithm>

#include "check.h"
#include "test_guest.h"

namespace shoal::test {

TEST("frames: a request is answered with its id and token") {
  TestGuest guest;
  auto& client = guest.connect();
  const auto frames = guest.exchange(client, request(0xfedcba9876543210, "lower", "ABC", "my token"));
  CHECK_EQUAL(frames.size(), size_t{1});
  CHECK_EQUAL(frames[0].type, FrameType::reply);
  CHECK_EQUAL(frames[0].id, uint64_t{0xfedcba9876543210});
  CHECK_EQUAL(frames[0].token, std::string("my token"));
  CHECK_EQUAL(frames[0].payload, std::string("abc"));
}

TEST("frames: no operation is the first one, no text is an empty text") {
  TestGuest guest;
  auto& client = guest.connect();
  const auto frames = guest.exchange(client, request(1, "", "abc", "") + request(2, "", "", ""));
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].payload, std::string("ABC"));
  CHECK_EQUAL(frames[1].payload, std::string());
}

TEST("frames: cut up anywhere they mean the same") {
  const std::string input = request(1, "upper", "one") + encode(FrameType::ping, 2, "", "p", "ping!") + request(3, "nope", "x") +
                            encode(FrameType::cancel, 99, "", "", "ignored") + request(4, "reverse", std::string(9000, 'q') + "z") +
                            request(5, "upper", std::string(70'000, 'x'), "t") + request(6, "upper", "last");
  for (const size_t step : {1, 2, 3, 5, 7, 15, 16, 17, 31, 1000, 4096, 100'000}) {
    TestGuest guest;
    auto& client = guest.connect();
    for (size_t at = 0; at < input.size(); at += step) {
      guest.send(client, std::string_view(input).substr(at, step));
      guest.run();
    }
    auto frames = client.stream.take_frames();
    CHECK_EQUAL(frames.size(), size_t{6});
    std::sort(frames.begin(), frames.end(), [](const Frame& a, const Frame& b) { return a.id < b.id; });
    CHECK_EQUAL(frames[0].payload, std::string("ONE"));
    CHECK_EQUAL(frames[1].type, FrameType::pong);
    CHECK_EQUAL(frames[1].token, std::string("p"));
    CHECK_EQUAL(frames[1].payload, std::string("ping!"));
    CHECK_EQUAL(frames[2].payload, std::string("404 unknown operation \"nope\""));
    CHECK_EQUAL(frames[3].payload, "z" + std::string(9000, 'q'));
    CHECK_EQUAL(frames[4].type, FrameType::error);
    CHECK_EQUAL(frames[4].token, std::string("t"));
    CHECK_EQUAL(frames[4].payload, std::string("413 a text of 70000 bytes is longer than 65536"));
    CHECK_EQUAL(frames[5].payload, std::string("LAST"));
    CHECK_EQUAL(client.stream.consumed_bytes, input.size());
    CHECK(!client.stream.ended());
  }
}

TEST("frames: too large a text is not stored, however large") {
  TestGuest guest(1000, 2 << 20);
  auto& client = guest.connect();
  const size_t used = guest.heap.used_bytes();
  guest.send(client, request(1, "upper", std::string(60 << 20, 'x')));
  CHECK(guest.heap.used_bytes() < used + (16 << 10));
  const auto frames = guest.exchange(client, request(2, "upper", "ok"));
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[1].payload, std::string("OK"));
}

TEST("frames: what cannot be a frame is told, then the connection ends") {
  struct Case {
    std::string bytes;
    std::string message;
  };
  std::string long_token = encode(FrameType::request, 9, "", std::string(257, 't'), "");
  std::string absurd = request(9, "", "");
  absurd[3] = 0x7f;
  std::string short_length = request(9, "upper", "abc");
  short_length[0] = 2;
  for (const Case& bad : {Case{encode(static_cast<FrameType>(0), 9), "400 a client cannot send frames of type 0"},
                          Case{encode(FrameType::reply, 9), "400 a client cannot send frames of type 2"},
                          Case{encode(FrameType::error, 9), "400 a client cannot send frames of type 3"},
                          Case{encode(FrameType::pong, 9), "400 a client cannot send frames of type 5"},
                          Case{encode(static_cast<FrameType>(200), 9), "400 a client cannot send frames of type 200"},
                          Case{long_token, "400 a token of 257 bytes is longer than 256"},
                          Case{absurd, "400 a frame of 2130706432 bytes is longer than 67108864"},
                          Case{short_length, "400 operation and token are longer than the frame of 2 bytes"}}) {
    TestGuest guest;
    auto& client = guest.connect();
    const auto frames = guest.exchange(client, request(1, "upper", "before") + bad.bytes + request(2, "upper", "after"));
    CHECK_EQUAL(frames.size(), size_t{2});
    CHECK_EQUAL(frames[0].payload, bad.message);
    CHECK_EQUAL(frames[0].id, uint64_t{9});
    CHECK_EQUAL(frames[1].payload, std::string("BEFORE"));
    CHECK(client.stream.finished);
    CHECK(guest.exchange(guest.connect(), request(1, "", "x")).size() == 1);
  }
}

TEST("frames: the largest token and operation there can be") {
  TestGuest guest;
  auto& client = guest.connect();
  const std::string token(256, 'k');
  const auto frames = guest.exchange(client, request(1, std::string(255, '<'), "x", token) + request(2, "upper", "x", token));
  CHECK_EQUAL(frames[0].payload, "404 unknown operation \"" + std::string(64, '<') + "...\"");
  CHECK_EQUAL(frames[0].token, token);
  CHECK_EQUAL(frames[1].token, token);
}

TEST("frames: a relayed command is printed unchanged as one line, and nothing is answered") {
  TestGuest guest;
  auto& client = guest.connect();
  const auto frames = guest.exchange(client, encode(FrameType::relay, 5, "", "tok", "start vm=7  mac=0") + request(6, "", "x"));
  CHECK_EQUAL(frames.size(), size_t{1});
  CHECK_EQUAL(frames[0].payload, std::string("X"));
  CHECK(guest.platform.console.find("\nshoal1 relay start vm=7  mac=0\n") != std::string::npos);
}

TEST("frames: what is no line is not relayed") {
  TestGuest guest;
  auto& client = guest.connect();
  const std::string lines = encode(FrameType::relay, 1, "", "tok", "a\nshoal1 bye reason=stop") + encode(FrameType::relay, 2, "", "", "") +
                            encode(FrameType::relay, 3, "", "", std::string(513, 'x'));
  const auto frames = guest.exchange(client, lines + request(6, "", "x"));
  CHECK_EQUAL(frames[0].payload, std::string("400 a relayed line has printable ASCII characters only"));
  CHECK_EQUAL(frames[0].token, std::string("tok"));
  CHECK_EQUAL(frames[1].payload.substr(0, 3), std::string("400"));
  CHECK_EQUAL(frames[2].payload.substr(0, 3), std::string("413"));
  CHECK(guest.platform.console.find("relay") == std::string::npos);
}

TEST("frames: text that is not UTF-8, also at the very end of a long one") {
  TestGuest guest(200'000);
  auto& client = guest.connect();
  const auto frames = guest.exchange(client, request(1, "upper", "a\xff") + request(2, "sha256", std::string(150'000, 'a') + "\xc3"));
  CHECK_EQUAL(frames[0].payload, std::string("400 the text is not valid UTF-8"));
  CHECK_EQUAL(frames[1].payload, std::string("400 the text is not valid UTF-8"));
}

TEST("frames: a reply that grows beyond the limit is an error, and the connection lives on") {
  TestGuest guest(10'000);
  auto& client = guest.connect();
  std::string growing;
  for (int i = 0; i < 5000; i++) growing += "ΐ";
  const auto frames = guest.exchange(client, request(1, "upper", growing) + request(2, "upper", "x"));
  CHECK_EQUAL(frames[0].payload, std::string("413 the reply is longer than 10000 bytes"));
  CHECK_EQUAL(frames[1].payload, std::string("X"));
}

TEST("frames: a short reply is sent even where texts must be shorter") {
  TestGuest guest(3);
  auto& client = guest.connect();
  CHECK_EQUAL(guest.exchange(client, request(1, "sha256", "abc"))[0].payload.size(), size_t{64});
}

}  // namespace shoal::test
