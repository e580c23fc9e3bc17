// The link over a port: where one connection ends and the next one begins, however late the guest looks.
#include "port_link.h"

#include <deque>

#include "check.h"
#include "test_guest.h"

namespace shoal::test {
namespace {

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

class TestPort final : public Port {
 public:
  Event take_event() override {
    if (events.empty() && on_no_event) on_no_event();
    if (events.empty()) return Event::none;
    const Event event = events.front();
    events.pop_front();
    return event;
  }
  std::string_view next_input() override {
    if (inputs.empty()) return {};
    if (on_read) std::exchange(on_read, nullptr)();
    return inputs.front();
  }
  void release_input() override { inputs.pop_front(); }
  size_t write(const char* bytes, size_t size) override {
    const size_t part = size < room ? size : room;
    room -= part;
    pending.append(bytes, part);
    return part;
  }
  void flush() override { sent.append(std::exchange(pending, {})); }
  void discard_output() override { pending.clear(); }

  std::deque<Event> events;
  std::deque<std::string> inputs;
  std::function<void()> on_no_event;
  std::function<void()> on_read;  // happens once, while a buffer is read
  std::string pending;
  std::string sent;
  size_t room = SIZE_MAX;
};

std::string opening(std::string_view nonce) { return encode(FrameType::ping, 0, "", kKey, nonce); }
std::string answer(std::string_view nonce) { return encode(FrameType::pong, 0, "", kKey, nonce); }

struct PortGuest : TestGuest {
  void host_opens(std::string_view nonce) {
    port.events.push_back(Port::Event::opened);
    if (!nonce.empty()) port.inputs.push_back(opening(nonce));
  }
  void host_closes() { port.events.push_back(Port::Event::closed); }
  void host_sends(std::string bytes) { port.inputs.push_back(std::move(bytes)); }

  void go() {
    do {
      link.receive();
      run();
      link.flush();
    } while (!port.inputs.empty() && !link.waits());
  }

  /// What the host has got since the last time, and has to begin with the answer to its opening.
  std::vector<Frame> take_after(std::string_view nonce) {
    const std::string wanted = answer(nonce);
    const size_t at = port.sent.find(wanted);
    CHECK(at != std::string::npos);
    if (at != std::string::npos) port.sent.erase(0, at + wanted.size());
    return take();
  }
  std::vector<Frame> take() {
    TestStream stream;
    stream.output = std::exchange(port.sent, {});
    auto frames = stream.take_frames();
    CHECK_EQUAL(stream.output, std::string());
    return frames;
  }

  TestPort port;
  PortLink link{port, *server, kKey};
};

}  // namespace

TEST("port: an opening is answered, and what follows is a connection; what came before belongs to none") {
  PortGuest guest;
  guest.host_sends(request(1, "upper", "nobody's"));
  guest.go();
  CHECK(guest.port.sent.empty());
  guest.host_opens("n1");
  guest.host_sends(encode(FrameType::ping, 5) + request(6, "upper", "text", "t6"));
  guest.go();
  const auto frames = guest.take_after("n1");
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].type, FrameType::pong);
  CHECK_EQUAL(frames[1].payload, std::string("TEXT"));
}

TEST("port: requests that came before a close are answered on the next connection, after its opening and before all else") {
  PortGuest guest;
  guest.host_opens("n1");
  guest.go();
  guest.take_after("n1");
  guest.host_sends(request(7, "upper", "one", "t7"));
  guest.host_closes();
  guest.go();
  CHECK(guest.port.sent.empty());
  guest.host_opens("n2");
  guest.host_sends(encode(FrameType::ping, 9));
  guest.go();
  const auto frames = guest.take_after("n2");
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].token, std::string("t7"));
  CHECK_EQUAL(frames[0].payload, std::string("ONE"));
  CHECK_EQUAL(frames[1].type, FrameType::pong);
}

TEST("port: closed and opened before the guest looks, in the middle of a frame: neither side takes up the other's bytes") {
  PortGuest guest;
  guest.host_opens("n1");
  guest.go();
  guest.take_after("n1");
  const std::string whole = request(1, "upper", "whole", "t1");
  const std::string half = request(2, "upper", std::string(40, 'x'), "t2");
  guest.host_sends(whole + half.substr(0, half.size() - 20));
  guest.host_closes();
  guest.host_opens("n2");
  guest.host_sends(encode(FrameType::ping, 3));
  guest.go();
  auto frames = guest.take_after("n2");
  CHECK_EQUAL(frames.size(), size_t{2});
  CHECK_EQUAL(frames[0].payload + frames[1].payload, std::string("WHOLE"));
  CHECK_EQUAL(count_of(frames, ""), size_t{1});
  guest.host_sends(request(4, "upper", "more", "t4"));
  guest.go();
  CHECK_EQUAL(count_of(guest.take(), "MORE"), size_t{1});
}

TEST("port: what the host does while the guest reads changes nothing") {
  for (const bool has_opening : {true, false}) {
    PortGuest guest;
    guest.host_opens("n1");
    guest.go();
    guest.take_after("n1");
    guest.host_sends(request(1, "upper", "one", "t1"));
    guest.port.on_read = [&] {
      guest.host_closes();
      guest.host_opens(has_opening ? "n2" : "");
    };
    guest.go();
    if (!has_opening) {
      // The reply is kept for whoever says that it is there.
      CHECK(guest.port.sent.empty());
      guest.host_sends(opening("n2"));
    }
    guest.host_sends(encode(FrameType::ping, 2));
    guest.go();
    const auto frames = guest.take_after("n2");
    CHECK_EQUAL(count_of(frames, "ONE"), size_t{1});
    CHECK_EQUAL(frames.size(), size_t{2});
  }
}

TEST("port: an opening ends the connection before it, even if the port has told nothing") {
  PortGuest guest;
  guest.host_opens("n1");
  guest.host_sends(request(1, "upper", "one", "t1").substr(0, 20));
  guest.go();
  guest.take_after("n1");
  guest.host_sends(opening("n2") + request(2, "upper", "two", "t2"));
  guest.go();
  const auto frames = guest.take_after("n2");
  CHECK_EQUAL(frames.size(), size_t{1});
  CHECK_EQUAL(frames[0].payload, std::string("TWO"));
}

TEST("port: only a whole ping with the key at the beginning of a buffer is an opening") {
  const std::string other = encode(FrameType::ping, 0, "", "0123456789abcdef0123456789abcdeF", "n2");
  const std::string with_operation = encode(FrameType::ping, 0, "upper", kKey, "n2");
  const std::string too_long = encode(FrameType::ping, 0, "", kKey, std::string(200, 'n'));
  const std::string behind = encode(FrameType::ping, 8) + opening("n2");
  for (const std::string& bytes : {other, with_operation, too_long, behind}) {
    PortGuest guest;
    guest.host_opens("n1");
    guest.host_sends(request(1, "spin", "50", "t1"));
    guest.host_sends(bytes);
    guest.go();
    // The connection goes on: it answers the request, and the ping like any other.
    const auto frames = guest.take_after("n1");
    CHECK_EQUAL(count_of(frames, "spun 50"), size_t{1});
    CHECK(frames.size() >= 2);
  }
}

TEST("port: a host that does not read gets the answer to its opening first, once there is room") {
  PortGuest guest;
  guest.host_opens("n1");
  guest.go();
  guest.take_after("n1");
  guest.port.room = 10;
  guest.host_sends(request(1, "upper", std::string(100, 'x'), "t1"));
  guest.go();
  CHECK_EQUAL(guest.port.sent.size(), size_t{10});
  guest.port.sent.clear();
  guest.host_closes();
  guest.host_opens("n2");
  guest.host_sends(request(2, "upper", "two", "t2"));
  guest.go();
  CHECK(guest.port.sent.empty());
  guest.port.room = 20;
  guest.go();
  CHECK_EQUAL(guest.port.sent.size(), size_t{20});
  guest.port.room = SIZE_MAX;
  guest.go();
  const auto frames = guest.take_after("n2");
  // What was half written on the connection before is lost with it, as on a broken TCP connection.
  CHECK_EQUAL(count_of(frames, "TWO"), size_t{1});
}

TEST("port: bytes that are no frame end the connection, which says so, and nothing more is heard until an opening") {
  PortGuest guest;
  guest.host_opens("n1");
  guest.host_sends(request(1, "upper", "before", "t1") + std::string(64, '\xff'));
  guest.go();
  const auto frames = guest.take_after("n1");
  CHECK_EQUAL(frames.size(), size_t{3});
  // The refusal does not wait for the reply.
  CHECK_EQUAL(count_of(frames, "BEFORE"), size_t{1});
  CHECK_EQUAL(frames[2].type, FrameType::error);
  CHECK_EQUAL(frames[2].id, uint64_t{0});
  CHECK_EQUAL(frames[2].token, std::string());
  guest.host_sends(request(2, "upper", "unheard", "t2"));
  guest.go();
  CHECK(guest.port.sent.empty());
  guest.host_closes();
  guest.host_opens("n2");
  guest.host_sends(request(3, "upper", "heard", "t3"));
  guest.go();
  CHECK_EQUAL(count_of(guest.take_after("n2"), "HEARD"), size_t{1});
}

TEST("port: a connection that waits for room is not read from, until a close") {
  PortGuest guest;
  guest.host_opens("n1");
  guest.link.receive();
  std::string many;
  for (uint64_t id = 1; id <= kQueueMax + 400; id++) many += request(id, "upper", "x", "t" + std::to_string(id));
  while (!many.empty()) {
    guest.host_sends(many.substr(0, 4096));
    many.erase(0, 4096);
  }
  const size_t sent = guest.port.inputs.size();
  guest.link.receive();
  CHECK(guest.link.waits());
  CHECK(!guest.port.inputs.empty());
  guest.host_closes();
  guest.link.receive();
  CHECK(guest.port.inputs.empty());
  CHECK(!guest.link.waits());
  CHECK(sent > 1);
}

TEST("port: openings without end do not keep the guest from its work") {
  PortGuest guest;
  size_t rounds = 0;
  guest.port.on_no_event = [&] {
    if (++rounds > 1000 || rounds % 2 == 0) return;
    guest.host_closes();
    guest.host_opens("n");
  };
  guest.link.receive();
  CHECK(rounds > 0 && rounds < 1000);
}

TEST("port: the guest that has one says so in its ready line") {
  Settings settings = test_settings(1024);
  settings.link_key = kKey;
  TestPlatform platform;
  Telemetry(platform).print_ready(settings, service);
  CHECK(platform.console.find("ready v=1 bind=none addr=127.0.10.1:9000 max=1024 ") != std::string::npos);
}

}  // namespace shoal::test
