// The label's vectors (test/vectors/label.json) hold more; here are those that show every part.
#include <cstring>

#include "../check.hpp"
#include "../device.hpp"
#include "board/label.hpp"

using namespace board;
using namespace wattmesh;

namespace {

struct Case {
  uint8_t first;
  uint8_t step;
  const char* text;
  const char* digits;
};

constexpr Case cases[] = {
    {0, 0, "WM1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:D64F392A", "64193 50075 81370 78914 77694 09940 13804 68864"},
    {0xff, 0, "WM1:777777777777777777777777777777777777777777777777777Q:B94C2305", "63192 73609 15150 20169 41224 04120 47467 53688"},
};

}  // namespace

TEST(labelsAreThoseOfTheHeadEnd) {
  Device device(1);
  const Port port = device.port();
  for (const Case& label : cases) {
    uint8_t key[keyBytes];
    memset(key, label.first, sizeof key);
    char text[labelTextBytes];
    char digits[labelDigitsBytes];
    labelText(key, text);
    labelDigits(port, key, digits);
    CHECK_EQUAL(strcmp(text, label.text), 0);
    CHECK_EQUAL(strcmp(digits, label.digits), 0);
  }
}

TEST(labelsAreReadBack) {
  check::Random random(3);
  for (unsigned round = 0; round < 200; round++) {
    uint8_t key[keyBytes];
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(random.next());
    char text[labelTextBytes];
    labelText(key, text);
    uint8_t back[keyBytes];
    CHECK(parseLabelText(text, back));
    CHECK_EQUAL(memcmp(back, key, sizeof key), 0);
    const uint32_t at = random.below(labelTextBytes - 1);
    text[at] = text[at] == 'A' ? 'B' : 'A';
    CHECK(!parseLabelText(text, back));
  }
  uint8_t key[keyBytes];
  CHECK(!parseLabelText("", key));
  CHECK(!parseLabelText("WM1:", key));
  // Bits behind the key.
  CHECK(!parseLabelText("WM1:777777777777777777777777777777777777777777777777777R:B94C2305", key));
}
