#include "serde/avro_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "serde/avro_fixtures.h"
#include "serde/avro_json.h"

namespace adbrook::serde {
namespace avro_file_test {

// Gives the text in parts of at most `part_size` bytes.
AvroBytesSource source_of(std::string_view text, std::size_t part_size = 1 << 20) {
  return [text, part_size](std::span<std::byte> to) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({text.size(), to.size(), part_size});
    std::memcpy(to.data(), text.data(), count);
    text.remove_prefix(count);
    return count;
  };
}

// All values as lines of JSON; an error as a last line "!message".
std::string lines_of(std::string_view file, std::size_t part_size = 1 << 20) {
  auto reader = AvroFileReader::open(source_of(file, part_size));
  if (!reader) return "!" + reader.error().message;
  std::string lines;
  AvroValue value;
  while (true) {
    const auto more = reader->next(value);
    if (!more) return lines + "!" + more.error().message;
    if (!*more) return lines;
    JsonWriter json(lines);
    write_json(json, reader->schema(), value);
    lines += '\n';
  }
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != message.npos;
}

std::string fixture(const std::string& path) { return read_fixture(avro_fixtures() + path); }

constexpr AvroSync kSync = {std::byte{1}, std::byte{2}, std::byte{3}};

std::string write_numbers(AvroBlockCodec codec, int count, Bytes block_size) {
  AvroFileWriter writer(*AvroSchema::parse(R"({"type":"record","name":"N","fields":[
                            {"name":"n","type":"long"},{"name":"t","type":"string"}]})"),
                        codec, kSync, block_size);
  Buffer file;
  for (int i = 0; i < count; ++i) {
    const AvroValue value{AvroItems{{std::int64_t{i}}, {std::string("text ") + std::to_string(i)}}};
    EXPECT_TRUE(writer.add(value));
    append(file, writer.take());
  }
  append(file, writer.finish());
  return std::string(as_text(file));
}

TEST(AvroFile, weather_in_every_codec_is_the_weather) {
  ADBROOK_NEED_AVRO_FIXTURES();
  const std::string expected = fixture("share/test/data/weather.json");
  for (const char* name :
       {"weather.avro", "weather-deflate.avro", "weather-snappy.avro", "weather-zstd.avro"})
    EXPECT_EQ(lines_of(fixture(std::string("share/test/data/") + name)), expected) << name;
}

TEST(AvroFile, files_of_other_languages_are_read) {
  ADBROOK_NEED_AVRO_FIXTURES();
  for (const char* name :
       {"share/test/data/syncInMeta.avro", "share/test/data/schemas/simple/data.avro",
        "share/test/data/schemas/withUnion/data.avro", "lang/c/tests/avro-1237-good.avro",
        "lang/c/tests/avro-1238-good.avro", "lang/c/tests/avro-1279-codec.avro",
        "lang/c/tests/avro-1279-no-codec.avro"}) {
    const std::string lines = lines_of(fixture(name));
    EXPECT_FALSE(lines.empty()) << name;
    EXPECT_FALSE(says(lines, "!")) << name << " " << lines;
  }
  EXPECT_EQ(lines_of(fixture("lang/c/tests/avro-1279-codec.avro")),
            lines_of(fixture("lang/c/tests/avro-1279-no-codec.avro")));
}

TEST(AvroFile, damaged_files_of_the_avro_project_are_refused) {
  ADBROOK_NEED_AVRO_FIXTURES();
  EXPECT_TRUE(says(lines_of(fixture("lang/c/tests/avro-1237-bad-union-discriminant.avro")),
                   "!Avro file, block before byte"));
  EXPECT_TRUE(says(lines_of(fixture("lang/c/tests/avro-1238-truncated.avro")), "ends early"));
  EXPECT_TRUE(says(lines_of(fixture("share/test/data/test.avro12")), "does not begin with"));
}

TEST(AvroFile, written_files_are_read_in_any_parts) {
  for (const auto codec : {AvroBlockCodec::none, AvroBlockCodec::deflate, AvroBlockCodec::snappy,
                           AvroBlockCodec::zstandard}) {
    const std::string file = write_numbers(codec, 1000, 4_KiB);
    const std::string lines = lines_of(file);
    EXPECT_EQ(std::ranges::count(lines, '\n'), 1000) << to_string(codec);
    EXPECT_TRUE(says(lines, R"({"n":999,"t":"text 999"})"));
    EXPECT_EQ(lines_of(file, 7), lines);
  }
}

TEST(AvroFile, file_without_values_is_empty) {
  EXPECT_EQ(lines_of(write_numbers(AvroBlockCodec::deflate, 0, 4_KiB)), "");
}

TEST(AvroFile, every_truncation_is_found_or_ends_between_blocks) {
  const std::string file = write_numbers(AvroBlockCodec::deflate, 30, Bytes{100});
  const std::string lines = lines_of(file);
  int clean_ends = 0;
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string part = lines_of(std::string_view(file).substr(0, size));
    const bool bad = says(part, "!");
    if (!bad) ++clean_ends;
    EXPECT_TRUE(bad || lines.starts_with(part)) << size;
  }
  EXPECT_LT(clean_ends, 10) << "only block ends look like the end of the file";
}

TEST(AvroFile, every_flipped_byte_of_a_block_is_survived) {
  const std::string good = write_numbers(AvroBlockCodec::none, 20, 1_KiB);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    (void)lines_of(bad);
  }
}

TEST(AvroFile, bombs_and_large_blocks_are_stopped) {
  const std::string file = write_numbers(AvroBlockCodec::deflate, 20'000, 4_MiB);
  AvroFileLimits limits;
  limits.block_size_max = 100_KiB;
  auto reader = AvroFileReader::open(source_of(file), nullptr, limits);
  ASSERT_TRUE(reader);
  AvroValue value;
  const auto more = reader->next(value);
  ASSERT_FALSE(more);
  EXPECT_TRUE(says(more.error().message, "more than 102400 bytes come out"))
      << more.error().message;
}

TEST(AvroFile, unknown_codec_is_named) {
  std::string file = write_numbers(AvroBlockCodec::deflate, 1, 4_KiB);
  file.replace(file.find("deflate"), 7, "brotli!");
  EXPECT_TRUE(says(lines_of(file), "codec 'brotli!' is not known"));
}

TEST(AvroFile, values_are_given_in_the_readers_schema) {
  const std::string file = write_numbers(AvroBlockCodec::zstandard, 3, 4_KiB);
  auto reader = AvroFileReader::open(source_of(file),
                                     *AvroSchema::parse(R"({"type":"record","name":"N","fields":[
        {"name":"added","type":"int","default":5},{"name":"n","type":"double"}]})"));
  ASSERT_TRUE(reader) << reader.error().message;
  AvroValue value;
  ASSERT_TRUE(reader->next(value).value());
  EXPECT_EQ(value, (AvroValue{AvroItems{{std::int64_t{5}}, {0.0}}}));
}

TEST(AvroFile, source_errors_are_passed_on) {
  const auto broken = [](std::span<std::byte>) -> Result<std::size_t> {
    return fail(ErrorKind::io_failed, "the disk is gone");
  };
  const auto reader = AvroFileReader::open(broken);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().kind, ErrorKind::io_failed);
}

TEST(AvroFile, python_reads_what_is_written_here) {
  if (std::system("/usr/bin/python3 -c 'import avro.datafile' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-avro is not installed";
  const std::string path = testing::TempDir() + "adbrook_numbers.avro";
  const std::string file = write_numbers(AvroBlockCodec::deflate, 500, 1_KiB);
  std::FILE* const out = std::fopen(path.c_str(), "wb");
  ASSERT_NE(out, nullptr);
  std::fwrite(file.data(), 1, file.size(), out);
  std::fclose(out);
  const std::string script =
      "/usr/bin/python3 -c \"import sys, avro.datafile as d, avro.io as i\n"
      "rows = list(d.DataFileReader(open('" +
      path +
      "', 'rb'), i.DatumReader()))\n"
      "sys.exit(0 if rows == [{'n': k, 't': 'text %d' % k} for k in range(500)] else 1)\"";
  EXPECT_EQ(std::system(script.c_str()), 0);
  std::remove(path.c_str());
}

}  // namespace avro_file_test
}  // namespace adbrook::serde
