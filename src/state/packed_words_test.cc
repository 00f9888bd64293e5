#include "state/packed_words.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/random.h"
#include "io/test_seed.h"

namespace adbrook::state {
namespace packed_words_test {

std::vector<std::uint64_t> random_words(io::SeededRandom& random, std::size_t count) {
  std::vector<std::uint64_t> words(count);
  for (std::uint64_t& word : words) {
    const std::uint64_t bits = random.below(65);
    word = bits == 0 ? 0 : random.next() >> (64 - bits);
  }
  return words;
}

Buffer pack(const std::vector<std::uint64_t>& words) {
  Buffer bytes(packed_size_max(words.size()));
  bytes.resize(static_cast<std::size_t>(pack_words(bytes.data(), words) - bytes.data()));
  return bytes;
}

TEST(PackedWords, come_back_as_they_were) {
  const std::uint64_t seed = io::test_seeds(1).front();
  SCOPED_TRACE("ADBROOK_SEED=" + std::to_string(seed));
  io::SeededRandom random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const auto words = random_words(random, 1 + random.below(16));
    const Buffer bytes = pack(words);
    std::vector<std::uint64_t> read(words.size(), ~std::uint64_t{0});
    BlobReader reader(bytes);
    ASSERT_TRUE(unpack_words(reader, read));
    EXPECT_TRUE(reader.ended_well());
    EXPECT_EQ(read, words);
  }
}

TEST(PackedWords, zeros_cost_a_nibble_each) {
  EXPECT_EQ(pack({0, 0, 0, 0, 0}).size(), 3u);
  EXPECT_EQ(pack({0, 1, 0, 256, 0}).size(), 3u + 1 + 2);
}

TEST(PackedWords, a_row_that_is_cut_off_is_refused) {
  const Buffer bytes = pack({7, 1u << 30, 0, ~std::uint64_t{0}});
  std::vector<std::uint64_t> read(4);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BlobReader reader(ByteView(bytes).first(size));
    EXPECT_FALSE(unpack_words(reader, read)) << size;
  }
}

TEST(PackedWords, a_word_of_more_than_eight_bytes_is_refused) {
  const Buffer bytes(32, std::byte{0x09});
  std::vector<std::uint64_t> read(2);
  BlobReader reader(bytes);
  EXPECT_FALSE(unpack_words(reader, read));
}

}  // namespace packed_words_test
}  // namespace adbrook::state
