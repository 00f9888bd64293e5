// Golden scenario files, damaged. Never crashes; an error names a line; what is read prints as text
// that reads back as the same scenario.
#include <cstdlib>

#include "stream/golden/scenario_test.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook::stream::golden;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto scenario = read_scenario("f", text);
  if (!scenario) {
    if (!scenario.error().message.starts_with("f:")) std::abort();
    return 0;
  }
  const auto again = read_scenario("f", to_string(*scenario));
  if (!again || !(*again == *scenario)) std::abort();
  return 0;
}
