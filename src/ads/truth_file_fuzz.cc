// Invariants of reading truth files: no bytes crash the reader, and what it accepts is written and
// read back equal.
#include "ads/truth_file.h"
#include "base/assert.h"
#include "io/simulated_file_system.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  using namespace adbrook::ads;
  io::SimulatedFileSystem files(1);
  const ByteView content(reinterpret_cast<const std::byte*>(bytes), size);
  ADBROOK_ASSERT(io::write_file_atomically(files, "t", content), "memory only");
  const auto truth = read_truth(files, "t");
  if (!truth) return 0;
  ADBROOK_ASSERT(write_truth(files, "again", *truth), "memory only");
  const auto again = read_truth(files, "again");
  ADBROOK_ASSERT(again, "what was written can be read");
  ADBROOK_ASSERT(again->outcomes() == truth->outcomes(), "outcomes stay");
  return 0;
}
