#include "record/compression.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <array>
#include <string>

namespace adbrook::record {
namespace {

constexpr std::array kCodecs = {Compression::gzip, Compression::snappy, Compression::lz4,
                                Compression::zstd};

Buffer to_buffer(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

TEST(Compression, output_equals_input) {
  for (const auto codec : kCodecs) {
    for (const std::size_t size : {0, 1, 100, 70'000, 1'000'000}) {
      std::string text(size, 'a');
      for (std::size_t i = 0; i < size; i += 7) text[i] = static_cast<char>(i * 31);
      const auto packed = compress(codec, as_bytes(text));
      ASSERT_TRUE(packed);
      const auto back = decompress(codec, *packed, Bytes{static_cast<std::int64_t>(size)});
      ASSERT_TRUE(back) << to_string(codec) << " " << size << " " << back.error().message;
      EXPECT_EQ(as_text(*back), text);
    }
  }
}

TEST(Compression, bombs_are_stopped_at_the_limit) {
  const std::string zeros(20'000'000, '\0');
  for (const auto codec : kCodecs) {
    const auto packed = compress(codec, as_bytes(zeros));
    ASSERT_TRUE(packed);
    const auto back = decompress(codec, *packed, 1_MiB);
    ASSERT_FALSE(back) << to_string(codec);
    EXPECT_EQ(back.error().kind, ErrorKind::overloaded) << to_string(codec);
  }
}

TEST(Compression, one_byte_above_the_limit_is_too_much) {
  const std::string text(1000, 'x');
  for (const auto codec : kCodecs) {
    const auto packed = compress(codec, as_bytes(text));
    EXPECT_TRUE(decompress(codec, *packed, Bytes{1000})) << to_string(codec);
    EXPECT_FALSE(decompress(codec, *packed, Bytes{999})) << to_string(codec);
  }
}

TEST(Compression, every_truncation_is_corrupt) {
  const std::string text(300, 'q');
  for (const auto codec : kCodecs) {
    const auto packed = compress(codec, as_bytes(text));
    for (std::size_t size = 0; size < packed->size(); ++size) {
      const auto back = decompress(codec, ByteView(*packed).first(size), 1_MiB);
      ASSERT_FALSE(back) << to_string(codec) << " " << size;
      EXPECT_EQ(back.error().kind, ErrorKind::corrupt);
    }
  }
}

TEST(Compression, garbage_is_corrupt) {
  for (const auto codec : kCodecs) {
    const auto back = decompress(codec, as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff"), 1_MiB);
    ASSERT_FALSE(back) << to_string(codec);
    EXPECT_EQ(back.error().kind, ErrorKind::corrupt);
  }
}

TEST(Compression, xerial_blocks_are_joined) {
  using namespace std::string_view_literals;
  Buffer framed = to_buffer("\x82SNAPPY\0\0\0\0\1\0\0\0\1"sv);
  for (const std::string_view part : {"hello "sv, "world"sv}) {
    const auto block = compress(Compression::snappy, as_bytes(part));
    framed.resize(framed.size() + 4);
    store_be(framed.data() + framed.size() - 4, static_cast<std::uint32_t>(block->size()));
    append(framed, *block);
  }
  const auto back = decompress(Compression::snappy, framed, 1_MiB);
  ASSERT_TRUE(back);
  EXPECT_EQ(as_text(*back), "hello world");
  for (std::size_t size = 17; size + 1 < framed.size(); ++size) {
    const auto cut = decompress(Compression::snappy, ByteView(framed).first(size), 1_MiB);
    EXPECT_TRUE(!cut || as_text(*cut) == "hello ") << size;
  }
}

TEST(Compression, snappy_length_that_cannot_be_is_not_allocated) {
  const auto back =
      decompress(Compression::snappy, as_bytes("\xff\xff\xff\xff\x0f"), Bytes{1LL << 40});
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, ErrorKind::corrupt);
}

TEST(Compression, gzip_members_are_joined) {
  Buffer both = compress(Compression::gzip, as_bytes("one ")).value();
  append(both, compress(Compression::gzip, as_bytes("two")).value());
  const auto back = decompress(Compression::gzip, both, 1_MiB);
  ASSERT_TRUE(back);
  EXPECT_EQ(as_text(*back), "one two");
}

TEST(Compression, zstd_frame_without_content_size_is_read) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  Buffer packed(100);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), "abc", 3));
  ZSTD_freeCCtx(context);
  const auto back = decompress(Compression::zstd, packed, 1_MiB);
  ASSERT_TRUE(back);
  EXPECT_EQ(as_text(*back), "abc");
}

TEST(Compression, unknown_codec_is_unsupported) {
  const auto back = decompress(static_cast<Compression>(5), {}, 1_MiB);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace adbrook::record
