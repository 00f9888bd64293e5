// What the byte stores read back from a checkpoint: records of a partition or bucket, and the
// footer of a run. Whatever they accept they must be able to write and read again.
#include <cstdlib>
#include <memory>

#include "base/hash.h"
#include "io/simulated_file_system.h"
#include "state/key_table.h"
#include "state/sorted_run.h"
#include "state/time_table.h"

namespace {

using namespace adbrook;
using namespace adbrook::state;

void demand(bool holds) {
  if (!holds) std::abort();
}

void read_records(ByteView bytes, bool shadows) {
  const EncodedRules rules{.shadows = shadows, .seed = 1, .bucket_size = 1000};
  auto nothing = [] {};
  const Visit<> after_each(nothing);
  KeyTable keys, keys_again;
  if (keys.load(bytes, rules)) {
    Buffer written;
    keys.append_all(written, shadows, after_each);
    demand(keys_again.load(written, rules) && keys_again.count() == keys.count());
  }
  TimeTable times, times_again;
  if (times.load(bytes, rules)) {
    Buffer written;
    times.append_all(written, shadows, after_each);
    demand(times_again.load(written, rules) && times_again.count() == times.count());
  }
}

// The place that the footer speaks of is believed, so that the rest is looked at.
void read_footer(ByteView bytes) {
  if (bytes.size() < 24) return;
  io::SimulatedFileSystem disk(1);
  const auto files = std::make_shared<RunFiles>(disk, "");
  const Extent place{1, load_le<std::uint64_t>(bytes.data() + 16), bytes.size(), 0};
  const auto run = SortedRun::load(files, 0, place, bytes);
  if (run == nullptr) return;
  static_cast<void>(run->may_have(seeded_hash(as_text(bytes), 1)));
  demand(run->block_of(bytes.first(3), {1, 2}) < run->block_count());
  demand(run->memory() < 64 * bytes.size() + 1024);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const bool flag = (data[0] & 1) != 0;
  read_records(bytes.subspan(1), flag);
  read_footer(bytes.subspan(1));
  return 0;
}
