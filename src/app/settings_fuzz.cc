// The settings reader takes any bytes: it never crashes, and every complaint is one printable line.
#include <cstdlib>

#include "app/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adbrook::app;
  SettingsReader reader;
  reader.read_file({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  reader.finish();
  for (const auto& line : reader.complaints())
    if (line.empty() || line.find('\n') != std::string::npos) std::abort();
  // What was taken is within its limits, so printing and reading it again gives the same.
  SettingsReader again;
  for (const auto& row : all_setting_rows(reader.settings()))
    again.read_flag(row.key, row.value, "--set");
  if (!again.complaints().empty()) std::abort();
  return 0;
}
