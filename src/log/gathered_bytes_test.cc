#include "log/gathered_bytes.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "io/test_seed.h"

namespace adbrook::log {
namespace gathered_bytes_test {

Buffer joined(const GatheredBytes& gathered) {
  Buffer all;
  for (const ByteView piece : gathered.pieces()) append(all, piece);
  return all;
}

TEST(GatheredBytes, are_the_bytes_that_were_added_with_their_checksum) {
  for (const std::uint64_t seed : io::test_seeds(50)) {
    SCOPED_TRACE(io::seed_note(seed));
    io::SeededRandom random(seed);
    GatheredBytes gathered;
    for (int round = 0; round < 3; ++round) {
      std::vector<Buffer> kept;
      Buffer model;
      GatheredBytes::Mark mark;
      std::size_t marked = 0;
      std::size_t skipped = 0;
      for (std::uint64_t left = random.below(20); left > 0; --left) {
        if (random.below(4) == 0) {
          mark = gathered.end();
          marked = model.size();
          const Buffer head(8, std::byte{1});
          append(gathered.own(), head);
          append(model, head);
          skipped = random.below(9);
        }
        Buffer& bytes = kept.emplace_back(random.below(random.below(2) == 0 ? 100 : 20'000));
        random.fill(bytes);
        gathered.add(bytes);
        append(model, bytes);
      }
      ASSERT_EQ(joined(gathered), model);
      ASSERT_EQ(gathered.size(), model.size());
      ASSERT_EQ(gathered.empty(), model.empty());
      if (marked + skipped <= model.size()) {
        ASSERT_EQ(gathered.checksum_from(mark, skipped, 7),
                  crc32c(ByteView(model).subspan(marked + skipped), 7));
      }
      gathered.clear();
      ASSERT_TRUE(gathered.empty());
    }
  }
}

}  // namespace gathered_bytes_test
}  // namespace adbrook::log
