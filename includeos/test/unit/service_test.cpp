// Operations on texts for which the answer is known by heart. The full comparison with JavaScript: ../text.test.mjs.
#include <string>

#include "check.h"
#include "test_guest.h"

namespace shoal::test {
namespace {

std::string answer(std::string_view operation, std::string_view text) {
  TestGuest guest(1 << 20, 16 << 20);
  const auto frames = guest.exchange(guest.connect(), request(1, operation, text));
  return frames.size() == 1 ? frames[0].payload : "no answer";
}

}  // namespace

TEST("service: upper and lower, with everything that is special") {
  CHECK_EQUAL(answer("upper", "straße \u0149 \u01f0 \u0390 \ufb01 \u01c6 \u1fb3 και"), std::string("STRASSE \u02bcN J\u030c \u0399\u0308\u0301 FI \u01c4 \u0391\u0399 ΚΑΙ"));
  CHECK_EQUAL(answer("lower", "STRASSE İ ΟΔΟΣ ΣΟΦΟΣ, Σ ΑΣΑ Ж"), std::string("strasse i̇ οδος σοφος, σ ασα ж"));
  CHECK_EQUAL(answer("lower", "ΑΣ. ΑΣ.Β 'ΣΑ ΑΣ\xcc\x81\xcc\x81 Α:Σ:"), std::string("ας. ασ.β 'σα ας\xcc\x81\xcc\x81 α:ς:"));
  CHECK_EQUAL(answer("upper", "😀 ok"), std::string("😀 OK"));
}

TEST("service: sha256 of the standard's own examples") {
  CHECK_EQUAL(answer("sha256", ""), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  CHECK_EQUAL(answer("sha256", "abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  CHECK_EQUAL(answer("sha256", std::string(1'000'000, 'a')), std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEST("service: count, freq, reverse, spin") {
  CHECK_EQUAL(answer("count", ""), std::string("{\"lines\":0,\"words\":0,\"bytes\":0}"));
  CHECK_EQUAL(answer("count", "\n"), std::string("{\"lines\":1,\"words\":0,\"bytes\":1}"));
  CHECK_EQUAL(answer("count", "a\xc2\xa0z\nb"), std::string("{\"lines\":2,\"words\":3,\"bytes\":6}"));
  CHECK_EQUAL(answer("freq", ""), std::string("[]"));
  CHECK_EQUAL(answer("freq", "b a b \"q\\\x01\x08 a ä"), std::string("[[\"a\",2],[\"b\",2],[\"\\\"q\\\\\\u0001\\b\",1],[\"ä\",1]]"));
  CHECK_EQUAL(answer("reverse", "añ😀"), std::string("😀ña"));
  CHECK_EQUAL(answer("spin", "5"), std::string("spun 5"));
  CHECK_EQUAL(answer("spin", ""), std::string("spun 100"));
  CHECK_EQUAL(answer("spin", "600001"), std::string("400 expected a number of milliseconds from 0 to 600000, got \"600001\""));
  CHECK_EQUAL(answer("spin", "-1"), std::string("400 expected a number of milliseconds from 0 to 600000, got \"-1\""));
}

}  // namespace shoal::test
