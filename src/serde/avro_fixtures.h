// For tests: finds and reads the Avro project's own files, which lie beside the repository, not in
// it. A test without them says that it is skipped.
#pragma once

#include <cstdio>
#include <string>

namespace adbrook::serde {

inline std::string avro_fixtures() {
  return std::string(ADBROOK_SOURCE_DIR) + "/../shared/data/avro/";
}

// The whole file, or an empty string.
inline std::string read_fixture(const std::string& path) {
  std::string text;
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  char part[4096];
  while (const std::size_t count = std::fread(part, 1, sizeof part, file)) text.append(part, count);
  std::fclose(file);
  return text;
}

inline bool have_avro_fixtures() {
  return !read_fixture(avro_fixtures() + "share/test/data/schema-tests.txt").empty();
}

}  // namespace adbrook::serde

#define ADBROOK_NEED_AVRO_FIXTURES()           \
  if (!::adbrook::serde::have_avro_fixtures()) \
  GTEST_SKIP() << "the Avro project's files are not at " << ::adbrook::serde::avro_fixtures()
